"""
Which readings count, and which is the best.
"""

from __future__ import annotations

import pytest

from handsel.errors import InvariantBroken
from handsel.till.action import EnrolmentAction
from handsel.till.collect import Collected, best_reading, best_readings, collect, those_of_last
from handsel.till.hint import TillHint
from tests.till.fakes import COFFEE, COFFEE_BACK, THRESHOLD, reading

ANN, ANN_AGAIN, BEN = reading(1), reading(1, shot=1), reading(2)
ENROLMENT = EnrolmentAction("e", 0, "12345678")


def test_the_first_reading_counts_for_anything() -> None:
    for action in (COFFEE, COFFEE_BACK, ENROLMENT):
        assert collect((), seen=ANN, action=action, threshold=THRESHOLD) == Collected((ANN,))


def test_an_enrolment_takes_readings_of_one_palm() -> None:
    assert collect((ANN,), seen=ANN_AGAIN, action=ENROLMENT, threshold=THRESHOLD) == Collected((ANN, ANN_AGAIN))


def test_another_palm_begins_the_enrolment_anew() -> None:
    expected = Collected((BEN,), TillHint.OTHER_HAND)

    assert expected == collect((ANN, ANN_AGAIN), seen=BEN, action=ENROLMENT, threshold=THRESHOLD)


def test_no_more_are_collected_than_are_needed() -> None:
    with pytest.raises(InvariantBroken):
        collect((ANN, ANN), seen=ANN, action=COFFEE, threshold=THRESHOLD)


def test_the_best_is_the_one_of_the_highest_quality() -> None:
    good = reading(1, quality=0.9)

    assert best_reading((ANN, good, ANN_AGAIN)) is good
    with pytest.raises(InvariantBroken):
        best_reading(())


def test_the_best_few_come_best_first() -> None:
    good, fair = reading(1, quality=0.9), reading(1, shot=1, quality=0.6)
    poor = reading(1, shot=2, quality=0.3)

    assert best_readings((poor, good, fair), 2) == (good, fair)
    for count in (0, 4):
        with pytest.raises(InvariantBroken):
            best_readings((poor, good, fair), count)


def test_those_of_the_last_palm_leave_others_out() -> None:
    assert those_of_last((ANN, ANN_AGAIN), threshold=THRESHOLD) == (ANN, ANN_AGAIN)
    assert those_of_last((ANN, BEN), threshold=THRESHOLD) == (BEN,)
    assert those_of_last((BEN, ANN, ANN_AGAIN), threshold=THRESHOLD) == (ANN, ANN_AGAIN)
    with pytest.raises(InvariantBroken):
        those_of_last((), threshold=THRESHOLD)


def test_what_is_collected_prints_no_vector() -> None:
    assert repr(Collected((ANN,))) == "Collected(hint=None)"
