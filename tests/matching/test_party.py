"""
Promises of the protocol: three parties say what the plaintext says, and no message says anything.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handsel.errors import EnvelopeInvalid, PeerCheated
from handsel.matching.alias import split_alias
from handsel.matching.dialogue import COIN_BYTES, Dialogue, Receive, Seat
from handsel.matching.honest import SUMS, Asked, nonsense_size
from handsel.matching.lockstep import Lockstep
from handsel.matching.message import MATCHERS
from handsel.matching.party import Terms, match, shape_of
from handsel.matching.prepared import Prepared, Shape, prepare
from handsel.matching.reference import match_in_clear
from handsel.matching.rows import Row, Rows
from handsel.matching.scale import SCALE, comparison_bits
from handsel.matching.split import split_query, split_rows, to_wire
from handsel.matching.triples import bucket_of
from tests.matching.cheat import Change, changing, messages, play
from tests.matching.dealt import Dealer, Vectors, near, palms, scene, xor
from tests.matching.three import palm

LONG = 4096  # Bytes of a message whose ones can be counted: shorter ones are commitments, coins and codes.
both_ways = pytest.mark.parametrize("is_proved", [False, True])


def deal(gallery: Vectors, aliases: Sequence[bytes]) -> dict[str, Rows]:
    """
    Split a gallery among the three matchers as tills and the issuer do.
    """
    dealt: dict[str, list[Row]] = {name: [] for name in MATCHERS}
    for index, (vector, alias) in enumerate(zip(gallery, aliases, strict=True)):
        parts = zip(MATCHERS, split_rows(vector), split_alias(alias), strict=True)
        for name, share, part in parts:
            dealt[name].append(Row(index.to_bytes(16, "big"), index, to_wire(share), part.own, part.pair))
    return {name: Rows.build(rows, dims=gallery.shape[1]) for name, rows in dealt.items()}


def ask(views: Vectors) -> dict[str, Asked]:
    """
    Split a query among the three matchers as tills do.
    """
    shares = zip(MATCHERS, split_query(views), split_rows(views), strict=True)
    return {name: Asked(query, row, len(views)) for name, query, row in shares}


def terms_of(threshold: int, *, dims: int, is_proved: bool) -> Terms:
    """
    Return the terms of a threshold, with as few bits as can be.
    """
    return Terms(threshold, is_proved=is_proved, bits=comparison_bits(threshold, dims=dims))


def matched(gallery: Vectors, aliases: Sequence[bytes], views: Vectors, terms: Terms) -> bytes:
    """
    Return the XOR of the three answers.
    """
    return xor(Lockstep(Dealer(0).dialogues(deal(gallery, aliases), ask(views), terms)).run().values())


def _require_plaintext(seed: int, *, count: int, views: int, dims: int, threshold: int | None, terms: Terms) -> None:
    dealer = Dealer(seed)
    gallery, query = (palms(dealer.generator, number, dims=dims) for number in (count, views))
    for view in range(0, min(views, count), 2):
        query[view] = near(dealer.generator, gallery[view : view + 1])[0]
    aliases = [dealer.octets(16) for _ in range(count)]
    rows = dealer.rows(gallery, aliases)
    if threshold is None:
        dots = (query.astype(int) @ gallery.T.astype(int)).ravel()
        threshold = int(dealer.generator.choice(dots)) if count else 0

    for edge in (threshold, threshold + 1):
        bits = 16 if terms.bits == 16 else comparison_bits(edge, dims=dims)
        found = dealer.dialogues(rows, dealer.asked(query), Terms(edge, is_proved=terms.is_proved, bits=bits))
        expected = match_in_clear(gallery, query, aliases=aliases, threshold=edge)
        assert expected == xor(Lockstep(found).run().values())


anything = given(
    seed=st.integers(0, 2**32),
    count=st.sampled_from([0, 1, 2, 63, 64, 65, 200]),
    views=st.integers(1, 9),
    dims=st.sampled_from([2, 16, 64]),
    threshold=st.one_of(st.none(), st.integers(-SCALE * SCALE, SCALE * SCALE), st.integers(-20_000, 20_000)),
    bits=st.sampled_from([0, 16]),
)


@settings(max_examples=200, deadline=None)
@anything
def test_three_parties_say_what_the_plaintext_says(
    seed: int, count: int, views: int, dims: int, threshold: int | None, bits: int
) -> None:
    terms = Terms(0, is_proved=False, bits=bits)
    _require_plaintext(seed, count=count, views=views, dims=dims, threshold=threshold, terms=terms)


@settings(max_examples=100, deadline=None)
@anything
def test_three_parties_that_prove_every_step_say_what_the_plaintext_says(
    seed: int, count: int, views: int, dims: int, threshold: int | None, bits: int
) -> None:
    terms = Terms(0, is_proved=True, bits=bits)
    _require_plaintext(seed, count=count, views=views, dims=dims, threshold=threshold, terms=terms)


@both_ways
def test_many_views_are_one_palm(is_proved: bool) -> None:
    gallery, aliases = np.stack([palm(seed) for seed in range(70)]), [os.urandom(16) for _ in range(70)]
    views = np.stack([palm(1000 + seed) for seed in range(31)] + [palm(69)])

    assert aliases[69] == matched(gallery, aliases, views, terms_of(750, dims=64, is_proved=is_proved))


@both_ways
def test_palm_that_matches_in_all_views_gives_its_alias_once(is_proved: bool) -> None:
    alias, terms = os.urandom(16), terms_of(750, dims=64, is_proved=is_proved)

    for views in range(1, 10):
        assert alias == matched(palm(3)[None, :], [alias], np.stack([palm(3)] * views), terms)


@both_ways
@pytest.mark.parametrize("bits", [0, 16])
@pytest.mark.parametrize("extreme", [-SCALE * SCALE, SCALE * SCALE])
def test_extreme_dot_products_do_not_wrap(extreme: int, bits: int, is_proved: bool) -> None:
    vector, alias = np.array([SCALE, 0], np.int8), os.urandom(16)
    view = (vector if extreme > 0 else -vector)[None, :]

    for threshold, expected in ((extreme, alias), (extreme + 1, bytes(16))):
        terms = Terms(threshold, is_proved=is_proved, bits=bits or comparison_bits(threshold, dims=2))
        assert expected == matched(vector[None, :], [alias], view, terms)


@both_ways
def test_padding_rows_match_nothing(is_proved: bool) -> None:
    vector, alias = np.array([SCALE, 0], np.int8), os.urandom(16)
    terms = terms_of(-100, dims=2, is_proved=is_proved)

    assert bytes(16) == matched(vector[None, :], [alias], -vector[None, :], terms)


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
                    self.heard[name].append(bytes(payload))
                asked = dialogue.send(payload)
        except StopIteration as stop:
            answer: bytes = stop.value
            return answer


def _overhear(gallery: Vectors, views: Vectors, *, is_proved: bool) -> tuple[dict[str, list[bytes]], dict[str, bytes]]:
    dealer, overheard = Dealer(3), _Overheard()
    rows = dealer.rows(gallery, [bytes([1] * 16)] * len(gallery))
    terms = terms_of(512, dims=gallery.shape[1], is_proved=is_proved)
    dialogues = dealer.dialogues(rows, dealer.asked(views), terms)
    heard = {name: overheard.listen(name, one) for name, one in dialogues.items()}
    return overheard.heard, dict(Lockstep(heard).run())


@both_ways
def test_messages_have_the_same_lengths_whoever_matches(is_proved: bool) -> None:
    views = np.stack([palm(1)] * 3)

    lengths = [
        {name: [len(message) for message in messages] for name, messages in heard.items()}
        for heard, _ in (_overhear(np.stack([palm(seed)] * 64), views, is_proved=is_proved) for seed in (1, 2))
    ]

    assert lengths[0] == lengths[1]


@both_ways
@pytest.mark.parametrize("gallery_seed", [1, 2])
def test_every_message_and_answer_is_balanced_noise(gallery_seed: int, is_proved: bool) -> None:
    """
    Everything that one party hears is masked: ones and zeros are even, whether all rows match or none (6 sigma).
    """
    rows = np.broadcast_to(palm(gallery_seed), (11_008, 64)).copy()
    heard, answers = _overhear(rows, np.stack([palm(1)] * 3), is_proved=is_proved)

    for received in heard.values():
        long = [message for message in received if len(message) >= LONG]
        assert len(long) >= (16 if is_proved else 12)
        for message in long:
            ones = int(np.unpackbits(np.frombuffer(message, np.uint8)).sum())
            assert abs(ones - 4 * len(message)) < 6 * np.sqrt(2 * len(message))
    assert len({*answers.values()} - {bytes(16), bytes([1] * 16)}) == 3


def _sent_bytes(*, rows: int, views: int, terms: Terms) -> int:
    """
    Return what each of the three sends, which is the same.
    """
    dealer = Dealer(1)
    dealt = dealer.rows(palms(dealer.generator, rows, dims=16), [bytes(16)] * rows)
    run = Lockstep(dealer.dialogues(dealt, dealer.asked(palms(dealer.generator, views, dims=16)), terms))
    run.run()
    (sent,) = set(run.sent_bytes.values())
    return sent


@pytest.mark.parametrize("views", [1, 2, 9])
@pytest.mark.parametrize("bits", [9, 12, 16])
def test_traffic_is_twice_the_bits_of_a_comparison_less_one_and_one_more_for_each_view_joined(
    views: int, bits: int
) -> None:
    comparisons, wide = 64 * views, nonsense_size(views, 16)
    toss, opened, signs = 2 * 3 * COIN_BYTES, 2 * 3 * SUMS * 4, 2 * 8

    sent = _sent_bytes(rows=64, views=views, terms=Terms(0, is_proved=False, bits=bits))

    shared = ((2 * bits - 1) * comparisons + 31 * wide + 64 * (views - 1)) // 8
    assert sent == shared + toss + opened + toss + signs


@pytest.mark.parametrize("views", [1, 2, 9])
def test_traffic_of_a_proved_comparison_is_a_third_more_than_its_word_its_carries_and_two_for_each_view_joined(
    views: int,
) -> None:
    terms, dealer = Terms(0, is_proved=True, bits=12), Dealer(1)
    sent, shapes = [], []
    for rows in (12800, 19200):
        dealt = dealer.rows(palms(dealer.generator, rows, dims=16), [bytes(16)] * rows)
        asked = dealer.asked(palms(dealer.generator, views, dims=16))
        shapes.append(shape_of(rows=rows, vectors=views, matched=views, dims=16, terms=terms))
        run = _ready_run(dealer, dealt, asked, terms, shapes[-1])
        run.run()
        sent.append(sum(run.sent_bytes.values()))

    of_a_comparison = 16 * 4 / 3 + terms.bits - 2 + 2 * (views - 1) / views
    assert sent[1] - sent[0] == pytest.approx(3 * of_a_comparison * views * 6400 / 8)
    # What is prepared costs its ANDs once, and three times for each of the triples by which they are proved.
    (bucket,) = {bucket_of(shape.ands) for shape in shapes}
    ahead = [_prepared(dealer, shape)[1] for shape in shapes]
    words = shapes[1].ands - shapes[0].ands
    assert words == views * 100 * (3 * terms.bits - 5) + (views - 1) * 100
    assert ahead[1] - ahead[0] == 8 * words * (1 + 3 * (bucket - 1))


def _prepared(dealer: Dealer, shape: Shape) -> tuple[Mapping[str, Prepared], int]:
    """
    Return what is prepared, and how much each sends for it.
    """
    masks = dealer.masks()
    run = Lockstep({name: prepare(Seat(name), shape, masks[name], dealer.octets) for name in MATCHERS})
    prepared = run.run()
    (sent,) = set(run.sent_bytes.values())
    return prepared, sent


def _ready_run(
    dealer: Dealer, rows: Mapping[str, Rows], asked: Mapping[str, Asked], terms: Terms, shape: Shape
) -> Lockstep[bytes]:
    """
    Return the match of a query for which a shape was prepared.
    """
    prepared, _ = _prepared(dealer, shape)
    masks = dealer.masks()
    return Lockstep(
        {
            name: match(
                name,
                rows=rows[name],
                asked=asked[name],
                terms=terms,
                masks=masks[name],
                random_bytes=dealer.octets,
                prepared=prepared[name],
            )
            for name in MATCHERS
        }
    )


@pytest.mark.parametrize("spare", [0, 64, 192])
@pytest.mark.parametrize(("count", "views"), [(1, 1), (70, 1), (70, 3), (130, 2)])
def test_what_was_prepared_before_serves_as_well_also_where_it_has_more_room(
    count: int, views: int, spare: int
) -> None:
    dealt = scene(count, is_proved=True, count=count, views=views)
    rows, vectors = dealt.rows["a"].padded + spare, views + (spare > 0)
    shape = shape_of(rows=rows, vectors=vectors, matched=views, dims=16, terms=dealt.terms)

    run = _ready_run(dealt.dealer, dealt.rows, dealt.dealer.asked(dealt.views), dealt.terms, shape)

    assert dealt.expected == xor(run.run().values())
    unready = Lockstep(dealt.dialogues())
    unready.run()
    assert run.sent_bytes["a"] < unready.sent_bytes["a"] / 2


def test_what_was_prepared_for_fewer_rows_is_not_used() -> None:
    dealt = scene(1, is_proved=True, count=130)
    shape = shape_of(rows=128, vectors=2, matched=2, dims=16, terms=dealt.terms)

    run = _ready_run(dealt.dealer, dealt.rows, dealt.dealer.asked(dealt.views), dealt.terms, shape)

    assert dealt.expected == xor(run.run().values())


def _instead(number: int, payload: bytes) -> Change:
    return lambda count, message: payload if count == number else message.payload


@both_ways
@pytest.mark.parametrize("sender", MATCHERS)
def test_message_of_a_wrong_length_is_refused(sender: str, is_proved: bool) -> None:
    dealt = scene(4, is_proved=is_proved)

    for number, sent in enumerate(messages(dealt.dialogues())[sender]):
        for wrong in (b"", sent.payload[:-1], sent.payload + b"\0"):
            dialogues = dealt.dialogues()
            lengthened = changing(dialogues[sender], _instead(number, wrong))
            outcome = play({**dialogues, sender: lengthened}, last=sender)

            assert type(outcome.raised[sent.to]) in (EnvelopeInvalid, PeerCheated)
