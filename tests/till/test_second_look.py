"""
A first hint asks for the hand once more, a second one counts only where the setting says so.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from handsel.config import AttackHintSetting
from handsel.till.light import Light, Linear
from handsel.till.second_look import Step, next_step
from handsel.vision.read_palm import PalmReading
from handsel.vision.sight import Sight
from tests.till.fakes import reading

OFF, ASK, REFUSE = AttackHintSetting.OFF, AttackHintSetting.ASK, AttackHintSetting.REFUSE


def seen(*, periodic: float, shown: Linear | None = None) -> PalmReading:
    """
    Return a reading of something so regular, of one colour whatever the screen has `shown`.
    """
    landmarks = np.linspace(4, 28, 42, dtype=np.float32).reshape(21, 2)
    even = np.full((32, 32), 128, np.uint8)
    return replace(reading(1), sight=Sight(periodic, 0.3, np.full(3, 0.2), even, landmarks), shown=shown)


PRINT, SKIN = seen(periodic=9.0), seen(periodic=0.0)


@pytest.mark.parametrize(
    ("setting", "is_second", "step"),
    [
        (OFF, False, Step.GO_ON),
        (OFF, True, Step.GO_ON),
        (ASK, False, Step.ASK_ONCE_MORE),
        (ASK, True, Step.GO_ON),
        (REFUSE, False, Step.ASK_ONCE_MORE),
        (REFUSE, True, Step.REFUSE),
    ],
)
def test_what_follows_from_a_hint(setting: AttackHintSetting, is_second: bool, step: Step) -> None:
    assert next_step((PRINT, PRINT), setting, is_second=is_second) is step


@pytest.mark.parametrize("setting", list(AttackHintSetting))
@pytest.mark.parametrize("is_second", [False, True])
def test_nothing_follows_from_none(setting: AttackHintSetting, is_second: bool) -> None:
    assert next_step((SKIN, SKIN), setting, is_second=is_second) is Step.GO_ON
    assert next_step((reading(1), reading(1)), setting, is_second=is_second) is Step.GO_ON


AMBER, SKY = Light.AMBER.linear, Light.SKY.linear


@pytest.mark.parametrize(
    ("shown", "step"),
    [
        ((AMBER, SKY), Step.ASK_ONCE_MORE),
        ((AMBER, None, SKY), Step.ASK_ONCE_MORE),
        ((AMBER, AMBER), Step.GO_ON),
        ((AMBER, None), Step.GO_ON),
        ((None, None), Step.GO_ON),
    ],
)
def test_what_stays_the_same_under_two_known_lights_is_asked_for_again(
    shown: tuple[Linear | None, ...], step: Step
) -> None:
    readings = tuple(seen(periodic=0.0, shown=colour) for colour in shown)

    assert next_step(readings, ASK, is_second=False) is step


def test_who_is_not_looked_at_answers_no_light() -> None:
    lit = (replace(reading(1), shown=AMBER), replace(reading(1), shown=SKY))

    assert next_step(lit, ASK, is_second=False) is Step.GO_ON
