"""
Split a palm's template, or the views of a query, into three shares; each in two forms, as a row and as a query.

Runs at the till only. One share alone is uniformly random whatever the palm; two together are the palm. Shamir's scheme
of degree 1 over GR(2^16, 2), so that the product of two shares is a share of the product.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from handsel.errors import ensure
from handsel.matching.ring import POINTS, Words, multiply_words, negate_odd

RandomWords = Callable[[tuple[int, ...]], Words]
Shares = tuple[Words, Words, Words]


def system_words(shape: tuple[int, ...]) -> Words:
    """
    Return words from the operating system's randomness.
    """
    count = int(np.prod(shape))
    return np.frombuffer(os.urandom(2 * count), np.uint16).reshape(shape)


def split_rows(vectors: NDArray[np.int8], *, random_words: RandomWords = system_words) -> Shares:
    """
    Return the shares of vectors (…, D) as rows of a gallery, for matcher a, b and c.
    """
    return _split(_words(vectors), random_words)


def split_query(vectors: NDArray[np.int8], *, random_words: RandomWords = system_words) -> Shares:
    """
    Return the shares of vectors (…, D) as views of a query, for matcher a, b and c.
    """
    return _split(negate_odd(_words(vectors)), random_words)


def to_wire(shares: Words) -> bytes:
    """
    Return the words of a share as `message.Template` and `message.Query` carry them: little-endian, row by row.
    """
    return shares.astype("<u2").tobytes()


def _words(vectors: NDArray[np.int8]) -> Words:
    ensure(vectors.dtype == np.int8, "only quantised vectors are split")
    ensure(vectors.shape[-1] % 2 == 0, "a vector must have an even number of coordinates")
    return vectors.astype(np.int16).view(np.uint16)


def _split(secret: Words, random_words: RandomWords) -> Shares:
    slope = random_words(secret.shape)
    a, b, c = (secret + multiply_words(slope, point) for point in POINTS)
    return a, b, c
