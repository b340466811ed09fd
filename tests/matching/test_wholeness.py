"""
Promises of the check: rows that belong together pass, one that does not never does, and nothing is told by it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from handsel.errors import PeerCheated
from handsel.matching.dialogue import Dialogue, Seat
from handsel.matching.masks import Masks
from handsel.matching.message import MATCHERS
from handsel.matching.rows import Rows
from handsel.matching.wholeness import require_whole
from tests.matching.cheat import Outcome, messages, play
from tests.matching.dealt import Dealer, palms

DIMS, COUNT = 16, 200


def dealt(seed: int) -> tuple[Dealer, dict[str, Rows]]:
    """
    Deal rows among three, in several segments.
    """
    dealer = Dealer(seed)
    gallery = palms(dealer.generator, COUNT, dims=DIMS)
    return dealer, dealer.rows(gallery, [dealer.octets(16) for _ in range(COUNT)])


def checked(dealer: Dealer, rows: dict[str, Rows]) -> Outcome[None]:
    """
    Have the three check their rows.
    """
    masks = dealer.masks()
    return play({name: require_whole_of(dealer, name, rows[name], masks[name]) for name in MATCHERS})


def require_whole_of(dealer: Dealer, name: str, rows: Rows, masks: Masks) -> Dialogue[None]:
    """
    Return the part of one.
    """
    return require_whole(Seat(name), rows, masks, random_bytes=dealer.octets)


@pytest.mark.parametrize("seed", range(3))
def test_rows_that_belong_together_pass(seed: int) -> None:
    assert checked(*dealt(seed)).answers.keys() == set(MATCHERS)


@pytest.mark.parametrize("name", MATCHERS)
@pytest.mark.parametrize("error", [1, 0x8000])
@pytest.mark.parametrize(("segment", "row", "column"), [(0, 0, 0), (2, 135, DIMS - 1)])
def test_one_word_that_is_another_is_noticed_by_all(name: str, error: int, segment: int, row: int, column: int) -> None:
    dealer, rows = dealt(7)
    changed = rows[name].segments[segment].templates.copy()
    changed[row, column] ^= np.uint16(error)

    outcome = checked(dealer, {**rows, name: with_segment(rows[name], segment, templates=changed)})

    assert {type(raised) for raised in outcome.raised.values()} == {PeerCheated}
    assert outcome.raised.keys() == set(MATCHERS)


@pytest.mark.parametrize("name", MATCHERS)
@pytest.mark.parametrize("kind", ["own", "pair"])
def test_one_bit_of_an_alias_that_is_another_is_noticed_by_both_who_hold_it(name: str, kind: str) -> None:
    dealer, rows = dealt(8)
    changed = getattr(rows[name].segments[2], kind).copy()
    changed[1, 17] ^= np.uint64(1 << 5)

    outcome = checked(dealer, {**rows, name: with_segment(rows[name], 2, **{kind: changed})})

    assert name in outcome.raised
    assert len(outcome.raised) >= 2


def test_what_is_told_of_the_rows_is_another_each_time() -> None:
    dealer, rows = dealt(9)
    told = []
    for _ in range(2):
        masks = dealer.masks()
        sent = messages({name: require_whole_of(dealer, name, rows[name], masks[name]) for name in MATCHERS})
        told.append({message.payload for message in sent["a"][:-2]})

    assert not told[0] & told[1]


def with_segment(rows: Rows, number: int, **changed: object) -> Rows:
    """
    Return rows of which one segment holds something else.
    """
    segments = list(rows.segments)
    segments[number] = replace(segments[number], **changed)  # type: ignore[arg-type]
    return replace(rows, segments=tuple(segments))
