"""
Hold the one number that turns a cosine into integers, and the bounds that follow from it.

Till and matchers must agree on it. Knows no vector.
"""

from __future__ import annotations

import math

from handsel.errors import ConfigError

# An entry of a unit vector becomes an integer. A larger scale rounds less and makes every comparison dearer, by two
# bits for each time it is doubled; on harder pictures of the photographs for testing, 32 finds as many as 127 do, to
# half a point, 16 three points fewer.
SCALE = 32
VIEWS_MAX = 32  # Of one palm, in one query.
DIMS_MAX = 4096
WORD_BITS = 16  # Of a share.
# Rounding moves the square of a norm by a sum of D nearly independent parts: by D / 12 in the mean, with a standard
# deviation of at most SCALE / √3 and a little. Eight of them: an honest palm is refused once in 10^15 times.
_NORM_DEVIATIONS = 8


def threshold_to_int(cosine: float) -> int:
    """
    Return the least dot product of two quantised vectors that counts as a match at `cosine`: a cosine times SCALE².

    Raises `ConfigError` outside [-1, 1].
    """
    if not -1.0 <= cosine <= 1.0:
        raise ConfigError("a threshold is a cosine: it must lie between -1 and 1")
    return math.ceil(cosine * SCALE * SCALE)


def require_dims(dims: int) -> int:
    """
    Return `dims` if vectors of so many coordinates can be matched. Raises `ConfigError`.
    """
    if dims < 2 or dims % 2 or dims > DIMS_MAX:
        raise ConfigError(f"a template must have an even number of coordinates, at most {DIMS_MAX}")
    return dims


def entry_max(dims: int) -> int:
    """
    Return the largest entry that an honest vector has: no sum of `dims` squares may wrap around 2^16.
    """
    return min(SCALE, math.isqrt(((1 << WORD_BITS) - 1) // dims))


def squares_of_norms(dims: int) -> range:
    """
    Return the squares of the norms that honest quantised vectors have.
    """
    middle, spread = SCALE * SCALE + dims / 12, _NORM_DEVIATIONS * math.sqrt(SCALE * SCALE / 3 + dims / 180)
    return range(max(1, math.floor(middle - spread)), math.ceil(middle + spread) + 1)


def comparison_bits(threshold: int, *, dims: int) -> int:
    """
    Return the number of bits in which no honest dot product, less the threshold, leaves its range; the top one is its
    sign. Raises `ConfigError` where 16 are too few.
    """
    # By Cauchy and Schwarz no dot product is larger than the square of the larger norm.
    difference_max = squares_of_norms(require_dims(dims))[-1] + abs(threshold)
    bits = difference_max.bit_length() + 1
    if bits > WORD_BITS:
        raise ConfigError("the threshold is so far from zero that a dot product would not fit beside it in 16 bits")
    return bits
