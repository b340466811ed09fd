"""
Evaluate readings of labelled pictures: one against one, one against many, for whom; enrolled from one and from three.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from handsel.errors import BadInput
from handsel.evaluate.breakdown import acquisition_rate, break_down
from handsel.evaluate.figures import FORMAT, Acquisition, Figures, Identification, Model, Pictures, Verification
from handsel.evaluate.identification import search_galleries
from handsel.evaluate.interval import rule_of_three
from handsel.evaluate.presentation import Presented
from handsel.evaluate.rates import (
    FMR_TARGETS,
    Accepted,
    Genuine,
    Rate,
    accepted_at,
    count_rate,
    equal_error_rate,
    matched,
    threshold_at,
)
from handsel.evaluate.trials import Trials, every_pair, merged_enrolments

MERGED = 3  # Pictures of an enrolment at a till.
PICTURES_MAX = 12_000  # All scores of every pair: 0.6 GB, of which a few copies are held at once.


@dataclass(frozen=True, eq=False)
class Evaluation:
    """
    Hold the figures, and the trials they come from, for a plot.
    """

    figures: Figures
    trials: tuple[Trials, ...]


def evaluate(presented: Presented, *, pictures: Pictures, model: Model) -> Evaluation:
    """
    Return all figures of `presented`. Raises `BadInput` where there is nothing to compare.
    """
    if len(presented.rows) > PICTURES_MAX:
        raise BadInput(f"an evaluation takes at most {PICTURES_MAX} pictures")
    from_one = every_pair(presented)
    from_three = merged_enrolments(presented, count=MERGED, threshold=model.threshold)
    one_each = merged_enrolments(presented, count=1, threshold=model.threshold)
    verified = [trials for trials in (from_one, from_three) if trials is not None]
    figures = Figures(
        format=FORMAT,
        pictures=pictures,
        model=model,
        acquisition=_acquisition(presented),
        verification=tuple(_verify(trials, presented, threshold=model.threshold) for trials in verified),
        identification=tuple(
            Identification(trials.enrolled_from, search_galleries(trials, presented, threshold=model.threshold))
            for trials in (one_each, from_three)
            if trials is not None
        ),
        breakdown=break_down(presented, from_one, from_three, threshold=model.threshold),
    )
    return Evaluation(figures, tuple(verified))


def _acquisition(presented: Presented) -> Acquisition:
    failed = [row.reason for row in presented.rows if row.reading is None]
    everything = np.ones(len(presented.rows), np.bool_)
    return Acquisition(_known(acquisition_rate(presented, everything)), dict(sorted(Counter(failed).items())))


def _verify(trials: Trials, presented: Presented, *, threshold: float) -> Verification:
    scores, asking = trials.genuine()
    impostor = trials.impostor()
    read = np.isfinite(scores)
    if not read.any() or len(impostor) == 0:
        raise BadInput("there are no two pictures of one palm, or none of two people, in which palms were read")
    payers = presented.payers[asking]
    genuine = Genuine(scores[read], payers[read], trials.is_both_ways)
    failures_counted = Genuine(scores, payers, trials.is_both_ways)
    pairs = trials.pairs(len(impostor))
    none_matched = threshold_at(impostor, 0.0)
    return Verification(
        enrolled_from=trials.enrolled_from,
        genuine_pairs=trials.pairs(int(read.sum())),
        impostor_pairs=pairs,
        enrolments_begun_anew=trials.begun_anew,
        equal_error_rate=equal_error_rate(genuine.scores, impostor),
        equal_error_rate_failures_counted=equal_error_rate(failures_counted.scores, impostor),
        missed=_known(genuine.missed(threshold)),
        missed_failures_counted=_known(failures_counted.missed(threshold)),
        matched=_known(count_rate(matched(impostor, threshold), len(impostor), is_both_ways=trials.is_both_ways)),
        at_fmr=tuple(
            accepted_at(fmr, impostor, genuine=genuine, failures_counted=failures_counted, pairs=pairs)
            for fmr in FMR_TARGETS
        ),
        strictest=Accepted(
            fmr=rule_of_three(pairs),
            pairs_needed=pairs,
            threshold=none_matched,
            missed=genuine.missed(none_matched),
            missed_failures_counted=failures_counted.missed(none_matched),
        ),
    )


def _known(rate: Rate | None) -> Rate:
    if rate is None:
        raise BadInput("there is no trial to count")
    return rate
