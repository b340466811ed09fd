"""
Promises of the rows: they stand in order, in segments that are padded with zeros.
"""

from __future__ import annotations

import numpy as np
import pytest

from handsel.errors import InvariantBroken
from handsel.matching.rows import Row, Rows, Segment, from_planes, padded, to_planes

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
    return Rows.build(rows, dims=DIMS)


@pytest.mark.parametrize(("count", "size"), [(0, 0), (1, 64), (64, 64), (65, 128)])
def test_rows_are_padded_with_zeros_to_a_multiple_of_64(count: int, size: int) -> None:
    rows = built([row(position + 1) for position in range(count)])

    (segment,) = rows.segments
    assert (count, size) == (rows.count, len(segment.templates))
    assert size == padded(count) == rows.padded
    for array in (segment.templates, from_planes(segment.own), from_planes(segment.pair)):
        assert array[:count].all()
        assert not array[count:].any()


def test_rows_hold_what_was_given_in_its_order() -> None:
    rows = [row(position) for position in (3, 7, 200)]

    arrays = built(rows)

    (segment,) = arrays.segments
    assert [one.enrolment_id for one in rows] == [one.tobytes() for one in arrays.ids]
    assert arrays.positions.tolist() == [3, 7, 200]
    assert [one.template for one in rows] == [one.tobytes() for one in segment.templates[:3]]
    assert [one.own for one in rows] == [one.tobytes() for one in from_planes(segment.own)[:3]]
    assert [one.pair for one in rows] == [one.tobytes() for one in from_planes(segment.pair)[:3]]


def test_segments_stand_one_behind_the_other_and_empty_ones_nowhere() -> None:
    all_rows = [row(position + 1) for position in range(130)]
    parts = [Segment.build(part, dims=DIMS) for part in ([], all_rows[:64], [], all_rows[64:], [])]
    whole = built(all_rows)

    rows = Rows(whole.ids, whole.positions, tuple(parts))

    assert [(0, parts[1]), (64, parts[3])] == list(rows.placed())
    assert (whole.padded, whole.digest) == (rows.padded, rows.digest)


def test_segments_with_room_for_more_or_fewer_rows_are_refused() -> None:
    rows = built([row(position + 1) for position in range(65)])
    block = Segment.build([row(1)], dims=DIMS)

    for segments in ((), (block,), (block, block, block)):
        with pytest.raises(InvariantBroken):
            Rows(rows.ids, rows.positions, segments)
    assert Rows(rows.ids, rows.positions, (block, block)).count == 65


def test_segment_whose_arrays_do_not_belong_together_is_refused() -> None:
    good = Segment.build([row(1)], dims=DIMS)

    for templates, own, pair in (
        (good.templates[:63], good.own, good.pair),
        (good.templates, good.own[:0], good.pair),
        (good.templates, good.own, good.pair[:, :127]),
        (good.templates[:0], good.own, good.pair),
    ):
        with pytest.raises(InvariantBroken):
            Segment(templates, own, pair)


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
