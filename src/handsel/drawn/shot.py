"""
Say how one picture of a hand is taken: pose, light, surroundings, camera. Values only; it draws nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from handsel.drawn.who import Style
from handsel.errors import ensure

_SEED_SHOT, _SEED_OTHER_SHOT = 3, 18
TURN_DEG_MAX = 25.0  # What people do in front of a till; a caller may ask for any turn.
TILT_DEG_MAX = 9.0


class Surroundings(StrEnum):
    """
    What is behind the hand.
    """

    WALL = "wall"
    CLOTH = "cloth"
    WOOD = "wood"
    ROOM = "room"
    TILES = "tiles"
    STRIPES = "stripes"
    LEAVES = "leaves"


PLAIN_SURROUNDINGS = (Surroundings.WALL, Surroundings.CLOTH, Surroundings.WOOD, Surroundings.ROOM)
OTHER_SURROUNDINGS = (Surroundings.TILES, Surroundings.STRIPES, Surroundings.LEAVES)


@dataclass(frozen=True)
class Pose:
    """
    Where the hand is: turn in the picture (degrees, clockwise), place (parts of width and height), length (wrist to
    tip, in parts of the height), tilt about both axes of the picture (degrees), spread (1 is at ease).
    """

    turn_deg: float = 0.0
    x: float = 0.5
    y: float = 0.5
    length: float = 0.72
    pitch_deg: float = 0.0
    roll_deg: float = 0.0
    spread: float = 1.0

    def __post_init__(self) -> None:
        ensure(0.02 <= self.length <= 4, "a hand's length is 0.02 to 4 picture heights")
        ensure(abs(self.pitch_deg) <= 60 and abs(self.roll_deg) <= 60, "a drawn hand tilts by 60 degrees at most")


@dataclass(frozen=True)
class Light:
    """
    How it is lit: direction (degrees around, degrees above the hand), exposure (1 is right), gain per RGB channel, and
    how much of the lamp the skin mirrors (0 is dull).
    """

    around_deg: float = 225.0
    above_deg: float = 55.0
    softness: float = 0.62
    exposure: float = 1.0
    colour: tuple[float, float, float] = (1.0, 1.0, 1.0)
    gloss: float = 0.0


@dataclass(frozen=True)
class Lens:
    """
    What the camera adds: blur (in 1/1000 of the height), noise (grey levels), JPEG quality, darkness of the corners (0
    to 1).
    """

    blur: float = 0.7
    noise: float = 2.0
    quality: int = 90
    vignette: float = 0.0


@dataclass(frozen=True)
class Shot:
    """
    One picture to be taken; `number` seeds what differs from picture to picture: the skin's stretch, the surroundings.
    """

    number: int
    pose: Pose = field(default_factory=Pose)
    light: Light = field(default_factory=Light)
    lens: Lens = field(default_factory=Lens)
    surroundings: Surroundings = Surroundings.WALL


def draw_shot(seed: int, number: int, *, style: Style = Style.PLAIN) -> Shot:
    """
    Return shot `number` of the person of `seed`: the everyday range in front of a till.
    """
    if style is Style.OTHER:
        return _other_shot(np.random.default_rng([_SEED_OTHER_SHOT, seed, number]), number)
    rng = np.random.default_rng([_SEED_SHOT, seed, number])
    u = rng.uniform
    length = u(0.62, 0.82)
    pose = Pose(
        turn_deg=float(np.clip(rng.normal(0, 9), -TURN_DEG_MAX, TURN_DEG_MAX)),
        x=float(0.5 + u(-0.08, 0.08)),
        y=float(0.5 + u(-0.5, 0.5) * (0.9 - length) * 0.6),
        length=float(length),
        pitch_deg=float(np.clip(rng.normal(0, 3), -TILT_DEG_MAX, TILT_DEG_MAX)),
        roll_deg=float(np.clip(rng.normal(0, 3), -TILT_DEG_MAX, TILT_DEG_MAX)),
        spread=float(u(0.85, 1.5)),
    )
    warmth = float(np.clip(rng.normal(0, 0.05), -0.1, 0.1))
    light = Light(
        around_deg=float(u(0, 360)),
        above_deg=float(u(38, 72)),
        softness=float(u(0.5, 0.75)),
        exposure=float(u(0.88, 1.12)),
        colour=(1 + warmth, 1 + float(rng.normal(0, 0.012)), 1 - warmth),
    )
    lens = Lens(blur=float(u(0.4, 1.3)), noise=float(u(0.8, 3.5)), quality=int(rng.integers(82, 96)))
    kinds = PLAIN_SURROUNDINGS
    return Shot(number, pose, light, lens, kinds[int(rng.integers(len(kinds)))])


def _other_shot(rng: np.random.Generator, number: int) -> Shot:
    """
    Return a shot of the other painter's: hands farther and nearer, lower and more coloured light, a poorer camera.
    """
    u = rng.uniform
    length = u(0.55, 0.88)
    pose = Pose(
        turn_deg=float(u(-TURN_DEG_MAX, TURN_DEG_MAX) * 0.8),
        x=float(0.5 + u(-0.1, 0.1)),
        y=float(0.5 + u(-0.25, 0.25) * (0.95 - length)),
        length=float(length),
        pitch_deg=float(u(-TILT_DEG_MAX, TILT_DEG_MAX)),
        roll_deg=float(u(-TILT_DEG_MAX, TILT_DEG_MAX)),
        spread=float(u(0.8, 1.4)),
    )
    warmth, green = float(u(-0.12, 0.16)), float(u(-0.04, 0.04))
    light = Light(
        around_deg=float(rng.normal(270, 60)),
        above_deg=float(u(28, 60)),
        softness=float(u(0.4, 0.8)),
        exposure=float(u(0.8, 1.15)),
        colour=(1 + warmth, 1 + green, 1 - warmth),
        gloss=float(u(0, 0.25)),
    )
    lens = Lens(float(u(0.5, 1.5)), float(u(1.0, 3.5)), int(rng.integers(70, 90)), vignette=float(u(0, 0.4)))
    return Shot(number, pose, light, lens, OTHER_SURROUNDINGS[int(rng.integers(len(OTHER_SURROUNDINGS)))])
