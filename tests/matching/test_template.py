"""
Promises of the one rounding.
"""

from __future__ import annotations

import numpy as np
import pytest

from handsel.errors import InvariantBroken
from handsel.matching.scale import SCALE
from handsel.matching.template import quantise


def test_entries_are_scaled_and_rounded() -> None:
    vector = np.array([0.6, -0.8, 0.0, 0.0], np.float32)

    assert quantise(vector).tolist() == [19, -26, 0, 0]


def test_half_is_rounded_to_even() -> None:
    halves = np.array([0.5, -0.5, 1.5, -1.5, 2.5])
    rest = np.sqrt((SCALE**2 - (halves**2).sum()) / 2)  # Twice this, and the norm is 1.
    vector = (np.array([*halves, rest, rest]) / SCALE).astype(np.float32)

    assert quantise(vector).tolist()[:5] == [0, 0, 2, -2, 2]


def test_views_are_quantised_row_by_row() -> None:
    views = np.eye(3, 8, dtype=np.float32)

    assert quantise(views).shape == (3, 8)
    assert np.array_equal(np.eye(3, 8) * SCALE, quantise(views))


@pytest.mark.parametrize(("dims", "largest"), [(16, 32), (64, 31), (432, 12), (4096, 3)])
def test_entry_beyond_the_largest_becomes_the_largest(dims: int, largest: int) -> None:
    vector = np.zeros((2, dims), np.float32)
    vector[0, 3], vector[1, 3] = 1.0, -1.0

    assert quantise(vector)[:, 3].tolist() == [largest, -largest]


@pytest.mark.parametrize("length", [0.0, 0.99, 1.01, np.nan])
def test_vector_whose_norm_is_not_one_is_refused(length: float) -> None:
    with pytest.raises(InvariantBroken):
        quantise(np.array([length, 0.0], np.float32))


def test_vector_whose_norm_is_nearly_one_is_taken() -> None:
    assert quantise(np.array([1.0005, 0.0], np.float32)).tolist() == [SCALE, 0]
