"""
Turn words that three matchers hold as summands into bits that they share.

Words come in two kinds of lanes. Those of the query itself (`narrow.wide` first lanes) are looked at in all 16 bits,
since a dishonest one may be anything; those of the comparisons only in the bits that an honest one can have.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from handsel.matching import kernels
from handsel.matching.dialogue import Dialogue, Receive, Send, bits_of, octets_of, words_of
from handsel.matching.gates import Gates, Shared
from handsel.matching.kernels import PLANE_BITS, Bits
from handsel.matching.message import MATCHERS, Octets
from handsel.matching.ring import Words
from handsel.matching.scale import WORD_BITS

_BYTE_BITS = 8


@dataclass(frozen=True)
class Lanes:
    """
    Say how many words there are: `wide` of 16 bits first, then `narrow` of which `bits` count. Multiples of 64.
    """

    wide: int
    narrow: int
    bits: int

    @property
    def sizes(self) -> list[int]:
        """
        Return the length of each plane, from the lowest bit up.
        """
        wide, both = self.wide // PLANE_BITS, (self.wide + self.narrow) // PLANE_BITS
        return [both if bit < self.bits else wide for bit in range(WORD_BITS)]

    def planes(self, words: Words) -> Bits:
        """
        Return the planes of `words`, one behind the other.
        """
        wide = np.empty((WORD_BITS, self.wide // PLANE_BITS), np.uint64)
        narrow = np.empty((self.bits, self.narrow // PLANE_BITS), np.uint64)
        kernels.pack(words[: self.wide], 0, wide)
        kernels.pack(words[self.wide :], 0, narrow)
        parts = [part for bit in range(WORD_BITS) for part in (wide[bit], narrow[bit] if bit < self.bits else None)]
        return np.concatenate([part for part in parts if part is not None])

    def cut(self, planes: Bits) -> list[Bits]:
        """
        Return planes that stand one behind the other as a list.
        """
        ends = np.cumsum(self.sizes)
        return [planes[end - size : end] for size, end in zip(self.sizes, ends, strict=True)]

    def to_bytes(self, words: Words) -> bytes:
        """
        Return the bits of `words` that count: wide words whole; of narrow ones their low bytes, then the planes above.
        """
        narrow = words[self.wide :]
        above = np.empty((max(0, self.bits - _BYTE_BITS), self.narrow // PLANE_BITS), np.uint64)
        kernels.pack(narrow, _BYTE_BITS, above)
        return words[: self.wide].tobytes() + narrow.astype(np.uint8).tobytes() + above.tobytes()

    def from_bytes(self, payload: Octets) -> Words:
        """
        Return the words that `to_bytes` wrote. Raises `EnvelopeInvalid`.
        """
        above = max(0, self.bits - _BYTE_BITS)
        octets = bits_of(payload, (2 * self.wide + self.narrow + above * self.narrow // 8) // 8).view(np.uint8)
        words = np.empty(self.wide + self.narrow, np.uint16)
        words[: self.wide] = octets[: 2 * self.wide].view(np.uint16)
        words[self.wide :] = octets[2 * self.wide : 2 * self.wide + self.narrow]
        planes = octets[2 * self.wide + self.narrow :].view(np.uint64).reshape(above, self.narrow // PLANE_BITS)
        kernels.add_planes(words[self.wide :], _BYTE_BITS, planes)
        return words


def signs(gates: Gates, sums: Words, lanes: Lanes) -> Dialogue[Shared]:
    """
    Return the top bit of every sum, of whose three summands this matcher holds `sums`; with as few bits as can be.

    a sends its word to b, which adds it to its own: so a + b's is known to b alone, c's to c and a. Both are turned to
    planes and shared: the first as v_b ^ v_c, with v_b a mask that a and b draw; the second as x_a, which c and a hold.
    """
    first, second = yield from _two_summands(gates, sums, lanes)
    return (yield from gates.top_bit(first, second))


def _two_summands(gates: Gates, sums: Words, lanes: Lanes) -> Dialogue[tuple[list[Shared], list[Shared]]]:
    size, me, masks = sum(lanes.sizes), gates.seat.me, gates.masks
    nothing = np.zeros(size, np.uint64)
    if me == "a":
        yield Send("b", lanes.to_bytes(sums))
        drawn = np.empty(size, np.uint64)
        masks.after.fill(drawn)
        third = bits_of((yield Receive("c")), size)
        return _shared(lanes, nothing, drawn), _shared(lanes, third, nothing)
    if me == "b":
        planes = lanes.planes(sums + lanes.from_bytes((yield Receive("a"))))
        drawn = np.empty(size, np.uint64)
        masks.before.fill(drawn)
        planes ^= drawn
        yield Send("c", octets_of(planes))
        return _shared(lanes, drawn, planes), _shared(lanes, nothing, nothing)
    planes = lanes.planes(sums)
    yield Send("a", octets_of(planes))
    hidden = bits_of((yield Receive("b")), size)
    return _shared(lanes, hidden, nothing), _shared(lanes, nothing, planes)


def replicate(gates: Gates, sums: Words) -> Dialogue[tuple[Words, Words]]:
    """
    Return this matcher's summands and the next one's, so that each summand is known to two.
    """
    yield Send(gates.seat.before, octets_of(sums))
    return sums, words_of((yield Receive(gates.seat.after)), sums.size)


def open_sums(gates: Gates, summands: Words) -> Dialogue[Words]:
    """
    Return the sums of all three's summands, a multiple of 64 words, to all three. Each adds up a third of them.

    What is told two differently is found in the end; what somebody adds to a sum is not.
    """
    seat, thirds, sums = gates.seat, np.array_split(summands, 3), {}
    for name in seat.others:
        yield Send(name, octets_of(thirds[MATCHERS.index(name)]))
    mine = thirds[seat.index].copy()
    for name in seat.others:
        mine += words_of((yield Receive(name)), mine.size)
    for name in seat.others:
        yield Send(name, octets_of(mine))
    for name in seat.others:
        sums[name] = words_of((yield Receive(name)), thirds[MATCHERS.index(name)].size)
    sums[seat.me] = mine
    opened = np.concatenate([sums[name] for name in MATCHERS])
    gates.agreement.note_opened(told=opened.view(np.uint64), held=opened.view(np.uint64))
    return opened


def bits_of_sums(gates: Gates, own: Words, after: Words, lanes: Lanes) -> Dialogue[list[Shared]]:
    """
    Return the bits of every sum that count, where each summand is known to two: nobody can share another one unseen.

    Three summands are added bit by bit to sums and carries, all at once, and these along a chain.
    """
    nothing, here = np.zeros(sum(lanes.sizes), np.uint64), gates.seat.index
    summands = [_shared(lanes, nothing, nothing)] * 3
    summands[here] = _shared(lanes, lanes.planes(own), nothing)
    summands[(here + 1) % 3] = _shared(lanes, nothing, lanes.planes(after))
    sums = [a ^ b ^ c for a, b, c in zip(*summands, strict=True)]
    lower = [[plane.part(0, sums[bit + 1].size) for bit, plane in enumerate(planes[:-1])] for planes in summands]
    carries = yield from gates.carries(*lower)
    return [sums[0], *(yield from gates.add(sums[1:], carries))]


def _shared(lanes: Lanes, own: Bits, after: Bits) -> list[Shared]:
    return [Shared(*planes) for planes in zip(lanes.cut(own), lanes.cut(after), strict=True)]


def parity_words(bits: Bits) -> Bits:
    """
    Return the parities of 64 arrays each, as the bits of a word: of (n, W) the words (n / 64,).
    """
    parities = np.bitwise_count(np.bitwise_xor.reduce(bits, axis=-1)).astype(np.uint8) & 1
    return np.asarray(np.packbits(parities, bitorder="little").view(np.uint64), np.uint64)
