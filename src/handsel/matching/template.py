"""
Hold the one rounding that there is between a palm's embedding and its match.

Runs at the till only. After it everything is exact.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from handsel.errors import ensure
from handsel.matching.scale import SCALE, entry_max

_NORM_ERROR_MAX = 1e-3


def quantise(vectors: NDArray[np.float32]) -> NDArray[np.int8]:
    """
    Return unit vectors as integers: `SCALE` times each entry, rounded half to even, none beyond `entry_max`.

    The last axis holds a vector.

    Raises `InvariantBroken` where one has not the norm 1: its dot products would not fit the ring.
    """
    norms = np.linalg.norm(vectors.astype(np.float64), axis=-1)
    ensure(bool(np.all(np.abs(norms - 1.0) <= _NORM_ERROR_MAX)), "an embedding must have the norm 1")
    largest = entry_max(vectors.shape[-1])
    words: NDArray[np.int8] = np.rint(vectors.astype(np.float64) * SCALE).clip(-largest, largest).astype(np.int8)
    return words
