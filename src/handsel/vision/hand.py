"""
Hold a hand as it was found in a frame: 21 landmarks, which side it is, whether it shows its palm.

Knows nothing of palms' lines, squares or thresholds of recognition.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from handsel.errors import ensure
from handsel.vision.frame import Frame

# Landmarks are numbered as everywhere in the field: 0 wrist, then four for each finger from the thumb on, root to tip.
WRIST = 0
KNUCKLES = (5, 9, 13, 17)  # Roots of index, middle, ring and little finger.
FINGER_TIPS = (8, 12, 16, 20)
LANDMARKS = 21

HANDS_MAX = 2  # One more than is wanted, so that a second hand is noticed.


class Side(StrEnum):
    """
    Say which hand it is, if its palm faces a camera that does not mirror.
    """

    LEFT = "left"
    RIGHT = "right"


@dataclass(frozen=True, eq=False)
class Hand:
    """
    Hold one hand: `landmarks` float32 (21, 2), x and y in pixels of the frame; `score` 0..1, how sure the finder is;
    `palm_score` 0..1, how sure that its palm faces the camera, and not its back.
    """

    landmarks: NDArray[np.float32] = field(repr=False)  # (21, 2)
    score: float
    palm_score: float

    def __post_init__(self) -> None:
        """
        Refuse what has not 21 finite points. Raises `InvariantBroken`.
        """
        ensure(self.landmarks.shape == (LANDMARKS, 2), "a hand has 21 landmarks")
        ensure(bool(np.isfinite(self.landmarks).all()), "landmarks are finite")
        ensure(0 <= self.score <= 1 and 0 <= self.palm_score <= 1, "a hand's scores lie between 0 and 1")

    @property
    def side(self) -> Side:
        """
        Return the side as the knuckles' order around the wrist tells it; a mirrored image exchanges the two.
        """
        wrist, index, little = self.landmarks[[WRIST, KNUCKLES[0], KNUCKLES[-1]]].astype(np.float64)
        (ax, ay), (bx, by) = index - wrist, little - wrist
        # The palm of a left hand, fingers up, has its thumb and index finger on the camera's left: with y down, the way
        # from index to little finger then turns clockwise, above zero.
        return Side.LEFT if ax * by - ay * bx > 0 else Side.RIGHT

    @property
    def palm_length_px(self) -> float:
        """
        Return the distance from the wrist to the middle of the four knuckles.
        """
        return float(np.linalg.norm(self.landmarks[list(KNUCKLES)].mean(0) - self.landmarks[WRIST]))

    @property
    def finger_reach(self) -> float:
        """
        Return how far the four tips are from the wrist, as a multiple of the knuckles' distance: below 1 is a fist.
        """
        reach = np.linalg.norm(self.landmarks[list(FINGER_TIPS)] - self.landmarks[WRIST], axis=1)
        roots = np.linalg.norm(self.landmarks[list(KNUCKLES)] - self.landmarks[WRIST], axis=1)
        return float(np.median(reach / np.maximum(roots, 1e-6)))


class HandFinder(Protocol):
    """
    Find the hands in a frame, at most `HANDS_MAX`.
    """

    def find(self, frame: Frame) -> tuple[Hand, ...]:
        """
        Return the hands in `frame`, the surest first; none is an empty tuple.
        """
