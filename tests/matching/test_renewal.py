"""
Promises of new shares: the same as row by row, and other ones for other seeds and positions.
"""

from __future__ import annotations

import os

import numpy as np
import pytest

from handsel.matching.columns import Columns
from handsel.matching.message import MATCHERS, POSITION_MAX
from handsel.matching.renewal import SEED_BYTES, Renewal, renewing_all_but
from handsel.matching.rows import Row
from tests.matching.renewed_row import renewed_row

SEED = bytes(range(SEED_BYTES))


def rows(*positions: int, dims: int) -> tuple[Row, ...]:
    """
    Return random rows at some positions.
    """
    return tuple(
        Row(os.urandom(16), position, os.urandom(2 * dims), os.urandom(16), os.urandom(16)) for position in positions
    )


@pytest.mark.parametrize("me", MATCHERS)
@pytest.mark.parametrize("dims", [4, 8, 64, 432])  # Of which the first leaves half a block over.
def test_all_at_once_are_renewed_as_one_by_one(me: str, dims: int) -> None:
    before = rows(0, 1, 2, 255, 1 << 32, (1 << 33) + 5, POSITION_MAX, dims=dims)

    after = Renewal(me, SEED).renewed(Columns.of_rows(before, dims=dims)).rows()

    assert after == tuple(renewed_row(me, SEED, row) for row in before)


def test_no_rows_are_renewed_to_none() -> None:
    assert len(Renewal("a", SEED).renewed(Columns.of_rows((), dims=8))) == 0


def test_rows_before_are_not_touched() -> None:
    before = Columns.of_rows(rows(1, 2, dims=8), dims=8)
    copy = before.rows()

    Renewal("b", SEED).renewed(before)

    assert before.rows() == copy


def test_a_row_is_renewed_by_its_position_and_the_seed_alone() -> None:
    one, other = rows(7, 8, dims=64)
    alone, together = (Columns.of_rows(some, dims=64) for some in ((one,), (one, other)))

    assert Renewal("a", SEED).renewed(alone).rows()[0] == Renewal("a", SEED).renewed(together).rows()[0]
    assert Renewal("a", SEED).renewed(alone).rows() != Renewal("a", os.urandom(SEED_BYTES)).renewed(alone).rows()
    assert SEED.hex() not in repr(Renewal("a", SEED))


def test_rows_that_are_left_alone_stay_in_their_place() -> None:
    before = rows(1, 2, 3, 4, dims=8)
    change = renewing_all_but(Renewal("c", SEED), np.array([2, 4, 9]))

    after = change(Columns.of_rows(before, dims=8)).rows()

    assert after == (renewed_row("c", SEED, before[0]), before[1], renewed_row("c", SEED, before[2]), before[3])
