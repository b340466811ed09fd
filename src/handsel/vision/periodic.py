"""
Measure how regular the fine detail of a palm is: dots of a print and pixels of a screen are, skin is not.

One cue of `attack_hint.py`. Knows nothing of hands.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

WINDOWS_PX = (192, 128)  # Sides of the square that is looked at, pixel by pixel: the largest that fits the palm.
WAVES_MIN = 0.12  # Cycles per pixel: coarser than this are the palm's own lines.
CHROMA_WAVES_MIN = 0.07  # Lines have hardly any colour of their own.
WAVES_MAX = 0.46  # Beyond, a camera's colour mosaic makes patterns of its own.
AXIS_WAVES = 0.04  # Halved colour that JPEG rounds to a few waves leaves those along rows and columns.
BLOCK_PX = 8  # JPEG's blocks, and twice that for its halved colour, leave waves of their own.
_BLOCK_BINS = 2.5
_PEAK, _AROUND = 3, 25  # Bins over which power is averaged: of a peak, and of what is usual around it.
_SLOPE = (
    2.5  # Of a picture's power, which falls with about this power of the frequency; taken out before bins are compared.
)
_FLOOR = 1e-2  # Of power: digital black is not compared.


@dataclass(frozen=True)
class Kind:
    """
    Say which waves of brightness, or of colour, are looked at.
    """

    waves_min: float
    block_px: int
    axis_waves: float


BRIGHTNESS = Kind(WAVES_MIN, BLOCK_PX, 0.0)
COLOUR = Kind(CHROMA_WAVES_MIN, 2 * BLOCK_PX, AXIS_WAVES)


def periodicity(pixels: NDArray[np.uint8], *, middle: tuple[float, float], side_px: float) -> float:
    """
    Return how far the strongest wave stands out from its neighbours in frequency, in powers of e; skin has 2 to 3.

    `pixels` is a whole frame, RGB, never resampled; a square of `WINDOWS_PX` around `middle` (x, y) is looked at, as
    large as the palm's `side_px` allows.

    1. Brightness and two differences of colour, each faded out to the window's edges, as waves.
    2. Power averaged over a few bins, by the geometric mean of the wider surroundings.
    3. What JPEG leaves of its blocks, the palm's coarse lines and the finest waves are left out.

    LIMITATIONS
    * A sharp picture of a screen or print so fine, or so far, that the camera averages its dots says nothing.
    * Cloth or a glove on the palm is as regular as a print.
    """
    side = next((window for window in WINDOWS_PX if window <= side_px), WINDOWS_PX[-1])
    window = _window(pixels, middle, side)
    if window is None:
        return 0.0
    red, green, blue = (window[..., i].astype(np.float32) for i in range(3))
    fade = np.hanning(side).astype(np.float32)
    planes = ((red + 2 * green + blue) / 4, red - blue, green - (red + blue) / 2)
    kinds = (BRIGHTNESS, COLOUR, COLOUR)
    return max(
        _strongest((plane - plane.mean()) * fade[:, None] * fade[None, :], kind)
        for plane, kind in zip(planes, kinds, strict=True)
    )


def _window(pixels: NDArray[np.uint8], middle: tuple[float, float], side: int) -> NDArray[np.uint8] | None:
    height, width = pixels.shape[:2]
    if side > min(height, width):
        return None
    left = int(np.clip(round(middle[0] - side / 2), 0, width - side))
    top = int(np.clip(round(middle[1] - side / 2), 0, height - side))
    return pixels[top : top + side, left : left + side]


def _strongest(plane: NDArray[np.float32], kind: Kind) -> float:
    side = len(plane)
    real, imaginary = cv2.split(cv2.dft(plane, flags=cv2.DFT_COMPLEX_OUTPUT))
    power = (real * real + imaginary * imaginary) / np.float32(plane.size) + np.float32(_FLOOR)
    level, is_told = _bins(side, kind)
    power *= level
    peak = np.log(cv2.blur(power, (_PEAK, _PEAK), borderType=cv2.BORDER_REFLECT_101))
    usual = cv2.blur(np.log(power), (_AROUND, _AROUND), borderType=cv2.BORDER_REFLECT_101)
    return float((peak - usual)[is_told].max())


@lru_cache(maxsize=8)
def _bins(side: int, kind: Kind) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """
    Return what takes the usual fall of power out, and which bins are looked at, (side, side) each.
    """
    waves = np.fft.fftfreq(side)
    radius = np.hypot(waves[:, None], waves[None, :])
    orders = waves * kind.block_px
    of_blocks = np.abs(orders - np.round(orders)) <= _BLOCK_BINS * kind.block_px / side
    looked = (radius >= kind.waves_min) & (radius <= WAVES_MAX) & ~(of_blocks[:, None] & of_blocks[None, :])
    along_axis = np.abs(waves) < kind.axis_waves
    looked &= ~(along_axis[:, None] | along_axis[None, :])
    looked[:, waves < 0] = False  # The other half says the same.
    return (np.maximum(radius, 1 / side) ** _SLOPE).astype(np.float32), looked
