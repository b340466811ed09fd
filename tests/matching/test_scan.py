"""
Promises of the scanner: queries that come together share passes, and each gets its own products.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pytest

from handsel.matching import scan
from handsel.matching.ring import Words
from handsel.matching.rows import Rows
from handsel.matching.scan import VIEWS_AT_ONCE_MAX, Scanner, meet
from tests.matching.dealt import Dealer, palms

DIMS = 32


def _rows(seed: int, count: int = 130) -> Rows:
    dealer = Dealer(seed)
    return dealer.rows(palms(dealer.generator, count, dims=DIMS), [bytes(16)] * count)["a"]


def _expected(rows: Rows, views: Words) -> Words:
    whole = np.concatenate([segment.templates for _, segment in rows.placed()])
    products: Words = (views.astype(np.int64) @ whole.astype(np.int64).T).astype(np.uint16)
    return products


class _Gate:
    """
    Hold every pass until it is let go, and note how many views it meets.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.passes: list[int] = []
        self._begun, self._go = threading.Semaphore(0), threading.Semaphore(0)
        monkeypatch.setattr(scan, "meet", self._meet)

    def _meet(self, rows: Rows, views: Words, out: Words) -> None:
        self.passes.append(len(views))
        self._begun.release()
        assert self._go.acquire(timeout=10)
        meet(rows, views, out)

    def wait(self) -> None:
        """
        Wait until a pass has begun.
        """
        assert self._begun.acquire(timeout=10)

    def let_go(self, count: int = 1) -> None:
        """
        Let passes go on.
        """
        self._go.release(count)


def _ask(pool: ThreadPoolExecutor, scanner: Scanner, rows: Rows, views: Words) -> Future[Words]:
    def ask() -> Words:
        out = np.zeros((len(views), rows.padded + 64), np.uint16)  # There may be room for more rows.
        scanner.meet(rows, views, out)
        assert not out[:, rows.padded :].any()
        return out[:, : rows.padded]

    return pool.submit(ask)


def _wait_for(scanner: Scanner, count: int) -> None:
    with scanner._changed:
        while len(scanner._waiting) < count:
            scanner._changed.wait(0.01)


def test_queries_that_come_during_a_pass_share_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    gate, scanner, rows, dealer = _Gate(monkeypatch), Scanner(passes_at_once=1), _rows(1), Dealer(2)
    asked = [dealer.words((count, DIMS)) for count in (9, 1, 2, 3)]
    with ThreadPoolExecutor(4) as pool:
        found = [_ask(pool, scanner, rows, asked[0])]
        gate.wait()
        found += [_ask(pool, scanner, rows, views) for views in asked[1:]]
        _wait_for(scanner, 3)
        gate.let_go(2)

        for views, products in zip(asked, found, strict=True):
            assert np.array_equal(_expected(rows, views), products.result(10))

    assert gate.passes == [9, 6]


def test_other_rows_are_met_in_a_pass_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    gate, scanner, dealer = _Gate(monkeypatch), Scanner(passes_at_once=1), Dealer(3)
    before, after = _rows(1), _rows(2, 70)
    asked = [(rows, dealer.words((count, DIMS))) for rows, count in ((before, 1), (before, 2), (after, 3), (before, 4))]
    with ThreadPoolExecutor(4) as pool:
        found = [_ask(pool, scanner, *asked[0])]
        gate.wait()
        for number, one in enumerate(asked[1:], 1):
            found.append(_ask(pool, scanner, *one))
            _wait_for(scanner, number)
        gate.let_go(3)

        for (rows, views), products in zip(asked, found, strict=True):
            assert np.array_equal(_expected(rows, views), products.result(10))

    assert gate.passes == [1, 6, 3]


def test_no_pass_meets_more_views_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    gate, scanner, rows = _Gate(monkeypatch), Scanner(passes_at_once=1), _rows(1)
    with ThreadPoolExecutor(8) as pool:
        first = _ask(pool, scanner, rows, Dealer(1).words((1, DIMS)))
        gate.wait()
        found = [_ask(pool, scanner, rows, Dealer(seed).words((32, DIMS))) for seed in range(7)]
        _wait_for(scanner, 7)
        gate.let_go(4)
        for products in (first, *found):
            products.result(10)

    assert sorted(gate.passes[1:]) == [32, VIEWS_AT_ONCE_MAX, VIEWS_AT_ONCE_MAX]


def test_several_passes_run_where_there_are_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    gate, scanner, rows = _Gate(monkeypatch), Scanner(passes_at_once=2), _rows(1)
    with ThreadPoolExecutor(2) as pool:
        found = [_ask(pool, scanner, rows, Dealer(seed).words((1, DIMS))) for seed in range(2)]
        gate.wait()
        gate.wait()  # The second begins while the first runs.
        gate.let_go(2)
        for products in found:
            products.result(10)

    assert gate.passes == [1, 1]


def test_failure_of_a_pass_reaches_all_who_shared_it_and_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    scanner, rows, views = Scanner(passes_at_once=1), _rows(1), Dealer(1).words((1, DIMS))

    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(scan, "meet", fail)
    with pytest.raises(MemoryError):
        scanner.meet(rows, views, np.zeros((1, rows.padded), np.uint16))
    monkeypatch.undo()

    out = np.zeros((1, rows.padded), np.uint16)
    scanner.meet(rows, views, out)
    assert np.array_equal(_expected(rows, views), out)


def test_many_threads_each_get_their_own_products() -> None:
    scanner, rows = Scanner(), _rows(4, 500)
    with ThreadPoolExecutor(16) as pool:
        asked = [Dealer(seed).words((1 + seed % 9, DIMS)) for seed in range(200)]
        found = [_ask(pool, scanner, rows, views) for views in asked]

        for views, products in zip(asked, found, strict=True):
            assert np.array_equal(_expected(rows, views), products.result(10))
