"""
Find hands in a frame: 21 landmarks each, wherever the hand is and however it is turned.

Knows nothing of palms' lines, squares or thresholds of recognition.
"""

from __future__ import annotations

import os
import threading
from contextlib import nullcontext
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from handsel.errors import ModelInvalid, ensure
from handsel.vision.frame import Frame
from handsel.vision.quiet import quiet_stderr

# Landmarks as MediaPipe numbers them: 0 wrist, then four for each finger from the thumb on, root to tip.
WRIST = 0
KNUCKLES = (5, 9, 13, 17)  # Roots of index, middle, ring and little finger.
FINGER_TIPS = (8, 12, 16, 20)
LANDMARKS = 21

HANDS_MAX = 2  # One more than is wanted, so that a second hand is noticed.
FINDER_SIDE_PX = 640  # The finder's own nets look at 192 and 224 pixels; more costs time and tells them nothing.
BORDER_SHARE = 0.2  # Of the longest side, black: lets the finder see hands that touch the frame's edge.
CONFIDENCE_MIN = 0.5  # MediaPipe's own default for the palm detector.
GAIN = 1.6  # Second look: a dark, pale or odd picture is brightened before it is given up.
QUIET = {"GLOG_minloglevel": "3", "TF_CPP_MIN_LOG_LEVEL": "3"}


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


class MediaPipeHandFinder:
    """
    Find hands with the nets of MediaPipe 0.10.21, each frame by itself.

    1. Shrink to `FINDER_SIDE_PX` and put it in the middle of a larger black square.
    2. Look at it. The palm detector finds a hand at any turn: looks at quarter turns, and their mean, gained nothing.
    3. If there is no hand, brighten it and look once more.
    4. Bring the landmarks back to the frame's own pixels.

    LIMITATIONS
    * It cannot tell a palm from the back of a hand: every `palm_score` is 1. The side follows from the landmarks' order
      as if it were a palm, so that the back of a left hand is taken for the palm of a right one. It has no palm's
      lines, and matches nobody's.
    * Handedness as MediaPipe gives it is not used: it flips between pictures of one hand.
    * Coloured light and skin in front of skin make it miss hands; a glove is a hand to it.
    """

    def __init__(self) -> None:
        """
        Load the nets, and run them once so that the first customer does not wait. Raises `ModelInvalid`.
        """
        self._lock = threading.Lock()  # The graph takes one picture at a time.
        self._has_spoken = False  # It says its last warning with the first hand.
        with quiet_stderr():
            self._graph = _load_graph()
            self._graph.process(np.zeros((64, 64, 3), np.uint8))

    def find(self, frame: Frame) -> tuple[Hand, ...]:
        """
        Return the hands in `frame`, the surest first; none is an empty tuple.
        """
        scale = min(1.0, FINDER_SIDE_PX / max(frame.width, frame.height))
        small = _resized(frame.pixels, scale)  # 1
        picture, corner = frame_in_black(small)
        found = self._look(picture)  # 2
        if not found:
            found = self._look(np.asarray(cv2.convertScaleAbs(picture, alpha=GAIN), np.uint8))  # 3
        zoom = (frame.width / small.shape[1], frame.height / small.shape[0])
        return tuple(
            Hand(landmarks=((points - corner) * zoom).astype(np.float32), score=score, palm_score=1.0)  # 4
            for points, score in sorted(found, key=lambda hand: -hand[1])
        )

    def close(self) -> None:
        """
        Release the nets.
        """
        with self._lock:
            self._graph.close()

    def _look(self, picture: NDArray[np.uint8]) -> tuple[tuple[NDArray[np.float64], float], ...]:
        with self._lock, nullcontext() if self._has_spoken else quiet_stderr():
            answer = self._graph.process(picture)
            self._has_spoken |= bool(answer.multi_hand_landmarks)
        hands = answer.multi_hand_landmarks or ()
        sides = answer.multi_handedness or ()
        return tuple(
            (
                np.array([(point.x, point.y) for point in hand.landmark], np.float64) * len(picture),
                float(side.classification[0].score),
            )
            for hand, side in zip(hands, sides, strict=True)
        )


def frame_in_black(picture: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """
    Return `picture` in the middle of a black square, with at least `BORDER_SHARE` around it, and its corner's x and y.
    """
    height, width = picture.shape[:2]
    side = max(height, width) + 2 * round(BORDER_SHARE * max(height, width))
    x, y = (side - width) // 2, (side - height) // 2
    square = np.zeros((side, side, 3), np.uint8)
    square[y : y + height, x : x + width] = picture
    return square, (x, y)


def _resized(pixels: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    if scale == 1:
        return pixels
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _load_graph() -> Any:  # MediaPipe carries no types.
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    try:
        from mediapipe.python.solutions import hands  # noqa: PLC0415  It takes two seconds; a till pays them when it starts.

        return hands.Hands(
            static_image_mode=True,
            max_num_hands=HANDS_MAX,
            model_complexity=1,
            min_detection_confidence=CONFIDENCE_MIN,
        )
    except (ImportError, OSError, RuntimeError, ValueError) as exc:
        raise ModelInvalid("MediaPipe 0.10.21 with its hand models is not installed as it should be") from exc
