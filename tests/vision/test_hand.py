"""
A hand is found wherever it is and however it is turned; what is no hand is not.
"""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from handsel.drawn.person import DrawnPerson
from handsel.drawn.picture import draw_picture
from handsel.drawn.shot import Shot
from handsel.errors import InvariantBroken
from handsel.vision.frame import Frame
from handsel.vision.hand import BORDER_SHARE, LANDMARKS, Hand, MediaPipeHandFinder, Side, frame_in_black
from handsel.vision.read_palm import PalmReader
from tests.vision.conftest import draw_face, draw_noise, draw_ovals

# A left palm, fingers up, in an image that is not mirrored: the thumb is on the left.
LEFT = {0: (50, 100), 5: (38, 45), 9: (47, 42), 13: (56, 45), 17: (64, 50)}


@pytest.fixture(scope="module")
def finder(reader: PalmReader) -> MediaPipeHandFinder:
    """
    Return the finder in use.
    """
    return cast(MediaPipeHandFinder, reader.finder)


def hand(places: dict[int, tuple[int, int]]) -> Hand:
    """
    Return a hand with some of its landmarks in place.
    """
    landmarks = np.zeros((LANDMARKS, 2), np.float32)
    for index, place in places.items():
        landmarks[index] = place
    return Hand(landmarks=landmarks, score=1.0, palm_score=1.0)


def turned(shot: Shot, turn_deg: float) -> Shot:
    """
    Return `shot` with the hand at another turn, small enough to stay in the frame.
    """
    return dataclasses.replace(shot, pose=dataclasses.replace(shot.pose, turn_deg=turn_deg, length=0.6, x=0.5, y=0.5))


def test_the_side_follows_from_the_knuckles_at_any_turn_and_flips_in_a_mirror() -> None:
    left = hand(LEFT).landmarks
    mirrored = left * np.array([-1, 1], np.float32)
    for turn_deg in range(0, 360, 30):
        c, s = np.cos(np.deg2rad(turn_deg)), np.sin(np.deg2rad(turn_deg))
        turn = np.array([[c, s], [-s, c]], np.float32)

        assert Hand(landmarks=left @ turn, score=1.0, palm_score=1.0).side == Side.LEFT
        assert Hand(landmarks=mirrored @ turn, score=1.0, palm_score=1.0).side == Side.RIGHT


def test_reach_tells_an_open_hand_from_a_fist() -> None:
    roots = dict.fromkeys((5, 9, 13, 17), (0, 100))

    assert hand(roots | dict.fromkeys((8, 12, 16, 20), (0, 180))).finger_reach == pytest.approx(1.8)
    assert hand(roots | dict.fromkeys((8, 12, 16, 20), (0, 80))).finger_reach == pytest.approx(0.8)


def test_a_hand_refuses_missing_or_infinite_landmarks_and_shows_none() -> None:
    assert repr(hand(LEFT)) == "Hand(score=1.0, palm_score=1.0)"
    for landmarks in (np.zeros((20, 2), np.float32), np.full((LANDMARKS, 2), np.nan, np.float32)):
        with pytest.raises(InvariantBroken):
            Hand(landmarks=landmarks, score=1.0, palm_score=1.0)


@pytest.mark.parametrize(("width", "height"), [(640, 480), (480, 640), (100, 101)])
def test_a_picture_stands_in_the_middle_of_a_black_square(width: int, height: int) -> None:
    picture = np.full((height, width, 3), 200, np.uint8)

    square, (x, y) = frame_in_black(picture)

    assert square.shape[0] == square.shape[1]
    assert min(x, y) >= round(BORDER_SHARE * max(width, height))
    assert np.array_equal(square[y : y + height, x : x + width], picture)
    assert int(square.sum()) == int(picture.sum())


def test_a_hand_is_found_at_any_turn_and_where_it_is(finder: MediaPipeHandFinder) -> None:
    person = DrawnPerson(9)
    upright = _only(finder, person.frame_of(turned(person.shot(1), 0), width=960, height=720))
    middle = np.array([480, 360])
    for turn_deg in range(45, 360, 45):
        found = _only(finder, person.frame_of(turned(person.shot(1), turn_deg), width=960, height=720))
        c, s = np.cos(np.deg2rad(turn_deg)), np.sin(np.deg2rad(turn_deg))
        expected = (upright.landmarks - middle) @ np.array([[c, s], [-s, c]]) + middle

        # A tenth of the palm: the drawn hand keeps its small tilt while it turns, and the nets are no ruler.
        assert np.abs(found.landmarks - expected)[[0, 5, 9, 13, 17]].max() < 0.1 * upright.palm_length_px
        assert found.side == upright.side


def _only(finder: MediaPipeHandFinder, pixels: NDArray[np.uint8]) -> Hand:
    hands = finder.find(Frame(pixels=pixels))
    assert len(hands) == 1
    return hands[0]


def test_a_hand_is_found_in_small_dim_and_upright_frames(finder: MediaPipeHandFinder) -> None:
    pixels = DrawnPerson(9).frame(0)
    for shown in (pixels[::3, ::3], pixels // 4, np.rot90(pixels)):
        assert len(finder.find(Frame(pixels=np.ascontiguousarray(shown)))) == 1


def test_two_hands_are_two(finder: MediaPipeHandFinder) -> None:
    hands = []
    for seed, x in ((9, 0.27), (10, 0.73)):
        person = DrawnPerson(seed)
        pose = dataclasses.replace(person.shot(0).pose, x=x, y=0.5, length=0.55, turn_deg=0.0)
        hands.append((person.look, dataclasses.replace(person.shot(0), pose=pose), person.is_right_handed))

    found = finder.find(Frame(pixels=draw_picture(tuple(hands), width=1280, height=720)))

    assert len(found) == 2


@pytest.mark.parametrize("draw", [draw_face, draw_noise, draw_ovals])
@pytest.mark.parametrize("seed", range(8))
def test_what_is_no_hand_is_not_found(finder: MediaPipeHandFinder, draw: object, seed: int) -> None:
    assert callable(draw)

    assert finder.find(draw(seed)) == ()


def test_an_empty_and_a_black_frame_hold_no_hand(finder: MediaPipeHandFinder) -> None:
    for grey in (0, 90, 255):
        assert finder.find(Frame(pixels=np.full((480, 640, 3), grey, np.uint8))) == ()


def test_nothing_reaches_standard_error() -> None:
    script = (
        "from handsel.drawn.person import DrawnPerson\n"
        "from handsel.vision.frame import Frame\n"
        "from handsel.vision.hand import MediaPipeHandFinder\n"
        "finder = MediaPipeHandFinder()\n"
        "raise SystemExit(len(finder.find(Frame(pixels=DrawnPerson(9).frame(0)))) + 40)\n"
    )

    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60, check=False)

    assert (ended.returncode, ended.stderr, ended.stdout) == (41, b"", b"")
