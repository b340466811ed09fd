"""
Meet the views of all queries that wait with the rows in one pass over them: what is read from memory serves all.

Each matcher does so for itself, and its peers need not know: products are each matcher's own work. A query that comes
while a pass runs waits for its end, with all others that came meanwhile, and then they share the next one.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from handsel.matching import kernels
from handsel.matching.ring import Words
from handsel.matching.rows import Rows

VIEWS_AT_ONCE_MAX = 96  # They and eight rows fit the second-level cache.
Meet = Callable[[Rows, Words, Words], None]


def meet(rows: Rows, views: Words, out: Words) -> None:
    """
    Write the dot products modulo 2^16 of all rows with views (V, D) into out (V, …).
    """
    for start, segment in rows.placed():
        kernels.dot_products(segment.templates, views, out, start)


@dataclass(eq=False)
class _Waiting:
    rows: Rows
    views: Words
    out: Words
    is_met: bool = False
    failure: BaseException | None = None


class Scanner:
    """
    Let queries share passes. Safe for several threads.
    """

    def __init__(self, *, passes_at_once: int | None = None) -> None:
        """
        Run so many passes at a time: by default half as many as there are processors.
        """
        self._free = passes_at_once or max(1, (os.cpu_count() or 1) // 2)
        self._changed = threading.Condition()
        self._waiting: list[_Waiting] = []

    def meet(self, rows: Rows, views: Words, out: Words) -> None:
        """
        Do what `meet` does, together with others that wait and have the same rows.
        """
        mine = _Waiting(rows, views, out)
        with self._changed:
            self._waiting.append(mine)
        while True:
            with self._changed:
                self._changed.wait_for(lambda: mine.is_met or (self._free > 0 and mine in self._waiting))
                if mine.is_met:
                    break
                self._free -= 1
                together = self._together()
            self._pass(together)
        if mine.failure is not None:
            raise mine.failure

    def _together(self) -> list[_Waiting]:
        """
        Take those that can share a pass with the one that has waited longest.
        """
        rows, count = self._waiting[0].rows, 0
        found: list[_Waiting] = []
        for one in self._waiting:
            if one.rows is rows and (not found or count + len(one.views) <= VIEWS_AT_ONCE_MAX):
                found.append(one)
                count += len(one.views)
        self._waiting = [one for one in self._waiting if one not in found]
        return found

    def _pass(self, together: list[_Waiting]) -> None:
        failure: BaseException | None = None
        try:
            _meet_all(together)
        except BaseException as exc:  # Nobody waits for ever; who asked is told.
            failure = exc
        with self._changed:
            self._free += 1
            for one in together:
                one.is_met, one.failure = True, failure
            self._changed.notify_all()


def _meet_all(together: list[_Waiting]) -> None:
    if len(together) == 1:
        meet(together[0].rows, together[0].views, together[0].out)
        return
    views = np.concatenate([one.views for one in together])
    products = np.empty((len(views), together[0].rows.padded), np.uint16)
    meet(together[0].rows, views, products)
    start = 0
    for one in together:
        one.out[:, : products.shape[1]] = products[start : start + len(one.views)]
        start += len(one.views)
