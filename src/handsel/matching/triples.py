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
_WORDS = 1 << 18  # Made, or used, at a time: for the sake of memory.


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
    Prove that products, of which all is told by now, are those of their two factors. Raises `PeerCheated`.

    All triples are made first, in as many `lists` as `bucket_of` says; then a coin shuffles each, and says which are
    shown. What was opened is compared after every list.
    """
    count = products.z.size
    lists = bucket_of(count) - 1 if lists is None else lists
    columns = yield from _make(gates, lists * (count + OPENED))
    coin = yield from toss(gates.seat, random_bytes=random_bytes)
    for number, part in enumerate(np.split(columns, lists)):
        order = np.random.Generator(np.random.Philox(key=_key(coin, number))).permutation(len(part))
        yield from _show(gates, _triples(part, order[count:]))
        for start in range(0, count, _WORDS):
            end = min(start + _WORDS, count)
            yield from sacrifice(gates, products.part(start, end), _triples(part, order[start:end]))
        yield from gates.agreement.settle(gates.seat, random_bytes=random_bytes)


def _make(gates: Gates, count: int) -> Dialogue[Bits]:
    """
    Return random bits a and b and their AND, two shares each, (count, 6).
    """
    columns, sent = np.empty((count, 6), np.uint64), np.empty(count, np.uint64)
    for start in range(0, count, _WORDS):
        part = columns[start : start + _WORDS]
        drawn, drawn_next = np.empty((len(part), 2), np.uint64), np.empty((len(part), 2), np.uint64)
        gates.masks.before.fill(drawn)
        gates.masks.after.fill(drawn_next)
        plus, minus = gates.masks.bits(len(part))
        kernels.make_products(drawn, drawn_next, plus, minus, part)
        sent[start : start + _WORDS] = plus
    yield Send(gates.seat.before, octets_of(sent))
    columns[:, 5] = bits_of((yield Receive(gates.seat.after)), count)
    return columns


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
