"""
Promises of the join: the later story wins, whoever tells it first.
"""

from __future__ import annotations

from itertools import permutations

import pytest

from handsel.errors import GalleriesDiffer
from handsel.matching.entry import ACTIVE, ERASED, PENDING, Entry, join_entries

ID = bytes(16)
OTHER = bytes([1] * 16)
WAITS, HOLDS, GONE = Entry(ID, PENDING, None), Entry(ID, ACTIVE, 5), Entry(ID, ERASED, None)


@pytest.mark.parametrize("states", list(permutations((WAITS, HOLDS, GONE))))
def test_erased_is_later_than_active_is_later_than_pending(states: tuple[Entry, Entry, Entry]) -> None:
    a, b, c = states

    assert join_entries({"a": (a,), "b": (b,), "c": (c,)}) == (GONE,)


def test_row_that_one_has_committed_becomes_active_for_all() -> None:
    assert join_entries({"a": (WAITS,), "b": (WAITS,), "c": (HOLDS,)}) == (HOLDS,)


def test_pending_rows_are_nobody_else_s_business() -> None:
    assert join_entries({"a": (WAITS,), "b": (), "c": ()}) == ()


def test_erasure_reaches_who_never_had_the_row() -> None:
    assert join_entries({"a": (), "b": (GONE,), "c": (HOLDS,)}) == (GONE,)


def test_active_row_that_another_never_had_cannot_be_joined() -> None:
    with pytest.raises(GalleriesDiffer):
        join_entries({"a": (HOLDS,), "b": (HOLDS,), "c": (Entry(OTHER, PENDING, None),)})


def test_row_at_two_positions_cannot_be_joined() -> None:
    with pytest.raises(GalleriesDiffer):
        join_entries({"a": (HOLDS,), "b": (Entry(ID, ACTIVE, 6),), "c": (HOLDS,)})
