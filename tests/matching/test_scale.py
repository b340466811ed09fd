"""
Promises of the scale: the integer threshold says the same as the cosine, and nothing that it admits can wrap.
"""

from __future__ import annotations

import math

import pytest

from handsel.errors import ConfigError
from handsel.matching.scale import SCALE, require_threshold, threshold_to_int


@pytest.mark.parametrize(
    ("cosine", "expected"), [(0.0, 0), (1.0, 16129), (-1.0, -16129), (0.5, 8065), (1 / 16129, 1), (-0.5, -8064)]
)
def test_threshold_is_the_least_dot_product_that_reaches_the_cosine(cosine: float, expected: int) -> None:
    assert expected == threshold_to_int(cosine)


@pytest.mark.parametrize("cosine", [1.0001, -1.0001, math.nan, math.inf])
def test_threshold_that_is_no_cosine_is_refused(cosine: float) -> None:
    with pytest.raises(ConfigError):
        threshold_to_int(cosine)


def test_threshold_is_refused_from_where_a_difference_could_leave_16_bits() -> None:
    largest = (1 << 15) - 1 - math.ceil((SCALE + math.sqrt(432) / 2) ** 2)

    assert require_threshold(largest, dims=432) == largest
    assert require_threshold(-largest, dims=432) == -largest
    for threshold in (largest + 1, -largest - 1):
        with pytest.raises(ConfigError):
            require_threshold(threshold, dims=432)


@pytest.mark.parametrize("dims", [0, 1, 431, 4098])
def test_dimension_that_is_odd_or_out_of_range_is_refused(dims: int) -> None:
    with pytest.raises(ConfigError):
        require_threshold(0, dims=dims)
