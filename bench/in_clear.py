"""
Measure what the blind match is compared with: the same dot products in the clear, and how fast memory can be read.

One thread each. `int8_products` is a plain loop, compiled as those of the matchers are: the quantised gallery takes a
quarter of the memory that float32 takes, and half of that of a share.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from handsel.matching.compiled import compiled

READ_BYTES = 1 << 29  # Far more than any cache holds.
Floats = NDArray[np.float32]
Vectors = NDArray[np.int8]


@compiled
def int8_products(rows: Vectors, views: Vectors, out: NDArray[np.int32]) -> None:
    """
    Write the dot products of rows (N, D) with views (V, D) into out (V, N). Each row meets all views in the cache.
    """
    for r in range(rows.shape[0]):
        for v in range(views.shape[0]):
            total = np.int32(0)
            for k in range(rows.shape[1]):
                total += np.int32(rows[r, k]) * np.int32(views[v, k])
            out[v, r] = total


@compiled
def sum_of(words: NDArray[np.uint64]) -> np.uint64:
    """
    Return the sum of words modulo 2^64, in four strands.
    """
    a = b = c = d = np.uint64(0)
    quarter = words.size // 4
    for i in range(quarter):
        a += words[i]
        b += words[quarter + i]
        c += words[2 * quarter + i]
        d += words[3 * quarter + i]
    return np.uint64(a + b + c + d)


@dataclass(frozen=True)
class InClear:
    """
    Hold a gallery in the clear, in both forms, and what is read to see how fast memory is.
    """

    palms: Floats  # (N, D), of norm 1
    quantised: Vectors  # (N, D)
    read: NDArray[np.uint64]

    def measure(self, probe: Floats, views: Vectors) -> dict[str, float]:
        """
        Return milliseconds of both kinds of products with probe (V, D), and gigabytes read a second.
        """
        out = np.empty((len(views), len(self.quantised)), np.int32)
        float32_s = _elapsed_s(lambda: np.matmul(probe, self.palms.T))
        int8_s = _elapsed_s(lambda: int8_products(self.quantised, views, out))
        read_s = _elapsed_s(lambda: sum_of(self.read))
        return {
            "float32_ms": float32_s * 1e3,
            "int8_ms": int8_s * 1e3,
            "read_gb_per_s": self.read.nbytes / read_s / 1e9,
        }


def _elapsed_s(work: Callable[[], object]) -> float:
    begin_s = time.perf_counter()
    work()
    return time.perf_counter() - begin_s
