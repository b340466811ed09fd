"""
Promises of the loops, each against the same thing said in NumPy.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from handsel.matching import kernels

GENERATOR = np.random.default_rng(11)


def _words(*shape: int) -> NDArray[np.uint16]:
    return GENERATOR.integers(0, 1 << 16, shape, np.uint16)


def _bits(*shape: int) -> NDArray[np.uint64]:
    return GENERATOR.integers(0, 1 << 64, shape, np.uint64, endpoint=False)


@pytest.mark.parametrize("views", [1, 2, 3, 4, 9, 32])
@pytest.mark.parametrize("count", [0, 64, 192])
@pytest.mark.parametrize("dims", [2, 10, 432])
def test_dot_products_are_exact_modulo_65536(views: int, count: int, dims: int) -> None:
    rows, queries = _words(count, dims), _words(views, dims)
    out = np.empty((views, count), np.uint16)

    kernels.dot_products(rows, queries, out)

    assert np.array_equal((queries.astype(np.uint64) @ rows.astype(np.uint64).T).astype(np.uint16), out)


def test_masks_are_added_and_taken_away() -> None:
    words, plus, minus = _words(100), _words(100), _words(100)
    expected = words + plus - minus - np.uint16(65000)

    kernels.add_mask(words, plus, minus, np.uint16(65000))

    assert np.array_equal(expected, words)


def test_words_are_added() -> None:
    words, other = _words(100), _words(100)
    expected = words + other

    kernels.add_words(words, other)

    assert np.array_equal(expected, words)


def test_planes_hold_the_bits_of_the_words() -> None:
    words, planes = _words(192), np.empty((16, 3), np.uint64)

    kernels.pack(words, planes)

    bits = np.unpackbits(planes.view(np.uint8), axis=1, bitorder="little")  # (16, 192)
    assert np.array_equal((words[None, :] >> np.arange(16)[:, None]) & 1, bits)


def test_bits_are_xored_in_place() -> None:
    bits, other = _bits(9), _bits(9)
    expected = bits ^ other

    kernels.xor_into(bits, other)

    assert np.array_equal(expected, bits)


def test_three_shares_of_an_and_are_the_and() -> None:
    x, y, mask = _bits(3, 9), _bits(3, 9), _bits(3, 9)

    total = np.zeros(9, np.uint64)
    for i in range(3):
        after, out = (i + 1) % 3, np.empty(9, np.uint64)
        kernels.and_shares(x[i], x[after], y[i], y[after], mask[i], mask[i - 1], out)
        total ^= out

    assert np.array_equal(np.bitwise_xor.reduce(x) & np.bitwise_xor.reduce(y), total)


def test_three_shares_of_a_carry_step_are_the_step() -> None:
    a, b, c, mask = _bits(3, 9), _bits(3, 9), _bits(3, 9), _bits(3, 9)

    total = np.zeros(9, np.uint64)
    for i in range(3):
        k, out = (i + 1) % 3, np.empty(9, np.uint64)
        kernels.carry_shares(a[i], a[k], b[i], b[k], c[i], c[k], mask[i], mask[i - 1], out)
        total ^= out

    x, y, z = (np.bitwise_xor.reduce(shares) for shares in (a, b, c))
    assert np.array_equal((x & y) ^ (x & z) ^ (y & z), total ^ z)


def test_three_selections_are_the_selected_aliases() -> None:
    matched, parts = _bits(3, 2), _bits(3, 128, 2)

    total = np.zeros(2, np.uint64)
    for i in range(3):
        after = (i + 1) % 3
        kernels.select(matched[i], matched[after], parts[i], parts[i] ^ parts[after], total)

    chosen = np.unpackbits(np.bitwise_xor.reduce(matched).view(np.uint8), bitorder="little").astype(bool)
    assert np.array_equal(np.bitwise_xor.reduce(np.bitwise_xor.reduce(parts)[chosen]), total)


def test_everything_is_compiled_before_the_first_customer() -> None:
    kernels.compile_all()

    assert all(
        len(getattr(kernel, "signatures")) == 1  # noqa: B009 - numba's own attribute, which the type hides
        for kernel in (kernels.dot_products, kernels.pack, kernels.carry_shares, kernels.and_shares, kernels.select)
    )
