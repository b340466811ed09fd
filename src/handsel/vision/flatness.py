"""
Measure over a few frames whether what is held before the camera is flat: then one homography explains how it moved.

One cue of `attack_hint.py`. A hand has depth, and its fingers move by themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from handsel.vision.hand import KNUCKLES, WRIST

POINTS_MAX = 160
POINTS_MIN = 24  # Fewer do not fill a hand.
BACK_PX_MAX = 0.4  # A point that is followed there and back comes out where it began.
OUTLIER_PX = 4.0
KEPT = 0.85  # Of the points, the best: some are followed wrongly.
LK_WINDOW_PX = 17
_DIGITS = ((1, 2, 3, 4), (5, 6, 7, 8), (9, 10, 11, 12), (13, 14, 15, 16), (17, 18, 19, 20))
_PALM = (0, 1, 5, 9, 13, 17)
_DIGIT_WIDTH = 0.16  # In palm lengths: narrower than a finger, so that nothing behind it comes in.


@dataclass(frozen=True)
class Motion:
    """
    How a hand moved between two frames, in pixels: `bent`, what is left when turn, size and place are taken out;
    `left`, what is left after one homography. Root mean squares over the points that were followed.
    """

    bent: float
    left: float


def motion_between(
    first: NDArray[np.uint8],
    second: NDArray[np.uint8],
    *,
    landmarks: NDArray[np.float32],
    then: NDArray[np.float32],
) -> Motion | None:
    """
    Return how the hand moved between two grey pictures, or None where too few of its points can be followed.

    `landmarks` and `then`, (21, 2) each, are in pixels of `first` and `second`.
    """
    first, second = _evened(first), _evened(second)
    mask = _hand_mask(first.shape, landmarks)
    points: NDArray[Any] | None = cv2.goodFeaturesToTrack(first, POINTS_MAX, 0.01, 5, mask=mask)
    if points is None or len(points) < POINTS_MIN:
        return None
    guess: NDArray[Any] | None = cv2.estimateAffinePartial2D(landmarks, then)[0]
    if guess is None:
        return None
    start = cv2.transform(points, guess).astype(np.float32)
    moved, found = _followed(first, second, points, start)
    back, found_back = _followed(second, first, moved, points.copy())
    is_kept = (found[:, 0] == 1) & (found_back[:, 0] == 1)
    is_kept &= np.linalg.norm(back - points, axis=2)[:, 0] < BACK_PX_MAX
    if is_kept.sum() < POINTS_MIN:
        return None
    return _explained(points[is_kept, 0], moved[is_kept, 0])


def _followed(
    first: NDArray[np.uint8], second: NDArray[np.uint8], points: NDArray[Any], guess: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    window = (LK_WINDOW_PX, LK_WINDOW_PX)
    moved, found, _ = cv2.calcOpticalFlowPyrLK(
        first, second, points, guess, winSize=window, maxLevel=2, flags=cv2.OPTFLOW_USE_INITIAL_FLOW
    )
    return moved, found


def _explained(points: NDArray[np.float32], moved: NDArray[np.float32]) -> Motion | None:
    similar: NDArray[Any] | None = cv2.estimateAffinePartial2D(points, moved, ransacReprojThreshold=OUTLIER_PX)[0]
    projective: NDArray[Any] | None = cv2.findHomography(points, moved, cv2.RANSAC, OUTLIER_PX)[0]
    if similar is None or projective is None:
        return None
    by_similar = cv2.transform(points[None], similar)[0]
    by_projective = cv2.perspectiveTransform(points[None], projective)[0]
    return Motion(bent=_spread(by_similar - moved), left=_spread(by_projective - moved))


def _spread(errors: NDArray[np.float32]) -> float:
    squares = np.sort((errors.astype(np.float64) ** 2).sum(axis=1))
    return float(np.sqrt(squares[: max(1, round(KEPT * len(squares)))].mean()))


def _hand_mask(shape: tuple[int, ...], landmarks: NDArray[np.float32]) -> NDArray[np.uint8]:
    mask = np.zeros(shape[:2], np.uint8)
    palm_px = float(np.linalg.norm(landmarks[list(KNUCKLES)].mean(0) - landmarks[WRIST]))
    places = np.round(landmarks).astype(np.int32)
    cv2.fillConvexPoly(mask, cv2.convexHull(places[list(_PALM)]), (255,))
    for digit in _DIGITS:
        cv2.polylines(mask, [places[list(digit)]], False, (255,), max(1, round(_DIGIT_WIDTH * palm_px)))
    return mask


def _evened(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """
    Return a grey picture without its shades, so that a change of light is not taken for motion.
    """
    soft = grey.astype(np.float32) + np.float32(8)
    ratio = soft / cv2.blur(soft, (41, 41))
    return np.asarray(np.clip(ratio * 128, 0, 255), np.uint8)
