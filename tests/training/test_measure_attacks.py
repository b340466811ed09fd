"""
The errors of the attack hint are counted as the standard says, with intervals that hold.
"""

from __future__ import annotations

import pytest
from training.measure_attacks import counted, exact_interval

from handsel.vision.attack_hint import COLOUR, PERIODIC, Measures

SKIN = Measures(periodic=PERIODIC.nothing, colour=COLOUR.nothing, left=None, answer=None)
SHEET = Measures(periodic=PERIODIC.nothing, colour=COLOUR.nothing, left=0.0, answer=None)


@pytest.mark.parametrize("of", [1, 12, 300])
def test_without_an_error_the_interval_is_the_closed_form(of: int) -> None:
    low, high = exact_interval(0, of)

    assert low == 0
    assert high == pytest.approx(1 - 0.025 ** (1 / of), abs=1e-9)
    assert exact_interval(of, of) == pytest.approx((0.025 ** (1 / of), 1), abs=1e-9)


def test_the_interval_is_the_published_one() -> None:
    # Clopper and Pearson for 3 of 10, as tables and R's binom.test give it.
    assert exact_interval(3, 10) == pytest.approx((0.06674, 0.65245), abs=1e-5)


def test_of_nothing_nothing_is_known() -> None:
    assert exact_interval(0, 0) == (0, 1)


def test_a_missed_attack_and_a_hinted_hand_are_errors_and_what_was_not_read_is_apart() -> None:
    attacks = counted("apcer", [SHEET, SHEET, SKIN, None], is_hinted=False)
    hands = counted("bpcer", [SKIN, SHEET, SKIN, None], is_hinted=True)

    assert (attacks["errors"], attacks["presentations"], attacks["not_read"]) == (1, 3, 1)
    assert attacks["hints_by_cue"] == {"periodic": 0, "colourless": 0, "flat": 2, "dark": 0}
    assert (hands["errors"], hands["bpcer"]) == (1, 0.3333)
