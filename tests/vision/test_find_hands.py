"""
A hand is found wherever it is and however it is turned; what is no hand is not.
"""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from handsel.drawn.person import DrawnPerson
from handsel.drawn.picture import draw_picture
from handsel.drawn.shot import Shot
from handsel.vision.eyes import open_finder
from handsel.vision.find_hands import (
    ANSWERS,
    CELLS,
    CROP_PX,
    CROP_SIDE,
    CROP_UP,
    STRIDE_PX,
    Palm,
    crop_matrix,
    cut_out,
    evened,
    palms_of,
)
from handsel.vision.frame import Frame
from handsel.vision.hand import Hand, HandFinder
from tests.vision.conftest import draw_face, draw_noise, draw_ovals


@pytest.fixture(scope="module")
def finder() -> HandFinder:
    """
    Return the finder in use.
    """
    return open_finder()


def turned(shot: Shot, turn_deg: float) -> Shot:
    """
    Return `shot` with the hand at another turn, small enough to stay in the frame.
    """
    return dataclasses.replace(shot, pose=dataclasses.replace(shot.pose, turn_deg=turn_deg, length=0.6, x=0.5, y=0.5))


def only(finder: HandFinder, pixels: NDArray[np.uint8]) -> Hand:
    """
    Return the one hand that is found.
    """
    hands = finder.find(Frame(pixels=np.ascontiguousarray(pixels)))
    assert len(hands) == 1
    return hands[0]


def test_a_hand_is_found_at_any_turn_and_where_it_is(finder: HandFinder) -> None:
    person = DrawnPerson(9)
    upright = only(finder, person.frame_of(turned(person.shot(1), 0), width=960, height=720))
    middle = np.array([480, 360])
    for turn_deg in range(45, 360, 45):
        found = only(finder, person.frame_of(turned(person.shot(1), turn_deg), width=960, height=720))
        c, s = np.cos(np.deg2rad(turn_deg)), np.sin(np.deg2rad(turn_deg))
        expected = (upright.landmarks - middle) @ np.array([[c, s], [-s, c]]) + middle

        # A tenth of the palm: the drawn hand keeps its small tilt while it turns, and the nets are no ruler.
        assert np.abs(found.landmarks - expected)[[0, 5, 9, 13, 17]].max() < 0.1 * upright.palm_length_px
        assert found.side == upright.side


def test_a_mirrored_hand_is_of_the_other_side_and_in_the_mirrored_place(finder: HandFinder) -> None:
    pixels = DrawnPerson(9).frame(0)
    hand, mirrored = only(finder, pixels), only(finder, pixels[:, ::-1])

    assert mirrored.side != hand.side
    expected = hand.landmarks * (-1, 1) + (pixels.shape[1], 0)
    assert np.abs(mirrored.landmarks - expected)[[0, 5, 9, 13, 17]].max() < 0.05 * hand.palm_length_px


def test_a_hand_is_found_in_small_dim_coloured_and_upright_frames(finder: HandFinder) -> None:
    pixels = DrawnPerson(9).frame(0)
    red = (pixels * np.array((1.0, 0.25, 0.2))).astype(np.uint8)
    blue = (pixels * np.array((0.2, 0.3, 1.0))).astype(np.uint8)
    for shown in (pixels[::3, ::3], pixels // 4, red, blue, np.rot90(pixels)):
        assert only(finder, shown).palm_score > 0.5


def test_two_hands_are_two(finder: HandFinder) -> None:
    hands = []
    for seed, x in ((9, 0.27), (10, 0.73)):
        person = DrawnPerson(seed)
        pose = dataclasses.replace(person.shot(0).pose, x=x, y=0.5, length=0.55, turn_deg=0.0)
        hands.append((person.look, dataclasses.replace(person.shot(0), pose=pose), person.is_right_handed))

    found = finder.find(Frame(pixels=draw_picture(tuple(hands), width=1280, height=720)))

    assert len(found) == 2
    assert found[0].score >= found[1].score


@pytest.mark.parametrize("draw", [draw_face, draw_noise, draw_ovals])
@pytest.mark.parametrize("seed", range(8))
def test_what_is_no_hand_is_not_found(finder: HandFinder, draw: object, seed: int) -> None:
    assert callable(draw)

    assert finder.find(draw(seed)) == ()


def test_an_empty_and_a_black_frame_hold_no_hand(finder: HandFinder) -> None:
    for grey in (0, 90, 255):
        assert finder.find(Frame(pixels=np.full((480, 640, 3), grey, np.uint8))) == ()


def test_the_smallest_and_the_narrowest_frame_are_looked_at(finder: HandFinder) -> None:
    for height, width in ((16, 16), (16, 1280), (1280, 16)):
        assert finder.find(Frame(pixels=np.full((height, width, 3), 90, np.uint8))) == ()


def test_a_cell_says_where_a_palm_lies_how_long_it_is_and_which_way_it_points() -> None:
    cells = np.full((ANSWERS, CELLS, CELLS), -9, np.float32)
    cells[:, 5, 7] = (4, 0.25, -0.5, np.log(3), 0, -2)
    cells[0, 5, 8] = 3  # A neighbour that is less sure is the same palm.

    (palm,) = palms_of(cells)

    assert palm.middle.tolist() == [7.75 * STRIDE_PX, 5 * STRIDE_PX]
    assert palm.way == pytest.approx([0, -3 * STRIDE_PX])


def test_a_crop_shows_the_palm_upright_at_its_place_and_size() -> None:
    pixels = np.zeros((400, 600, 3), np.uint8)
    wrist, knuckles = np.array([200.0, 200.0]), np.array([300.0, 200.0])  # Fingers to the right.
    for place in (wrist, knuckles):
        cv2.rectangle(pixels, (place - 4).astype(int).tolist(), (place + 3).astype(int).tolist(), (255, 255, 255), -1)

    crop = cut_out(pixels, crop_matrix(Palm(middle=(wrist + knuckles) / 2, way=knuckles - wrist)))

    length = CROP_PX / CROP_SIDE
    for up in (-0.5, 0.5):
        row = CROP_PX / 2 + (CROP_UP - up) * length
        part = crop[:, :, 0].astype(float)
        part[abs(np.arange(CROP_PX) - row) > 6] = 0
        rows, columns = (np.average(np.arange(CROP_PX) + 0.5, weights=part.sum(axis)) for axis in (1, 0))
        assert (rows, columns) == (pytest.approx(row, abs=0.15), pytest.approx(CROP_PX / 2, abs=0.15))


def test_evening_takes_out_the_colour_and_the_dimness_of_light() -> None:
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 256, (160, 160, 3)).astype(np.uint8)
    tinted = (pixels * np.array((0.9, 0.3, 0.15))).astype(np.uint8)

    difference = np.abs(evened(tinted).astype(float) - evened(pixels).astype(float))

    assert difference.mean() < 8  # Of 255; what is left is the rounding of the tinted picture.
    assert evened(np.full((16, 16, 3), 7, np.uint8)).shape == (16, 16, 3)


def test_nothing_reaches_standard_error() -> None:
    script = (
        "from handsel.drawn.person import DrawnPerson\n"
        "from handsel.vision.eyes import open_finder\n"
        "from handsel.vision.frame import Frame\n"
        "raise SystemExit(len(open_finder().find(Frame(pixels=DrawnPerson(9).frame(0)))) + 40)\n"
    )

    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60, check=False)

    assert (ended.returncode, ended.stderr, ended.stdout) == (41, b"", b"")
