"""
Collect the readings that one action takes, and choose among them. Pure; the caller holds them, and drops them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from handsel.errors import ensure
from handsel.till.action import Action, EnrolmentAction
from handsel.till.hint import Hint, TillHint
from handsel.till.session import frames_needed
from handsel.vision.read_palm import PalmReading, are_one_palm


@dataclass(frozen=True)
class Collected:
    """
    Hold the readings that count so far; `hint` says why the last one did not.
    """

    readings: tuple[PalmReading, ...] = field(default=(), repr=False)
    hint: Hint | None = None


def collect(readings: tuple[PalmReading, ...], *, seen: PalmReading, action: Action, threshold: float) -> Collected:
    """
    Return the readings with `seen` among them.

    A charge takes any: only those of the palm seen last are sent. An enrolment takes those of one palm; another palm
    begins it anew.

    LIMITATIONS: Frames that follow each other closely show nearly the same pose, so that their mean is hardly better
    than one of them.
    """
    ensure(len(readings) < frames_needed(action), "no more readings are collected than are needed")
    if not isinstance(action, EnrolmentAction) or not readings:
        return Collected((*readings, seen))
    if not are_one_palm((*readings, seen), threshold=threshold):
        return Collected((seen,), TillHint.OTHER_HAND)
    return Collected((*readings, seen))


def best_reading(readings: tuple[PalmReading, ...]) -> PalmReading:
    """
    Return the reading of the best picture.
    """
    ensure(len(readings) > 0, "there is at least one reading")
    return max(readings, key=lambda reading: reading.quality)


def best_readings(readings: tuple[PalmReading, ...], count: int) -> tuple[PalmReading, ...]:
    """
    Return the `count` readings of the best pictures, the best first.
    """
    ensure(0 < count <= len(readings), "there are as many readings as are wanted")
    return tuple(sorted(readings, key=lambda reading: -reading.quality)[:count])


def those_of_last(readings: tuple[PalmReading, ...], *, threshold: float) -> tuple[PalmReading, ...]:
    """
    Return the readings of the palm that was seen last: whoever took a hand away again does not pay.
    """
    last = best_reading(readings[-1:])
    return tuple(each for each in readings if are_one_palm((last, each), threshold=threshold))
