"""
Prove ANDs that three matchers have computed, by lists of random bits with their AND, shared among them alike.

All lists are made first. Then a coin says in which order each is taken, so that a false AND meets false ones only by
chance, and which few are shown: each AND is proved by one triple of every list.

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
from handsel.matching.gates import Gates, Product, Shared, join
from handsel.matching.kernels import Bits

SURE_BITS = 40
OPENED = 3  # Triples of each list that are shown.


def bucket_of(count: int) -> int:
    """
    Return how many stand together, one of `count` words of ANDs and all triples that prove it, so that a false one is
    missed by a chance of 2^-40 at most.
    """
    return 1 + math.ceil(SURE_BITS / math.log2(max(count, 2)))


def prove_products(
    gates: Gates, products: Product, random_bytes: Callable[[int], bytes], *, lists: int | None = None
) -> Dialogue[None]:
    """
    Have it checked at the end that products, of which all is told by now, are those of their two factors.

    All triples are made first, in as many `lists` as `bucket_of` says; then a coin shuffles each, and says which are
    shown.
    """
    count, seat = products.z.size, gates.seat
    lists = bucket_of(count) - 1 if lists is None else lists
    total = lists * (count + OPENED)
    columns = np.empty((total, 6), np.uint64)  # a, b and their AND, two shares each.
    drawn = np.empty((2, total, 2), np.uint64)
    gates.masks.before.fill(drawn[0])
    gates.masks.after.fill(drawn[1])
    plus, minus = gates.masks.bits(total)
    kernels.make_products(drawn[0], drawn[1], plus, minus, columns)
    yield Send(seat.before, octets_of(plus))
    columns[:, 5] = bits_of((yield Receive(seat.after)), total)
    coin = yield from toss(seat, random_bytes=random_bytes)
    for number, part in enumerate(np.split(columns, lists)):
        order = np.random.Generator(np.random.Philox(key=_key(coin, number))).permutation(len(part))
        triples = _triples(part, order)
        yield from _show(gates, triples.part(count, count + OPENED))
        yield from sacrifice(gates, products, triples.part(0, count))


def _triples(columns: Bits, order: NDArray[np.int64]) -> Product:
    shuffled = np.empty((6, len(order)), np.uint64)
    kernels.gather(columns, order, shuffled)
    return Product(*(Shared(shuffled[k], shuffled[k + 1]) for k in (0, 2, 4)))


def sacrifice(gates: Gates, products: Product, triples: Product) -> Dialogue[None]:
    """
    Prove products by as many triples, which are used up.
    """
    again = yield from gates.multiply_by(products.x, products.y, triples)
    gates.require_zero(products.z ^ again)


def _show(gates: Gates, triples: Product) -> Dialogue[None]:
    x, y, z = np.split((yield from gates.open(join(list(triples)))), 3)
    if ((x & y) ^ z).any():
        raise PeerCheated("a triple is not one: a matcher does not follow the protocol")


def _key(coin: bytes, number: int) -> int:
    return int.from_bytes(hashlib.sha256(coin + bytes([number])).digest()[:16], "little")
