"""
Every trial is scored as the product scores it, and what is no trial is none.
"""

from __future__ import annotations

import numpy as np
import pytest

from handsel.errors import BadInput
from handsel.evaluate import trials as trials_module
from handsel.evaluate.presentation import Presentation
from handsel.evaluate.trials import NOT_ACQUIRED, best_scores, every_pair, merged_enrolments
from handsel.vision.embedding import best_cosine
from handsel.vision.read_palm import merge_readings
from tests.evaluate.made_up import crowd, picture, presented, reading

EAST, NORTH, UP = (1, 0, 0), (0, 1, 0), (0, 0, 1)


def test_every_score_is_the_best_cosine_of_the_product() -> None:
    people = crowd(1, palms=5, pictures=4)

    found = every_pair(people).scores

    for asking in np.flatnonzero(people.is_acquired).tolist():
        for enrolled in np.flatnonzero(people.is_acquired).tolist():
            probe, vector = people.reading(asking).probe, people.reading(enrolled).probe.enrolment()
            if asking == enrolled:
                assert np.isnan(found[asking, enrolled])
            else:
                assert np.isclose(found[asking, enrolled], best_cosine(probe=probe, enrolled=vector), atol=1e-6)


def test_scores_do_not_depend_on_how_many_are_held_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    people = crowd(2, palms=6, pictures=4)
    views = people.views()
    at_once = best_scores(views, np.nan_to_num(views[:, 0]))

    monkeypatch.setattr(trials_module, "_CHUNK_BYTES", 1)

    assert np.allclose(best_scores(views, np.nan_to_num(views[:, 0])), at_once, atol=1e-6, equal_nan=True)


def test_pairs_are_counted_both_ways_and_once() -> None:
    people = presented([picture(name, reading(EAST)) for name in ("a", "a", "a", "b", "b")])

    found = every_pair(people)

    scores, asking = found.genuine()
    assert sorted(asking.tolist()) == [0, 0, 1, 1, 2, 2, 3, 4]
    assert len(found.impostor()) == 2 * 3 * 2
    assert (found.pairs(len(scores)), found.pairs(len(found.impostor()))) == (3 + 1, 6)


def test_the_two_ways_differ_where_only_one_has_the_view_that_fits() -> None:
    people = presented([picture("a", reading(EAST, NORTH)), picture("b", reading(NORTH, NORTH))])

    scores = every_pair(people).scores

    assert np.isclose(scores[0, 1], 1) and np.isclose(scores[1, 0], 0)


def test_a_payers_own_other_hand_is_no_trial() -> None:
    names = ("a/left", "a/right", "a/left", "b/left")
    people = presented([picture(name, reading(EAST)) for name in names])

    found = every_pair(people)

    assert np.isnan(found.scores[0, 1]) and np.isnan(found.scores[1, 2])
    assert found.genuine()[1].tolist() == [0, 2]
    assert len(found.impostor()) == 2 * 3


def test_ignored_pairs_are_no_trials_either_way() -> None:
    people = presented([picture(name, reading(EAST)) for name in "aabb"], ignored=[(0, 1), (1, 2)])

    found = every_pair(people)

    assert found.genuine()[1].tolist() == [2, 3]
    assert len(found.impostor()) == 2 * (4 - 1)


def test_a_picture_that_was_not_read_fails_its_genuine_trials_and_is_no_impostor() -> None:
    people = presented([picture("a", reading(EAST)), picture("a", None), picture("b", reading(NORTH))])

    found = every_pair(people)

    assert found.genuine()[0].tolist() == [NOT_ACQUIRED, NOT_ACQUIRED]
    assert len(found.impostor()) == 2


def test_an_enrolment_is_merged_as_the_product_merges_and_never_from_the_picture_that_asks() -> None:
    people = crowd(3, palms=4, pictures=7, noise=0.3)

    found = merged_enrolments(people, count=3, threshold=0.0)

    assert found is not None
    rows_of = {palm: np.flatnonzero((people.palms == palm) & people.is_acquired) for palm in range(4)}
    for asking in np.flatnonzero(people.is_acquired).tolist():
        place = rows_of[int(people.palms[asking])].tolist().index(asking)
        for palm, rows in rows_of.items():
            members = [int(rows[(place + step) % len(rows)]) for step in (1, 2, 3)]
            if palm == people.palms[asking]:
                assert asking not in members
            merged = merge_readings(tuple(people.reading(row) for row in members))
            expected = best_cosine(probe=people.reading(asking).probe, enrolled=merged)
            assert np.isclose(found.scores[asking, palm], expected, atol=1e-6)


def test_a_palm_that_was_read_too_seldom_fails_and_one_that_was_shown_too_seldom_is_not_tried() -> None:
    seldom_read = [picture("a", reading(EAST)), picture("a", None), picture("a", reading(EAST))]
    seldom_shown = [picture("b", reading(NORTH)), picture("b", reading(NORTH))]
    enough = [picture("c", reading(UP))] * 3
    people = presented([*seldom_read, *seldom_shown, *enough])

    found = merged_enrolments(people, count=2, threshold=0.5)

    assert found is not None
    scores, asking = found.genuine()
    assert asking.tolist() == [0, 1, 2, 5, 6, 7]
    assert scores[:3].tolist() == [NOT_ACQUIRED] * 3 and np.allclose(scores[3:], 1)
    assert len(found.impostor()) == 4  # Those of a and b that were read, against c.


def test_an_ignored_picture_in_an_enrolment_takes_the_trial_away() -> None:
    people = presented([picture(name, reading(EAST)) for name in "aaaabbbb"], ignored=[(0, 1), (5, 0), (6, 3)])

    found = merged_enrolments(people, count=3, threshold=0.5)

    assert found is not None
    # Who is the first, second, … of his own meets the first, second, … enrolment: 0 asks for 123 and 567, 1 for 230,
    # 3 for 456, 5 for 230, 6 for 301; none of the others meets a picture that it must not.
    assert np.argwhere(np.isnan(found.scores)).tolist() == [[0, 0], [0, 1], [1, 0], [3, 1], [5, 0], [6, 0]]


def test_pictures_of_two_palms_in_one_enrolment_are_counted() -> None:
    mixed = [picture("a", reading(EAST)), picture("a", reading(NORTH)), picture("a", reading(EAST))]
    people = presented([*mixed, *[picture("b", reading(UP))] * 3])

    found = merged_enrolments(people, count=2, threshold=0.5)

    assert found is not None
    assert found.begun_anew == 2  # Of those who ask, the first and the third meet an enrolment from both.


def test_where_nobody_was_shown_often_enough_there_are_no_such_trials() -> None:
    people = presented([picture(name, reading(EAST)) for name in "aaabbb"])

    assert merged_enrolments(people, count=3, threshold=0.5) is None


@pytest.mark.parametrize("rows", [[], [picture("a", reading(EAST))] * 2, [picture("a", None), picture("b", None)]])
def test_what_cannot_be_compared_is_refused(rows: list[Presentation]) -> None:
    with pytest.raises(BadInput):
        presented(rows)
