"""
Film a drawn person who comes to a till: the hand comes in, holds, leaves; as a film that a browser takes for a camera.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from handsel.drawn.canvas import ByteArray
from handsel.drawn.person import DrawnPerson
from handsel.drawn.shot import Pose
from handsel.errors import BadInput

# Chromium plays the frames of a .mjpeg file at this rate and begins again at the end (media/capture, MjpegFileParser).
PLAYED_FRAMES_PER_S = 30
FILM_WIDTH, FILM_HEIGHT = 640, 480
FILM_FRAMES_PER_S = 10
FILM_FRAMES_MAX = 3000
FILM_QUALITY = 88
EMPTY_FRAMES, ENTER_FRAMES, HOLD_FRAMES, LEAVE_FRAMES = 6, 8, 40, 6
_OUTSIDE_Y = 2.2  # Below the picture by more than a hand.
_SWAY_DEG, _SWAY = 1.5, 0.006


def film(person: DrawnPerson, shot: int, *, width: int = FILM_WIDTH, height: int = FILM_HEIGHT) -> Iterator[ByteArray]:
    """
    Yield the frames of one visit, RGB: nobody, the hand comes in, holds with small movements, leaves. It can be looped.
    """
    still = person.shot(shot)
    for pose in visit_poses(still.pose):
        yield person.frame_of(replace(still, pose=pose), width=width, height=height)


def visit_poses(held: Pose) -> tuple[Pose, ...]:
    """
    Return where the hand is in each frame of a visit that holds it about as in `held`.
    """
    entering = 1 - np.linspace(0, 1, ENTER_FRAMES, endpoint=False) ** 0.5
    leaving = np.linspace(0, 1, LEAVE_FRAMES) ** 2
    away = [1.0] * EMPTY_FRAMES + entering.tolist() + [0.0] * HOLD_FRAMES + leaving.tolist()
    return tuple(
        replace(
            held,
            x=held.x + _SWAY * float(np.sin(i * 0.37)),
            y=held.y + _SWAY * float(np.sin(i * 0.23)) + (_OUTSIDE_Y - held.y) * part,
            turn_deg=held.turn_deg + _SWAY_DEG * float(np.sin(i * 0.29)),
        )
        for i, part in enumerate(away)
    )


def write_mjpeg(path: Path, frames: Iterable[ByteArray], *, frames_per_s: int = FILM_FRAMES_PER_S) -> int:
    """
    Write RGB `frames` as baseline JPEGs one after the other, and return how many pictures the file holds.

    A player shows `PLAYED_FRAMES_PER_S`, so each frame is repeated as often as it takes. Raises `BadInput`.
    """
    if not 1 <= frames_per_s <= PLAYED_FRAMES_PER_S:
        raise BadInput(f"a film has 1 to {PLAYED_FRAMES_PER_S} frames a second")
    repeats = round(PLAYED_FRAMES_PER_S / frames_per_s)
    count = 0
    try:
        with path.open("wb") as stream:
            for frame in frames:
                count += repeats
                if count > FILM_FRAMES_MAX:
                    raise BadInput(f"a film has at most {FILM_FRAMES_MAX} pictures")
                stream.write(as_jpeg(frame, quality=FILM_QUALITY) * repeats)
    except OSError as exc:
        raise BadInput(f"{path} cannot be written") from exc
    return count


def as_jpeg(frame: ByteArray, *, quality: int) -> bytes:
    """
    Return an RGB frame as a baseline JPEG with halved colour (4:2:0). Raises `BadInput` where a side is odd.
    """
    if frame.shape[0] % 2 or frame.shape[1] % 2:
        raise BadInput("a film's width and height are even")
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_PROGRESSIVE, 0]
    options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420]
    return cv2.imencode(".jpg", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), options)[1].tobytes()
