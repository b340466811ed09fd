"""
Say what a camera sees of a fine lattice, the dots of a print or the pixels of a screen: its moiré.

A lattice is a sum of waves. A camera weakens each by its lens and by the area of its pixels, and then looks at single
places, so that a wave which is too fine for it comes back as a coarse one: exactly so it is computed here, wave by
wave, at the places of the camera's pixels. Knows nothing of hands.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from handsel.drawn.canvas import FloatArray

_WEAKEST = 0.002  # Of the mean: a wave below half a grey level is left out.


@dataclass(frozen=True)
class Plane:
    """
    Where each of the camera's pixels looks on a flat thing: `x` and `y` in millimetres, float32 (H, W).
    """

    x: FloatArray
    y: FloatArray

    def step(self) -> FloatArray:
        """
        Return millimetres per pixel in the middle, float32 (2, 2): rows are x and y, columns are across and down.
        """
        row, column = self.x.shape[0] // 2, self.x.shape[1] // 2
        ends = ((row, column + 1), (row + 1, column))
        here = np.array([self.x[row, column], self.y[row, column]])
        steps = [np.array([self.x[end], self.y[end]]) - here for end in ends]
        return np.asarray(np.stack(steps, axis=1), np.float32)


@dataclass(frozen=True)
class Wave:
    """
    One wave: cycles per millimetre along x and y, its strength as a part of the mean, its phase in radians.
    """

    across: float
    down: float
    strength: float
    phase: float


def seen_waves(plane: Plane, waves: tuple[Wave, ...], *, blur_px: float, fill: float) -> FloatArray:
    """
    Return what the camera sees of `waves`, float32 (H, W) around 0, as a part of the mean.

    LIMITATIONS: Lens and pixels weaken a wave as in the picture's middle, also where perspective makes it finer.
    """
    seen = np.zeros_like(plane.x)
    step = plane.step().astype(np.float64)
    for wave in waves:
        frequency = step.T @ np.array([wave.across, wave.down])  # Cycles per pixel, across and down.
        # As weak as under a Gaussian at half a cycle per pixel; of finer ones a real lens lets more through than that.
        lens = np.exp(-((np.pi * blur_px) ** 2) * float(np.linalg.norm(frequency)))
        strength = wave.strength * float(lens) * float(np.prod(np.sinc(fill * frequency)))
        if abs(strength) < _WEAKEST:
            continue
        turns = plane.x * np.float32(wave.across) + plane.y * np.float32(wave.down)
        seen += np.float32(strength) * np.cos(
            np.float32(2 * np.pi) * (turns - np.round(turns)) + np.float32(wave.phase)
        )
    return seen


def screen_waves(*, pitch_mm: float, channel: int, is_diamond: bool) -> tuple[Wave, ...]:
    """
    Return the waves of a screen's pixels in one channel: red, green and blue stripes side by side, or, as in many
    phones, green on every pixel and red and blue on the corners of diamonds.
    """
    open_x, open_y = (0.42, 0.42) if is_diamond else (0.28, 0.82)  # Of the pitch: what of it is lit.
    orders = [(1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (1.0, -1.0), (2.0, 0.0)]
    if is_diamond and channel != 1:
        orders += [(0.5, 0.5), (0.5, -0.5)]
    return tuple(
        Wave(
            across=m / pitch_mm,
            down=n / pitch_mm,
            strength=2 * float(np.sinc(m * open_x) * np.sinc(n * open_y)),
            phase=-2 * np.pi * (channel - 1) * (m / 3 if not is_diamond else 0.25 * (m + n)),
        )
        for m, n in orders
    )


def dot_waves(*, pitch_mm: float, angle_deg: float) -> tuple[Wave, ...]:
    """
    Return the waves of a print's dots of half coverage, in two directions; the caller scales them by coverage.
    """
    angle = np.deg2rad(angle_deg)
    # A line screen of half coverage has a first wave of 2/π; round dots share it between two directions.
    return tuple(
        Wave(float(np.cos(turn) / pitch_mm), float(np.sin(turn) / pitch_mm), float(1 / np.pi), 0.0)
        for turn in (angle, angle + np.pi / 2)
    )
