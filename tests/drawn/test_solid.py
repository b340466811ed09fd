"""
A hand without depth is seen as a homography sees it; one with depth is not.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from handsel.drawn.canvas import FloatArray
from handsel.drawn.hand import Sheet
from handsel.drawn.person import DrawnPerson
from handsel.drawn.picture import from_sheet, place
from handsel.drawn.shot import Pose
from handsel.drawn.solid import SolidHand, draw_solid, see_solid

STILL = (0.0,) * 5
WIDTH, HEIGHT = 320, 240
TILTED = Pose(turn_deg=12, pitch_deg=14, roll_deg=-10, length=0.7)


def solid_of(seed: int) -> SolidHand:
    """
    Return a person's hand.
    """
    person = DrawnPerson(seed)
    return draw_solid(person.look, person.shot(0), np.random.default_rng(seed))


def seen_cover(solid: SolidHand, pose: Pose, *, is_right: bool, flex_deg: tuple[float, ...] = STILL) -> FloatArray:
    """
    Return where the hand is seen.
    """
    return see_solid(solid, pose, flex_deg, STILL, is_right=is_right, width=WIDTH, height=HEIGHT).cover


def homography_cover(solid: SolidHand, pose: Pose, *, is_right: bool) -> FloatArray:
    """
    Return where the flat sheet of the hand is seen.
    """
    corner, px_per_mm = (-112.0, -204.0), solid.cover.shape[1] / 202.0
    sheet = Sheet(solid.in_room, solid.cover, corner, round(px_per_mm, 1))
    matrix = from_sheet(sheet, place(pose, is_right=is_right, width=WIDTH, height=HEIGHT))
    return np.asarray(cv2.warpPerspective(solid.cover, matrix, (WIDTH, HEIGHT)), np.float32)


@pytest.mark.parametrize("is_right", [True, False])
def test_a_hand_without_depth_is_seen_as_a_homography_sees_it(is_right: bool) -> None:
    flat = replace(solid_of(3), height_mm=np.zeros_like(solid_of(3).height_mm))

    seen = seen_cover(flat, TILTED, is_right=is_right)

    assert seen.sum() > 5000
    assert np.abs(seen - homography_cover(flat, TILTED, is_right=is_right)).mean() < 1e-3


def test_a_hand_with_depth_is_not() -> None:
    solid = solid_of(3)

    seen = seen_cover(solid, TILTED, is_right=False)

    assert np.abs(seen - homography_cover(solid, TILTED, is_right=False)).mean() > 5e-3


def test_a_finger_that_bends_towards_the_camera_looks_shorter() -> None:
    solid = solid_of(3)

    straight, bent = (seen_cover(solid, Pose(), is_right=False, flex_deg=(deg,) * 4 + (0.0,)) for deg in (0.0, 50.0))

    assert np.nonzero(bent.max(axis=1) > 0.5)[0][0] > np.nonzero(straight.max(axis=1) > 0.5)[0][0] + 8
