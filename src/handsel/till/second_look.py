"""
Decide what a till does about a hint that a copy of a hand is held out. Pure; nothing of it is kept or logged.
"""

from __future__ import annotations

from enum import Enum, auto

import numpy as np

from handsel.config import AttackHintSetting
from handsel.vision.attack_hint import UNKNOWN, weigh
from handsel.vision.read_palm import PalmReading


class Step(Enum):
    """
    Say what follows.
    """

    GO_ON = auto()
    ASK_ONCE_MORE = auto()
    REFUSE = auto()


def next_step(readings: tuple[PalmReading, ...], setting: AttackHintSetting, *, is_second: bool) -> Step:
    """
    Return what follows from the readings of one attempt; `is_second` where the till asked once more already.

    A hint is no proof, so that a first one only asks for the hand again. A second one counts where the setting says so.
    """
    if setting is AttackHintSetting.OFF or (is_second and setting is AttackHintSetting.ASK):
        return Step.GO_ON
    seen = [(reading.sight, reading.shown) for reading in readings if reading.sight is not None]
    if not seen:
        return Step.GO_ON
    shown = np.array([colour or UNKNOWN for _, colour in seen])  # (N, 3)
    if not weigh(tuple(sight for sight, _ in seen), shown=shown).is_given:
        return Step.GO_ON
    return Step.REFUSE if is_second else Step.ASK_ONCE_MORE
