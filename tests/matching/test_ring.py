"""
Promises of the ring: it is a ring, three points interpolate at zero, and arrays follow the single elements.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from handsel.matching.ring import (
    MODULUS,
    ONE,
    POINTS,
    ZERO,
    Element,
    add_line,
    invert,
    line_at,
    multiply,
    multiply_words,
    negate_odd,
    product_words,
    subtract,
    weight_at_zero,
    weight_on_line,
)

SEED = 20260801


def _add(a: Element, b: Element) -> Element:
    return subtract(a, subtract(ZERO, b))


def _elements(count: int) -> list[Element]:
    words = np.random.default_rng(SEED).integers(0, MODULUS, (count, 2)).tolist()
    return [(low, high) for low, high in words]


def test_x_squared_is_minus_x_minus_one() -> None:
    assert multiply((0, 1), (0, 1)) == (MODULUS - 1, MODULUS - 1)


def test_multiplication_is_associative_commutative_and_distributes() -> None:
    elements = _elements(300)

    for a, b, c in zip(elements[0::3], elements[1::3], elements[2::3], strict=True):
        assert multiply(a, b) == multiply(b, a)
        assert multiply(multiply(a, b), c) == multiply(a, multiply(b, c))
        assert multiply(a, _add(b, c)) == _add(multiply(a, b), multiply(a, c))


def test_an_element_that_is_odd_somewhere_has_an_inverse() -> None:
    for element in _elements(200):
        if element[0] % 2 or element[1] % 2:
            assert multiply(element, invert(element)) == ONE


def test_an_even_element_has_no_inverse() -> None:
    with pytest.raises(ValueError, match="not invertible"):
        invert((2, 4))


def test_points_and_zero_differ_by_units() -> None:
    for a, b in combinations((ZERO, *POINTS), 2):
        difference = subtract(a, b)
        assert multiply(difference, invert(difference)) == ONE


def test_weights_give_the_value_at_zero_of_every_polynomial_of_degree_two() -> None:
    coefficients = _elements(300)

    for c0, c1, c2 in zip(coefficients[0::3], coefficients[1::3], coefficients[2::3], strict=True):
        at_zero = ZERO
        for index, point in enumerate(POINTS):
            value = _add(c0, _add(multiply(c1, point), multiply(c2, multiply(point, point))))
            at_zero = _add(at_zero, multiply(weight_at_zero(index), value))
        assert c0 == at_zero


def test_line_is_one_at_zero_and_zero_at_the_point_it_leaves_out() -> None:
    for without, left_out in enumerate(POINTS):
        assert line_at(ZERO, without=without) == ONE
        assert line_at(left_out, without=without) == ZERO
        # It is straight: its value at a point is its slope there, from its value at zero.
        slope = subtract(line_at(ONE, without=without), ONE)
        assert [line_at(point, without=without) for point in POINTS] == [_add(ONE, multiply(slope, p)) for p in POINTS]


def test_words_are_multiplied_as_the_elements_are() -> None:
    elements = _elements(64)
    words = np.array(elements, np.uint16).reshape(4, 32)

    product = multiply_words(words, (7, 65535)).reshape(-1, 2)

    assert [multiply(element, (7, 65535)) for element in elements] == [(int(a), int(b)) for a, b in product]


def test_sums_of_products_are_those_of_the_elements() -> None:
    words, others = (np.array(_elements(96)[start : start + 48], np.uint16).reshape(3, 32) for start in (0, 48))

    for row, other, total in zip(words, others, product_words(words, others), strict=True):
        expected = ZERO
        for a, b in zip(row.reshape(-1, 2).tolist(), other.reshape(-1, 2).tolist(), strict=True):
            expected = _add(expected, multiply((a[0], a[1]), (b[0], b[1])))
        assert expected == (int(total[0]), int(total[1]))


def test_first_word_of_the_product_with_a_negated_vector_is_the_dot_product() -> None:
    generator = np.random.default_rng(SEED)
    x, q = (generator.integers(-100, 100, 8).astype(np.int16) for _ in range(2))
    negated = negate_odd(q.view(np.uint16)).reshape(-1, 2)

    total = ZERO
    for a, b in zip(x.view(np.uint16).reshape(-1, 2).tolist(), negated.tolist(), strict=True):
        total = _add(total, multiply((a[0], a[1]), (b[0], b[1])))

    assert int(x.astype(int) @ q.astype(int)) % MODULUS == total[0]


@pytest.mark.parametrize("point", POINTS)
def test_line_is_added_as_if_it_were_multiplied(point: Element) -> None:
    generator = np.random.default_rng(1)
    words, slope = (generator.integers(0, 1 << 16, (3, 8), np.uint16) for _ in range(2))
    expected = words + multiply_words(slope, point)

    add_line(words, slope, point)

    assert np.array_equal(expected, words)


@pytest.mark.parametrize("at", range(3))
def test_two_points_of_a_line_give_the_third(at: int) -> None:
    one, other = (index for index in range(3) if index != at)
    generator = np.random.default_rng(2)
    secret, slope = (generator.integers(0, 1 << 16, 8, np.uint16) for _ in range(2))
    shares = [secret + multiply_words(slope, point) for point in POINTS]

    found = multiply_words(shares[one], weight_on_line(one, at=at)) + multiply_words(
        shares[other], weight_on_line(other, at=at)
    )

    assert np.array_equal(shares[at], found)
