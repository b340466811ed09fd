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

from handsel.matching.compiled import LINE_BYTES, compiled, prefetch
from handsel.matching.ring import Words

Bits = NDArray[np.uint64]

WORD_BITS = 16  # Of a share.
PLANE_BITS = 64  # Rows to a word of a plane; rows are padded to a multiple of it.
_BLOCK_ROWS = 16  # While they meet all views, the next ones come from memory.
_BLOCK_ROWS_OF_FEW = 512  # For one or two views: far enough apart for four streams of reading.
_VECTOR_WORDS = 32  # To the widest vector register.
_LINE_WORDS = LINE_BYTES // 2


@compiled
def dot_three(
    words: Words,
    dims: int,
    start: int,
    stop: int,
    views: Words,
    first: int,
    out: Words,
    at: int,
    ahead: int,
    lines: int,
) -> None:
    """
    Write the dot products modulo 2^16 of rows start … stop - 1 with views first … first + 2 to columns `at` … of out.

    Four rows at a time against three views: twelve sums fit the vector registers, and each word loaded is used often.
    With each four, `lines` lines of the words from `ahead` on are asked for.
    """
    width = views.shape[1]
    p, q, s = views[first], views[first + 1], views[first + 2]
    for r in range(start, stop, 4):
        for line in range(lines):
            prefetch(words, ahead + line * _LINE_WORDS)
        ahead += lines * _LINE_WORDS
        i, j = words[r * dims : r * dims + width], words[(r + 1) * dims : (r + 1) * dims + width]
        m, n = words[(r + 2) * dims : (r + 2) * dims + width], words[(r + 3) * dims : (r + 3) * dims + width]
        a0 = a1 = a2 = np.uint16(0)
        b0 = b1 = b2 = np.uint16(0)
        c0 = c1 = c2 = np.uint16(0)
        d0 = d1 = d2 = np.uint16(0)
        for k in range(width):
            w, x, y, z = i[k], j[k], m[k], n[k]
            u, v, t = p[k], q[k], s[k]
            a0, a1, a2 = np.uint16(a0 + w * u), np.uint16(a1 + w * v), np.uint16(a2 + w * t)
            b0, b1, b2 = np.uint16(b0 + x * u), np.uint16(b1 + x * v), np.uint16(b2 + x * t)
            c0, c1, c2 = np.uint16(c0 + y * u), np.uint16(c1 + y * v), np.uint16(c2 + y * t)
            d0, d1, d2 = np.uint16(d0 + z * u), np.uint16(d1 + z * v), np.uint16(d2 + z * t)
        to = at + r - start
        out[first, to], out[first + 1, to], out[first + 2, to] = a0, a1, a2
        out[first, to + 1], out[first + 1, to + 1], out[first + 2, to + 1] = b0, b1, b2
        out[first, to + 2], out[first + 1, to + 2], out[first + 2, to + 2] = c0, c1, c2
        out[first, to + 3], out[first + 1, to + 3], out[first + 2, to + 3] = d0, d1, d2


@compiled
def dot_one(words: Words, dims: int, start: int, stop: int, views: Words, first: int, out: Words, at: int) -> None:
    """
    Write the dot products modulo 2^16 of rows start … stop - 1 with view `first` to columns `at` … of out.

    Four rows at a time, each from another quarter: memory gives more to who reads in several places.
    """
    view, step = views[first], (stop - start) // 4
    width = view.size
    for r in range(start, start + step):
        i, j = words[r * dims : r * dims + width], words[(r + step) * dims : (r + step) * dims + width]
        m, n = words[(r + 2 * step) * dims :][:width], words[(r + 3 * step) * dims :][:width]
        a = b = c = d = np.uint16(0)
        for k in range(width):
            v = view[k]
            a, b = np.uint16(a + i[k] * v), np.uint16(b + j[k] * v)
            c, d = np.uint16(c + m[k] * v), np.uint16(d + n[k] * v)
        to = at + r - start
        out[first, to], out[first, to + step], out[first, to + 2 * step], out[first, to + 3 * step] = a, b, c, d


@compiled
def dot_block(words: Words, dims: int, start: int, stop: int, views: Words, out: Words, at: int) -> None:
    """
    Write the dot products modulo 2^16 of rows start … stop - 1 with all views to columns `at` … of out.
    """
    count, size = views.shape[0], (stop - start) * dims
    if count < 3:
        for first in range(count):
            dot_one(words, dims, start, stop, views, first, out, at)
        return
    threes = -(-count // 3)
    lines = -(-size // (_LINE_WORDS * threes * ((stop - start) // 4)))
    for three in range(threes):
        first = min(3 * three, count - 3)  # The last three may meet some views once more.
        ahead = stop * dims + three * ((stop - start) // 4) * lines * _LINE_WORDS
        dot_three(words, dims, start, stop, views, first, out, at, ahead, lines)


@compiled
def dot_products(rows: Words, views: Words, out: Words, offset: int) -> None:
    """
    Write the dot products modulo 2^16 of all rows (N, D) with all views (V, D) into out (V, …) from column `offset`.

    Each block of rows meets all views while it is in the cache: the shares are read from memory once. Views are filled
    up with zeros to whole vector registers, so that a row is read on into the next one, which counts for nothing, and
    no rest is left to be done word by word. The last block has no next row and is met by the views as they are.
    """
    (count, dims), words = views.shape, rows.reshape(-1)
    filled = np.zeros((count, -(-dims // _VECTOR_WORDS) * _VECTOR_WORDS), np.uint16)
    filled[:, :dims] = views
    block, last = _BLOCK_ROWS if count >= 3 else _BLOCK_ROWS_OF_FEW, rows.shape[0] - _BLOCK_ROWS
    whole = max(0, last) // block * block
    for start in range(0, whole, block):
        dot_block(words, dims, start, start + block, filled, out, offset + start)
    for start in range(whole, rows.shape[0], _BLOCK_ROWS):
        met = views if start == last else filled
        dot_block(words, dims, start, start + _BLOCK_ROWS, met, out, offset + start)


@compiled
def add_mask(words: Words, plus: Words, minus: Words) -> None:
    """
    Add plus - minus to `words` modulo 2^16, in place.
    """
    for i in range(words.size):
        words[i] = np.uint16(words[i] + plus[i] - minus[i])


@compiled
def pack(words: Words, first: int, planes: Bits) -> None:
    """
    Write bit first + b of word 64·w + j to bit j of planes[b, w].
    """
    for w in range(words.size // 64):
        for b in range(planes.shape[0]):
            plane = np.uint64(0)
            for j in range(64):
                bit = (np.uint64(words[w * 64 + j]) >> np.uint64(first + b)) & np.uint64(1)
                plane |= bit << np.uint64(j)
            planes[b, w] = plane


@compiled
def add_planes(words: Words, first: int, planes: Bits) -> None:
    """
    Add 2^(first + b) to word 64·w + j modulo 2^16 for each bit j of planes[b, w]: `pack` undone.
    """
    for w in range(words.size // 64):
        for b in range(planes.shape[0]):
            plane = planes[b, w]
            for j in range(64):
                bit = np.uint16((plane >> np.uint64(j)) & np.uint64(1))
                words[w * 64 + j] = np.uint16(words[w * 64 + j] + (bit << np.uint16(first + b)))


@compiled
def combine_rows(rows: Words, weights: Words, offset: int, out: Words) -> None:
    """
    Add to out (L, D) the sums of rows (N, D) under each of the weights (L, …) from column `offset` on, modulo 2^16.

    Eight rows at a time, so that a sum is loaded and stored once for eight products; meanwhile the next eight come.
    """
    (count, dims), words, sets = rows.shape, rows.reshape(-1), weights.shape[0]
    lines = -(-8 * dims // (_LINE_WORDS * sets))
    for start in range(0, count, 8):
        a, b, c, d = rows[start], rows[start + 1], rows[start + 2], rows[start + 3]
        e, f, g, h = rows[start + 4], rows[start + 5], rows[start + 6], rows[start + 7]
        for m in range(sets):
            for line in range(lines):
                prefetch(words, (start + 8) * dims + (m * lines + line) * _LINE_WORDS)
            w, sums = weights[m], out[m]
            at = offset + start
            wa, wb, wc, wd = w[at], w[at + 1], w[at + 2], w[at + 3]
            we, wf, wg, wh = w[at + 4], w[at + 5], w[at + 6], w[at + 7]
            for k in range(dims):
                one = np.uint16(a[k] * wa + b[k] * wb + c[k] * wc + d[k] * wd)
                other = np.uint16(e[k] * we + f[k] * wf + g[k] * wg + h[k] * wh)
                sums[k] = np.uint16(sums[k] + one + other)


@compiled
def weigh_words(words: Words, weights: Words, out: Words) -> None:
    """
    Write the dot products modulo 2^16 of each of words (V, N) with each of weights (L, N) into out (L, V).
    """
    for m in range(weights.shape[0]):
        for v in range(words.shape[0]):
            total = np.uint16(0)
            for k in range(words.shape[1]):
                total = np.uint16(total + weights[m, k] * words[v, k])
            out[m, v] = total


@compiled
def add_multiple(words: Words, low: np.uint16, high: np.uint16, out: Words) -> None:
    """
    Add to out the elements of `words`, two words each, times low + high·X over the ring (`ring.multiply_words`).
    """
    for k in range(0, words.size, 2):
        first, second = words[k], words[k + 1]
        out[k] = np.uint16(out[k] + first * low - second * high)
        out[k + 1] = np.uint16(out[k + 1] + first * high + second * low - second * high)


@compiled
def multiply_chosen(
    rows: Words, vectors: Words, row_of: NDArray[np.int64], vector_of: NDArray[np.int64], out: Words
) -> None:
    """
    Write into out (P, 2) the sums over all elements of the products of rows (N, D) and vectors (M, D) that are chosen,
    over the ring (`ring.product_words`).
    """
    for p in range(out.shape[0]):
        row, vector = rows[row_of[p]], vectors[vector_of[p]]
        low = high = np.uint16(0)
        for k in range(0, row.size, 2):
            a, b, c, d = row[k], row[k + 1], vector[k], vector[k + 1]
            low = np.uint16(low + a * c - b * d)
            high = np.uint16(high + a * d + b * c - b * d)
        out[p, 0], out[p, 1] = low, high


@compiled
def and_shares(x: Bits, x_next: Bits, y: Bits, y_next: Bits, mask: Bits, mask_before: Bits, out: Bits) -> None:
    """
    Write this matcher's masked share of x AND y: a third of the product of (x_a ^ x_b ^ x_c) and (y_a ^ y_b ^ y_c).
    """
    for i in range(out.size):
        out[i] = (x[i] & (y[i] ^ y_next[i])) ^ (x_next[i] & y[i]) ^ mask[i] ^ mask_before[i]


@compiled
def make_products(drawn: Bits, drawn_next: Bits, mask: Bits, mask_before: Bits, columns: Bits) -> None:
    """
    Write random bits a and b, two shares each, and this matcher's masked share of a AND b into columns (N, 6).

    drawn and drawn_next (N, 2) are the shares of a and b. The share is left in `mask` too, to be sent.
    """
    for i in range(columns.shape[0]):
        a, a_next, b, b_next = drawn[i, 0], drawn_next[i, 0], drawn[i, 1], drawn_next[i, 1]
        mask[i] ^= (a & (b ^ b_next)) ^ (a_next & b) ^ mask_before[i]
        columns[i, 0], columns[i, 1], columns[i, 2], columns[i, 3], columns[i, 4] = a, a_next, b, b_next, mask[i]


@compiled
def gather(columns: Bits, order: NDArray[np.int64], out: Bits) -> None:
    """
    Write row order[i] of columns (N, 6) to column i of out (6, N).
    """
    for i in range(order.size):
        row = columns[order[i]]
        for k in range(6):
            out[k, i] = row[k]


@compiled
def product_by(opened: Bits, a: Bits, b: Bits, c: Bits, both: np.uint64, out: Bits) -> None:
    """
    Write a share of x AND y: opened are x ^ a and y ^ b, one behind the other; c is a AND b.

    `both` has all bits set in the one share that holds what is public.
    """
    size = out.size
    for i in range(size):
        left, right = opened[i], opened[size + i]
        out[i] = c[i] ^ (left & b[i]) ^ (right & a[i]) ^ (left & right & both)


@compiled
def carry_by(opened: Bits, public: Bits, a: Bits, c: Bits, carry: Bits, out: Bits) -> None:
    """
    Write a share of the majority of public, a and carry: opened is carry ^ b; c is a AND b.
    """
    for i in range(out.size):
        out[i] = c[i] ^ (opened[i] & a[i]) ^ (public[i] & (a[i] ^ carry[i]))


@compiled
def select(matched: Bits, matched_next: Bits, own: Bits, pair: Bits, sums: Bits) -> None:
    """
    XOR into sums (128,) the planes of this matcher's shares of aliases under its shares of the match bits.

    The parity of sums[p] is its share of bit p of the XOR of all aliases whose match bit is set. Every row is read. own
    and pair (W, 128) hold bit p of the aliases of 64 rows in a word; they are `message.AliasShare`'s.
    """
    for w in range(matched.size):
        m, m_next = matched[w], matched_next[w]
        for p in range(128):
            sums[p] ^= (m & pair[w, p]) ^ (m_next & own[w, p])


def compile_all() -> None:
    """
    Compile every loop, or load it from the cache, so that the first customer does not wait for it.
    """
    words, plane = np.zeros(PLANE_BITS, np.uint16), np.zeros(1, np.uint64)
    views, aliases = np.zeros((4, 2), np.uint16), np.zeros((1, 128), np.uint64)
    rows = np.zeros((PLANE_BITS, 2), np.uint16)
    dot_products(rows, views, np.empty((4, PLANE_BITS), np.uint16), 0)
    add_mask(words, words, words)
    pack(words, 0, np.empty((WORD_BITS, 1), np.uint64))
    add_planes(words, 0, np.zeros((WORD_BITS, 1), np.uint64))
    weights = np.zeros((1, PLANE_BITS), np.uint16)
    combine_rows(rows, weights, 0, np.zeros((1, 2), np.uint16))
    weigh_words(np.zeros((1, 2), np.uint16), np.zeros((1, 2), np.uint16), np.zeros((1, 1), np.uint16))
    add_multiple(words, np.uint16(0), np.uint16(0), words.copy())
    nought = np.zeros(1, np.int64)
    multiply_chosen(rows, rows, nought, nought, np.zeros((1, 2), np.uint16))
    and_shares(plane, plane, plane, plane, plane, plane, np.empty_like(plane))
    columns = np.zeros((1, 6), np.uint64)
    make_products(columns[:, :2].copy(), columns[:, :2].copy(), plane.copy(), plane, columns)
    gather(columns, np.zeros(1, np.int64), np.zeros((6, 1), np.uint64))
    product_by(np.zeros(2, np.uint64), plane, plane, plane, np.uint64(0), np.empty_like(plane))
    carry_by(plane, plane, plane, plane, plane, np.empty_like(plane))
    select(plane, plane, aliases, aliases, np.zeros(128, np.uint64))
    for array in (rows, aliases):  # What is mapped from a file cannot be written, which is a type of its own.
        array.flags.writeable = False
    dot_products(rows, views, np.empty((4, PLANE_BITS), np.uint16), 0)
    combine_rows(rows, weights, 0, np.zeros((1, 2), np.uint16))
    select(plane, plane, aliases, aliases, np.zeros(128, np.uint64))
