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

    assert quantise(vector).tolist() == [76, -102, 0, 0]


def test_half_is_rounded_to_even() -> None:
    half = np.float32(63.5 / SCALE)  # 127 times it is 63.5 exactly.
    vector = np.array([half, -half, half, half], np.float32)  # The norm is 1 to four digits: 4 / 4.0.

    assert quantise(vector).tolist() == [64, -64, 64, 64]


def test_views_are_quantised_row_by_row() -> None:
    views = np.eye(3, 8, dtype=np.float32)

    assert quantise(views).shape == (3, 8)
    assert np.array_equal(np.eye(3, 8) * SCALE, quantise(views))


@pytest.mark.parametrize("length", [0.0, 0.99, 1.01, np.nan])
def test_vector_whose_norm_is_not_one_is_refused(length: float) -> None:
    with pytest.raises(InvariantBroken):
        quantise(np.array([length, 0.0], np.float32))


def test_vector_whose_norm_is_nearly_one_is_taken() -> None:
    assert quantise(np.array([1.0005, 0.0], np.float32)).tolist() == [SCALE, 0]
