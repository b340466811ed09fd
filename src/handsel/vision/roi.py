"""
Cut the square of a palm out of a frame, so that the same palm always gives the same square.

The hand's turn, size, place and side, a mirrored image and a slight tilt make no difference: landmarks take them out.
Judges nothing; `quality.py` does.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from handsel.errors import ensure
from handsel.vision.frame import Frame
from handsel.vision.hand import Hand

ROI_SIDE_PX = 128
# Landmarks of the palm that hardly move against each other: wrist, root of the thumb, four knuckles. Where they come to
# lie, in palm lengths: x from the knuckles to the wrist, y from the little finger to the thumb. These are the painter's
# average hand (training/hand_skeleton.py), rounded; a real hand lies near it and need not lie on it.
ANCHORS = (0, 1, 5, 9, 13, 17)
ANCHOR_PLACES = ((1.0, 0.02), (0.79, 0.3), (-0.02, 0.35), (-0.07, 0.11), (-0.02, -0.13), (0.1, -0.33))
SQUARE_CENTRE = (0.37, 0.0)  # In palm lengths, as above: from below the fingers' roots to the heel of the hand.
SQUARE_SIDE = 1.07
OVERSAMPLING_MAX = 6  # A palm that fills a frame of 1280 pixels has ten for one; six are averaged.
BLACK_MAX = 2  # A wedge that some cropping program left is black but for JPEG's noise.
WEDGE_OPENING_PX = 7  # Black specks below this size are no wedge.
WEDGE_BLUR_PX = 12.0


@dataclass(frozen=True, eq=False)
class Roi:
    """
    Hold the aligned square of a palm: `pixels` uint8 (128, 128, 3), RGB; x from the fingers to the wrist, y from the
    little finger to the thumb, on every hand.
    """

    pixels: NDArray[np.uint8] = field(repr=False)

    def __post_init__(self) -> None:
        """
        Refuse another shape. Raises `InvariantBroken`.
        """
        shape = (ROI_SIDE_PX, ROI_SIDE_PX, 3)
        ensure(self.pixels.shape == shape and self.pixels.dtype == np.uint8, "a palm's square is uint8 (128, 128, 3)")

    def grey(self) -> NDArray[np.uint8]:
        """
        Return the square in grey, uint8 (128, 128).
        """
        return np.asarray(cv2.cvtColor(self.pixels, cv2.COLOR_RGB2GRAY), np.uint8)


@dataclass(frozen=True, eq=False)
class Placement:
    """
    Hold where a palm's square lies in a frame.

    `matrix` float64 (2, 3) takes pixels of the frame to sides of the square; `misfit` is the root mean square distance
    of the anchors from their places, in sides.
    """

    matrix: NDArray[np.float64] = field(repr=False)  # (2, 3)
    misfit: float

    @property
    def side_px(self) -> float:
        """
        Return the side of the square in pixels of the frame, the shorter way where it is foreshortened.
        """
        return float(1 / np.linalg.svd(self.matrix[:, :2], compute_uv=False)[0])

    @property
    def foreshortening(self) -> float:
        """
        Return the shorter by the longer extent, 0..1: about the cosine of the palm's tilt away from the camera.
        """
        longer, shorter = np.linalg.svd(self.matrix[:, :2], compute_uv=False)
        return float(shorter / longer)

    def corners(self) -> NDArray[np.float64]:
        """
        Return the four corners in pixels of the frame, (4, 2), in order around the square.
        """
        unit = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float64)
        return np.asarray(np.linalg.solve(self.matrix[:, :2], (unit - self.matrix[:, 2]).T).T)


def place_square(hand: Hand) -> Placement | None:
    """
    Return where the square of `hand` lies, or None where its landmarks span no area.

    It is the affine map that brings the six anchors nearest to their places, by least squares. It takes out turn, size,
    place, mirroring (its determinant is then negative) and the foreshortening of a tilted palm.
    """
    points = hand.landmarks[list(ANCHORS)].astype(np.float64)
    centre = points.mean(axis=0)
    size = float(np.sqrt(((points - centre) ** 2).mean()))
    if size < 1e-6:
        return None
    known = np.column_stack([(points - centre) / size, np.ones(len(points))])  # (6, 3), of order one
    wanted = (np.array(ANCHOR_PLACES) - SQUARE_CENTRE) / SQUARE_SIDE + 0.5
    solution, _, _, spread = np.linalg.lstsq(known, wanted, rcond=None)
    linear = solution[:2].T / size
    if spread[-1] < 1e-3 or np.linalg.svd(linear, compute_uv=False)[-1] * size < 1e-3:
        return None
    misfit = float(np.sqrt(((known @ solution - wanted) ** 2).sum(axis=1).mean()))
    return Placement(matrix=np.column_stack([linear, solution[2] - linear @ centre]), misfit=misfit)


def crop_roi(frame: Frame, placement: Placement) -> Roi:
    """
    Return the square at `placement`, averaged over the pixels it covers; what lies outside the frame is filled in.
    """
    oversampling = int(np.clip(np.ceil(placement.side_px / ROI_SIDE_PX), 1, OVERSAMPLING_MAX))
    side = ROI_SIDE_PX * oversampling
    # Landmarks count from the corner of the first pixel; OpenCV counts from its centre.
    to_square = placement.matrix.copy()
    to_square[:, 2] += to_square[:, :2] @ (0.5, 0.5)
    to_square *= side
    to_square[:, 2] -= 0.5
    large = cv2.warpAffine(frame.pixels, to_square, (side, side), flags=cv2.INTER_LINEAR)
    square = np.asarray(cv2.resize(large, (ROI_SIDE_PX, ROI_SIDE_PX), interpolation=cv2.INTER_AREA), np.uint8)
    if frame_share(frame, placement) < 1:
        square = fill_wedges(square)
    return Roi(pixels=square)


def frame_share(frame: Frame, placement: Placement) -> float:
    """
    Return the share of the square, 0..1, that lies within the frame.
    """
    edges = np.array([(0, 0), (frame.width, 0), (frame.width, frame.height), (0, frame.height)], np.float32)
    corners = placement.corners().astype(np.float32)
    whole = abs(cv2.contourArea(corners))
    if np.all((corners >= 0) & (corners <= (frame.width, frame.height))):
        return 1.0
    inside, _ = cv2.intersectConvexConvex(cv2.convexHull(corners), cv2.convexHull(edges))
    return float(min(inside / whole, 1.0))


def square_to_roi(picture: Frame) -> Roi:
    """
    Return a square that another program cropped, of any size, as a `Roi`: averaged by area, black wedges filled in.
    """
    size = (ROI_SIDE_PX, ROI_SIDE_PX)
    return Roi(pixels=fill_wedges(np.asarray(cv2.resize(picture.pixels, size, interpolation=cv2.INTER_AREA), np.uint8)))


def fill_wedges(square: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """
    Return `square` (128, 128, 3) with its black wedges filled with their blurred surroundings, which hold no line.
    """
    black = (square.max(axis=-1) <= BLACK_MAX).astype(np.uint8)
    opened = cv2.morphologyEx(black, cv2.MORPH_OPEN, np.ones((WEDGE_OPENING_PX, WEDGE_OPENING_PX), np.uint8))
    wedge = cv2.dilate(opened, np.ones((5, 5), np.uint8)).astype(bool)
    if not wedge.any() or wedge.all():
        return square
    known = np.where(wedge, 0, 1).astype(np.float32)
    colour = square[~wedge].mean(axis=0)
    near = cv2.GaussianBlur((square - colour).astype(np.float32) * known[..., None], (0, 0), WEDGE_BLUR_PX)
    weight = cv2.GaussianBlur(known, (0, 0), WEDGE_BLUR_PX)[..., None]
    filled = np.clip(colour + near / (weight + 1e-2), 0, 255).astype(np.uint8)  # Far from any skin: the mean colour.
    return np.where(wedge[..., None], filled, square)
