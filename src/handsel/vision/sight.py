"""
Keep of one frame what an attack hint is made of: a few numbers, and a small grey picture of the hand.

It lives as long as the reading that it belongs to, in memory only.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from handsel.vision.frame import Frame
from handsel.vision.hand import Hand
from handsel.vision.periodic import periodicity
from handsel.vision.roi import Placement, Roi

SIDE_PX = 640  # Of the small picture's longer side: a tilt of three degrees bends a hand by about a pixel.
GAMMA = 2.2  # Of stored values.
_COLOUR_SIDE_PX = 32  # The skin's colours vary slowly; a camera's noise does not count.


@dataclass(frozen=True, eq=False)
class Sight:
    """
    Hold what one frame says of a copy: `periodic` in powers of e, `colour` how much its hue varies, `glow` the palm's
    mean light (3,), and to compare with other frames the small picture, uint8 (h, w), and the landmarks in it, (21, 2).
    """

    periodic: float
    colour: float
    glow: NDArray[np.float64] = field(repr=False)
    small: NDArray[np.uint8] = field(repr=False)
    landmarks: NDArray[np.float32] = field(repr=False)


def look_at(frame: Frame, hand: Hand, placement: Placement, roi: Roi) -> Sight:
    """
    Return what `frame` says of a copy. Takes 4 to 6 ms on one core.
    """
    scale = min(1.0, SIDE_PX / max(frame.width, frame.height))
    grey = cv2.cvtColor(frame.pixels, cv2.COLOR_RGB2GRAY)
    size = (round(frame.width * scale), round(frame.height * scale))
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA) if scale < 1 else grey
    x, y = placement.corners().mean(axis=0)
    return Sight(
        periodic=periodicity(frame.pixels, middle=(float(x), float(y)), side_px=placement.side_px),
        colour=colourfulness(roi),
        glow=((roi.pixels[::4, ::4].reshape(-1, 3) / 255.0) ** GAMMA).mean(axis=0),
        small=np.asarray(small, np.uint8),
        landmarks=(hand.landmarks * scale).astype(np.float32),
    )


def colourfulness(roi: Roi) -> float:
    """
    Return how much hue varies over the palm: deviation of the differences between channels, by that of brightness.

    What is printed in black has one hue, whatever the light; skin has redder and paler places, and redder creases.
    """
    small = cv2.resize(roi.pixels, (_COLOUR_SIDE_PX, _COLOUR_SIDE_PX), interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), 0.8).astype(np.float32)[2:-2, 2:-2] + np.float32(4)
    logs = np.log(soft)
    bright = logs.mean(axis=2)
    hue = logs - bright[..., None]
    return float(np.sqrt((hue.std(axis=(0, 1)) ** 2).sum()) / (bright.std() + 0.02))
