"""
Promises of the protocol: three parties say what the plaintext says, and no message says anything.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from handsel.errors import EnvelopeInvalid
from handsel.matching.alias import split_alias
from handsel.matching.lockstep import Lockstep
from handsel.matching.masks import Masks, MaskStream
from handsel.matching.message import MATCHERS
from handsel.matching.party import Dialogue, Receive, Send, match
from handsel.matching.reference import match_in_clear
from handsel.matching.ring import Words
from handsel.matching.rows import Row, Rows
from handsel.matching.split import split_query, split_template, to_wire
from tests.matching.three import palm

Vectors = NDArray[np.int8]
DIMS = 16


def fresh_masks() -> dict[str, Masks]:
    """
    Return the masks of one query, by matcher.
    """
    ab, bc, ca = (os.urandom(32) for _ in range(3))
    ring = {"a": (ab, ca), "b": (bc, ab), "c": (ca, bc)}
    return {name: Masks(after=MaskStream(after), before=MaskStream(before)) for name, (after, before) in ring.items()}


def deal(gallery: Vectors, aliases: Sequence[bytes]) -> dict[str, Rows]:
    """
    Split a gallery among the three matchers.
    """
    dealt: dict[str, list[Row]] = {name: [] for name in MATCHERS}
    for index, (vector, alias) in enumerate(zip(gallery, aliases, strict=True)):
        parts = zip(MATCHERS, split_template(vector), split_alias(alias), strict=True)
        for name, share, part in parts:
            dealt[name].append(Row(index.to_bytes(16, "big"), index, to_wire(share), part.own, part.pair))
    return {name: Rows.build(rows, count=len(rows), dims=gallery.shape[1]) for name, rows in dealt.items()}


def dialogues(rows: dict[str, Rows], views: Vectors, *, threshold: int) -> dict[str, Dialogue[bytes]]:
    """
    Return the three dialogues of one query.
    """
    shares: dict[str, Words] = dict(zip(MATCHERS, split_query(views), strict=True))
    masks = fresh_masks()
    return {
        name: match(name, rows=rows[name], query=shares[name], threshold=threshold, masks=masks[name])
        for name in MATCHERS
    }


def matched(rows: dict[str, Rows], views: Vectors, *, threshold: int) -> bytes:
    """
    Return the XOR of the three answers.
    """
    answers = Lockstep(dialogues(rows, views, threshold=threshold)).run().values()
    return bytes(a ^ b ^ c for a, b, c in zip(*answers, strict=True))


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    count=st.sampled_from([0, 1, 2, 63, 64, 65, 200]),
    views=st.integers(1, 9),
    threshold=st.integers(-6000, 6000),
    is_at_edge=st.booleans(),
)
def test_three_parties_say_what_the_plaintext_says(
    seed: int, count: int, views: int, threshold: int, is_at_edge: bool
) -> None:
    generator = np.random.default_rng(seed)
    gallery = generator.integers(-40, 41, (count, DIMS)).astype(np.int8)
    query = generator.integers(-40, 41, (views, DIMS)).astype(np.int8)
    aliases = [generator.bytes(16) for _ in range(count)]
    if is_at_edge and count:
        threshold = int(generator.choice((query.astype(int) @ gallery.T.astype(int)).ravel()))
    rows = deal(gallery, aliases)

    for edge in (threshold, threshold + 1):
        expected = match_in_clear(gallery, query, aliases=aliases, threshold=edge)
        assert expected == matched(rows, query, threshold=edge)


def test_many_views_are_one_palm() -> None:
    gallery, aliases = np.stack([palm(seed) for seed in range(70)]), [os.urandom(16) for _ in range(70)]
    views = np.stack([palm(1000 + seed) for seed in range(31)] + [palm(69)])

    assert aliases[69] == matched(deal(gallery, aliases), views, threshold=12000)


def test_palm_that_matches_in_all_views_gives_its_alias_once() -> None:
    gallery, alias = palm(3)[None, :], os.urandom(16)

    for views in range(1, 10):
        assert alias == matched(deal(gallery, [alias]), np.stack([palm(3)] * views), threshold=12000)


@pytest.mark.parametrize("extreme", [-16129, 16129])
def test_extreme_dot_products_do_not_wrap(extreme: int) -> None:
    vector, alias = np.array([127, 0], np.int8), os.urandom(16)
    view = (vector if extreme > 0 else -vector)[None, :]
    rows = deal(vector[None, :], [alias])

    assert alias == matched(rows, view, threshold=extreme)
    assert bytes(16) == matched(rows, view, threshold=extreme + 1)


def test_padding_rows_match_nothing() -> None:
    vector, alias = np.array([127, 0], np.int8), os.urandom(16)

    assert bytes(16) == matched(deal(vector[None, :], [alias]), -vector[None, :], threshold=-100)


class _Overheard:
    """
    Note what each party receives.
    """

    def __init__(self) -> None:
        self.heard: dict[str, list[bytes]] = {name: [] for name in MATCHERS}

    def listen(self, name: str, dialogue: Dialogue[bytes]) -> Dialogue[bytes]:
        """
        Pass a dialogue on, and note.
        """
        asked = next(dialogue)
        try:
            while True:
                payload = yield asked
                if isinstance(asked, Receive):
                    self.heard[name].append(payload)
                asked = dialogue.send(payload)
        except StopIteration as stop:
            answer: bytes = stop.value
            return answer


def _overhear(gallery: Vectors, views: Vectors) -> tuple[dict[str, list[bytes]], dict[str, bytes]]:
    rows = deal(gallery, [bytes([1] * 16)] * len(gallery))
    overheard = _Overheard()
    heard = {name: overheard.listen(name, one) for name, one in dialogues(rows, views, threshold=8000).items()}
    return overheard.heard, dict(Lockstep(heard).run())


def test_messages_have_the_same_lengths_whoever_matches() -> None:
    nobody = np.zeros((64, 64), np.int8)
    somebody = np.stack([palm(1)] * 64)
    views = np.stack([palm(1)] * 3)

    lengths = [
        {name: [len(message) for message in messages] for name, messages in _overhear(gallery, views)[0].items()}
        for gallery in (nobody, somebody)
    ]

    assert lengths[0] == lengths[1]


@pytest.mark.parametrize("gallery_seed", [None, 1])
def test_every_message_and_answer_is_balanced_noise(gallery_seed: int | None) -> None:
    """
    Everything that one party hears is masked: ones and zeros are even, whether all rows match or none (6 sigma).
    """
    vector = np.zeros(64, np.int8) if gallery_seed is None else palm(gallery_seed)
    heard, answers = _overhear(np.stack([vector] * 640), np.stack([palm(1)] * 3))

    for messages in heard.values():
        for message in messages:
            ones = int(np.unpackbits(np.frombuffer(message, np.uint8)).sum())
            assert abs(ones - 4 * len(message)) < 6 * np.sqrt(2 * len(message))
    assert len({*answers.values()} - {bytes(16), bytes([1] * 16)}) == 3


def test_traffic_is_31_bits_a_comparison_and_one_more_for_each_view_joined() -> None:
    rows = deal(np.stack([palm(1)] * 64), [os.urandom(16)] * 64)
    run = Lockstep(dialogues(rows, np.stack([palm(2)] * 9), threshold=0))
    run.run()

    comparisons = 64 * 9
    assert {(31 * comparisons + 64 * 8) // 8} == set(run.sent_bytes.values())


def test_message_of_a_wrong_length_is_refused() -> None:
    rows = deal(np.stack([palm(1)] * 64), [os.urandom(16)] * 64)
    party = dialogues(rows, palm(1)[None, :], threshold=0)["c"]

    assert isinstance(next(party), Send)
    assert isinstance(party.send(b""), Receive)
    with pytest.raises(EnvelopeInvalid):
        party.send(bytes(16 * 8 + 1))
