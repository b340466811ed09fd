"""
Intervals are those of published tables and of closed forms.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from handsel.errors import InvariantBroken
from handsel.evaluate.interval import (
    Interval,
    beta_quantile,
    exact_interval,
    incomplete_beta,
    people_interval,
    rule_of_three,
    trials_needed,
)


@pytest.mark.parametrize(
    ("errors", "trials", "low", "high"),
    [
        (0, 10, 0.0, 0.3085),
        (1, 10, 0.0025, 0.4450),
        (2, 10, 0.0252, 0.5561),
        (5, 10, 0.1871, 0.8129),
        (10, 10, 0.6915, 1.0),
        (7, 20, 0.1539, 0.5922),
        (50, 100, 0.3983, 0.6017),
        (1, 100, 0.0003, 0.0545),
    ],
)
def test_the_exact_interval_is_that_of_the_tables(errors: int, trials: int, low: float, high: float) -> None:
    """
    As in tables of exact binomial limits (Diem, Documenta Geigy, 1962; and any textbook since).
    """
    found = exact_interval(errors, trials)

    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@pytest.mark.parametrize("trials", [1, 3, 180, 13_920, 4_000_000])
def test_without_errors_the_upper_end_is_a_root(trials: int) -> None:
    assert math.isclose(exact_interval(0, trials).high, 1 - 0.025 ** (1 / trials), rel_tol=1e-6)
    assert math.isclose(exact_interval(trials, trials).low, 0.025 ** (1 / trials), rel_tol=1e-6)


@pytest.mark.parametrize(("errors", "trials"), [(3, 12), (120, 4000), (60, 40_000_000)])
def test_each_end_leaves_one_fortieth_of_the_binomial_beyond_it(errors: int, trials: int) -> None:
    found = exact_interval(errors, trials)

    def at_most(most: int, rate: float) -> float:
        logs = [
            math.lgamma(trials + 1) - math.lgamma(k + 1) - math.lgamma(trials - k + 1)
            + k * math.log(rate) + (trials - k) * math.log1p(-rate)
            for k in range(most + 1)
        ]  # fmt: skip
        return math.fsum(map(math.exp, logs))

    assert math.isclose(at_most(errors, found.high), 0.025, rel_tol=1e-5)
    assert math.isclose(1 - at_most(errors - 1, found.low), 0.025, rel_tol=1e-5)


@pytest.mark.parametrize("x", [0.0, 0.013, 0.5, 0.9, 1.0])
def test_the_incomplete_beta_function_has_its_closed_forms(x: float) -> None:
    assert math.isclose(incomplete_beta(x, 1, 7.5), 1 - (1 - x) ** 7.5, abs_tol=1e-12)
    assert math.isclose(incomplete_beta(x, 4.5, 1), x**4.5, abs_tol=1e-12)
    assert math.isclose(incomplete_beta(x, 3, 40), 1 - incomplete_beta(1 - x, 40, 3), abs_tol=1e-12)


def test_a_symmetric_beta_has_its_middle_in_the_middle() -> None:
    assert math.isclose(incomplete_beta(0.5, 500_000, 500_000), 0.5, rel_tol=1e-6)
    assert math.isclose(beta_quantile(0.5, 3, 3), 0.5, rel_tol=1e-9)


def test_the_rule_of_three_and_the_pairs_that_a_rate_takes() -> None:
    assert rule_of_three(3000) == 1e-3
    assert rule_of_three(1) == 1.0
    assert [trials_needed(rate) for rate in (1e-2, 1e-4, 1e-6)] == [300, 30_000, 3_000_000]


def test_people_who_are_all_missed_or_never_count_as_one_trial_each() -> None:
    """
    Of 400 people with 50 trials each, a quarter is always missed: the interval is that of 400 trials, not of 20,000.
    """
    trials = np.full(400, 50)
    errors = np.where(np.arange(400) % 4 == 0, 50, 0)

    found = people_interval(errors, trials)

    assert found is not None
    width = 1.96 * math.sqrt(0.25 * 0.75 / 400)
    assert abs(found.low - (0.25 - width)) < 0.004
    assert abs(found.high - (0.25 + width)) < 0.004


def test_people_who_are_alike_leave_nothing_open() -> None:
    assert people_interval(np.full(9, 3), np.full(9, 12)) == Interval(0.25, 0.25)


@pytest.mark.parametrize(
    ("errors", "trials"), [([0, 0], [5, 5]), ([5, 5], [5, 5]), ([3], [9]), ([3, 0], [9, 0])],
    ids=["nobody was missed", "all were", "one person", "one person with trials"],
)  # fmt: skip
def test_drawing_again_may_say_nothing(errors: list[int], trials: list[int]) -> None:
    assert people_interval(np.array(errors), np.array(trials)) is None


def test_nonsense_is_refused() -> None:
    for errors, trials in ((3, 2), (-1, 2), (0, 0)):
        with pytest.raises(InvariantBroken):
            exact_interval(errors, trials)
    with pytest.raises(InvariantBroken):
        Interval(0.5, 0.4)
