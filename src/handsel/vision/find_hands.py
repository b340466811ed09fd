"""
Find hands with two small nets of our own, trained on drawn hands alone: where a hand is, then its 21 landmarks.

1. The frame, shrunk to 192 pixels, goes to the detector: a grid of cells that say whether a palm's middle lies there,
   how long the palm is, and which way its fingers point.
2. Each hand found, fingers up, is cut out and goes to the landmark net; and again, cut out by its own first answer.
3. What the landmark net does not take for a hand is dropped, and so is what lies on a hand that is surer, and what
   might be a second hand but is not as clear as hands are.
4. If nothing was found, the frame is looked at once more with its colours and contrast evened out.
5. If nothing was found again, so is its middle half, where a small hand is twice as large.
6. If more than one was followed, the frame is looked at from twice as far: they may be parts of one that is too close.

LIMITATIONS
* It was taught by a program's idea of hands: gloves, missing fingers and paint were never shown to it.
* It knows a palm from the back of a hand by creases and nails; in a dim or blurred picture it is unsure, and says so.
* A hand of less than 15 % of the frame is too small for the nets, and outside the middle one of less than 25 % may be.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from handsel.vision.frame import Frame
from handsel.vision.hand import HANDS_MAX, KNUCKLES, LANDMARKS, WRIST, Hand
from handsel.vision.net import Net

MODELS = Path(__file__).parent.parent / "models"
DETECTOR, LANDMARK_NET = "hand-detector", "hand-landmarks"
FRAME_PX, STRIDE_PX = 192, 8
CELLS = FRAME_PX // STRIDE_PX
ANSWERS = 6  # Hand, offset x and y, log length, way x and y.
CROP_PX = 128
CROP_SIDE = 2.7  # In palm lengths, as the landmark net was taught.
CROP_UP = 0.42  # How far its middle lies from the palm's towards the fingers, in palm lengths.
LOOKS = 2  # Times that a hand is cut out.
CELL_SCORE_MIN = 0.25  # A cell worth a closer look: the landmark net decides.
HAND_SCORE_MIN = 0.8  # Hands before it have 0.98 and more, drawn faces up to 0.75.
PALM_ODDS = 0.5
SURE_SCORE_MIN = 0.9  # For what shows no palm: drawn faces that were taken for a fist had less.
SECOND_SCORE_MIN = 0.98  # As sure as hands before it are: clutter beside a hand is no second hand.
CANDIDATES_MAX = 4
CLOSE_SHARE = 0.6  # Of the shorter side: a palm so long leaves no room for another.
SAME_HAND = 0.35  # In palm lengths: a palm whose middle lies nearer to a hand's outline is a part of that hand.
PALM_PX_MIN, PALM_PX_MAX = 8.0, 4000.0
EVEN_LOW, EVEN_HIGH = 0.02, 0.98  # Quantiles that the second look stretches each colour between.


@dataclass(frozen=True)
class Palm:
    """
    Where a palm lies: its middle, the way from wrist to knuckles, both in pixels of the frame.
    """

    middle: NDArray[np.float64]
    way: NDArray[np.float64]

    @property
    def length_px(self) -> float:
        """
        Return the palm's length.
        """
        return float(np.linalg.norm(self.way))


class NetHandFinder:
    """
    Find hands, each frame by itself. Safe for several threads.
    """

    def __init__(self, directory: Path = MODELS) -> None:
        """
        Load the nets, and run them once so that the first customer does not wait. Raises `ModelInvalid`.
        """
        self._detector = Net.load(
            directory, DETECTOR, inputs=(1, 3, FRAME_PX, FRAME_PX), outputs={"cells": (1, ANSWERS, CELLS, CELLS)}
        )
        self._landmarks = Net.load(
            directory,
            LANDMARK_NET,
            inputs=(1, 3, CROP_PX, CROP_PX),
            outputs={"landmarks": (1, LANDMARKS, 2), "logits": (1, 2)},
        )
        self.find(Frame(pixels=np.zeros((FRAME_PX, FRAME_PX, 3), np.uint8)))

    def find(self, frame: Frame) -> tuple[Hand, ...]:
        """
        Return the hands in `frame`, the surest first; none is an empty tuple.
        """
        return self._look_near_and_far(frame.pixels, frame.pixels) or self._look_again(frame.pixels)

    def _look_again(self, pixels: NDArray[np.uint8]) -> tuple[Hand, ...]:
        even = evened(pixels)  # 4
        hands = self._look_near_and_far(even, pixels)
        if hands or min(pixels.shape[:2]) < 2 * FRAME_PX:
            return hands
        top, left = pixels.shape[0] // 4, pixels.shape[1] // 4  # 5
        middle = even[top : pixels.shape[0] - top, left : pixels.shape[1] - left]
        return _moved(self._look(middle), left, top)

    def _look_near_and_far(self, shown: NDArray[np.uint8], pixels: NDArray[np.uint8]) -> tuple[Hand, ...]:
        followed = self._follow_all(shown)
        if len(followed) > 1:  # 6
            top, left = pixels.shape[0] // 2, pixels.shape[1] // 2
            wide = cv2.copyMakeBorder(pixels, top, top, left, left, cv2.BORDER_REPLICATE)
            near = CLOSE_SHARE * min(pixels.shape[:2])
            close = tuple(hand for hand in self._look(np.asarray(wide, np.uint8)) if hand.palm_length_px > near)
            if close:
                return _moved(close, -left, -top)
        return without_parts(followed)

    def _look(self, pixels: NDArray[np.uint8]) -> tuple[Hand, ...]:
        return without_parts(self._follow_all(pixels))

    def _follow_all(self, pixels: NDArray[np.uint8]) -> list[Hand]:
        followed = [self._follow(pixels, palm) for palm in self._detect(pixels)]  # 1, 2
        return [hand for hand in followed if hand is not None]

    def _detect(self, pixels: NDArray[np.uint8]) -> list[Palm]:
        scale = FRAME_PX / max(pixels.shape[:2])
        size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
        small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        corner = ((FRAME_PX - size[0]) // 2, (FRAME_PX - size[1]) // 2)
        square = np.zeros((FRAME_PX, FRAME_PX, 3), np.uint8)
        square[corner[1] : corner[1] + size[1], corner[0] : corner[0] + size[0]] = small
        cells = self._detector.run(_as_input(square))[0][0]  # (6, G, G)
        zoom = np.array(pixels.shape[1::-1]) / size
        return [Palm((palm.middle - corner) * zoom, palm.way * zoom) for palm in palms_of(cells)]

    def _follow(self, pixels: NDArray[np.uint8], palm: Palm) -> Hand | None:
        for _ in range(LOOKS):
            if not PALM_PX_MIN <= palm.length_px <= PALM_PX_MAX:
                return None
            matrix = crop_matrix(palm)
            crop = cut_out(pixels, matrix)
            places, logits = (each[0] for each in self._landmarks.run(_as_input(crop)))
            score, palm_score = (1 / (1 + np.exp(-np.clip(logits.astype(np.float64), -30, 30)))).tolist()
            if score < (HAND_SCORE_MIN if palm_score >= PALM_ODDS else SURE_SCORE_MIN):
                return None
            inverse = cv2.invertAffineTransform(matrix)
            landmarks = places.astype(np.float64) * CROP_PX @ inverse[:, :2].T + inverse[:, 2]
            knuckles = landmarks[list(KNUCKLES)].mean(axis=0)
            palm = Palm((knuckles + landmarks[WRIST]) / 2, knuckles - landmarks[WRIST])
        return Hand(landmarks=landmarks.astype(np.float32), score=score, palm_score=palm_score)


def palms_of(cells: NDArray[np.float32]) -> list[Palm]:
    """
    Return what the detector's answer (6, G, G) holds, the surest first, in pixels of its 192-pixel square.
    """
    scores = 1 / (1 + np.exp(-np.clip(cells[0], -30, 30)))
    highest = cv2.dilate(scores, np.ones((3, 3), np.uint8))
    rows, columns = np.nonzero((scores >= CELL_SCORE_MIN) & (scores == highest))
    found = sorted(zip(rows.tolist(), columns.tolist(), strict=True), key=lambda place: -scores[place])
    palms = []
    for row, column in found[:CANDIDATES_MAX]:
        x, y, log_length, way_x, way_y = cells[1:6, row, column].astype(np.float64)
        length = STRIDE_PX * float(np.exp(np.clip(log_length, -3, 5)))
        way = np.array([way_x, way_y]) / max(float(np.hypot(way_x, way_y)), 1e-6)
        palms.append(Palm(np.array([column + 0.5 + x, row + 0.5 + y]) * STRIDE_PX, way * length))
    return palms


def crop_matrix(palm: Palm) -> NDArray[np.float64]:
    """
    Return the map (2, 3) from pixels of the frame to those of a crop in which the fingers point up.
    """
    scale = CROP_PX / (CROP_SIDE * palm.length_px)
    up = palm.way / palm.length_px
    centre = palm.middle + palm.way * CROP_UP
    linear = scale * np.array([[-up[1], up[0]], [-up[0], -up[1]]])
    return np.column_stack([linear, CROP_PX / 2 - linear @ centre])


def cut_out(pixels: NDArray[np.uint8], matrix: NDArray[np.float64]) -> NDArray[np.uint8]:
    """
    Return the crop (128, 128, 3), averaged where the frame has several pixels for one.
    """
    finer = int(np.clip(round(1 / float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))), 1, 4))
    large = matrix * finer
    large[:, 2] += large[:, :2] @ (0.5, 0.5) - 0.5  # OpenCV counts from the middle of the first pixel.
    side = CROP_PX * finer
    crop = cv2.warpAffine(pixels, large, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(
        crop if finer == 1 else cv2.resize(crop, (CROP_PX, CROP_PX), interpolation=cv2.INTER_AREA), np.uint8
    )


def evened(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """
    Return `pixels` with each colour stretched over the whole range: takes out coloured and dim light.
    """
    sparse = pixels[::8, ::8].reshape(-1, 3)
    low, high = np.quantile(sparse, (EVEN_LOW, EVEN_HIGH), axis=0)
    levels = np.arange(256, dtype=np.float64)[:, None]
    table = np.clip((levels - low) / np.maximum(high - low, 8.0) * 255, 0, 255).astype(np.uint8)  # (256, 3)
    return np.asarray(cv2.LUT(pixels, table[None]), np.uint8)


def _as_input(square: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.ascontiguousarray(square.transpose(2, 0, 1)[None], np.float32) / np.float32(255)


def _moved(hands: tuple[Hand, ...], x: int, y: int) -> tuple[Hand, ...]:
    shift = np.array((x, y), np.float32)
    return tuple(replace(hand, landmarks=hand.landmarks + shift) for hand in hands)


def without_parts(followed: list[Hand]) -> tuple[Hand, ...]:
    """
    Return the hands among what was followed, the surest first: no part of a hand, and no second that is unclear.
    """
    hands: list[Hand] = []
    for hand in sorted(followed, key=lambda hand: -hand.score):  # 3
        if not hands or (hand.score >= SECOND_SCORE_MIN and not any(is_part_of(hand, surer) for surer in hands)):
            hands.append(hand)
    return tuple(hands[:HANDS_MAX])


def is_part_of(hand: Hand, surer: Hand) -> bool:
    """
    Say whether the palm of `hand` has its middle on the hand `surer`: it is the same one, or what a finger looked like.
    """
    middle = hand.landmarks[[WRIST, *KNUCKLES]].mean(axis=0)
    outline = cv2.convexHull(surer.landmarks)
    away_px = -cv2.pointPolygonTest(outline, middle.astype(float).tolist(), measureDist=True)
    return bool(away_px < SAME_HAND * surer.palm_length_px)
