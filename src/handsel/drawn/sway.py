"""
Say how something that is held before a camera moves over a few frames: nobody holds still, nobody moves alike.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from handsel.drawn.shot import Pose

FRAMES = 4  # Of a presentation, about 0.2 s apart, as the till's page takes them.
_AMOUNT = (0.2, 1.4)  # From somebody who hardly moves to somebody who is in a hurry.
_TILT_DEG, _TURN_DEG, _SHIFT, _LENGTH = 3.5, 1.5, 0.012, 0.015  # Deviations over a presentation, by eye.
_FLEX_DEG, _FAN_DEG = 4.0, 1.0
_LOOSE = (0.1, 1.2)  # From stiff fingers to loose ones.


@dataclass(frozen=True)
class Sway:
    """
    The pose in each frame, and how far each finger, the thumb last, is bent towards the camera and fanned out then:
    degrees, two tuples of (5,) a frame.
    """

    poses: tuple[Pose, ...]
    flex_deg: tuple[tuple[float, ...], ...]
    fan_deg: tuple[tuple[float, ...], ...]


def draw_sway(rng: np.random.Generator, held: Pose, *, amount: float | None = None) -> Sway:
    """
    Return a hand, or a thing in a hand, held about as in `held`; `amount` 0 is a thing on a stand.
    """
    scale = float(np.exp(rng.uniform(*np.log(_AMOUNT)))) if amount is None else amount
    tilt, roll, turn, x, y, length = (scale * _wander(rng) for _ in range(6))
    poses = tuple(
        replace(
            held,
            pitch_deg=held.pitch_deg + _TILT_DEG * float(tilt[i]),
            roll_deg=held.roll_deg + _TILT_DEG * float(roll[i]),
            turn_deg=held.turn_deg + _TURN_DEG * float(turn[i]),
            x=held.x + _SHIFT * float(x[i]),
            y=held.y + _SHIFT * float(y[i]),
            length=held.length * (1 + _LENGTH * float(length[i])),
        )
        for i in range(FRAMES)
    )
    rest = np.append(rng.uniform(3, 22, 4), rng.uniform(10, 30))
    loose = scale * float(rng.uniform(*_LOOSE))
    flex = rest[:, None] + loose * _FLEX_DEG * np.array([_wander(rng) for _ in range(5)])
    fan = loose * _FAN_DEG * np.array([_wander(rng) for _ in range(5)])
    return Sway(poses, tuple(map(tuple, flex.T.tolist())), tuple(map(tuple, fan.T.tolist())))


def _wander(rng: np.random.Generator) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """
    Return a smooth way of unit strength through all frames, float64 (FRAMES,).
    """
    steps = rng.standard_normal(FRAMES + 2)
    smooth = np.convolve(steps, [0.5, 0.7, 0.5], mode="valid")
    return np.asarray(smooth, dtype=np.float64)
