"""
Promises of columns: they say the same as rows do.
"""

from __future__ import annotations

import os

import numpy as np

from handsel.matching.columns import Columns
from handsel.matching.rows import Row, Segment

DIMS = 6


def rows(*positions: int) -> tuple[Row, ...]:
    """
    Return random rows at some positions.
    """
    return tuple(
        Row(os.urandom(16), position, os.urandom(2 * DIMS), os.urandom(16), os.urandom(16)) for position in positions
    )


def test_rows_are_the_same_as_columns_and_as_blocks() -> None:
    before = rows(*range(128))
    columns = Columns.of_rows(before, dims=DIMS)

    segment = columns.segment()
    second = Columns.of_blocks(segment, columns.ids, columns.positions, start=1, stop=9)

    expected = Segment.build(before, dims=DIMS)
    assert columns.rows() == before
    assert np.array_equal(segment.templates, expected.templates)
    assert np.array_equal(segment.own, expected.own)
    assert np.array_equal(segment.pair, expected.pair)
    assert second.rows() == before[64:]


def test_rows_are_merged_by_their_positions_and_taken_out_by_them() -> None:
    a, b, c, d = rows(1, 2, 3, 4)
    columns = Columns.of_rows((a, c), dims=DIMS).merged(Columns.of_rows((b, d), dims=DIMS))

    assert columns.rows() == (a, b, c, d)
    assert columns.without(np.array([2, 7])).rows() == (a, c, d)
    assert columns.without(np.array([], np.int64)) is columns
    assert columns.part(slice(1, 3)).joined(Columns.of_rows((a,), dims=DIMS)).rows() == (b, c, a)


def test_no_rows_are_no_columns() -> None:
    assert Columns.of_rows((), dims=DIMS).rows() == ()
