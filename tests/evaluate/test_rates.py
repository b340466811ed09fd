"""
Rates are those that can be counted by hand, or known of normal scores.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

from handsel.evaluate.rates import (
    Genuine,
    accepted_at,
    count_rate,
    det_points,
    equal_error_rate,
    matched,
    threshold_at,
)
from handsel.evaluate.trials import NOT_ACQUIRED, Scores

IMPOSTOR = np.array([0.1, 0.2, 0.4, 0.4, 0.5], np.float32)


def scores(*values: float) -> Scores:
    """
    Return float32 scores.
    """
    return np.array(values, np.float32)


def genuine(*values: float) -> Genuine:
    """
    Return genuine scores, each of a payer of its own.
    """
    return Genuine(scores(*values), np.arange(len(values)), is_both_ways=False)


@pytest.mark.parametrize(("fmr", "expected"), [(0.0, 0), (0.19, 0), (0.2, 1), (0.5, 1), (0.6, 3), (0.99, 4)])
def test_a_threshold_is_the_lowest_that_keeps_the_rate(fmr: float, expected: int) -> None:
    """
    Two of five impostors tie, so that a threshold lets neither or both pass.
    """
    threshold = threshold_at(IMPOSTOR, fmr)

    assert matched(IMPOSTOR, threshold) == expected
    lower = float(np.nextafter(np.float32(threshold), np.float32(-1)))
    assert matched(IMPOSTOR, lower) > fmr * 5


def test_a_score_on_the_threshold_is_a_match() -> None:
    assert matched(IMPOSTOR, 0.4) == 3
    missed = genuine(0.3, 0.4, 0.5).missed(float(np.float32(0.4)))
    assert missed is not None
    assert (missed.errors, missed.trials) == (1, 3)


@pytest.mark.parametrize(
    ("own", "others", "expected"),
    [
        pytest.param((0.9, 0.8, 0.7, 0.3), (0.5, 0.4, 0.2, 0.1), 0.25, id="one of four on each side"),
        pytest.param((0.9, 0.8), (0.2, 0.1), 0.0, id="kept apart"),
        pytest.param((0.1, 0.2), (0.8, 0.9), 1.0, id="the wrong way round"),
        pytest.param((0.5,), (0.5,), 0.5, id="one tie: half way between no match and all"),
        pytest.param((0.4, 0.9), (0.1, 0.2, 0.3, 0.6), 0.25, id="crossed where only the false matches step"),
        pytest.param((NOT_ACQUIRED, 0.9), (0.1, 0.2), 0.5, id="a failure is missed at every threshold"),
    ],
)
def test_the_equal_error_rate_of_few_scores(own: tuple[float, ...], others: tuple[float, ...], expected: float) -> None:
    assert math.isclose(equal_error_rate(scores(*own), scores(*others)), expected)


@pytest.mark.parametrize("apart", [1.0, 2.5, 4.0])
def test_the_equal_error_rate_of_normal_scores(apart: float) -> None:
    """
    Two normal distributions of unit width whose means are d apart have the rate Φ(-d / 2).
    """
    rng = np.random.default_rng(3)
    own, others = rng.normal(apart, 1, 200_000), rng.normal(0, 1, 400_000)

    found = equal_error_rate(own.astype(np.float32), others.astype(np.float32))

    assert abs(found / NormalDist().cdf(-apart / 2) - 1) < 0.02


@pytest.mark.parametrize("fmr", [1e-2, 1e-3, 1e-4])
def test_what_a_rate_costs_among_normal_scores(fmr: float) -> None:
    rng = np.random.default_rng(4)
    impostor = np.sort(rng.normal(0, 1, 3_000_000).astype(np.float32))
    own = Genuine(rng.normal(4, 1, 100_000).astype(np.float32), np.arange(100_000) % 500, is_both_ways=False)

    found = accepted_at(fmr, impostor, genuine=own, failures_counted=own, pairs=len(impostor))

    at = NormalDist().inv_cdf(1 - fmr)
    assert found.threshold is not None and found.missed is not None and found.missed.people is not None
    assert abs(found.threshold - at) < 0.03
    missed = NormalDist().cdf(at - 4)
    assert abs(found.missed.rate / missed - 1) < 0.06
    assert found.missed.people.low < missed < found.missed.people.high


def test_a_rate_that_the_pairs_cannot_support_is_not_given() -> None:
    own = genuine(0.9)
    impostor = np.linspace(0, 0.5, 299, dtype=np.float32)

    few = accepted_at(0.01, impostor, genuine=own, failures_counted=own, pairs=299)
    enough = accepted_at(0.01, impostor, genuine=own, failures_counted=own, pairs=300)

    assert (few.pairs_needed, few.threshold, few.missed, few.missed_failures_counted) == (300, None, None, None)
    assert enough.missed is not None and enough.missed.errors == 0


def test_pairs_that_are_tried_both_ways_count_once_for_the_bound() -> None:
    both, once = count_rate(0, 600, is_both_ways=True), count_rate(0, 300, is_both_ways=False)

    assert both is not None and once is not None
    assert both.pairs == once.pairs == 300
    assert both.bound == once.bound == 0.01
    assert count_rate(0, 0, is_both_ways=False) is None
    some = count_rate(1, 300, is_both_ways=False)
    assert some is not None and some.bound is None


def test_the_curve_holds_the_rates_at_its_thresholds() -> None:
    """
    Five impostors, of whom two tie: none matched, one, one, three, four.
    """
    points = det_points(scores(0.45, 0.9), IMPOSTOR, count=50)

    assert points.tolist() == [[0.0, 0.5], [0.2, 0.0], [0.2, 0.0], [0.6, 0.0], [0.8, 0.0]]
