"""
Say how far a measured rate can be trusted: exact binomial intervals, the rule of three, a bootstrap over people.

Every interval is two-sided and of 95 %. The few functions that it takes are written here, so that nothing is needed
besides numpy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handsel.errors import ensure

CONFIDENCE = 0.95
RULE_OF_THREE = 3.0  # -ln(1 - 0.95), rounded up: no error in n trials leaves the rate below 3/n (ISO/IEC 19795-1).
RESAMPLES = 2000
RESAMPLING_SEED = 19795
_BISECTIONS = 200  # More than a float has bits; the loop ends when the middle no longer moves.
_TERMS_MAX = 200_000  # The fraction takes about the square root of the larger parameter.
_CONVERGED = 1e-14


@dataclass(frozen=True)
class Interval:
    """
    Hold the ends of an interval of a rate, each 0..1.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        """
        Refuse what is no interval of a rate. Raises `InvariantBroken`.
        """
        ensure(0 <= self.low <= self.high <= 1, "an interval of a rate lies within 0 and 1")

    def complement(self) -> Interval:
        """
        Return the interval of one minus the rate.
        """
        return Interval(1 - self.high, 1 - self.low)


def exact_interval(errors: int, trials: int) -> Interval:
    """
    Return the interval of Clopper and Pearson for `errors` in `trials` independent trials.

    Source: Clopper and Pearson, Biometrika 26 (1934), 404–413.
    """
    ensure(0 <= errors <= trials and trials > 0, "there are at most as many errors as trials, and one trial at least")
    tail = (1 - CONFIDENCE) / 2
    low = 0.0 if errors == 0 else beta_quantile(tail, errors, trials - errors + 1)
    high = 1.0 if errors == trials else beta_quantile(1 - tail, errors + 1, trials - errors)
    return Interval(low, high)


def rule_of_three(trials: int) -> float:
    """
    Return the rate that is not exceeded, with 95 % confidence, where `trials` independent trials brought no error.
    """
    ensure(trials > 0, "there is at least one trial")
    return min(1.0, RULE_OF_THREE / trials)


def trials_needed(rate: float) -> int:
    """
    Return how many independent trials it takes to say anything of an error rate as small as `rate`.
    """
    return math.ceil(RULE_OF_THREE / rate - 1e-9)


def people_interval(errors: NDArray[Any], trials: NDArray[Any]) -> Interval | None:
    """
    Return the percentile interval of sum(errors) / sum(trials) where whole people are drawn again, with replacement.

    `errors` and `trials` (P,) are one person's each. None where there are fewer than two people, or where all have the
    same rate of 0 or 1: then drawing again says nothing.
    """
    counted = trials > 0
    errors, trials = errors[counted], trials[counted]
    if len(trials) < 2 or not 0 < errors.sum() < trials.sum():
        return None
    rng = np.random.default_rng(RESAMPLING_SEED)
    drawn = rng.multinomial(len(trials), np.full(len(trials), 1 / len(trials)), size=RESAMPLES)  # (RESAMPLES, P)
    rates = (drawn @ errors) / (drawn @ trials)
    low, high = np.quantile(rates, ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2))
    return Interval(float(low), float(high))


def beta_quantile(share: float, a: float, b: float) -> float:
    """
    Return x with I_x(a, b) = `share`, by bisection.
    """
    low, high = 0.0, 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if incomplete_beta(middle, a, b) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def incomplete_beta(x: float, a: float, b: float) -> float:
    """
    Return the regularised incomplete beta function I_x(a, b).

    1. The side is chosen on which the continued fraction converges fast. 2. The fraction is evaluated after Lentz.
    Source: Abramowitz and Stegun 26.5.8; Lentz, Applied Optics 15 (1976), 668–671.
    """
    ensure(0 <= x <= 1 and a > 0 and b > 0, "the incomplete beta function is asked for where it is defined")
    if x in (0, 1):
        return float(x)
    if x > (a + 1) / (a + b + 2):  # 1
        return 1 - incomplete_beta(1 - x, b, a)
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return min(1.0, math.exp(front) * _fraction(x, a, b) / a)  # 2


def _fraction(x: float, a: float, b: float) -> float:
    tiny = 1e-300
    c, d = 1.0, 1 / _away_from_zero(1 - (a + b) * x / (a + 1), tiny)
    value = d
    for m in range(1, _TERMS_MAX):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _away_from_zero(1 + term * d, tiny)
            c = _away_from_zero(1 + term / c, tiny)
            value *= c * d
        if abs(c * d - 1) < _CONVERGED:
            return value
    ensure(False, "the continued fraction of the incomplete beta function converges")
    return value


def _away_from_zero(value: float, tiny: float) -> float:
    return value if abs(value) > tiny else tiny
