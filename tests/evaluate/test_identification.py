"""
Searches are what one finds by drawing every gallery there is.
"""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np
import pytest

from handsel.evaluate.identification import none_matched, search_galleries
from handsel.evaluate.presentation import Presented
from handsel.evaluate.trials import Trials, merged_enrolments
from tests.evaluate.made_up import crowd, picture, presented, reading

THRESHOLD = 0.6


def by_drawing(trials: Trials, people: Presented, gallery: int) -> tuple[float, float]:
    """
    Return the shares of searches that miss, and of strangers that are taken, over every gallery of that size.
    """
    missed, taken = [], []
    palms = range(trials.scores.shape[1])
    for asking in np.flatnonzero(people.is_acquired).tolist():
        own = int(people.palms[asking])
        matches = {palm for palm in palms if trials.scores[asking, palm] >= THRESHOLD}
        of_this, of_that = [], []
        for drawn in combinations(palms, gallery):
            found = matches & set(drawn)
            if own in drawn:
                of_this.append(found != {own})
            else:
                of_that.append(bool(found))
        missed.append(np.mean(of_this))
        taken.append(np.mean(of_that))
    return float(np.mean(missed)), float(np.mean(taken))


@pytest.mark.parametrize("gallery", [1, 2, 5])
def test_searches_are_those_of_every_gallery(gallery: int) -> None:
    people = crowd(5, palms=8, pictures=5, dims=4)
    trials = merged_enrolments(people, count=2, threshold=THRESHOLD)
    assert trials is not None

    found = next(
        each for each in search_galleries(trials, people, threshold=THRESHOLD) if each.gallery == gallery
    )  # fmt: skip

    missed, taken = by_drawing(trials, people, gallery)
    assert 0.02 < missed < 0.98 and 0.02 < taken < 0.98
    assert found.missed is not None and np.isclose(found.missed, missed)
    assert found.taken is not None and np.isclose(found.taken, taken)
    assert found.taken_bound is None


def test_none_is_matched_as_often_as_in_the_urn() -> None:
    met = np.array([10, 10, 10, 4])
    false = np.array([0, 1, 4, 4])

    found = none_matched(met, false, 3)

    assert np.allclose(found, [comb(m - c, 3) / comb(m, 3) for m, c in zip(met, false, strict=True)])


def test_two_matches_are_a_miss() -> None:
    """
    Everybody looks alike: alone in the gallery each is found, beside anybody else nobody is.
    """
    people = presented([picture(name, reading((1, 0))) for name in "aabbcc"])
    trials = merged_enrolments(people, count=1, threshold=THRESHOLD)
    assert trials is not None

    found = search_galleries(trials, people, threshold=THRESHOLD)

    assert [(each.gallery, each.missed, each.taken) for each in found] == [(1, 0.0, 1.0), (2, 1.0, 1.0)]


def test_where_no_stranger_was_taken_there_is_a_bound_and_failures_count() -> None:
    rows = []
    for name, vector in (("a", (1, 0, 0)), ("b", (0, 1, 0)), ("c", (0, 0, 1))):
        rows += [picture(name, reading(vector)), picture(name, reading(vector))]
    people = presented([*rows, picture("c", None)])
    trials = merged_enrolments(people, count=1, threshold=THRESHOLD)
    assert trials is not None

    alone, both = search_galleries(trials, people, threshold=THRESHOLD)

    assert (alone.gallery, alone.missed, alone.failures_counted, alone.taken) == (1, 0.0, 1 / 7, 0.0)
    assert (alone.taken_bound, both.taken_bound) == (3 / 12, 6 / 12)
    assert alone.people_taken is None
