"""
Hold the loops over shares: the only code whose speed matters at a matcher.

No loop branches on, or indexes by, the value of a share. Arrays are contiguous and of one type each, so that every loop
is compiled once. A *plane* holds one bit of every comparison, 64 to a word. N is a multiple of 64.

LIMITATIONS
Constant time is argued from the absence of branches on secrets; it was not measured.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from handsel.matching.compiled import compiled
from handsel.matching.ring import Words

Bits = NDArray[np.uint64]

WORD_BITS = 16  # Of a share.
PLANE_BITS = 64  # Rows to a word of a plane; rows are padded to a multiple of it.


@compiled
def dot_three(rows: Words, start: int, stop: int, views: Words, first: int, out: Words) -> None:
    """
    Write the dot products modulo 2^16 of rows start … stop - 1 of (N, D) with views first … first + 2 of (V, D).

    Four rows at a time against three views: twelve sums fit the vector registers, and each word loaded is used often.
    """
    dims = rows.shape[1]
    p, q, s = views[first], views[first + 1], views[first + 2]
    for r in range(start, stop, 4):
        a0 = a1 = a2 = np.uint16(0)
        b0 = b1 = b2 = np.uint16(0)
        c0 = c1 = c2 = np.uint16(0)
        d0 = d1 = d2 = np.uint16(0)
        for k in range(dims):
            w, x, y, z = rows[r, k], rows[r + 1, k], rows[r + 2, k], rows[r + 3, k]
            u, v, t = p[k], q[k], s[k]
            a0, a1, a2 = np.uint16(a0 + w * u), np.uint16(a1 + w * v), np.uint16(a2 + w * t)
            b0, b1, b2 = np.uint16(b0 + x * u), np.uint16(b1 + x * v), np.uint16(b2 + x * t)
            c0, c1, c2 = np.uint16(c0 + y * u), np.uint16(c1 + y * v), np.uint16(c2 + y * t)
            d0, d1, d2 = np.uint16(d0 + z * u), np.uint16(d1 + z * v), np.uint16(d2 + z * t)
        out[first, r], out[first + 1, r], out[first + 2, r] = a0, a1, a2
        out[first, r + 1], out[first + 1, r + 1], out[first + 2, r + 1] = b0, b1, b2
        out[first, r + 2], out[first + 1, r + 2], out[first + 2, r + 2] = c0, c1, c2
        out[first, r + 3], out[first + 1, r + 3], out[first + 2, r + 3] = d0, d1, d2


@compiled
def dot_one(rows: Words, start: int, stop: int, views: Words, first: int, out: Words) -> None:
    """
    Write the dot products modulo 2^16 of rows start … stop - 1 of (N, D) with view `first` of (V, D).
    """
    view = views[first]
    for r in range(start, stop):
        total = np.uint16(0)
        for k in range(rows.shape[1]):
            total = np.uint16(total + rows[r, k] * view[k])
        out[first, r] = total


@compiled
def dot_products(rows: Words, views: Words, out: Words) -> None:
    """
    Write the dot products modulo 2^16 of all rows (N, D) with all views (V, D) into out (V, N).

    Each block of rows meets all views while it is in the cache: the shares are read from memory once.
    """
    count = views.shape[0]
    threes = count // 3 * 3
    for start in range(0, rows.shape[0], 64):
        for first in range(0, threes, 3):
            dot_three(rows, start, start + 64, views, first, out)
        for first in range(threes, count):
            dot_one(rows, start, start + 64, views, first, out)


@compiled
def add_mask(words: Words, plus: Words, minus: Words, less: np.uint16) -> None:
    """
    Add plus - minus - less to `words` modulo 2^16, in place.
    """
    for i in range(words.size):
        words[i] = np.uint16(words[i] + plus[i] - minus[i] - less)


@compiled
def add_words(words: Words, other: Words) -> None:
    """
    Add `other` to `words` modulo 2^16, in place.
    """
    for i in range(words.size):
        words[i] = np.uint16(words[i] + other[i])


@compiled
def pack(words: Words, planes: Bits) -> None:
    """
    Write bit b of word 64·w + j to bit j of planes[b, w].
    """
    for w in range(words.size // 64):
        for b in range(16):
            plane = np.uint64(0)
            for j in range(64):
                bit = (np.uint64(words[w * 64 + j]) >> np.uint64(b)) & np.uint64(1)
                plane |= bit << np.uint64(j)
            planes[b, w] = plane


@compiled
def xor_into(bits: Bits, other: Bits) -> None:
    """
    XOR `other` into `bits`.
    """
    for i in range(bits.size):
        bits[i] ^= other[i]


@compiled
def and_shares(x: Bits, x_next: Bits, y: Bits, y_next: Bits, mask: Bits, mask_before: Bits, out: Bits) -> None:
    """
    Write this matcher's masked share of x AND y: a third of the product of (x_a ^ x_b ^ x_c) and (y_a ^ y_b ^ y_c).
    """
    for i in range(out.size):
        out[i] = (x[i] & (y[i] ^ y_next[i])) ^ (x_next[i] & y[i]) ^ mask[i] ^ mask_before[i]


@compiled
def carry_shares(
    a: Bits, a_next: Bits, b: Bits, b_next: Bits, c: Bits, c_next: Bits, mask: Bits, mask_before: Bits, out: Bits
) -> None:
    """
    Write this matcher's masked share of (a ^ c) AND (b ^ c): XORed to the carry c it is the next carry of a + b.
    """
    for i in range(out.size):
        x, x_next = a[i] ^ c[i], a_next[i] ^ c_next[i]
        y, y_next = b[i] ^ c[i], b_next[i] ^ c_next[i]
        out[i] = (x & (y ^ y_next)) ^ (x_next & y) ^ mask[i] ^ mask_before[i]


@compiled
def select(matched: Bits, matched_next: Bits, own: Bits, pair: Bits, out: Bits) -> None:
    """
    XOR into out (2,) this matcher's share of the aliases of all rows whose match bit is set, reading every row.

    own and pair (N, 2) are `message.AliasShare`'s.
    """
    low, high = np.uint64(0), np.uint64(0)
    for w in range(matched.size):
        for j in range(64):
            r = w * 64 + j
            m = np.uint64(0) - ((matched[w] >> np.uint64(j)) & np.uint64(1))
            m_next = np.uint64(0) - ((matched_next[w] >> np.uint64(j)) & np.uint64(1))
            low ^= (m & pair[r, 0]) ^ (m_next & own[r, 0])
            high ^= (m & pair[r, 1]) ^ (m_next & own[r, 1])
    out[0] ^= low
    out[1] ^= high


def compile_all() -> None:
    """
    Compile every loop, or load it from the cache, so that the first customer does not wait for it.
    """
    words, plane = np.zeros(PLANE_BITS, np.uint16), np.zeros(1, np.uint64)
    views, aliases = np.zeros((4, 2), np.uint16), np.zeros((PLANE_BITS, 2), np.uint64)
    dot_products(np.zeros((PLANE_BITS, 2), np.uint16), views, np.empty((4, PLANE_BITS), np.uint16))
    add_mask(words, words, words, np.uint16(0))
    add_words(words, words)
    pack(words, np.empty((WORD_BITS, 1), np.uint64))
    xor_into(plane, plane)
    and_shares(plane, plane, plane, plane, plane, plane, plane)
    carry_shares(plane, plane, plane, plane, plane, plane, plane, plane, plane)
    select(plane, plane, aliases, aliases, np.zeros(2, np.uint64))
