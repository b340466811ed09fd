"""
Promises of the rows: they stay in order, padded with zeros, and never change under a query.
"""

from __future__ import annotations

import numpy as np
import pytest

from handsel.errors import InvariantBroken
from handsel.matching.rows import Row, Rows, from_planes, padded, to_planes

DIMS = 4


def row(position: int) -> Row:
    """
    Return a row whose bytes all tell its position.
    """
    octet = bytes([position % 251])
    return Row(octet * 16, position, octet * 8, octet * 16, octet * 16)


def built(rows: list[Row]) -> Rows:
    """
    Return the arrays of rows.
    """
    return Rows.build(rows, count=len(rows), dims=DIMS)


def _same(one: Rows, other: Rows) -> bool:
    names = ("ids", "positions", "templates", "own", "pair")
    return (
        all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names) and one.digest == other.digest
    )


@pytest.mark.parametrize(("count", "size"), [(0, 0), (1, 64), (64, 64), (65, 128)])
def test_rows_are_padded_with_zeros_to_a_multiple_of_64(count: int, size: int) -> None:
    rows = built([row(position + 1) for position in range(count)])

    assert (count, size) == (rows.count, len(rows.templates))
    assert size == padded(count)
    assert not rows.templates[count:].any()
    assert not rows.own[count:].any()
    assert not rows.pair[count:].any()


@pytest.mark.parametrize("count", [1, 2, 64, 65, 130])
def test_row_that_is_added_comes_to_its_place(count: int) -> None:
    for at in {0, count // 2, count - 1}:
        all_rows = [row(position + 1) for position in range(count)]
        before = built(all_rows[:at] + all_rows[at + 1 :])

        assert _same(built(all_rows), before.with_row(all_rows[at]))


@pytest.mark.parametrize("count", [1, 2, 64, 65, 130])
def test_row_that_is_taken_away_leaves_the_others(count: int) -> None:
    for at in {0, count // 2, count - 1}:
        all_rows = [row(position + 1) for position in range(count)]
        after = built(all_rows).without_row(all_rows[at].enrolment_id)

        assert _same(built(all_rows[:at] + all_rows[at + 1 :]), after)


def test_planes_hold_bit_p_of_row_j_as_bit_j_of_their_word() -> None:
    aliases = np.zeros((128, 16), np.uint8)
    aliases[70, 2] = 1 << 5

    planes = to_planes(aliases)

    assert planes.shape == (2, 128)
    assert np.argwhere(planes).tolist() == [[1, 21]]
    assert planes[1, 21] == 1 << 6


@pytest.mark.parametrize("count", [0, 64, 192])
def test_aliases_come_back_from_their_planes(count: int) -> None:
    aliases = np.random.default_rng(count).integers(0, 256, (count, 16), np.uint8)

    assert np.array_equal(aliases, from_planes(to_planes(aliases)))


def test_change_makes_new_arrays_and_leaves_the_old() -> None:
    rows = built([row(1), row(3)])
    copy = built([row(1), row(3)])

    rows.with_row(row(2))
    rows.without_row(row(1).enrolment_id)

    assert _same(copy, rows)


def test_digest_tells_which_rows_stand_where() -> None:
    one, two = row(1), row(2)
    swapped = [
        Row(two.enrolment_id, 1, b"\0" * 8, two.own, two.pair),
        Row(one.enrolment_id, 2, b"\0" * 8, b"\0" * 16, two.pair),
    ]
    digests = {built(rows).digest for rows in ([], [one], [two], [one, two], [one, row(3)], swapped)}

    assert len(digests) == 6


def test_digest_is_the_same_for_the_shares_of_all_three() -> None:
    one = row(1)
    other = Row(one.enrolment_id, 1, bytes(8), bytes(16), bytes(16))

    assert built([one]).digest == built([other]).digest


def test_rows_out_of_order_are_refused() -> None:
    with pytest.raises(InvariantBroken):
        built([row(2), row(1)])
    with pytest.raises(InvariantBroken):
        built([row(1), row(1)])
