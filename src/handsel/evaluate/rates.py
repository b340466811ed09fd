"""
Turn scores into rates: false matches, false non-matches, where the two are equal, and what a chosen rate costs.

A trial is a match where its score reaches the threshold. Nothing is extrapolated: a rate that the pairs cannot support
is not given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from handsel.errors import ensure
from handsel.evaluate.interval import Interval, exact_interval, people_interval, rule_of_three, trials_needed
from handsel.evaluate.trials import Numbers, Scores

FMR_TARGETS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)


@dataclass(frozen=True)
class Rate:
    """
    Hold an error rate as it was counted, and how far it can be trusted.

    `exact` takes the trials for independent, which trials that share a picture are not. `people` draws whole people
    again; None where that says nothing. `bound` is the rule of three over `pairs` where there was no error, else None.
    """

    errors: int
    trials: int
    pairs: int
    rate: float
    exact: Interval
    people: Interval | None
    bound: float | None


@dataclass(frozen=True, eq=False)
class Genuine:
    """
    Hold the scores of genuine trials, float32 (n,), and the payer (n,) of each; `is_both_ways` as in `Trials`.
    """

    scores: Scores
    payers: Numbers
    is_both_ways: bool

    def missed(self, threshold: float) -> Rate | None:
        """
        Return the share of trials that miss `threshold`; None where there is no trial.
        """
        is_missed = self.scores < threshold
        trials = np.bincount(self.payers).astype(np.float64)
        errors = np.bincount(self.payers, weights=is_missed, minlength=len(trials))
        people = people_interval(errors, trials)
        return count_rate(int(is_missed.sum()), len(is_missed), is_both_ways=self.is_both_ways, people=people)


@dataclass(frozen=True)
class Accepted:
    """
    Say what a false match rate costs: who is not taken for himself at the lowest threshold that keeps `fmr`.

    Where `pairs_needed` is more than there are, threshold and rate are None: too few pairs to speak of such a rate.
    """

    fmr: float
    pairs_needed: int
    threshold: float | None
    missed: Rate | None
    missed_failures_counted: Rate | None


def count_rate(errors: int, trials: int, *, is_both_ways: bool, people: Interval | None = None) -> Rate | None:
    """
    Return the rate of `errors` among `trials`, or None where there is no trial.
    """
    if trials == 0:
        return None
    pairs = max(1, trials // 2) if is_both_ways else trials
    bound = rule_of_three(pairs) if errors == 0 else None
    return Rate(errors, trials, pairs, errors / trials, exact_interval(errors, trials), people, bound)


def threshold_at(impostor: Scores, fmr: float) -> float:
    """
    Return the lowest threshold at which at most the share `fmr` of `impostor` (m,), ascending, reaches it.
    """
    ensure(len(impostor) > 0 and 0 <= fmr < 1, "a false match rate is asked of impostors, and is below 1")
    allowed = int(fmr * len(impostor) * (1 + 1e-12))
    return float(np.nextafter(impostor[len(impostor) - 1 - allowed], np.float32(np.inf)))


def matched(impostor: Scores, threshold: float) -> int:
    """
    Return how many of `impostor` (m,), ascending, reach `threshold`.
    """
    return len(impostor) - int(np.searchsorted(impostor, np.float32(threshold), side="left"))


def accepted_at(fmr: float, impostor: Scores, *, genuine: Genuine, failures_counted: Genuine, pairs: int) -> Accepted:
    """
    Return what `fmr` costs, or that `pairs` pairs of different people are too few to speak of it.
    """
    needed = trials_needed(fmr)
    if pairs < needed:
        return Accepted(fmr, needed, None, None, None)
    threshold = threshold_at(impostor, fmr)
    return Accepted(fmr, needed, threshold, genuine.missed(threshold), failures_counted.missed(threshold))


def equal_error_rate(genuine: Scores, impostor: Scores) -> float:
    """
    Return the rate at which false matches and false non-matches are equally frequent.

    Both are steps over the threshold. Where they cross between two steps, the straight line between the two decides.
    """
    genuine, impostor = np.sort(genuine), np.sort(impostor)
    ensure(len(genuine) > 0 and len(impostor) > 0, "an equal error rate takes trials of both kinds")

    def rates(threshold: np.float32) -> tuple[float, float]:
        fmr = (len(impostor) - np.searchsorted(impostor, threshold, side="left")) / len(impostor)
        return float(fmr), float(np.searchsorted(genuine, threshold, side="left") / len(genuine))

    candidates = [_first_crossed(scores, rates) for scores in (genuine, impostor)]
    threshold = min(candidates)
    fmr, fnmr = rates(threshold)
    below = max((scores[at - 1] for scores in (genuine, impostor) if (at := _place(scores, threshold))), default=None)
    if fnmr == fmr or below is None:
        return fmr
    fmr_before, fnmr_before = rates(below)
    share = (fmr_before - fnmr_before) / ((fmr_before - fnmr_before) + (fnmr - fmr))
    return fmr_before + share * (fmr - fmr_before)


def det_points(genuine: Scores, impostor: Scores, *, count: int = 160) -> NDArray[np.float64]:
    """
    Return false match and false non-match rates along the curve, float64 (K, 2), from no false match on.

    At most `count` points, evenly spaced in the logarithm of the false match rate.
    """
    genuine = np.sort(genuine)
    allowed = np.unique(np.geomspace(1, len(impostor), count).astype(np.int64)) - 1
    thresholds = np.nextafter(impostor[len(impostor) - 1 - allowed], np.float32(np.inf))
    fmr = (len(impostor) - np.searchsorted(impostor, thresholds, side="left")) / len(impostor)
    fnmr = np.searchsorted(genuine, thresholds, side="left") / len(genuine)
    return np.stack([fmr, fnmr], axis=1)


def _place(scores: Scores, threshold: np.float32) -> int:
    return int(np.searchsorted(scores, threshold, side="left"))


def _first_crossed(scores: Scores, rates: Callable[[np.float32], tuple[float, float]]) -> np.float32:
    """
    Return the first of `scores`, ascending, at which non-matches are as frequent as false matches; else infinity.
    """
    low, high = 0, len(scores)
    while low < high:
        middle = (low + high) // 2
        fmr, fnmr = rates(scores[middle])
        if fnmr >= fmr:
            high = middle
        else:
            low = middle + 1
    return scores[low] if low < len(scores) else np.float32(np.inf)
