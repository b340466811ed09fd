"""
Catch a matcher that does not follow the steps, before an answer is given.

What a cheater can do is bounded by what the steps are: it can add something to the sums that are opened, and flip the
results of the ANDs that were prepared, which `triples.py` proves. All else is known to two, who compare it. So it is
proved that the sums are those of rows and query, over what all three hold fixed by then:

1. Coins give weights r_j, and the rows are combined under them: Y = Σ r_j·x_j, one pass over the gallery, as the
   products' claimed values are: c = Σ r_j·z_j.
2. For random vectors w that nobody knows, the products <Y, w> are told.
3. Coins give s, and m = s·q + w is opened, which says nothing of q. Then <Y, m> - s·c - <Y, w> must be zero; all of it
   is linear in what is held, so that nobody can change it unseen.

How sure it is: `docs/matching-protocol.md`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from handsel.errors import PeerCheated
from handsel.matching import kernels
from handsel.matching.convert import replicate
from handsel.matching.dialogue import Dialogue, Seat, toss
from handsel.matching.gates import Gates
from handsel.matching.honest import Asked, drawn_words
from handsel.matching.masks import Masks
from handsel.matching.prepared import Shape
from handsel.matching.ring import Words, multiply_words, product_words, weight_at_zero
from handsel.matching.rows import Rows
from handsel.matching.scale import WORD_BITS, entry_max, squares_of_norms
from handsel.matching.shamir import draw_shares, from_replicated, open_shares
from handsel.matching.triples import SURE_BITS

REPEATS = 4  # Of the proof of each combination.
ENTRY_SUMS = 40  # Of a query's entries, all of whose bits count: missed by 1/2 each.


@dataclass(frozen=True)
class Claims:
    """
    Hold what the matchers take all sums for: this one's summands and the next one's, masked.
    """

    own: Words
    after: Words
    shape: Shape
    threshold: int


def prove_products(
    seat: Seat,
    claims: Claims,
    *,
    rows: Rows,
    asked: Asked,
    masks: Masks,
    random_bytes: Callable[[int], bytes],
) -> Dialogue[None]:
    """
    Raise `PeerCheated` unless the sums that were told are those of rows and query.
    """
    (views, dims), matched, count = asked.views.shape, asked.matched, combinations_of(claims.shape.lanes.bits)
    coin = yield from toss(seat, random_bytes=random_bytes)  # 1
    weights = drawn_words(coin, b"rows", (count, claims.shape.width))
    combined = np.zeros((count, dims), np.uint16)
    for start, segment in rows.placed():
        kernels.combine_rows(segment.templates, weights, start, combined)
    claimed = [
        np.concatenate([_squares(words, asked, is_public), _combined(words, claims, matched, weights, is_public)])
        for words, is_public in ((claims.own, seat.me == "a"), (claims.after, seat.me == "c"))
    ]
    # A product for each: of a view with itself, told twice, and of each matched view with each combination.
    rows_of = np.concatenate([asked.rows, asked.rows, np.repeat(combined, matched, axis=0)])  # (P, D)
    view_of = np.concatenate([np.tile(np.arange(views), 2), np.tile(np.arange(matched), count)])  # (P,)
    hiding = draw_shares(seat, masks, (REPEATS * count, views, dims))  # 2
    product, repeat = np.ascontiguousarray(_pairs(views, matched, count).T)
    vector_of = repeat * views + view_of[product]
    told = _summands(seat, _chosen(rows_of, hiding, product, vector_of))
    plus, minus = masks.words(told.size)
    own, after = yield from replicate(Gates(seat, masks), told + plus - minus)
    coin = yield from toss(seat, random_bytes=random_bytes)  # 3
    scales = drawn_words(coin, b"scales", hiding.shape[:2])
    opened = yield from open_shares(seat, scales[..., None] * asked.views[None] + hiding)
    scale = scales[repeat, view_of[product]]
    shares = _chosen(rows_of, opened, product, vector_of)
    shares -= from_replicated(seat, scale * claimed[0][product] + own, scale * claimed[1][product] + after)
    entries = _entry_shares(seat, claims, asked, drawn_words(coin, b"entries", (ENTRY_SUMS, 2, views * dims)))
    differences = np.concatenate([shares, entries])
    differences += draw_shares(seat, masks, differences.shape, hides_first_word=False)
    if (yield from open_shares(seat, differences))[:, 0].any():
        raise PeerCheated("the dot products are not those of rows and query: a matcher does not follow the protocol")


def combinations_of(bits: int) -> int:
    """
    Return how many combinations prove products of which `bits` count, so that an error is missed by 2^-40 at most.

    An error is 2^(bits - 1) times something odd at worst, of 16 bits. A random combination of errors is zero, or has
    more factors of two, by chance; then `REPEATS` random scales must hide it. All bits of a square count: an error of
    it is missed by 1/2 in each of all repeats.
    """
    spare = WORD_BITS + 1 - bits
    missed = 2.0**-spare + sum(2.0 ** -(power + 1 + REPEATS * (spare - power)) for power in range(spare))
    return max(math.ceil(SURE_BITS / -math.log2(missed)), math.ceil(SURE_BITS / REPEATS))


def _pairs(views: int, matched: int, count: int) -> NDArray[np.int64]:
    """
    Return which product is proved by which hiding vector: a view with itself by all, a combination by its own.
    """
    squares = [(square, repeat) for square in range(2 * views) for repeat in range(REPEATS * count)]
    others = [
        (2 * views + one * matched + view, one * REPEATS + repeat)
        for one in range(count)
        for view in range(matched)
        for repeat in range(REPEATS)
    ]
    return np.array(squares + others)


def _chosen(rows: Words, vectors: Words, row_of: NDArray[np.int64], vector_of: NDArray[np.int64]) -> Words:
    """
    Return products over the ring of rows (N, D) and vectors (…, D), (P, 2).
    """
    products = np.empty((len(row_of), 2), np.uint16)
    kernels.multiply_chosen(rows, vectors.reshape(-1, rows.shape[1]), row_of, vector_of, products)
    return products


def _summands(seat: Seat, products: Words) -> Words:
    """
    Return this matcher's summands (P,) of the first words of what it holds shares (P, 2) of, of degree 2.
    """
    return multiply_words(products, weight_at_zero(seat.index))[:, 0]


def _squares(words: Words, asked: Asked, is_public: bool) -> Words:
    """
    Return one summand of the squares of the norms, (2 · V,), as they were told less the least and from the largest.

    What is public belongs to a's summand, which a holds as its own and c as the next one's.
    """
    views, dims = asked.views.shape
    honest, public = squares_of_norms(dims), np.uint16(is_public)
    above, below = words[2 * views * dims :][: 2 * views].reshape(2, views)
    return np.concatenate([above + np.uint16(honest[0]) * public, np.uint16(honest[-1]) * public - below])


def _combined(words: Words, claims: Claims, matched: int, weights: Words, is_public: bool) -> Words:
    """
    Return one summand of the dot products under the weights, (L · V,).
    """
    threshold = np.uint16(claims.threshold % (1 << WORD_BITS)) * np.uint16(is_public)
    products = words[claims.shape.lanes.wide :].reshape(matched, -1) + threshold
    out = np.zeros((len(weights), matched), np.uint16)
    kernels.weigh_words(products, weights, out)
    return out.ravel()


def _entry_shares(seat: Seat, claims: Claims, asked: Asked, weights: Words) -> Words:
    """
    Return shares of what must be zero, (S, 2): random sums of the entries as they were told, less those of the query.
    """
    views, dims = asked.views.shape
    count, largest = views * dims, np.uint16(entry_max(dims))
    summands = []
    for words, holder in ((claims.own, "a"), (claims.after, "c")):
        public = largest * np.uint16(seat.me == holder)
        upper, lower = words[:count] - public, words[count : 2 * count] - public
        summands.append((weights[:, 0] * upper + weights[:, 1] * lower).sum(axis=1, dtype=np.uint16))
    told = from_replicated(seat, *summands)
    held = product_words(weights[:, 0] - weights[:, 1], asked.views.reshape(1, -1))
    return told - held
