"""
Catch a matcher that does not follow the steps, before an answer is given.

What a cheater can do is bounded by what the steps are: it can change the products that it tells, and flip the results of
ANDs. Everything else is known to two, who compare it. So two things are proved, over what all three hold fixed by then.

**Dot products** (`prove_products`). 1. Coins give weights r_j, and the rows are combined under them: Y = Σ r_j·x_j, one
pass over the gallery, as the products' claimed values are: c = Σ r_j·z_j. 2. For random vectors w that nobody knows,
the products <Y, w> are told. 3. Coins give s, and m = s·q + w is opened, which says nothing of q. Then
<Y, m> - s·c - <Y, w> must be zero; all of it is linear in what is held, so that nobody can change it unseen.

**ANDs** (`prove_ands`). Triples of random bits with their AND are made, shuffled by a coin, and each proved by two others
of its bucket; then each AND is proved by one triple, all by opening x ^ a and y ^ b and comparing what must be zero.

Sources: Furukawa, Lindell, Nof, Weinstein, "High-Throughput Secure Three-Party Computation for Malicious Adversaries and
an Honest Majority", EUROCRYPT 2017; Araki et al., "Optimized Honest-Majority MPC for Malicious Adversaries", S&P 2017.
How sure each is: `docs/matching-protocol.md`.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from handsel.errors import PeerCheated
from handsel.matching import kernels
from handsel.matching.convert import Lanes, replicate
from handsel.matching.dialogue import Dialogue, Receive, Seat, Send, bits_of, toss
from handsel.matching.gates import Gates, Product, Shared, join
from handsel.matching.honest import Asked, drawn_words
from handsel.matching.kernels import Bits
from handsel.matching.masks import Masks
from handsel.matching.ring import Words, multiply_words, negate_odd, product_words, weight_at_zero
from handsel.matching.rows import Rows
from handsel.matching.scale import entry_max, squares_of_norms
from handsel.matching.shamir import draw_shares, from_replicated, open_shares

COMBINATIONS = 9  # Of all rows. An error in bits that count is zero in one, or is missed with it, by less than 2^-4.7.
REPEATS = 3  # Of the proof of each.
ENTRY_SUMS = 40  # Of a query's entries, all of whose bits count: missed by 1/2 each.
SURE_BITS = 40
OPENED = 3  # Triples of each list that are shown.


@dataclass(frozen=True)
class Claims:
    """
    Hold what the matchers have told each other of all sums: this one's summands and the next one's, masked.
    """

    own: Words
    after: Words
    lanes: Lanes
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
    views, dims = asked.views.shape
    coin = yield from toss(seat, random_bytes=random_bytes)  # 1
    weights = drawn_words(coin, b"rows", (COMBINATIONS, len(rows.templates)))
    combined = np.zeros((COMBINATIONS, dims), np.uint16)
    kernels.combine_rows(rows.templates, weights, combined)
    square_weights = drawn_words(coin, b"squares", (COMBINATIONS, views))
    vectors = np.broadcast_to(combined[:, None], (COMBINATIONS, views, dims)).copy()
    vectors[:, asked.matched :] = 0
    vectors += square_weights[:, :, None] * asked.rows[None]  # (L, V, D)
    claimed = [
        _claimed(seat, words, claims, asked, weights, square_weights, is_first)
        for words, is_first in ((claims.own, True), (claims.after, False))
    ]  # (L, V) each
    hiding = draw_shares(seat, masks, (REPEATS, COMBINATIONS, views, dims))  # 2
    told = (vectors[None] * negate_odd(multiply_words(hiding, weight_at_zero(seat.index)))).sum(-1, dtype=np.uint16)
    gates = Gates(seat, masks, is_proved=False)
    plus, minus = masks.words(told.size)
    hidden_own, hidden_after = yield from replicate(gates, told.ravel() + plus - minus)
    coin = yield from toss(seat, random_bytes=random_bytes)  # 3
    scales = drawn_words(coin, b"scales", told.shape)
    opened = yield from open_shares(seat, scales[..., None] * asked.views[None, None] + hiding)
    shares = product_words(vectors[None], opened)  # (R, L, V, 2)
    shares -= from_replicated(
        seat,
        scales * claimed[0] + hidden_own.reshape(told.shape),
        scales * claimed[1] + hidden_after.reshape(told.shape),
    )
    entries = _entry_shares(seat, claims, asked, drawn_words(coin, b"entries", (ENTRY_SUMS, 2, views * dims)))
    differences = np.concatenate([shares.reshape(-1, 2), entries])
    differences += draw_shares(seat, masks, differences.shape, hides_first_word=False)
    if (yield from open_shares(seat, differences))[:, 0].any():
        raise PeerCheated("the dot products are not those of rows and query: a matcher does not follow the protocol")


def _claimed(
    seat: Seat,
    words: Words,
    claims: Claims,
    asked: Asked,
    weights: Words,
    square_weights: Words,
    is_own: bool,  # noqa: FBT001
) -> Words:
    """
    Return one summand of the products under the weights, (L, V): the threshold and what else was added is taken away.

    What is public belongs to a's summand, which a holds as its own and c as the next one's.
    """
    views, dims = asked.views.shape
    holds_public = np.uint16(seat.me == ("a" if is_own else "c"))
    products = words[claims.lanes.wide :].reshape(asked.matched, -1)
    products = products + np.uint16(claims.threshold % (1 << 16)) * holds_public
    squares = words[2 * views * dims : 2 * views * dims + views] + np.uint16(squares_of_norms(dims)[0]) * holds_public
    out = np.zeros((len(weights), views), np.uint16)
    kernels.weigh_words(products, weights, out)
    return out + square_weights * squares[None]


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


def prove_ands(gates: Gates, random_bytes: Callable[[int], bytes]) -> Dialogue[None]:
    """
    Have it checked at the end that the result of every AND so far is that of its two bits.
    """
    products = Product(*(join(planes) for planes in zip(*gates.products, strict=True)))
    gates.products.clear()
    triples = yield from make_triples(gates, products.z.size, random_bytes)
    yield from _sacrifice(gates, products, triples)


def bucket_of(count: int) -> int:
    """
    Return how many triples prove one of `count` words, so that a false one is missed by a chance of 2^-40 at most.
    """
    return 1 + math.ceil(SURE_BITS / math.log2(max(count, 2)))


def make_triples(gates: Gates, count: int, random_bytes: Callable[[int], bytes]) -> Dialogue[Product]:
    """
    Return `count` words of random triples, each proved by those of its bucket.

    All buckets are made first; then a coin shuffles each list but the first, and says which triples are shown.
    """
    bucket, seat = bucket_of(count), gates.seat
    total = bucket * (count + OPENED)
    columns = np.empty((total, 6), np.uint64)  # a, b and their AND, two shares each.
    drawn = np.empty((2, total, 2), np.uint64)
    gates.masks.before.fill(drawn[0])
    gates.masks.after.fill(drawn[1])
    plus, minus = gates.masks.bits(total)
    kernels.make_products(drawn[0], drawn[1], plus, minus, columns)
    yield Send(seat.before, plus.tobytes())
    columns[:, 5] = bits_of((yield Receive(seat.after)), total)
    coin = yield from toss(seat, random_bytes=random_bytes)
    lists = []
    for number, part in enumerate(np.split(columns, bucket)):
        order = np.random.Generator(np.random.Philox(key=_key(coin, number))).permutation(len(part))
        lists.append(_triples(part, order))
        yield from _show(gates, _part(lists[-1], count, count + OPENED))
    proved = _part(lists[0], 0, count)
    for other in lists[1:]:
        yield from _sacrifice(gates, proved, _part(other, 0, count))
    return proved


def _triples(columns: Bits, order: NDArray[np.int64]) -> Product:
    shuffled = np.empty((6, len(order)), np.uint64)
    kernels.gather(columns, order, shuffled)
    return Product(*(Shared(shuffled[k], shuffled[k + 1]) for k in (0, 2, 4)))


def _sacrifice(gates: Gates, products: Product, triples: Product) -> Dialogue[None]:
    """
    Prove products by as many triples, which are used up.
    """
    seat, size = gates.seat, products.z.size
    opened = yield from gates.open(join([products.x ^ triples.x, products.y ^ triples.y]))
    zero = Shared(np.empty(size, np.uint64), np.empty(size, np.uint64))
    for part, holder in ((0, "a"), (1, "c")):
        both = np.uint64(0xFFFF_FFFF_FFFF_FFFF if seat.me == holder else 0)
        kernels.left_over(opened, products.z[part], triples.x[part], triples.y[part], triples.z[part], both, zero[part])
    gates.require_zero(zero)


def _show(gates: Gates, triples: Product) -> Dialogue[None]:
    x, y, z = np.split((yield from gates.open(join(list(triples)))), 3)
    if ((x & y) ^ z).any():
        raise PeerCheated("a triple is not one: a matcher does not follow the protocol")


def _part(product: Product, start: int, end: int) -> Product:
    return Product(*(plane.part(start, end) for plane in product))


def _key(coin: bytes, number: int) -> int:
    return int.from_bytes(hashlib.sha256(coin + bytes([number])).digest()[:16], "little")
