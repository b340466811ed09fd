"""
Hold the three-party match of one matcher, as a dialogue that sends and receives and knows no socket.

The three stand in a ring, a → b → c → a. A bit x is shared as x = x_a ^ x_b ^ x_c; matcher i holds x_i and x_(i+1), so
any one of them knows nothing and an AND costs one bit sent by each (Araki et al., "High-Throughput Semi-Honest Secure
Three-Party Computation with an Honest Majority", CCS 2016).

1. Dot products: the product of two Shamir shares is a share of the product, of degree 2, which three weights add up.
2. Masks: the three words of a comparison sum to dot - threshold; masks that sum to zero make each of them random.
3. Conversion: a sends its word to b, which adds it to its own: so a + b's is known to b alone, c's to c and a. Both
   are turned to bit planes and shared.
4. Carry chain: the 15 carries of their sum, one AND each; the top bit of the sum is 1 where dot < threshold.
5. Views: a row is not matched where all views are below. AND over the views, in ⌈log₂ V⌉ steps.
6. Selection: each takes the XOR of its alias shares under its shares of the match bits. 16 bytes, masked once more.

No matcher learns a dot product, a bit or an alias. Who gets all three answers learns the XOR of the matched aliases.

LIMITATIONS
Semi-honest: a matcher that follows the steps learns nothing, one that does not can falsify the answer unseen. A query
or a template whose norm is not an honest one's may wrap around 2^16 and match anything: nothing here checks norms yet.
Two rows that match give the XOR of two aliases, which only the issuer can tell from one.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np

from handsel.errors import EnvelopeInvalid
from handsel.matching import kernels
from handsel.matching.kernels import PLANE_BITS, WORD_BITS, Bits
from handsel.matching.masks import Masks
from handsel.matching.message import ALIAS_BYTES, MATCHERS
from handsel.matching.ring import Words, multiply_words, negate_odd, weight_at_zero
from handsel.matching.rows import Rows

T = TypeVar("T")
_MASK_WORDS = 1 << 15  # Masked at a time: the masks stay in the second-level cache.
_ALL = np.uint64(0xFFFF_FFFF_FFFF_FFFF)


@dataclass(frozen=True)
class Send:
    """
    Ask whoever drives the dialogue to send `payload` to the matcher `to`.
    """

    to: str
    payload: bytes


@dataclass(frozen=True)
class Receive:
    """
    Ask whoever drives the dialogue for the next message of the matcher `sender`.
    """

    sender: str


Dialogue = Generator[Send | Receive, bytes, T]


class Shared(NamedTuple):
    """
    Hold this matcher's two shares of a plane: x_i and x_(i+1).
    """

    own: Bits
    after: Bits


@dataclass(frozen=True)
class Seat:
    """
    Say where in the ring a matcher stands.
    """

    me: str

    @property
    def index(self) -> int:
        """
        Return 0, 1 or 2.
        """
        return MATCHERS.index(self.me)

    @property
    def after(self) -> str:
        """
        Return the name of the next matcher.
        """
        return MATCHERS[(self.index + 1) % 3]

    @property
    def before(self) -> str:
        """
        Return the name of the matcher before.
        """
        return MATCHERS[(self.index + 2) % 3]


def match(me: str, *, rows: Rows, query: Words, threshold: int, masks: Masks) -> Dialogue[bytes]:
    """
    Carry out the match as matcher `me`, with its shares `query` (V, D), and return its masked 16 bytes.
    """
    seat = Seat(me)
    sums = _masked_differences(seat, rows=rows, query=query, threshold=threshold, masks=masks)  # 1, 2
    summands = yield from _convert(seat, sums, masks)  # 3
    below = yield from _top_bit(seat, summands, masks)  # 4
    unmatched = yield from _and_over_views(seat, below, masks, views=len(query))  # 5
    return _select(seat, unmatched, rows=rows, masks=masks)  # 6


def _masked_differences(seat: Seat, *, rows: Rows, query: Words, threshold: int, masks: Masks) -> Words:
    weighted = negate_odd(multiply_words(query, weight_at_zero(seat.index)))  # (V, D)
    products = np.empty((len(query), len(rows.templates)), np.uint16)  # (V, N)
    kernels.dot_products(rows.templates, weighted, products)
    sums = products.reshape(-1)
    less = np.uint16(threshold % (1 << WORD_BITS) if seat.index == 0 else 0)
    for start in range(0, sums.size, _MASK_WORDS):
        part = sums[start : start + _MASK_WORDS]
        kernels.add_mask(part, *masks.words(part.size), less)
    return sums


def _convert(seat: Seat, sums: Words, masks: Masks) -> Dialogue[tuple[list[Shared], list[Shared]]]:
    """
    Return shares of the bit planes of two summands: b's sum with a's word, and c's word.

    The first is v_b ^ v_c, with v_b a mask that a and b draw; the second is x_a alone, which c and a hold.
    """
    words = sums.size // PLANE_BITS
    planes = np.empty((WORD_BITS, words), np.uint64)
    zeros = [np.zeros(words, np.uint64)] * WORD_BITS
    if seat.me == "a":
        yield Send("b", sums.tobytes())
        masks.after.fill(planes)
        third = _bits((yield Receive("c")), planes.size).reshape(planes.shape)
        return _shared(zeros, list(planes)), _shared(list(third), zeros)
    if seat.me == "b":
        kernels.add_words(sums, _words((yield Receive("a")), sums.size))
        kernels.pack(sums, planes)
        drawn = np.empty_like(planes)
        masks.before.fill(drawn)
        kernels.xor_into(planes.reshape(-1), drawn.reshape(-1))
        yield Send("c", planes.tobytes())
        return _shared(list(drawn), list(planes)), _shared(zeros, zeros)
    kernels.pack(sums, planes)
    yield Send("a", planes.tobytes())
    hidden = _bits((yield Receive("b")), planes.size).reshape(planes.shape)
    return _shared(list(hidden), zeros), _shared(zeros, list(planes))


def _top_bit(seat: Seat, summands: tuple[list[Shared], list[Shared]], masks: Masks) -> Dialogue[Shared]:
    first, second = summands
    size = first[0].own.size
    carry = Shared(np.zeros(size, np.uint64), np.zeros(size, np.uint64))
    out = np.empty(size, np.uint64)
    for a, b in zip(first[:-1], second[:-1], strict=True):
        kernels.carry_shares(*a, *b, *carry, *masks.bits(size), out)
        others = yield from _reshare(seat, out)
        kernels.xor_into(carry.own, out)
        kernels.xor_into(carry.after, others)
    for plane in (first[-1], second[-1]):
        kernels.xor_into(carry.own, plane.own)
        kernels.xor_into(carry.after, plane.after)
    return carry


def _and_over_views(seat: Seat, bits: Shared, masks: Masks, *, views: int) -> Dialogue[Shared]:
    """
    Return the AND of the V planes that stand one behind the other in `bits`; halve their number until one is left.
    """
    width = bits.own.size // views
    while views > 1:
        half = views // 2
        size = half * width
        out = np.empty(size, np.uint64)
        low, high = slice(0, size), slice(size, 2 * size)
        left, right = Shared(bits.own[low], bits.after[low]), Shared(bits.own[high], bits.after[high])
        kernels.and_shares(*left, *right, *masks.bits(size), out)
        others = yield from _reshare(seat, out)
        odd = slice(2 * size, views * width)  # One view is left over where their number is odd.
        bits = Shared(np.concatenate((out, bits.own[odd])), np.concatenate((others, bits.after[odd])))
        views -= half
    return bits


def _select(seat: Seat, unmatched: Shared, *, rows: Rows, masks: Masks) -> bytes:
    # To negate a shared bit is to flip the share x_a, which a holds as its own and c as the next one's.
    matched = unmatched.own ^ (_ALL if seat.me == "a" else np.uint64(0))
    matched_after = unmatched.after ^ (_ALL if seat.me == "c" else np.uint64(0))
    answer, mask = masks.bits(ALIAS_BYTES // 8)
    answer ^= mask
    kernels.select(matched, matched_after, rows.own, rows.pair, answer)
    return answer.tobytes()


def _reshare(seat: Seat, share: Bits) -> Dialogue[Bits]:
    yield Send(seat.before, share.tobytes())
    return _bits((yield Receive(seat.after)), share.size)


def _shared(own: list[Bits], after: list[Bits]) -> list[Shared]:
    return [Shared(*planes) for planes in zip(own, after, strict=True)]


def _words(payload: bytes, size: int) -> Words:
    return np.array(np.frombuffer(_of_length(payload, 2 * size), np.uint16))


def _bits(payload: bytes, size: int) -> Bits:
    # Copied, since the loops are compiled for arrays that can be written.
    return np.array(np.frombuffer(_of_length(payload, 8 * size), np.uint64))


def _of_length(payload: bytes, length: int) -> bytes:
    if len(payload) != length:
        raise EnvelopeInvalid("a matcher's peer sent a message whose length is not the protocol's")
    return payload
