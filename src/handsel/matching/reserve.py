"""
Keep proved triples that were made ahead, between two queries, so that a customer does not wait for them.

A batch serves one query, and is thrown away with it: bits that were used twice would tell what they hid.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from handsel.matching.gates import Product

BATCHES_MAX = 2
WORDS_MAX = 1 << 22  # Of a batch: 200 MB. A query that needs more makes its own.


@dataclass(frozen=True)
class Batch:
    """
    Hold proved triples, and the name under which all three matchers hold their shares of them.
    """

    name: bytes
    triples: Product = field(repr=False)


class Reserve:
    """
    Hold batches, the oldest first. Safe for several threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._batches: list[Batch] = []

    def take(self, count: int) -> Batch | None:
        """
        Return the oldest batch of `count` words or more, which nobody else gets then.
        """
        with self._lock:
            for batch in self._batches:
                if batch.triples.z.size >= count:
                    self._batches.remove(batch)
                    return batch
        return None

    def put(self, batch: Batch) -> None:
        """
        Keep a batch; where there are too many, the oldest goes.
        """
        with self._lock:
            self._batches.append(batch)
            del self._batches[:-BATCHES_MAX]

    def clear(self) -> None:
        """
        Throw all batches away.
        """
        with self._lock:
            self._batches.clear()

    def has_room(self, count: int) -> bool:
        """
        Return whether another batch of `count` words is wanted: those that are too small for as much do not count.
        """
        with self._lock:
            return sum(batch.triples.z.size >= count for batch in self._batches) < BATCHES_MAX
