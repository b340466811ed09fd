"""
Promises of the loops, each against the same thing said in NumPy.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from handsel.matching import kernels
from handsel.matching.ring import multiply_words, product_words
from handsel.matching.rows import to_planes

GENERATOR = np.random.default_rng(11)


def _words(*shape: int) -> NDArray[np.uint16]:
    return GENERATOR.integers(0, 1 << 16, shape, np.uint16)


def _bits(*shape: int) -> NDArray[np.uint64]:
    return GENERATOR.integers(0, 1 << 64, shape, np.uint64, endpoint=False)


@pytest.mark.parametrize("views", [1, 2, 3, 4, 9, 32])
@pytest.mark.parametrize("count", [0, 64, 192, 576, 1088])
@pytest.mark.parametrize("dims", [2, 10, 432])
def test_dot_products_are_exact_modulo_65536(views: int, count: int, dims: int) -> None:
    rows, queries = _words(count, dims), _words(views, dims)
    for offset in (0, 64):
        out = _words(views, count + 128)
        expected = out.copy()
        expected[:, offset : offset + count] = (queries.astype(np.uint64) @ rows.astype(np.uint64).T).astype(np.uint16)

        kernels.dot_products(rows, queries, out, offset)

        assert np.array_equal(expected, out)


def test_masks_are_added_and_taken_away() -> None:
    words, plus, minus = _words(100), _words(100), _words(100)
    expected = words + plus - minus

    kernels.add_mask(words, plus, minus)

    assert np.array_equal(expected, words)


@pytest.mark.parametrize(("first", "count"), [(0, 16), (0, 12), (8, 4), (15, 1), (8, 0)])
def test_planes_hold_the_bits_of_the_words(first: int, count: int) -> None:
    words, planes = _words(192), np.empty((count, 3), np.uint64)

    kernels.pack(words, first, planes)

    bits = np.unpackbits(planes.view(np.uint8), axis=1, bitorder="little")  # (count, 192)
    assert np.array_equal((words[None, :] >> (first + np.arange(count))[:, None]) & 1, bits)


@pytest.mark.parametrize(("first", "count"), [(0, 16), (0, 12), (8, 4), (15, 1), (8, 0)])
def test_planes_are_added_to_words_as_they_were_taken_from_them(first: int, count: int) -> None:
    words, other, planes = _words(192), _words(192), np.empty((count, 3), np.uint64)
    kernels.pack(other, first, planes)
    taken = other & np.uint16(((1 << count) - 1) << first)
    expected = words + taken

    kernels.add_planes(words, first, planes)

    assert np.array_equal(expected, words)


@pytest.mark.parametrize("weights", [1, 3, 9])
@pytest.mark.parametrize("count", [0, 64, 192, 576, 1088])
@pytest.mark.parametrize("dims", [2, 10, 432])
def test_rows_are_combined_under_every_weight_and_added(weights: int, count: int, dims: int) -> None:
    rows, weight = _words(count, dims), _words(weights, count + 128)
    for offset in (0, 64):
        out, used = _words(weights, dims), weight[:, offset : offset + count]
        expected = out + (used.astype(np.uint64) @ rows.astype(np.uint64)).astype(np.uint16)

        kernels.combine_rows(rows, weight, offset, out)

        assert np.array_equal(expected, out)


@pytest.mark.parametrize(("weights", "views", "count"), [(1, 1, 64), (9, 3, 192), (3, 9, 0), (2, 1, 1)])
def test_words_are_weighed_exactly_modulo_65536(weights: int, views: int, count: int) -> None:
    words, weight, out = _words(views, count), _words(weights, count), _words(weights, views)

    kernels.weigh_words(words, weight, out)

    assert np.array_equal((weight.astype(np.uint64) @ words.astype(np.uint64).T).astype(np.uint16), out)


def test_three_shares_of_an_and_are_the_and() -> None:
    x, y, mask = _bits(3, 9), _bits(3, 9), _bits(3, 9)

    total = np.zeros(9, np.uint64)
    for i in range(3):
        after, out = (i + 1) % 3, np.empty(9, np.uint64)
        kernels.and_shares(x[i], x[after], y[i], y[after], mask[i], mask[i - 1], out)
        total ^= out

    assert np.array_equal(np.bitwise_xor.reduce(x) & np.bitwise_xor.reduce(y), total)


def test_three_shares_of_random_products_are_products_and_each_knows_its_own() -> None:
    drawn, mask, total = _bits(3, 9, 2), _bits(3, 9), np.zeros(9, np.uint64)

    for i in range(3):
        after, columns, sent = (i + 1) % 3, _bits(9, 6), mask[i].copy()
        kernels.make_products(drawn[i], drawn[after], sent, mask[i - 1], columns)
        assert np.array_equal(drawn[i], columns[:, 0:4:2])
        assert np.array_equal(drawn[after], columns[:, 1:4:2])
        assert np.array_equal(sent, columns[:, 4])
        total ^= sent

    a, b = np.bitwise_xor.reduce(drawn).T
    assert np.array_equal(a & b, total)


@pytest.mark.parametrize("count", [0, 1, 9])
def test_rows_are_gathered_as_columns_in_the_order_that_was_asked(count: int) -> None:
    columns, order, out = _bits(9, 6), np.arange(8, 8 - count, -1), _bits(6, count)

    kernels.gather(columns, order, out)

    assert np.array_equal(columns[order].T, out)


def test_multiples_over_the_ring_are_those_of_the_ring() -> None:
    words, total = GENERATOR.integers(0, 1 << 16, (2, 40), np.uint16)
    expected = total + multiply_words(words, (7, 65000))

    kernels.add_multiple(words, np.uint16(7), np.uint16(65000), total)

    assert np.array_equal(expected, total)


def test_products_that_are_chosen_are_those_of_the_ring() -> None:
    rows, vectors = (GENERATOR.integers(0, 1 << 16, (count, 6), np.uint16) for count in (3, 4))
    row_of, vector_of, out = np.array([2, 0, 2]), np.array([3, 3, 1]), np.empty((3, 2), np.uint16)

    kernels.multiply_chosen(rows, vectors, row_of, vector_of, out)

    assert np.array_equal(product_words(rows[row_of], vectors[vector_of]), out)


def test_product_by_a_triple_is_the_and() -> None:
    x, y, a, b = _bits(4, 9)
    shares = [*_bits(2, 3, 9)]
    shares.append(np.stack([a, b, a & b]) ^ shares[0] ^ shares[1])

    total = np.zeros(9, np.uint64)
    for i, (one, other, both) in enumerate(shares):
        out, is_public = np.empty(9, np.uint64), np.uint64((1 << 64) - 1 if i == 0 else 0)
        kernels.product_by(np.concatenate([x ^ a, y ^ b]), one, other, both, is_public, out)
        total ^= out

    assert np.array_equal(x & y, total)


def test_carry_by_a_triple_is_the_majority() -> None:
    public, carry, a, b = _bits(4, 9)
    shares = [*_bits(2, 3, 9)]
    shares.append(np.stack([a, a & b, carry]) ^ shares[0] ^ shares[1])

    total = np.zeros(9, np.uint64)
    for one, both, carried in shares:
        out = np.empty(9, np.uint64)
        kernels.carry_by(carry ^ b, public, one, both, carried, out)
        total ^= out

    assert np.array_equal((public & a) | (public & carry) | (a & carry), total)


def test_three_selections_are_the_selected_aliases() -> None:
    matched, parts = _bits(3, 2), GENERATOR.integers(0, 256, (3, 128, 16), np.uint8)
    chosen = np.unpackbits(np.bitwise_xor.reduce(matched).view(np.uint8), bitorder="little").astype(bool)

    total = np.zeros(128, np.uint64)
    for i in range(3):
        after = (i + 1) % 3
        pair = to_planes(parts[i] ^ parts[after])
        kernels.select(matched[i], matched[after], to_planes(parts[i]), pair, total)

    expected = np.bitwise_xor.reduce(np.bitwise_xor.reduce(parts)[chosen])
    parities = np.bitwise_count(total) & 1
    assert expected.tobytes() == np.packbits(parities, bitorder="little").tobytes()


def test_everything_is_compiled_before_the_first_customer() -> None:
    """
    What reads rows and aliases is compiled twice: for those in memory, and for those that are mapped from a file.
    """
    kernels.compile_all()

    once = (
        kernels.add_mask,
        kernels.pack,
        kernels.add_planes,
        kernels.weigh_words,
        kernels.add_multiple,
        kernels.multiply_chosen,
        kernels.and_shares,
        kernels.make_products,
        kernels.gather,
        kernels.product_by,
        kernels.carry_by,
    )
    twice = (kernels.dot_products, kernels.combine_rows, kernels.select)
    assert [_compiled(kernel) for kernel in once] == [1] * len(once)
    assert [_compiled(kernel) for kernel in twice] == [2] * len(twice)


def _compiled(kernel: object) -> int:
    return len(getattr(kernel, "signatures"))  # noqa: B009 - numba's own attribute, which the type hides
