"""
Promises of the scale: the integer threshold says the same as the cosine, and nothing that it admits can wrap.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from handsel.errors import ConfigError
from handsel.matching.scale import (
    DIMS_MAX,
    SCALE,
    comparison_bits,
    entry_max,
    require_dims,
    squares_of_norms,
    threshold_to_int,
)
from handsel.matching.template import quantise


@pytest.mark.parametrize(
    ("cosine", "expected"),
    [(0.0, 0), (1.0, 1024), (-1.0, -1024), (0.5, 512), (1 / 1024, 1), (0.5001, 513), (-0.5001, -512)],
)
def test_threshold_is_the_least_dot_product_that_reaches_the_cosine(cosine: float, expected: int) -> None:
    assert expected == threshold_to_int(cosine)


@pytest.mark.parametrize("cosine", [1.0001, -1.0001, math.nan, math.inf])
def test_threshold_that_is_no_cosine_is_refused(cosine: float) -> None:
    with pytest.raises(ConfigError):
        threshold_to_int(cosine)


@pytest.mark.parametrize("dims", [2, 16, 64, 432, 512, DIMS_MAX])
def test_no_honest_difference_leaves_the_bits_of_a_comparison(dims: int) -> None:
    for threshold in (-1024, -1, 0, 1, 435, 1024):
        half, dot_max = 1 << (comparison_bits(threshold, dims=dims) - 1), squares_of_norms(dims)[-1]

        assert -half <= -dot_max - threshold
        assert dot_max - threshold < half


def test_comparison_has_no_bit_too_many() -> None:
    dot_max = squares_of_norms(432)[-1]

    for bits in range(dot_max.bit_length() + 1, 17):
        largest = (1 << (bits - 1)) - 1 - dot_max
        assert comparison_bits(largest, dims=432) == comparison_bits(-largest, dims=432) == bits


def test_threshold_is_refused_from_where_a_difference_could_leave_16_bits() -> None:
    largest = (1 << 15) - 1 - squares_of_norms(432)[-1]

    assert comparison_bits(largest, dims=432) == comparison_bits(-largest, dims=432) == 16
    for threshold in (largest + 1, -largest - 1):
        with pytest.raises(ConfigError):
            comparison_bits(threshold, dims=432)


@pytest.mark.parametrize("dims", [0, 1, 431, DIMS_MAX + 1, DIMS_MAX + 2])
def test_dimension_that_is_odd_or_out_of_range_is_refused(dims: int) -> None:
    with pytest.raises(ConfigError):
        require_dims(dims)
    with pytest.raises(ConfigError):
        comparison_bits(0, dims=dims)


def test_dimensions_within_range_are_taken() -> None:
    assert [require_dims(dims) for dims in (2, 432, DIMS_MAX)] == [2, 432, DIMS_MAX]


@pytest.mark.parametrize("dims", [2, 16, 63, 64, 432, 512, DIMS_MAX])
def test_largest_entry_is_the_largest_of_which_no_sum_of_squares_wraps(dims: int) -> None:
    largest = entry_max(dims)

    assert dims * largest**2 < 1 << 16
    assert largest == SCALE or dims * (largest + 1) ** 2 >= 1 << 16


@pytest.mark.parametrize("dims", [16, 64, 432, 512])
def test_palms_have_honest_norms_and_entries(dims: int) -> None:
    drawn = np.random.default_rng(dims).standard_normal((300, dims))
    vectors = quantise((drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)).astype(np.int64)

    assert {int(square) for square in (vectors**2).sum(axis=1)} <= set(squares_of_norms(dims))
    assert np.abs(vectors).max() <= entry_max(dims)


@pytest.mark.parametrize("dims", [64, 432])
def test_honest_norms_lie_well_within_the_range(dims: int) -> None:
    """
    Four times as far from the edges as the farthest of 300: a range that were too narrow would refuse customers.
    """
    drawn = np.random.default_rng(dims).standard_normal((300, dims))
    vectors = quantise((drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)).astype(np.int64)
    squares, honest = (vectors**2).sum(axis=1), squares_of_norms(dims)
    middle = (honest[0] + honest[-1]) / 2

    assert np.abs(squares - middle).max() < (honest[-1] - honest[0]) / 4


def test_half_and_twice_a_palm_have_no_honest_norm() -> None:
    for dims in (16, 64, 432, 512, DIMS_MAX):
        honest = squares_of_norms(dims)

        assert (SCALE // 2) ** 2 + dims / 12 < honest[0]
        assert honest[-1] < (2 * SCALE) ** 2
