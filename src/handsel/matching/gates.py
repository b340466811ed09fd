"""
Hold bits that three matchers share, and what they can do with them.

A bit x is x_a ^ x_b ^ x_c; matcher i holds x_i and x_(i+1), so any one of them knows nothing. To XOR costs nothing, and
an AND one bit sent by each (Araki, Furukawa, Lindell, Nof, Ohara, "High-Throughput Semi-Honest Secure Three-Party
Computation with an Honest Majority", CCS 2016). A matcher that cheats in such an AND flips a bit of the result, and
can do nothing else; what was computed is kept, so that `triples.py` can prove it afterwards.

With a triple that was proved before, random bits a and b with their AND, nobody can flip a bit: x ^ a and y ^ b are
opened, which says nothing, and what was opened is compared in the end; all else is done by each for itself (Beaver,
"Efficient Multiparty Protocols Using Circuit Randomization", CRYPTO 1991).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from handsel.errors import PeerCheated
from handsel.matching import kernels
from handsel.matching.dialogue import Agreement, Dialogue, Receive, Seat, Send, bits_of, octets_of
from handsel.matching.kernels import Bits
from handsel.matching.masks import Masks

_ALL = np.uint64(0xFFFF_FFFF_FFFF_FFFF)


class Shared(NamedTuple):
    """
    Hold this matcher's two shares of a plane: x_i and x_(i+1).
    """

    own: Bits
    after: Bits

    @property
    def size(self) -> int:
        """
        Return the number of words.
        """
        return self.own.size

    def part(self, start: int, end: int) -> Shared:
        """
        Return words `start` to `end`.
        """
        return Shared(self.own[start:end], self.after[start:end])

    def __xor__(self, other: Shared) -> Shared:
        """
        Return the XOR of two planes.
        """
        return Shared(self.own ^ other.own, self.after ^ other.after)


class Product(NamedTuple):
    """
    Hold what an AND was given and what came of it.
    """

    x: Shared
    y: Shared
    z: Shared

    def part(self, start: int, end: int) -> Product:
        """
        Return the words `start` to `end` of all three.
        """
        return Product(*(plane.part(start, end) for plane in self))


class Gates:
    """
    Compute with shared bits as one of the three. Of the products the first `kept` words are kept, to be proved.
    """

    def __init__(self, seat: Seat, masks: Masks, *, kept: int = 0) -> None:
        self.seat, self.masks = seat, masks
        self.agreement = Agreement()
        self._kept = np.empty((6, kept), np.uint64)
        self._count = 0

    def products(self) -> Product:
        """
        Return what was kept of the products.
        """
        kept = self._kept[:, : self._count]
        return Product(*(Shared(kept[k], kept[k + 1]) for k in (0, 2, 4)))

    def multiply(self, x: Shared, y: Shared) -> Dialogue[Shared]:
        """
        Return x AND y.
        """
        out = np.empty(x.size, np.uint64)
        kernels.and_shares(*x, *y, *self.masks.bits(x.size), out)
        yield Send(self.seat.before, octets_of(out))
        z = Shared(out, bits_of((yield Receive(self.seat.after)), x.size))
        self._keep(x, y, z)
        return z

    def multiply_by(self, x: Shared, y: Shared, triple: Product) -> Dialogue[Shared]:
        """
        Return x AND y by as many proved triples, which are used up.
        """
        opened = yield from self.open(xor_joined([x, y], [triple.x, triple.y]))
        z = Shared(np.empty(x.size, np.uint64), np.empty(x.size, np.uint64))
        for part, holder in ((0, "a"), (1, "c")):
            both = _ALL if self.seat.me == holder else np.uint64(0)
            kernels.product_by(opened, triple.x[part], triple.y[part], triple.z[part], both, z[part])
        return z

    def next_carry(self, public: Bits, carry: Shared, triple: Product) -> Dialogue[Shared]:
        """
        Return the majority of a public plane, of a random one and of the carry so far.

        The random plane is the first factor of the proved triple itself, so that only the carry has to be hidden.
        """
        opened = yield from self.open(carry ^ triple.y)
        found = Shared(np.empty(carry.size, np.uint64), np.empty(carry.size, np.uint64))
        for part in (0, 1):
            kernels.carry_by(opened, public, triple.x[part], triple.z[part], carry[part], found[part])
        return found

    def add(self, first: Sequence[Shared], second: Sequence[Shared]) -> Dialogue[list[Shared]]:
        """
        Return the sum of two numbers, all given as planes from the lowest up; one AND for each carry.

        Planes may become shorter on the way up: the lanes beyond end there.
        """
        carry = zeros(first[0].size)
        found = []
        for plane, (a, b) in enumerate(zip(first, second, strict=True)):
            left = first[plane + 1].size if plane + 1 < len(first) else 0
            found.append(a ^ b ^ carry)
            if left:
                c = carry.part(0, left)
                carry = (yield from self.multiply(a.part(0, left) ^ c, b.part(0, left) ^ c)) ^ c
        return found

    def top_bit(self, first: Sequence[Shared], second: Sequence[Shared]) -> Dialogue[Shared]:
        """
        Return the top bit of the sum of two numbers, in each lane where it ends.
        """
        return tops((yield from self.add(first, second)))

    def carries(self, a: Sequence[Shared], b: Sequence[Shared], c: Sequence[Shared]) -> Dialogue[list[Shared]]:
        """
        Return the carries of three numbers added bit by bit, all at once: the majority of each three bits.
        """
        product = yield from self.multiply(xor_joined(a, c), xor_joined(b, c))
        found, start = [], 0
        for plane in c:
            found.append(product.part(start, start + plane.size) ^ plane)
            start += plane.size
        return found

    def all_of(self, bits: Shared, *, parts: int, triples: Product | None = None) -> Dialogue[Shared]:
        """
        Return the AND of the `parts` planes that stand one behind the other; halve their number until one is left.

        Where there are proved `triples` they are used, as many as there are ANDs.
        """
        width, at = bits.size // parts, 0
        while parts > 1:
            half = parts // 2
            x, y = bits.part(0, half * width), bits.part(half * width, 2 * half * width)
            if triples is None:
                met = yield from self.multiply(x, y)
            else:
                met = yield from self.multiply_by(x, y, triples.part(at, at + x.size))
            at += x.size
            bits = join([met, bits.part(2 * half * width, bits.size)])  # One is left over where their number is odd.
            parts -= half
        return bits

    def with_public(self, bits: Shared, public: Bits | np.uint64) -> Shared:
        """
        Return the XOR with what all three know: it is put into the share x_a, a's own and for c the next one's.
        """
        own = bits.own ^ public if self.seat.me == "a" else bits.own
        return Shared(own, bits.after ^ public if self.seat.me == "c" else bits.after)

    def negated(self, bits: Shared) -> Shared:
        """
        Return NOT x.
        """
        return self.with_public(bits, _ALL)

    def open(self, x: Shared) -> Dialogue[Bits]:
        """
        Return x to all three. Each is told the share that it lacks by one, and compares it with the other's at the end.
        """
        yield Send(self.seat.before, octets_of(x.after))
        missing = bits_of((yield Receive(self.seat.after)), x.size)
        self.agreement.note_opened(told=x.own, held=missing)
        return x.own ^ x.after ^ missing

    def open_surely(self, x: Shared) -> Dialogue[Bits]:
        """
        Return a few words to all three, each told by both who hold it. Raises `PeerCheated` where these differ.
        """
        seat = self.seat
        yield Send(seat.before, octets_of(x.after))
        yield Send(seat.after, octets_of(x.own))
        missing = bits_of((yield Receive(seat.after)), x.size)
        if not np.array_equal(missing, bits_of((yield Receive(seat.before)), x.size)):
            raise PeerCheated("two matchers tell a third what should be the same, and is not")
        return x.own ^ x.after ^ missing

    def require_zero(self, x: Shared) -> None:
        """
        Have it checked at the end that x is zero: then the XOR of two shares is the third.
        """
        self.agreement.note_zero(told=x.own ^ x.after, held=x.after)

    def random(self, size: int) -> Shared:
        """
        Return bits that nobody knows.
        """
        own, after = np.empty(size, np.uint64), np.empty(size, np.uint64)
        self.masks.before.fill(own)
        self.masks.after.fill(after)
        return Shared(own, after)

    def _keep(self, *planes: Shared) -> None:
        if self._kept.size:
            end = self._count + planes[0].size
            for number, plane in enumerate(planes):
                self._kept[2 * number, self._count : end] = plane.own
                self._kept[2 * number + 1, self._count : end] = plane.after
            self._count = end


def zeros(size: int) -> Shared:
    """
    Return a plane of zeros.
    """
    return Shared(np.zeros(size, np.uint64), np.zeros(size, np.uint64))


def tops(planes: Sequence[Shared]) -> Shared:
    """
    Return the top bit of each lane, of planes from the lowest up: lanes beyond the next plane's end have it there.
    """
    ends = [*(plane.size for plane in planes[1:]), 0]
    return join([plane.part(end, plane.size) for plane, end in zip(planes, ends, strict=True)][::-1])


def join(parts: Sequence[Shared]) -> Shared:
    """
    Return planes one behind the other.
    """
    if len(parts) == 1:
        return parts[0]
    return Shared(np.concatenate([part.own for part in parts]), np.concatenate([part.after for part in parts]))


def xor_joined(left: Sequence[Shared], right: Sequence[Shared]) -> Shared:
    """
    Return the XORs of planes, one behind the other.
    """
    size = sum(plane.size for plane in left)
    joined = Shared(np.empty(size, np.uint64), np.empty(size, np.uint64))
    start = 0
    for a, b in zip(left, right, strict=True):
        end = start + a.size
        np.bitwise_xor(a.own, b.own, out=joined.own[start:end])
        np.bitwise_xor(a.after, b.after, out=joined.after[start:end])
        start = end
    return joined
