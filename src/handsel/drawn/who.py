"""
Say which painter draws a person, which of the two hands is meant, and how old the person is. Values only.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np

_SEED_AGE = 13
AGE_MIN, AGE_MAX = 20.0, 80.0


class Style(StrEnum):
    """
    Name a painter. Models are fitted on `PLAIN`; `OTHER` draws creases, skin, light and rooms in another way, to test
    on.
    """

    PLAIN = "plain"
    OTHER = "other"


class WhichHand(StrEnum):
    """
    Name one of a person's two hands: the one that is held out first, or the other.
    """

    FIRST = "first"
    SECOND = "second"


def draw_age(seed: int) -> float:
    """
    Return the age in years of the person of `seed`; all from 20 to 80 are equally frequent.
    """
    return float(np.random.default_rng([_SEED_AGE, seed]).uniform(AGE_MIN, AGE_MAX))


def wear_of(age: float) -> float:
    """
    Return what the years have done to a skin: 0 at 20, 1 at 80.
    """
    return float(np.clip((age - AGE_MIN) / (AGE_MAX - AGE_MIN), 0, 1))
