"""
Promises of the reserve: a batch serves one query, and the oldest that is large enough goes first.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from handsel.matching.gates import Product, Shared
from handsel.matching.reserve import BATCHES_MAX, Batch, Reserve


def _batch(name: int, words: int = 10) -> Batch:
    plane = Shared(np.zeros(words, np.uint64), np.zeros(words, np.uint64))
    return Batch(bytes([name] * 16), Product(plane, plane, plane))


def test_empty_reserve_gives_nothing_and_has_room() -> None:
    assert Reserve().take(1) is None
    assert Reserve().has_room(1)


def test_batch_is_given_once() -> None:
    reserve, batch = Reserve(), _batch(1)
    reserve.put(batch)

    assert reserve.take(10) is batch
    assert reserve.take(10) is None


def test_oldest_that_is_large_enough_is_given() -> None:
    reserve, small, large = Reserve(), _batch(1, 9), _batch(2, 11)
    for batch in (small, large):
        reserve.put(batch)

    assert reserve.take(12) is None
    assert reserve.take(10) is large
    assert reserve.take(9) is small


def test_no_more_are_kept_than_may_be_and_the_oldest_goes() -> None:
    reserve = Reserve()
    for name in range(BATCHES_MAX + 1):
        assert reserve.has_room(10) == (name < BATCHES_MAX)
        reserve.put(_batch(name))

    kept = [reserve.take(1) for _ in range(BATCHES_MAX + 1)]
    assert [batch.name[0] if batch else None for batch in kept] == [*range(1, BATCHES_MAX + 1), None]


def test_batches_that_are_too_small_do_not_stand_in_the_way() -> None:
    reserve = Reserve()
    for name in range(BATCHES_MAX):
        reserve.put(_batch(name, 9))

    assert not reserve.has_room(9)
    assert reserve.has_room(10)
    reserve.put(_batch(BATCHES_MAX, 10))
    assert reserve.take(10) is not None


def test_two_queries_at_once_never_get_the_same_batch() -> None:
    reserve = Reserve()
    with ThreadPoolExecutor(8) as pool:
        for _ in range(100):
            for name in range(BATCHES_MAX):
                reserve.put(_batch(name))
            taken = [batch for batch in pool.map(lambda _: reserve.take(1), range(8)) if batch]
            assert len({batch.name for batch in taken}) == len(taken) == BATCHES_MAX


def test_triples_are_not_shown() -> None:
    assert "triples" not in repr(_batch(1))
