"""
Judge whether a palm can be recognised in a picture, and say what the customer can do if not.

The reasons are ordered by precedence: the first that holds is the one that is said. Every threshold says where it comes
from; none was fitted to a person. Knows nothing of who anybody is.
"""

from __future__ import annotations

from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from handsel.vision.frame import Frame
from handsel.vision.hand import Hand
from handsel.vision.roi import Placement, Roi, frame_share

# Of 255, mean of the square's brightest colour. Lines are a tenth darker than skin: two and a half levels here, while a
# webcam's noise of three is averaged over several pixels.
LUMA_MIN = 25.0
SIDE_PX_MIN = 64.0  # The finest filter has 5 of 96 pixels a wave: 3.3 here; two are the least that shows a wave at all.
FRAME_FILLED_MAX = 0.6  # Of the frame's shorter side: a larger square that is cut off is too close, not off centre.
SEEN_SHARE_MIN = 0.5  # Of the landmarks: where most of the hand lies outside, the side of its palm is a guess.
FRAME_SHARE_MIN = 0.96  # The views look at the central 0.8, shifted by up to a tenth.
FORESHORTENING_MIN = 0.5  # A tilt of 60 degrees; drawn palms, held flat, have 0.8 and more.
FINGER_REACH_MIN = 1.25  # Straight fingers reach 1.8 times as far as the knuckles, a fist's less than one time.
PALM_SCORE_MIN = 0.2  # The finder is four times as sure of a back: a small or dim palm is given the doubt.
MISFIT_MAX = 0.12  # In sides: anchors that lie so unlike a palm's are something else.
SHARPNESS_MIN = 0.22  # Drawn palms: all above 0.24 under a blur of 2 pixels, most below 0.23 under one of 3.
SHARPNESS_FULL = 0.5  # From here on a sharper palm is not a better one.
GLARE_LUMA = 250  # Of 255: what is clipped holds no line.
GLARE_SHARE_MAX = 0.2  # Of the square: a fifth of the places is lost, the others still tell people apart.
COVER_CELLS = 16  # A side of the square: a cell's median, of 64 pixels, holds no line.
COVER_TINT = 0.18  # Log of red to green and of blue to green: drawn skin stays below, but for what shows at the edges.
COVER_DARK = 1.3  # Log of luma below its surroundings: a quarter of it. The edge of a shadow takes less.
COVER_ROUNDS = 3
COVER_FLOOR = 4.0  # Grey levels, so that a camera's noise in the dark has no tint.
COVERED_SHARE_MAX = 0.3  # Bare drawn palms have up to 0.11, the other painter's rarely more than this.
DETAIL_FLOOR = 0.3  # Grey levels: keeps a square without any line from being called sharp.


LUMA_WEIGHTS = np.array([0.299, 0.587, 0.114])  # Of red, green and blue: ITU-R BT.601.


class Reason(StrEnum):
    """
    Say why a palm was not read; ordered by precedence.
    """

    TOO_DARK = "too_dark"
    NO_HAND = "no_hand"
    TWO_HANDS = "two_hands"
    TOO_FAR = "too_far"
    TOO_CLOSE = "too_close"
    OUT_OF_FRAME = "out_of_frame"
    HAND_CLOSED = "hand_closed"
    TILTED = "tilted"
    GLARE = "glare"
    COVERED = "covered"
    BLURRED = "blurred"
    BACK_OF_HAND = "back_of_hand"

    @property
    def text(self) -> str:
        """
        Return what the customer can do, in one short sentence.
        """
        return TEXTS[self]


TEXTS = {
    Reason.TOO_DARK: "It is too dark here. Hold your hand in the light.",
    Reason.NO_HAND: "Hold your open palm in front of the camera.",
    Reason.TWO_HANDS: "Show one hand only.",
    Reason.TOO_FAR: "Hold your hand closer.",
    Reason.TOO_CLOSE: "Move your hand back a little.",
    Reason.OUT_OF_FRAME: "Move your hand to the middle.",
    Reason.HAND_CLOSED: "Open your hand and spread your fingers.",
    Reason.TILTED: "Turn your palm flat to the camera.",
    Reason.GLARE: "Turn your hand a little, away from the light.",
    Reason.COVERED: "Show a bare palm: something covers it.",
    Reason.BLURRED: "Hold your hand still.",
    Reason.BACK_OF_HAND: "Turn your hand: show its palm, not its back.",
}


def judge_frame(frame: Frame) -> Reason | None:
    """
    Return `TOO_DARK` where hardly anything in the frame is as bright as a palm must be.
    """
    return Reason.TOO_DARK if np.quantile(frame.pixels[::8, ::8].max(axis=-1), 0.98) < LUMA_MIN else None


def judge_hands(hands: tuple[Hand, ...]) -> Reason | None:
    """
    Return why these are not one hand.
    """
    if not hands:
        return Reason.NO_HAND
    return Reason.TWO_HANDS if len(hands) > 1 else None


def judge_side(frame: Frame, hand: Hand) -> Reason | None:
    """
    Return `BACK_OF_HAND` where the finder is sure of it, or `TOO_CLOSE` where it cannot be, with so little of the hand.

    Asked last, since a blurred palm may look like the back of a hand.
    """
    if hand.palm_score >= PALM_SCORE_MIN:
        return None
    is_inside = np.all((hand.landmarks >= 0) & (hand.landmarks <= (frame.width, frame.height)), axis=1)
    return Reason.BACK_OF_HAND if is_inside.mean() >= SEEN_SHARE_MIN else Reason.TOO_CLOSE


def judge_placement(frame: Frame, *, hand: Hand, placement: Placement | None) -> Reason | None:
    """
    Return why the palm does not lie in the frame as it should.
    """
    if placement is None or placement.misfit > MISFIT_MAX:
        return Reason.NO_HAND
    if placement.side_px < SIDE_PX_MIN:
        return Reason.TOO_FAR
    if frame_share(frame, placement) < FRAME_SHARE_MIN:
        is_large = placement.side_px > FRAME_FILLED_MAX * min(frame.width, frame.height)
        return Reason.TOO_CLOSE if is_large else Reason.OUT_OF_FRAME
    if hand.finger_reach < FINGER_REACH_MIN:
        return Reason.HAND_CLOSED
    if placement.foreshortening < FORESHORTENING_MIN:
        return Reason.TILTED
    return None


def judge_roi(roi: Roi) -> Reason | None:
    """
    Return why the square does not show a palm's lines.
    """
    grey = roi.grey()
    if brightness(roi) < LUMA_MIN:
        return Reason.TOO_DARK
    if np.mean(grey >= GLARE_LUMA) > GLARE_SHARE_MAX:  # Before blur: where light clips there are no lines either.
        return Reason.GLARE
    if covered_share(roi) > COVERED_SHARE_MAX:
        return Reason.COVERED
    return Reason.BLURRED if sharpness(roi) < SHARPNESS_MIN else None


def brightness(roi: Roi) -> float:
    """
    Return the mean of the square's brightest colour, 0..255: under coloured light one colour has to do.
    """
    return float(roi.pixels.mean(axis=(0, 1)).max())


def covered_share(roi: Roi) -> float:
    """
    Return the share of the square, 0..1, that is not of the palm's own colour, or far darker than the rest of it.

    1. Take the median colour of each of 16 × 16 cells: lines are thinner, and vanish.
    2. Take from tint and brightness what changes evenly over the square: light of two colours, or from one side.
    3. A cell is covered where its tint is not that of most cells; or it is dark.

    LIMITATIONS
    * A plaster of the skin's colour is skin to it. So is a cover of one colour that leaves no skin to compare with.
    * Ink counts where it fills most of a cell; a few words do not, and are not refused.
    """
    side = len(roi.pixels) // COVER_CELLS
    blocks = roi.pixels.reshape(COVER_CELLS, side, COVER_CELLS, side, 3).swapaxes(1, 2)
    cells = np.median(blocks.reshape(COVER_CELLS**2, side**2, 3), axis=1) + COVER_FLOOR  # (256, 3)
    red, green, blue = np.log(cells).T
    uneven = _less_even(np.column_stack([red - green, blue - green, np.log(cells @ LUMA_WEIGHTS)]))  # (256, 3)
    away = np.linalg.norm(uneven[:, :2], axis=1)
    return float(np.mean((away > COVER_TINT) | (uneven[:, 2] < -COVER_DARK)))


def _less_even(cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Return values of cells, (256, K), less the plane that most of them lie near.

    Least squares, weighted anew three times by how near each cell lies (Welsch's weights, of half the limits' scale).
    """
    y, x = (axis.ravel() for axis in np.mgrid[-1 : 1 : COVER_CELLS * 1j, -1 : 1 : COVER_CELLS * 1j])
    basis = np.column_stack([np.ones_like(x), x, y])
    left = cells - np.median(cells, axis=0)
    for _ in range(COVER_ROUNDS):
        away = np.hypot(np.linalg.norm(left[:, :2], axis=1) / COVER_TINT, left[:, 2] / COVER_DARK)
        weights = np.exp(-((2 * away) ** 2))
        root = np.sqrt(weights + 1e-6)[:, None]
        left = cells - basis @ np.linalg.lstsq(basis * root, cells * root, rcond=None)[0]
    return np.asarray(left, np.float64)


def sharpness(roi: Roi) -> float:
    """
    Return how much of the lines' detail is fine: a ratio, so that faint lines and dim light do not count as blur.

    Deviation of the band between blurs of 0.8 and 1.6 pixels over that between 2.4 and 4.8, in the square's middle.

    LIMITATIONS
    * A camera's noise is fine detail too: a blurred palm in a noisy picture passes, and is then not recognised.
    * So is what is left across the way of a palm that moved along one line: half of its lines stay sharp.
    """
    grey = roi.grey().astype(np.float32)
    edge = len(grey) // 10
    fine, coarse = (
        (cv2.GaussianBlur(grey, (0, 0), sigma) - cv2.GaussianBlur(grey, (0, 0), 2 * sigma))[edge:-edge, edge:-edge]
        for sigma in (0.8, 2.4)
    )
    return float(fine.std() / (coarse.std() + DETAIL_FLOOR))


def grade(roi: Roi, placement: Placement) -> float:
    """
    Return the quality of a palm that no judge refused, 0..1: that of its weakest side.
    """
    grey = roi.grey()
    margins = (
        sharpness(roi) / SHARPNESS_FULL,
        placement.side_px / len(grey),
        placement.foreshortening / np.cos(np.deg2rad(20)),
        brightness(roi) / (2 * LUMA_MIN),
        1 - float(np.mean(grey >= GLARE_LUMA)) / (2 * GLARE_SHARE_MAX),
    )
    return float(np.clip(min(margins), 0, 1))
