"""
One homography explains how a sheet moved, and not how two planes at different depths did.
"""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from handsel.drawn.picture import place
from handsel.drawn.shot import Pose
from handsel.vision.flatness import Motion, motion_between

WIDTH, HEIGHT = 640, 480
# A hand in pixels of the sheet: wrist, thumb, four fingers, as MediaPipe numbers them.
_ROOTS = ((230, 330), (265, 250), (310, 240), (350, 245), (385, 265))
_TIPS = ((150, 240), (240, 90), (310, 70), (370, 90), (430, 140))


def landmarks() -> NDArray[np.float32]:
    """
    Return an open hand.
    """
    points = [(320.0, 420.0)]
    for root, tip in zip(_ROOTS, _TIPS, strict=True):
        points += [tuple(np.array(root) + (np.array(tip) - root) * part) for part in (0, 0.4, 0.7, 1)]
    return np.array(points, np.float32)


def texture(seed: int) -> NDArray[np.float32]:
    """
    Return blotches of many sizes, float32 (HEIGHT, WIDTH).
    """
    noise = np.random.default_rng(seed).standard_normal((HEIGHT, WIDTH)).astype(np.float32)
    field = sum(cv2.GaussianBlur(noise, (0, 0), sigma) * sigma for sigma in (1.5, 3.0, 6.0))
    return np.clip(128 + 40 * np.asarray(field, np.float32), 0, 255)


def tilt(pitch_deg: float, roll_deg: float, *, turn_deg: float = 0.0, up_mm: float = 0.0) -> NDArray[np.float64]:
    """
    Return how the upright sheet, or one `up_mm` before it, moves to a tilt: a homography (3, 3) in pixels.
    """
    to = place(
        Pose(turn_deg=turn_deg, pitch_deg=pitch_deg, roll_deg=roll_deg), is_right=False, width=WIDTH, height=HEIGHT
    )
    upright = place(Pose(), is_right=False, width=WIDTH, height=HEIGHT)
    shift = np.array(
        [[1, 0, up_mm * np.tan(np.deg2rad(roll_deg))], [0, 1, up_mm * np.tan(np.deg2rad(pitch_deg))], [0, 0, 1]]
    )
    return np.asarray(to @ shift @ np.linalg.inv(upright.astype(np.float64)), np.float64)


def seen(picture: NDArray[np.float32], motion: NDArray[np.float64], seed: int) -> NDArray[np.uint8]:
    """
    Return `picture` after a motion, with a camera's noise.
    """
    moved = cv2.warpPerspective(picture, motion, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT_101)
    noisy = moved + 2 * np.random.default_rng(seed).standard_normal(moved.shape)
    return np.asarray(np.clip(noisy, 0, 255), np.uint8)


def measured(motion: NDArray[np.float64], *, thumb: NDArray[np.float64] | None = None) -> Motion:
    """
    Return the motion of a textured hand; below the line through the wrist and the index's root moves as `thumb` says.
    """
    hand, then = landmarks(), cv2.perspectiveTransform(landmarks()[None], motion)[0]
    after = seen(texture(1), motion, 3)
    if thumb is not None:
        half = np.zeros((HEIGHT, WIDTH), np.float32)
        half[:, :300] = 1
        moved_half = cv2.warpPerspective(half, motion, (WIDTH, HEIGHT))
        after = np.where(moved_half > 0.5, seen(texture(1), thumb, 4), after).astype(np.uint8)
    found = motion_between(seen(texture(1), np.eye(3), 2), after, landmarks=hand, then=np.asarray(then, np.float32))
    assert found is not None
    return found


@pytest.mark.parametrize(("pitch_deg", "roll_deg"), [(8, 0), (0, -8), (6, 5)])
def test_one_homography_explains_a_sheet(pitch_deg: float, roll_deg: float) -> None:
    motion = measured(tilt(pitch_deg, roll_deg))

    assert motion.bent > 0.8
    assert motion.left < 0.2 * motion.bent


def test_two_depths_are_not_explained() -> None:
    motion = measured(tilt(6, 5), thumb=tilt(6, 5, up_mm=25))

    assert motion.left > 0.4 * motion.bent


def test_what_moves_in_its_own_plane_does_not_bend() -> None:
    assert measured(tilt(0, 0, turn_deg=5)).bent < 0.3


def test_an_even_surface_cannot_be_followed() -> None:
    grey = np.full((HEIGHT, WIDTH), 128, np.uint8)

    assert motion_between(grey, grey, landmarks=landmarks(), then=landmarks()) is None


def test_another_picture_is_no_motion() -> None:
    first, other = seen(texture(1), np.eye(3), 1), seen(texture(9), np.eye(3), 2)

    assert motion_between(first, other, landmarks=landmarks(), then=landmarks()) is None
