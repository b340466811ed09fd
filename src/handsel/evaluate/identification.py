"""
Say how often a gallery of many palms is searched in vain, and how often a stranger is taken for somebody in it.

The search is open: whoever is not in the gallery asks too. The threshold is the product's, and so is the rule that two
palms that match are none: such a search is declined as ambiguous.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from handsel.evaluate.interval import Interval, people_interval, rule_of_three
from handsel.evaluate.presentation import Presented
from handsel.evaluate.trials import Trials

GALLERY_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)


@dataclass(frozen=True)
class Search:
    """
    Hold what is to be expected of a search, over all galleries of `gallery` palms that can be drawn from those at hand.

    `missed` (FNIR) is the share of searches of an enrolled palm that do not end with that palm alone; `people_missed`
    draws whole people again. `taken` (FPIR) is the share of searches of a stranger that match anybody; where none did
    in any gallery, `taken_bound` is the rule of three over the pairs, times the gallery. `failures_counted` is `missed`
    where a palm that is not read counts as missed.
    """

    gallery: int
    missed: float | None
    people_missed: Interval | None
    failures_counted: float | None
    taken: float | None
    people_taken: Interval | None
    taken_bound: float | None


def search_galleries(trials: Trials, presented: Presented, *, threshold: float) -> tuple[Search, ...]:
    """
    Return what is to be expected of searches in galleries of several sizes, up to the largest that all can meet.

    1. Of every picture is counted how many palms of other people it meets, and how many of these it matches.
    2. A gallery of G palms drawn from the M it meets holds none of the c it matches with the probability
       C(M - c, G) / C(M, G). No gallery is drawn at random: this is the mean over all of them.
    3. A picture whose own palm is enrolled is missed unless it matches that palm and none of the G - 1 others.
    """
    is_genuine = trials.is_genuine()
    others = np.where(is_genuine, np.nan, trials.scores)
    met, false = np.isfinite(others).sum(axis=1), (others >= threshold).sum(axis=1)  # 1
    own = np.where(is_genuine, trials.scores, np.nan)
    is_tried = np.asarray(~np.isnan(own).all(axis=1))
    own_score = np.where(is_genuine & ~np.isnan(trials.scores), trials.scores, -np.inf).max(axis=1)
    asking = _Asking(presented.payers, met, false, own_score >= threshold, is_tried, np.isfinite(own_score))
    largest = int(met[met > 0].min(initial=len(trials.enrolled_palms)))  # What every picture that was read can meet.
    sizes = [size for size in GALLERY_SIZES if size < largest] + [largest]
    return tuple(_search(asking, size) for size in sizes)


@dataclass(frozen=True, eq=False)
class _Asking:
    """
    Of every picture (N,): its payer, how many others it meets and matches, and what became of its own palm.
    """

    payers: NDArray[np.int64]
    met: NDArray[np.int64]
    false: NDArray[np.int64]
    is_own_matched: NDArray[np.bool_]
    is_tried: NDArray[np.bool_]
    is_read: NDArray[np.bool_]


def _search(asking: _Asking, gallery: int) -> Search:
    alone = none_matched(asking.met, asking.false, gallery - 1)  # 2
    missed = 1 - asking.is_own_matched * alone  # 3
    enough = asking.met >= gallery - 1
    tried = asking.is_tried & (enough | ~asking.is_read)
    rate_missed, people_missed = _mean(missed, asking.payers, tried & asking.is_read)
    failures_counted, _ = _mean(missed, asking.payers, tried)
    strangers = asking.met >= gallery
    taken, people_taken = _mean(1 - none_matched(asking.met, asking.false, gallery), asking.payers, strangers)
    is_clean = taken is not None and not asking.false[strangers].any()
    pairs = int(asking.met[strangers].sum())
    return Search(
        gallery=gallery,
        missed=rate_missed,
        people_missed=people_missed,
        failures_counted=failures_counted,
        taken=taken,
        people_taken=people_taken,
        taken_bound=min(1.0, gallery * rule_of_three(pairs)) if is_clean else None,
    )


def none_matched(met: NDArray[np.int64], false: NDArray[np.int64], gallery: int) -> NDArray[np.float64]:
    """
    Return the probability that of `gallery` palms drawn from `met` none is among the `false`: C(M-c, G) / C(M, G).

    It is the product over the c of 1 - G / (M - k). Where the gallery cannot be drawn, the value means nothing.
    """
    chance = np.ones(len(met))
    for k in range(int(false.max(initial=0))):
        left = np.maximum(met - k, 1)
        chance = np.where(false > k, chance * np.clip(1 - gallery / left, 0, 1), chance)
    return chance


def _mean(
    values: NDArray[np.float64], payers: NDArray[np.int64], counted: NDArray[np.bool_]
) -> tuple[float | None, Interval | None]:
    if not counted.any():
        return None, None
    trials = np.bincount(payers, weights=counted).astype(np.float64)
    errors = np.bincount(payers, weights=np.where(counted, values, 0))
    return float(errors.sum() / trials.sum()), people_interval(errors, trials)
