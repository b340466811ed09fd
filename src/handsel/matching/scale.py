"""
Hold the one number that turns a cosine into integers, and the bounds that follow from it.

Till and matchers must agree on it. Knows no vector.
"""

from __future__ import annotations

import math

from handsel.errors import ConfigError

SCALE = 127  # An entry of a unit vector becomes an integer of 8 bits.
VIEWS_MAX = 32  # Of one palm, in one query.
DIMS_MAX = 4096
_DIFFERENCE_MAX = (1 << 15) - 1  # The sign of dot - threshold is the top bit of 16.


def threshold_to_int(cosine: float) -> int:
    """
    Return the least dot product of two quantised vectors that counts as a match at `cosine`: a cosine times 127².

    Raises `ConfigError` outside [-1, 1].
    """
    if not -1.0 <= cosine <= 1.0:
        raise ConfigError("a threshold is a cosine: it must lie between -1 and 1")
    return math.ceil(cosine * SCALE * SCALE)


def require_threshold(threshold: int, *, dims: int) -> int:
    """
    Return `threshold` if no honest dot product of `dims` coordinates, less the threshold, leaves 16 bits.

    Rounding moves each of a unit vector's entries by at most 1/2, so a quantised norm is at most 127 + √dims / 2.
    Raises `ConfigError`.
    """
    if dims < 2 or dims % 2 or dims > DIMS_MAX:
        raise ConfigError(f"a template must have an even number of coordinates, at most {DIMS_MAX}")
    dot_max = (SCALE + math.sqrt(dims) / 2) ** 2
    if dot_max + abs(threshold) > _DIFFERENCE_MAX:
        raise ConfigError("the threshold is so far from zero that a dot product would not fit beside it in 16 bits")
    return threshold
