"""
See to it that a query is a palm's, without anybody seeing it: one vector in both its forms, of an honest palm's norm.

Whoever may ask could otherwise ask with a vector that is no palm: one of ten times the norm wraps around 2^16 and
"matches" a fifth of all rows.

1. Each vector comes in two forms: as a query, with every second word negated, and as a row. Random sums of both are
   opened, and show that both are shares of the same vector, and lines.
2. Every entry lies between -`entry_max` and `entry_max`, so that no sum of their squares wraps around 2^16.
3. The square of the norm, a dot product of the two forms, is one that a rounded unit vector has.

2 and 3 are differences whose signs are found together with those of the comparisons. They must all be zero; only
whether they are is opened, as random parities.

LIMITATIONS
That a vector is a palm's and not just of its size cannot be seen here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from handsel.errors import PalmInvalid
from handsel.matching import kernels
from handsel.matching.convert import parity_words
from handsel.matching.dialogue import Dialogue, Seat, toss
from handsel.matching.gates import Gates, Shared
from handsel.matching.kernels import PLANE_BITS
from handsel.matching.masks import Masks, MaskStream
from handsel.matching.ring import Words, multiply_words
from handsel.matching.scale import entry_max, squares_of_norms
from handsel.matching.shamir import draw_shares, open_shares

SUMS = 40  # A false one is zero in each by a chance of at most 1/2.
_SWAP = (0, 1)  # Times X, an element's second word comes first, negated.
_REFUSAL = "what was shown has not the form of a palm: nothing was matched"


@dataclass(frozen=True)
class Asked:
    """
    Hold this matcher's shares of the vectors of one query, as a query (V, D) and as rows (V, D).

    The first `matched` are compared with the gallery; one more may be there to be enrolled.
    """

    views: Words
    rows: Words
    matched: int


def nonsense_words(seat: Seat, asked: Asked, weighted: Words, *, size: int) -> Words:
    """
    Return this matcher's summands of what must not be below zero: (2·V·D + 2·V,), padded with zeros to `size`.

    `weighted` (V, D) are its summands of the vectors.
    """
    dims = weighted.shape[1]
    honest, at_a = squares_of_norms(dims), np.uint16(seat.index == 0)
    largest = np.uint16(entry_max(dims)) * at_a
    squares = (asked.rows * weighted).sum(axis=1, dtype=np.uint16)  # (V,)
    parts = (
        (largest + weighted).ravel(),
        (largest - weighted).ravel(),
        squares - np.uint16(honest[0]) * at_a,
        np.uint16(honest[-1]) * at_a - squares,
    )
    words = np.zeros(size, np.uint16)
    words[: nonsense_used(*weighted.shape)] = np.concatenate(parts)
    return words


def nonsense_size(vectors: int, dims: int) -> int:
    """
    Return how many words `nonsense_words` needs.
    """
    words = nonsense_used(vectors, dims)
    return words + -words % PLANE_BITS


def nonsense_used(vectors: int, dims: int) -> int:
    """
    Return how many of these words are no padding.
    """
    return 2 * vectors * dims + 2 * vectors


def require_one_query(seat: Seat, asked: Asked, masks: Masks, random_bytes: Callable[[int], bytes]) -> Dialogue[None]:
    """
    Raise `PalmInvalid` unless both forms are shares of the same vectors.

    Of an element q0 + q1·X as a row, the query's form is q0 - q1·X: their difference has no first word, their sum no
    second. Opened are random sums of both, and of the rows alone, with what is not to be seen hidden.
    """
    coin = yield from toss(seat, random_bytes=random_bytes)
    rows, views = asked.rows.reshape(-1), asked.views.reshape(-1)
    weights = drawn_words(coin, b"one-query", (3, SUMS, rows.size // 2))
    sums = np.concatenate(
        (
            _sums(weights[0], rows - views),
            multiply_words(_sums(weights[1], rows + views), _SWAP),
        )
    )
    hidden = np.concatenate(
        (
            sums + draw_shares(seat, masks, sums.shape, hides_first_word=False),
            _sums(weights[2], rows) + draw_shares(seat, masks, (SUMS, 2)),
        )
    )
    opened = yield from open_shares(seat, hidden, failure=PalmInvalid(_REFUSAL))
    if opened[: 2 * SUMS, 0].any():
        raise PalmInvalid(_REFUSAL)


def require_honest_signs(
    gates: Gates, negative: Shared, random_bytes: Callable[[int], bytes], *, used: int
) -> Dialogue[None]:
    """
    Raise `PalmInvalid` unless none of the first `used` signs is set. 64 random parities are opened.

    The others are padding, which nobody proves.

    Where cheaters are to be caught, all that led to the signs is proved before: a sign that a cheater has flipped, or
    not, by the query's doing, would tell of the query.
    """
    seat = gates.seat
    coin = yield from toss(seat, random_bytes=random_bytes)
    chosen = drawn_words(coin, b"honest-signs", (64, 4 * negative.size)).view(np.uint64)
    chosen[:, used // PLANE_BITS :] &= np.uint64((1 << used % PLANE_BITS) - 1)
    parities = Shared(parity_words(negative.own & chosen), parity_words(negative.after & chosen))
    if (yield from gates.open_surely(parities)).any():
        raise PalmInvalid(_REFUSAL)


def drawn_words(coin: bytes, label: bytes, shape: tuple[int, ...]) -> Words:
    """
    Return words that follow from a coin that was tossed.
    """
    words = np.empty(shape, np.uint16)
    MaskStream.of_coin(coin, label).fill(words)
    return words


def _sums(weights: Words, words: Words) -> Words:
    """
    Return sums of elements, two words each, under weights (S, D / 2): (S, 2).
    """
    out = np.empty((len(weights), 2), np.uint16)
    kernels.weigh_words(np.ascontiguousarray(words.reshape(-1, 2).T), weights, out)
    return out
