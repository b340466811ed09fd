"""
Promises of the reserve: a piece serves one query, the first matcher says which, and all three use it or none does.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from handsel.matching.convert import Lanes
from handsel.matching.gates import Product, Shared
from handsel.matching.prepared import WORDS_AT_ONCE, Prepared, Shape
from handsel.matching.reserve import (
    PIECES_AT_ONCE_MAX,
    PIECES_LEAST,
    WORDS_MAX,
    Piece,
    Reserve,
    Supply,
    pieces_of,
)

NOTHING = np.zeros(0, np.uint64)
NO_PLANE = Shared(NOTHING, NOTHING)
SHAPE, LARGER = (Shape(Lanes(64, narrow, 12), 1) for narrow in (128, 192))


def _piece(name: int, shape: Shape = SHAPE) -> Piece:
    words = np.zeros(0, np.uint16)
    return Piece(bytes([name]), Prepared(shape, words, words, [], [], Product(NO_PLANE, NO_PLANE, NO_PLANE)))


def _names(reserve: Reserve) -> list[int]:
    """
    Return the names of all pieces, and take them.
    """
    found = []
    while piece := reserve.offer(Shape(Lanes(0, 0, 12), 1)):
        found.append(piece.name[0])
    return found


def test_empty_reserve_gives_nothing_and_wants_some() -> None:
    assert Reserve().offer(SHAPE) is None
    assert Reserve().take(b"\1") is None
    assert Reserve().wanted(SHAPE) == pieces_of(SHAPE) > 0


def test_piece_is_given_once() -> None:
    reserve = Reserve()
    reserve.put([_piece(1), _piece(2)])

    assert reserve.take(b"\1")
    assert reserve.take(b"\1") is None
    assert reserve.offer(SHAPE)
    assert reserve.offer(SHAPE) is None


def test_oldest_that_is_large_enough_is_offered() -> None:
    reserve = Reserve()
    reserve.put([_piece(1), _piece(2, LARGER), _piece(3, LARGER)])

    first, second = reserve.offer(LARGER), reserve.offer(SHAPE)
    assert first is not None
    assert second is not None
    assert (first.name, second.name) == (b"\2", b"\1")


def test_oldest_go_where_there_are_too_many() -> None:
    reserve, most = Reserve(), 2 * PIECES_AT_ONCE_MAX

    for name in range(most + 3):
        reserve.put([_piece(name)])

    assert list(range(3, most + 3)) == _names(reserve)


def test_more_are_wanted_while_there_are_fewer_than_are_prepared_at_once() -> None:
    reserve, count = Reserve(), max(PIECES_LEAST, pieces_of(LARGER))
    reserve.put([_piece(name) for name in range(4)])  # Those that are too small do not count.

    for name in range(count):
        assert reserve.wanted(LARGER) == pieces_of(LARGER)
        reserve.put([_piece(name, LARGER)])

    assert reserve.wanted(LARGER) == 0


def test_as_many_are_prepared_at_once_as_make_proving_cheap_and_no_more() -> None:
    small, middle, large, too_large = (Shape(Lanes(64, 64 << power, 12), 1) for power in (0, 14, 16, 19))

    assert pieces_of(small) == PIECES_AT_ONCE_MAX
    assert 1 < pieces_of(middle) < PIECES_AT_ONCE_MAX
    assert middle.times(pieces_of(middle)).ands >= WORDS_AT_ONCE > middle.times(pieces_of(middle) - 1).ands
    assert pieces_of(large) == 1
    assert too_large.ands > WORDS_MAX
    assert pieces_of(too_large) == Reserve().wanted(too_large) == 0


def test_two_queries_at_once_never_get_the_same_piece() -> None:
    reserve = Reserve()
    with ThreadPoolExecutor(8) as pool:
        for _ in range(100):
            reserve.put([_piece(name) for name in range(4)])
            taken = [piece for piece in pool.map(lambda _: reserve.offer(SHAPE), range(8)) if piece]
            assert len({piece.name for piece in taken}) == len(taken) == 4


def test_first_matcher_proposes_and_the_others_take_that_one() -> None:
    reserves = {name: Reserve() for name in "abc"}
    for reserve in reserves.values():
        reserve.put([_piece(1), _piece(2, LARGER), _piece(3)])
    supplies = {name: Supply(name, reserve, LARGER) for name, reserve in reserves.items()}

    offered = {name: supply.offer() for name, supply in supplies.items()}

    assert offered == {"a": b"\2", "b": b"", "c": b""}
    assert supplies["a"].offer() == b"\2"  # Also when it is asked once more.
    assert all(supply.accept(offered["a"]) for supply in supplies.values())
    assert all(supply.prepared() is not None for supply in supplies.values())
    assert [_names(reserve) for reserve in reserves.values()] == [[1, 3]] * 3


def test_nothing_is_taken_where_nothing_is_proposed_or_the_piece_is_not_here() -> None:
    reserve = Reserve()
    reserve.put([_piece(1)])
    supply = Supply("b", reserve, SHAPE)

    assert not supply.accept(b"")
    assert not supply.accept(b"\7")
    assert supply.prepared() is None
    assert _names(reserve) == [1]


@pytest.mark.parametrize("name", "abc")
def test_who_refuses_uses_nothing_and_throws_all_away(name: str) -> None:
    reserve = Reserve()
    reserve.put([_piece(1), _piece(2)])
    supply = Supply(name, reserve, SHAPE)
    supply.accept(supply.offer() or b"\1")

    supply.refuse()

    assert supply.prepared() is None
    assert _names(reserve) == []


def test_what_is_prepared_is_not_shown() -> None:
    assert "prepared" not in repr(_piece(1))
