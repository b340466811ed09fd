"""
Say for whom it works: the same rates by quality of the picture, and by tone of skin and age where these are known.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from handsel.evaluate.interval import people_interval
from handsel.evaluate.presentation import Presented
from handsel.evaluate.rates import Genuine, Rate, count_rate
from handsel.evaluate.trials import Trials

TONE_EDGES = (0.0, 1 / 3, 2 / 3, 1.0)
TONE_NAMES = ("light", "medium", "dark")
AGE_EDGES = (0.0, 35.0, 50.0, 65.0, np.inf)
AGE_NAMES = ("below 35", "35 to 49", "50 to 64", "65 and above")
QUALITY_NAMES = ("lowest third", "middle third", "highest third")


@dataclass(frozen=True)
class Group:
    """
    Hold the rates of one group at the product's threshold.

    `missed` is of trials in which the group asks: of palms that were read, with failures counted, and enrolled from
    three. `matched` is of trials of two different people who both belong to the group: who is alike is confused first.
    """

    by: str
    name: str
    pictures: int
    palms: int
    not_acquired: Rate | None
    missed: Rate | None
    missed_failures_counted: Rate | None
    missed_from_three: Rate | None
    matched: Rate | None


def break_down(
    presented: Presented, from_one: Trials, from_three: Trials | None, *, threshold: float
) -> tuple[Group, ...]:
    """
    Return the rates of every group that there is.
    """
    return tuple(
        Group(
            by=by,
            name=name,
            pictures=int(members.sum()),
            palms=len(np.unique(presented.palms[members])),
            not_acquired=None if by == "quality" else acquisition_rate(presented, members),
            missed=_missed(from_one, presented, members, threshold=threshold, are_failures_counted=False),
            missed_failures_counted=_missed(
                from_one, presented, members, threshold=threshold, are_failures_counted=True
            ),
            missed_from_three=None
            if from_three is None
            else _missed(from_three, presented, members, threshold=threshold, are_failures_counted=False),
            matched=_matched(from_one, members, threshold=threshold),
        )
        for by, name, members in groups(presented)
    )


def acquisition_rate(presented: Presented, members: NDArray[np.bool_]) -> Rate | None:
    """
    Return how many of the pictures `members` (N,) gave no palm.
    """
    is_failed = members & ~presented.is_acquired
    trials = np.bincount(presented.payers, weights=members)
    people = people_interval(np.bincount(presented.payers, weights=is_failed), trials)
    return count_rate(int(is_failed.sum()), int(members.sum()), is_both_ways=False, people=people)


def groups(presented: Presented) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    """
    Yield by what, the name and the pictures (N,) of each group that is not empty.

    Thirds of quality hold equally many pictures each; where qualities are equal, the earlier picture is the lower.
    """
    acquired = np.flatnonzero(presented.is_acquired)
    qualities = np.array([presented.reading(row).quality for row in acquired.tolist()])
    thirds = np.array_split(acquired[np.argsort(qualities, kind="stable")], len(QUALITY_NAMES))
    for name, rows in zip(QUALITY_NAMES, thirds, strict=True):
        members = np.zeros(len(presented.rows), np.bool_)
        members[rows] = True
        if members.any():
            yield "quality", name, members
    for by, edges, names in (("tone", TONE_EDGES, TONE_NAMES), ("age", AGE_EDGES, AGE_NAMES)):
        known = [getattr(row.subject, by) for row in presented.rows]
        values = np.array([np.nan if value is None else value for value in known], np.float64)
        for name, low, high in zip(names, edges[:-1], edges[1:], strict=True):
            members = (values >= low) & ((values < high) | ((values == high) & (high == edges[-1])))
            if members.any():
                yield by, name, members


def _missed(
    trials: Trials, presented: Presented, members: NDArray[np.bool_], *, threshold: float, are_failures_counted: bool
) -> Rate | None:
    scores, asking = trials.genuine()
    counted = members[asking] & (np.isfinite(scores) | are_failures_counted)
    if not counted.any():
        return None
    return Genuine(scores[counted], presented.payers[asking[counted]], trials.is_both_ways).missed(threshold)


def _matched(trials: Trials, members: NDArray[np.bool_], *, threshold: float) -> Rate | None:
    scores = trials.scores[np.ix_(members, members)]
    palms = trials.asking_palms[members]
    scores = scores[(palms[:, None] != palms[None, :]) & np.isfinite(scores)]
    return count_rate(int((scores >= threshold).sum()), len(scores), is_both_ways=trials.is_both_ways)
