"""
Say in the clear what the three matchers compute together: the oracle of their tests.

Nothing that serves a customer imports this.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def match_in_clear(
    gallery: NDArray[np.int8], views: NDArray[np.int8], *, aliases: Sequence[bytes], threshold: int
) -> bytes:
    """
    Return the XOR of the aliases of all rows (N, D) of which any view (V, D) has a dot product of at least `threshold`.
    """
    dots = views.astype(np.int64) @ gallery.astype(np.int64).T  # (V, N)
    matched = (dots >= threshold).any(axis=0)  # (N,)
    answer = bytes(16)
    for row in np.flatnonzero(matched).tolist():
        answer = bytes(a ^ b for a, b in zip(answer, aliases[row], strict=True))
    return answer
