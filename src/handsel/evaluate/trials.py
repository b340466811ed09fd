"""
Score every trial: a picture asks, and a palm that was enrolled from one picture or from several answers.

A score is the best cosine over the views of the picture that asks, as the matchers compute it but for their rounding.
NaN stands for what is no trial, `NOT_ACQUIRED` for a trial that fails because a palm was not read.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from handsel.evaluate.presentation import Presented
from handsel.vision.read_palm import are_one_palm, merge_readings

NOT_ACQUIRED = -np.inf  # Below every threshold.
_CHUNK_BYTES = 2**28  # Of the products that are held at once, before the best view is taken.

Scores = NDArray[np.float32]
Numbers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Trials:
    """
    Hold the scores of all pictures against all that was enrolled: float32 (N, M), with the palm of each column (M,).

    `enrolled_from` is how many pictures were merged. Where `is_both_ways`, each pair of pictures stands in it twice:
    once the one asks, once the other, and the two scores differ, because only who asks has several views. `begun_anew`
    counts enrolments whose pictures do not match each other at the threshold; a till would ask for others.
    """

    scores: Scores = field(repr=False)
    asking_palms: Numbers
    enrolled_palms: Numbers
    enrolled_from: int
    is_both_ways: bool
    begun_anew: int = 0

    def is_genuine(self) -> NDArray[np.bool_]:
        """
        Return where who asks is who is enrolled, bool (N, M).
        """
        return np.equal.outer(self.asking_palms, self.enrolled_palms)

    def genuine(self) -> tuple[Scores, Numbers]:
        """
        Return the scores (n,) of genuine trials, failures among them, and the pictures (n,) that ask.
        """
        rows, columns = np.nonzero(self.is_genuine() & ~np.isnan(self.scores))
        return self.scores[rows, columns], rows.astype(np.int64)

    def impostor(self) -> Scores:
        """
        Return the scores (m,) of trials of different people whose palms were both read, in ascending order.
        """
        return np.sort(self.scores[~self.is_genuine() & np.isfinite(self.scores)])

    def pairs(self, trials: int) -> int:
        """
        Return how many different pairs so many trials are.
        """
        return trials // 2 if self.is_both_ways else trials


def every_pair(presented: Presented) -> Trials:
    """
    Return the trials of every picture against every other, each enrolled by itself.
    """
    enrolled = presented.views()[:, 0]  # (N, D)
    scores = best_scores(presented.views(), enrolled)
    failed = ~presented.is_acquired
    scores[failed] = NOT_ACQUIRED
    scores[:, failed] = NOT_ACQUIRED
    scores[presented.is_ignored] = np.nan
    np.fill_diagonal(scores, np.nan)
    _leave_out_other_hands(scores, presented, presented.palms)
    return Trials(scores, presented.palms, presented.palms, enrolled_from=1, is_both_ways=True)


def merged_enrolments(presented: Presented, *, count: int, threshold: float) -> Trials | None:
    """
    Return the trials of every picture against every palm, each enrolled from `count` pictures as a till merges them.

    1. Each palm is enrolled as many times as it was read: from the `count` pictures that follow, in a circle, the one
       that asks. So no picture is compared with itself, and all are used alike.
    2. Who asks for another's palm meets one of that palm's enrolments, taken in turn.
    3. A palm that was presented more than `count` times, and read too seldom for that, fails its genuine trials.

    None where no palm was presented that often.
    """
    palms = np.unique(presented.palms)
    rows_of = {palm: np.flatnonzero(presented.palms == palm) for palm in palms.tolist()}
    if max(map(len, rows_of.values())) <= count:
        return None
    read_of = {palm: rows[presented.is_acquired[rows]] for palm, rows in rows_of.items()}
    members = [  # 1
        np.roll(read, -asking - 1)[:count]
        for read in read_of.values()
        if len(read) > count
        for asking in range(len(read))
    ]
    if not members:
        return None
    merged = [tuple(presented.reading(row) for row in each.tolist()) for each in members]
    enrolled = np.stack([merge_readings(readings).vector for readings in merged])  # (T, D)
    columns = _columns(presented, rows_of, read_of, count=count)
    is_ignored = presented.is_ignored[:, np.stack(members)].any(axis=-1)  # (N, T)
    scores = best_scores(presented.views(), enrolled, columns=columns)
    scores[np.take_along_axis(is_ignored, columns, axis=1)] = np.nan
    _mark_failures(scores, presented, rows_of, read_of, count=count)
    _leave_out_other_hands(scores, presented, palms)
    begun_anew = sum(not are_one_palm(readings, threshold=threshold) for readings in merged)
    return Trials(scores, presented.palms, palms, enrolled_from=count, is_both_ways=False, begun_anew=begun_anew)


def best_scores(views: Scores, enrolled: Scores, *, columns: Numbers | None = None) -> Scores:
    """
    Return the best cosine over the views (N, V, D) against the vectors `enrolled` (M, D), float32 (N, M).

    Where `columns` (N, K) is given, only those of each row, (N, K). Rows of NaN give NaN.
    """
    count, view_count, _ = views.shape
    width = len(enrolled) if columns is None else columns.shape[1]
    best: Scores = np.empty((count, width), np.float32)
    step = max(1, _CHUNK_BYTES // (4 * view_count * max(1, len(enrolled))))
    for first in range(0, count, step):
        part = views[first : first + step]
        found = (part.reshape(-1, part.shape[-1]) @ enrolled.T).reshape(len(part), view_count, -1).max(axis=1)
        if columns is not None:
            found = np.take_along_axis(found, columns[first : first + step], axis=1)
        best[first : first + step] = found
    return best


def _columns(presented: Presented, rows_of: dict[int, Numbers], read_of: dict[int, Numbers], *, count: int) -> Numbers:
    """
    Return which enrolment of each palm each picture meets, (N, palms); 0 where there is none.
    """
    turn = np.zeros(len(presented.rows), np.int64)  # A picture's place among those of its palm that were read.
    for read in read_of.values():
        turn[read] = np.arange(len(read))
    columns = np.zeros((len(presented.rows), len(rows_of)), np.int64)
    first = 0
    for column, read in enumerate(read_of.values()):
        if len(read) > count:
            columns[:, column] = first + turn % len(read)
            first += len(read)
    return columns


def _mark_failures(
    scores: Scores, presented: Presented, rows_of: dict[int, Numbers], read_of: dict[int, Numbers], *, count: int
) -> None:
    """
    Mark in `scores`, in place, the trials that fail because a palm was not read, and what is no trial.
    """
    scores[np.flatnonzero(~presented.is_acquired)] = NOT_ACQUIRED
    for column, (palm, rows) in enumerate(rows_of.items()):
        if len(read_of[palm]) <= count:
            scores[:, column] = np.nan
            if len(rows) > count:
                scores[rows, column] = NOT_ACQUIRED


def _leave_out_other_hands(scores: Scores, presented: Presented, enrolled_palms: Numbers) -> None:
    """
    Mark in `scores`, in place, that a payer's own other hand is no trial.
    """
    payer_of = dict(zip(presented.palms.tolist(), presented.payers.tolist(), strict=True))
    payers = np.array([payer_of[palm] for palm in enrolled_palms.tolist()], np.int64)
    is_own = presented.payers[:, None] == payers[None, :]
    scores[is_own & (presented.palms[:, None] != enrolled_palms[None, :])] = np.nan
