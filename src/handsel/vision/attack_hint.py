"""
Weigh over a few frames whether a hand is a copy of one: a hint that raises the cost of trying, and proves nothing.

Each cue gives 0 to 1, and the strongest counts. Levels are set on drawn real hands alone; see
`docs/adr/0009-a-hint-not-liveness.md`. `training/measure_attacks.py` measures what the hint misses.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from handsel.errors import ensure
from handsel.vision.flatness import Motion, motion_between
from handsel.vision.lamp_answer import answer_to_light
from handsel.vision.sight import Sight

HINT_MIN = 0.5  # From here on a hint is given.
UNKNOWN = (float("nan"),) * 3  # What the till's screen showed for a frame, where that is not known.


@dataclass(frozen=True)
class Levels:
    """
    Say at which measure a cue says nothing, 0, and at which all, 1; between them it is linear.
    """

    nothing: float
    all: float

    def __post_init__(self) -> None:
        ensure(self.nothing != self.all, "a cue's two levels differ")

    def score(self, measure: float) -> float:
        """
        Return 0 to 1.
        """
        return float(np.clip((measure - self.nothing) / (self.all - self.nothing), 0, 1))


# None from each cue's median over drawn real hands, one half at the farthest of them: `training/fit_attack_hint.py`.
PERIODIC = Levels(nothing=2.46, all=4.79)
COLOUR = Levels(nothing=0.21, all=0.044)
LEFT = Levels(nothing=0.775, all=0.137)
ANSWER = Levels(nothing=0.206, all=-0.026)
FRAMES_ASKED_MIN = 2  # One frame shows no change of light.
BENT_PX_MIN = 0.4  # Less bending than this is not told from a hand that is held still, or moves in its own plane.


@dataclass(frozen=True)
class Measures:
    """
    Hold what was measured over the frames of one presentation; None where there was nothing to measure.

    `periodic` in powers of e, `colour`, `left`, the share of its bending that one homography does not explain, and
    `answer`, how its colour followed the till's.
    """

    periodic: float
    colour: float
    left: float | None
    answer: float | None


@dataclass(frozen=True)
class AttackHint:
    """
    Hold what each cue says, 0 to 1: `periodic` dots or pixels, `colourless` a print in black, `flat` a sheet or a
    screen, `dark` something that does not answer to the till's light.
    """

    periodic: float
    colourless: float
    flat: float
    dark: float

    @property
    def score(self) -> float:
        """
        Return what the strongest cue says.
        """
        return max(self.periodic, self.colourless, self.flat, self.dark)

    @property
    def is_given(self) -> bool:
        """
        Say whether it is strong enough to act on.
        """
        return self.score >= HINT_MIN


def weigh(sights: tuple[Sight, ...], *, shown: NDArray[np.float64] | None = None) -> AttackHint:
    """
    Return what frames of one presentation say together.

    `shown` (N, 3) is what the till's screen showed for each, linear from 0 to 1; `UNKNOWN` where that is not known.

    LIMITATIONS: Fine prints and phones show no dots; who holds a copy still, bends it, or wears it shows nothing flat.
    A glove or cloth with a weave is taken for a print, and strong light drowns the till's.
    """
    return judge(measure(sights, shown=shown))


def judge(measures: Measures) -> AttackHint:
    """
    Return what each cue says of what was measured.
    """
    return AttackHint(
        periodic=PERIODIC.score(measures.periodic),
        colourless=COLOUR.score(measures.colour),
        flat=0.0 if measures.left is None else LEFT.score(measures.left),
        dark=0.0 if measures.answer is None else ANSWER.score(measures.answer),
    )


def measure(sights: tuple[Sight, ...], *, shown: NDArray[np.float64] | None = None) -> Measures:
    """
    Return what can be measured over frames of one presentation.

    1. What one frame can tell, by its median, so that one odd frame says nothing.
    2. How it moved between the first frame and that in which it had bent most, if it bent enough.
    3. How it answered to the till's light, over the frames for which that is known.
    """
    ensure(len(sights) > 0, "a hint is made of one frame at least")
    motion = _most_bent(sights)  # 2
    return Measures(
        periodic=float(np.median([each.periodic for each in sights])),  # 1
        colour=float(np.median([each.colour for each in sights])),
        left=None if motion is None or motion.bent < BENT_PX_MIN else motion.left / motion.bent,
        answer=None if shown is None else _answer(sights, shown),  # 3
    )


def _answer(sights: tuple[Sight, ...], shown: NDArray[np.float64]) -> float | None:
    is_known = ~np.isnan(shown).any(axis=1)  # (N,)
    if is_known.sum() < FRAMES_ASKED_MIN:
        return None
    glows = np.stack([each.glow for each in sights])  # (N, 3)
    return answer_to_light(glows[is_known], shown[is_known])


def _most_bent(sights: tuple[Sight, ...]) -> Motion | None:
    first = sights[0]
    motions = (
        motion_between(first.small, each.small, landmarks=first.landmarks, then=each.landmarks)
        for each in sights[1:]
        if each.small.shape == first.small.shape
    )
    return max((motion for motion in motions if motion is not None), key=lambda motion: motion.bent, default=None)
