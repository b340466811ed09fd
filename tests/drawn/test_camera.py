"""
A film is what Chromium takes for a camera: baseline JPEGs with halved colour, one after the other, and a whole visit.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from handsel.drawn.camera import (
    EMPTY_FRAMES,
    ENTER_FRAMES,
    FILM_FRAMES_MAX,
    HOLD_FRAMES,
    PLAYED_FRAMES_PER_S,
    film,
    visit_poses,
    write_mjpeg,
)
from handsel.drawn.canvas import ByteArray
from handsel.drawn.person import DrawnPerson
from handsel.drawn.shot import Pose
from handsel.errors import BadInput

START, END = b"\xff\xd8", b"\xff\xd9"
BASELINE, HUFFMAN_TABLES = 0xC0, 0xC4


def _plain(value: int, *, width: int = 32, height: int = 16) -> ByteArray:
    return np.full((height, width, 3), value, np.uint8)


def _segments(jpeg: bytes) -> dict[int, bytes]:
    """
    Return the segments before the scan, by the second byte of their marker (ITU T.81, annex B).
    """
    found: dict[int, bytes] = {}
    at = 2
    while jpeg[at + 1] != 0xDA:
        length = int.from_bytes(jpeg[at + 2 : at + 4], "big")
        found[jpeg[at + 1]] = jpeg[at + 4 : at + 2 + length]
        at += 2 + length
    return found


def test_a_film_is_whole_jpegs_one_after_the_other(tmp_path: Path) -> None:
    path = tmp_path / "visit"

    count = write_mjpeg(path, (_plain(value) for value in (10, 120, 240)), frames_per_s=PLAYED_FRAMES_PER_S)

    pictures = [START + part for part in path.read_bytes().split(START + b"\xff")[1:]]
    pictures = [picture[:2] + b"\xff" + picture[2:] for picture in pictures]
    assert count == len(pictures) == 3
    assert all(picture.endswith(END) for picture in pictures)
    shades = [cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_GRAYSCALE).mean() for picture in pictures]
    assert np.allclose(shades, (10, 120, 240), atol=2)


def test_a_picture_is_baseline_with_halved_colour_and_its_own_tables(tmp_path: Path) -> None:
    path = tmp_path / "visit"
    write_mjpeg(path, [_plain(99)], frames_per_s=PLAYED_FRAMES_PER_S)

    segments = _segments(path.read_bytes())

    frame = segments[BASELINE]
    assert (int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big")) == (16, 32)
    assert [frame[6 + 3 * i + 1] for i in range(3)] == [0x22, 0x11, 0x11]
    assert HUFFMAN_TABLES in segments


def test_slow_films_repeat_their_frames(tmp_path: Path) -> None:
    assert write_mjpeg(tmp_path / "visit", [_plain(1), _plain(2)], frames_per_s=10) == 6


@pytest.mark.parametrize("frames_per_s", [0, PLAYED_FRAMES_PER_S + 1])
def test_a_rate_that_cannot_be_played_is_refused(tmp_path: Path, frames_per_s: int) -> None:
    with pytest.raises(BadInput):
        write_mjpeg(tmp_path / "visit", [_plain(1)], frames_per_s=frames_per_s)


def test_odd_sides_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        write_mjpeg(tmp_path / "visit", [_plain(1, width=33)])


def test_a_film_without_end_is_refused(tmp_path: Path) -> None:
    one = _plain(1)

    with pytest.raises(BadInput):
        write_mjpeg(tmp_path / "visit", (one for _ in range(FILM_FRAMES_MAX)), frames_per_s=10)


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        write_mjpeg(tmp_path / "nowhere" / "visit", [_plain(1)])


def test_a_visit_begins_and_ends_with_nobody_and_holds_in_between() -> None:
    held = Pose(y=0.5)
    poses = visit_poses(held)

    assert all(pose.y > 2 for pose in (*poses[:EMPTY_FRAMES], poses[-1]))
    first = EMPTY_FRAMES + ENTER_FRAMES
    assert all(abs(pose.y - held.y) < 0.02 for pose in poses[first : first + HOLD_FRAMES])


def test_the_hand_moves_before_a_background_that_does_not() -> None:
    frames = list(film(DrawnPerson(2), 0, width=160, height=120))
    first, second = (frames[EMPTY_FRAMES + ENTER_FRAMES + i].astype(int) for i in (0, 5))

    assert np.abs(frames[0].astype(int) - frames[3]).max() == 0
    assert np.abs(first - second).max() > 20
