"""
Make random bits with their AND, shared among three and proved, for ANDs to be proved by.

All lists of a bucket are made first. Then a coin says in which order each is taken, so that a false triple meets false
ones only by chance, and which few are shown: each of the first list is proved by one of every other list.

Sources: Furukawa, Lindell, Nof, Weinstein, "High-Throughput Secure Three-Party Computation for Malicious Adversaries
and an Honest Majority", EUROCRYPT 2017; Araki et al., "Optimized Honest-Majority MPC for Malicious Adversaries", S&P
2017. How sure it is, and why 64 bits may be shuffled together: `docs/matching-protocol.md`.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from handsel.errors import PeerCheated
from handsel.matching import kernels
from handsel.matching.dialogue import Dialogue, Receive, Send, bits_of, octets_of, toss
from handsel.matching.gates import Gates, Product, Shared, join, xor_joined
from handsel.matching.kernels import Bits

SURE_BITS = 40
OPENED = 3  # Triples of each list that are shown.


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
    yield Send(seat.before, octets_of(plus))
    columns[:, 5] = bits_of((yield Receive(seat.after)), total)
    coin = yield from toss(seat, random_bytes=random_bytes)
    lists = []
    for number, part in enumerate(np.split(columns, bucket)):
        order = np.random.Generator(np.random.Philox(key=_key(coin, number))).permutation(len(part))
        lists.append(_triples(part, order))
        yield from _show(gates, lists[-1].part(count, count + OPENED))
    proved = lists[0].part(0, count)
    for other in lists[1:]:
        yield from sacrifice(gates, proved, other.part(0, count))
    return proved


def _triples(columns: Bits, order: NDArray[np.int64]) -> Product:
    shuffled = np.empty((6, len(order)), np.uint64)
    kernels.gather(columns, order, shuffled)
    return Product(*(Shared(shuffled[k], shuffled[k + 1]) for k in (0, 2, 4)))


def sacrifice(gates: Gates, products: Product, triples: Product) -> Dialogue[None]:
    """
    Prove products by as many triples, which are used up.
    """
    seat, size = gates.seat, products.z.size
    hidden = xor_joined([products.x, products.y], [triples.x, triples.y])
    opened = yield from gates.open(hidden)
    zero = Shared(np.empty(size, np.uint64), np.empty(size, np.uint64))
    for part, holder in ((0, "a"), (1, "c")):
        both = np.uint64(0xFFFF_FFFF_FFFF_FFFF if seat.me == holder else 0)
        kernels.left_over(opened, products.z[part], triples.x[part], triples.y[part], triples.z[part], both, zero[part])
    gates.require_zero(zero)


def _show(gates: Gates, triples: Product) -> Dialogue[None]:
    x, y, z = np.split((yield from gates.open(join(list(triples)))), 3)
    if ((x & y) ^ z).any():
        raise PeerCheated("a triple is not one: a matcher does not follow the protocol")


def _key(coin: bytes, number: int) -> int:
    return int.from_bytes(hashlib.sha256(coin + bytes([number])).digest()[:16], "little")
