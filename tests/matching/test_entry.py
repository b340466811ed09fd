"""
Promises of an entry: the later story wins, whoever tells it first, and the issuer's order for it must be shown.
"""

from __future__ import annotations

from itertools import permutations

import pytest

from handsel.errors import GalleriesDiffer, HandselError, PeerCheated
from handsel.matching.entry import ACTIVE, ERASED, PENDING, Entry, later_than
from handsel.matching.signed_order import SignedOrder
from tests.matching.ordered import ISSUER, STRANGER, active, erased, signed

ID = bytes(16)
OTHER = bytes([1] * 16)
WAITS, HOLDS, GONE = Entry(ID, PENDING, None), active(ID, 5), erased(ID)


@pytest.mark.parametrize("states", list(permutations((WAITS, HOLDS, GONE))))
def test_erased_is_later_than_active_is_later_than_pending(states: tuple[Entry, Entry, Entry]) -> None:
    mine, *theirs = states

    assert later_than([mine], theirs) == (() if mine == GONE else (GONE,))


def test_row_that_one_has_committed_becomes_active_for_all() -> None:
    assert later_than([WAITS], [WAITS, HOLDS]) == (HOLDS,)


def test_pending_rows_are_nobody_else_s_business() -> None:
    assert later_than([], [WAITS]) == ()


def test_what_never_came_here_is_said() -> None:
    assert later_than([], [GONE, HOLDS]) == (GONE,)


def test_of_two_that_say_the_same_one_is_heard_that_shows_an_order() -> None:
    silent = Entry(ID, ERASED, None)

    assert later_than([HOLDS], [silent, GONE]) == later_than([HOLDS], [GONE, silent]) == (GONE,)
    assert later_than([HOLDS], [silent, silent]) == (silent,)


def test_row_at_two_positions_cannot_be_joined() -> None:
    for mine, theirs in (([HOLDS], [active(ID, 6)]), ([WAITS], [HOLDS, active(ID, 6)])):
        with pytest.raises(GalleriesDiffer):
            later_than(mine, theirs)


def test_order_for_just_that_is_verified() -> None:
    assert HOLDS.verified(ISSUER.public()).kind == "commit"
    assert GONE.verified(ISSUER.public()).kind == "erase"
    assert Entry(ID, ERASED, None, signed("abort", ID)).verified(ISSUER.public()).kind == "abort"


@pytest.mark.parametrize(
    ("wrong", "failure"),
    [
        (Entry(ID, ACTIVE, 5), GalleriesDiffer),
        (Entry(ID, ERASED, None), GalleriesDiffer),
        (Entry(ID, ACTIVE, 5, signed("commit", ID, position=6)), PeerCheated),
        (Entry(ID, ACTIVE, None, signed("commit", ID)), PeerCheated),
        (Entry(ID, ACTIVE, 5, signed("commit", OTHER, position=5)), PeerCheated),
        (Entry(ID, ACTIVE, 0, signed("erase", ID)), PeerCheated),
        (Entry(ID, ACTIVE, 5, signed("commit", ID, position=5, by=STRANGER)), PeerCheated),
        (Entry(ID, ERASED, None, signed("commit", ID)), PeerCheated),
        (Entry(ID, ERASED, None, signed("renew", ID)), PeerCheated),
        (Entry(ID, ERASED, None, signed("erase", OTHER)), PeerCheated),
        (Entry(ID, ERASED, None, SignedOrder(b"", ISSUER.signature(b""))), PeerCheated),
        (Entry(ID, PENDING, None, signed("abort", ID)), PeerCheated),
    ],
)
def test_any_other_order_is_refused(wrong: Entry, failure: type[HandselError]) -> None:
    with pytest.raises(failure):
        wrong.verified(ISSUER.public())


def test_nothing_of_an_order_is_shown() -> None:
    assert ID.hex() not in repr(HOLDS) + repr(HOLDS.order)
    assert "commit" not in repr(HOLDS)
