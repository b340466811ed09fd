"""
The same palm gives the same square: whatever the hand's turn, size, place and side, mirrored or tilted.

The oracle is closed-form: a smooth pattern is painted in the square's own coordinates; each frame shows it through a
known map, with the landmarks where the map puts them.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from handsel.errors import InvariantBroken
from handsel.vision.frame import Frame
from handsel.vision.hand import LANDMARKS, Hand
from handsel.vision.roi import (
    ANCHOR_PLACES,
    ANCHORS,
    ROI_SIDE_PX,
    SQUARE_CENTRE,
    SQUARE_SIDE,
    Placement,
    Roi,
    crop_roi,
    fill_wedges,
    frame_share,
    place_square,
    square_to_roi,
)

WIDTH, HEIGHT = 640, 480


def pattern(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Return the palm's colours at places of its square, (…, 3): smooth, and unlike its own turns and mirrors.
    """
    waves = (np.sin(9 * x + 2 * y), np.sin(3 * x * x - 8 * y), np.cos(6 * x * y + 4 * y))
    return np.asarray(128 + 60 * np.stack(waves, axis=-1), np.float64)


def to_frame(turn_deg: float, side_px: float, *, mirror: float = 1.0, tilt: float = 1.0) -> NDArray[np.float64]:
    """
    Return the map (2, 3) from places of the square to pixels of the frame, the square in the frame's middle.
    """
    c, s = np.cos(np.deg2rad(turn_deg)), np.sin(np.deg2rad(turn_deg))
    linear = np.array([[c, -s], [s, c]]) @ np.diag([tilt, mirror]) * side_px
    return np.column_stack([linear, np.array([WIDTH, HEIGHT]) / 2 - linear @ (0.5, 0.5)])


def shown(matrix: NDArray[np.float64]) -> tuple[Frame, Hand]:
    """
    Return a frame that shows the palm through `matrix`, and the hand as a perfect finder would find it.
    """
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH] + 0.5  # Centres of pixels.
    inverse = np.linalg.inv(matrix[:, :2])
    places = np.einsum("ij,jhw->ihw", inverse, np.stack([x, y]) - matrix[:, 2, None, None])
    frame = Frame(pixels=np.clip(pattern(*places), 0, 255).round().astype(np.uint8))
    landmarks = np.zeros((LANDMARKS, 2), np.float32)
    anchors = (np.array(ANCHOR_PLACES) - SQUARE_CENTRE) / SQUARE_SIDE + 0.5
    landmarks[list(ANCHORS)] = anchors @ matrix[:, :2].T + matrix[:, 2]
    return frame, Hand(landmarks=landmarks, score=1.0, palm_score=1.0)


def found(hand: Hand) -> Placement:
    """
    Return where the square lies, which it does.
    """
    placement = place_square(hand)
    assert placement is not None
    return placement


def expected_square() -> NDArray[np.float64]:
    """
    Return the pattern as the square shows it, seen straight.
    """
    y, x = (np.mgrid[0:ROI_SIDE_PX, 0:ROI_SIDE_PX] + 0.5) / ROI_SIDE_PX
    return pattern(x, y)


@pytest.mark.parametrize("mirror", [1.0, -1.0], ids=["one hand", "other hand or mirrored"])
@pytest.mark.parametrize("tilt", [1.0, 0.7], ids=["flat", "tilted"])
@pytest.mark.parametrize("side_px", [100.0, 200.0, 290.0])
@pytest.mark.parametrize("turn_deg", [0.0, 37.0, 90.0, 180.0, 251.0])
def test_a_palm_gives_one_square_however_it_is_shown(
    turn_deg: float, side_px: float, tilt: float, mirror: float
) -> None:
    frame, hand = shown(to_frame(turn_deg, side_px, mirror=mirror, tilt=tilt))

    square = crop_roi(frame, found(hand)).pixels

    assert np.abs(square - expected_square()).max() < 4


@pytest.mark.parametrize("tilt", [1.0, 0.8, 0.5])
def test_size_and_tilt_are_measured(tilt: float) -> None:
    _, hand = shown(to_frame(33.0, 200.0, tilt=tilt))

    placement = found(hand)

    assert placement.side_px == pytest.approx(200 * tilt, rel=1e-4)
    assert placement.foreshortening == pytest.approx(tilt, rel=1e-4)
    assert placement.misfit == pytest.approx(0, abs=1e-5)


def test_one_finger_out_of_place_is_a_misfit() -> None:
    _, hand = shown(to_frame(0.0, 200.0))
    landmarks = hand.landmarks.copy()
    landmarks[9] += 100

    assert found(Hand(landmarks=landmarks, score=1.0, palm_score=1.0)).misfit > 0.1


def test_landmarks_on_a_line_or_a_point_have_no_square() -> None:
    line = np.stack([np.arange(LANDMARKS), 2 * np.arange(LANDMARKS)], axis=1).astype(np.float32)

    assert place_square(Hand(landmarks=line, score=1.0, palm_score=1.0)) is None
    assert place_square(Hand(landmarks=np.full((LANDMARKS, 2), 7, np.float32), score=1.0, palm_score=1.0)) is None


@pytest.mark.parametrize(("shift", "share"), [(0.0, 1.0), (220.0, 1.0), (270.0, 0.75), (320.0, 0.5), (420.0, 0.0)])
def test_the_share_within_the_frame_is_an_area(shift: float, share: float) -> None:
    matrix = to_frame(0.0, 200.0)
    matrix[0, 2] += shift
    frame, hand = shown(matrix)

    assert frame_share(frame, found(hand)) == pytest.approx(share, abs=1e-3)


def test_what_lies_outside_the_frame_is_filled_with_no_edge() -> None:
    matrix = to_frame(0.0, 200.0)
    matrix[0, 2] += 250
    frame, hand = shown(matrix)

    square = crop_roi(frame, found(hand)).pixels

    assert square.min() > 2
    assert np.abs(square - expected_square())[:, :70].max() < 4


def test_black_wedges_are_filled_and_nothing_else_is_touched() -> None:
    square = np.full((ROI_SIDE_PX, ROI_SIDE_PX, 3), (180, 140, 120), np.uint8)
    with_wedge = square.copy()
    with_wedge[:40, :40] = 0
    with_wedge[100, 100] = 0  # A speck is no wedge.

    filled = fill_wedges(with_wedge)

    assert np.abs(filled[:40, :40].astype(int) - square[:40, :40]).max() <= 3
    assert np.array_equal(filled[50:], with_wedge[50:])
    assert fill_wedges(np.zeros_like(square)).max() == 0


@pytest.mark.parametrize("side", [64, 128, 150, 300])
def test_a_square_of_any_size_becomes_a_roi(side: int) -> None:
    y, x = (np.mgrid[0:side, 0:side] + 0.5) / side

    roi = square_to_roi(Frame(pixels=pattern(x, y).round().astype(np.uint8)))

    assert np.abs(roi.pixels - expected_square())[4:-4, 4:-4].mean() < 3


def test_a_roi_refuses_another_shape_and_shows_no_pixel() -> None:
    good = np.zeros((ROI_SIDE_PX, ROI_SIDE_PX, 3), np.uint8)

    assert repr(Roi(pixels=good)) == "Roi()"
    for pixels in (good[:-1], good[..., 0], good[None]):
        with pytest.raises(InvariantBroken):
            Roi(pixels=pixels)
