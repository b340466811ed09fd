"""
Draw what a camera sees when no palm can be read: nobody, a face, two hands, a hand too far, too close, in the dark.

All are RGB uint8 (height, width, 3), and the same for the same seed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from handsel.drawn.backdrop import draw_backdrop
from handsel.drawn.canvas import ByteArray, FloatArray, blurred
from handsel.drawn.person import FRAME_HEIGHT, FRAME_WIDTH, DrawnPerson
from handsel.drawn.picture import draw_picture, photographed
from handsel.drawn.shot import Lens, Light, Surroundings
from handsel.drawn.skin import draw_skin

_SEED_SCENE = 12
FAR_LENGTH, CLOSE_LENGTH = 0.18, 2.1  # A hand's length in picture heights.
DARK_EXPOSURE = 0.08
BLUR = 12.0  # In 1/1000 of the height.


def black(*, width: int = FRAME_WIDTH, height: int = FRAME_HEIGHT) -> ByteArray:
    """
    Return a black frame, as of a camera that is covered.
    """
    return np.zeros((height, width, 3), np.uint8)


def empty(seed: int, *, width: int = FRAME_WIDTH, height: int = FRAME_HEIGHT) -> ByteArray:
    """
    Return a room without anybody in it.
    """
    return photographed(_room(seed, width, height), Light(), Lens(), seed=seed, number=0)


def face(seed: int, *, width: int = FRAME_WIDTH, height: int = FRAME_HEIGHT) -> ByteArray:
    """
    Return a drawn face before a room, as of a customer who looks into the camera and shows no hand.
    """
    image = _room(seed, width, height)
    _draw_face(image, seed)
    return photographed(blurred(image, height / 500), Light(), Lens(), seed=seed, number=0)


def two_hands(
    left: DrawnPerson, right: DrawnPerson, shot: int, *, width: int = FRAME_WIDTH, height: int = FRAME_HEIGHT
) -> ByteArray:
    """
    Return the hands of two people side by side in one frame.
    """
    hands = []
    for person, x in ((left, 0.27), (right, 0.73)):
        still = person.shot(shot)
        pose = replace(still.pose, x=x, y=0.5, length=0.62, turn_deg=still.pose.turn_deg / 2, spread=1.0)
        hands.append((person.look, replace(still, pose=pose), person.is_right_handed))
    return draw_picture(tuple(hands), width=width, height=height)


def too_far(person: DrawnPerson, shot: int, *, width: int = FRAME_WIDTH, height: int = FRAME_HEIGHT) -> ByteArray:
    """
    Return a hand that is so far away that its lines are lost.
    """
    still = person.shot(shot)
    far = replace(still, pose=replace(still.pose, length=FAR_LENGTH))
    return person.frame_of(far, width=width, height=height)


def too_close(person: DrawnPerson, shot: int, *, width: int = FRAME_WIDTH, height: int = FRAME_HEIGHT) -> ByteArray:
    """
    Return a hand that is so close that the palm does not fit into the frame.
    """
    still = person.shot(shot)
    close = replace(still, pose=replace(still.pose, length=CLOSE_LENGTH, y=0.3))
    return person.frame_of(close, width=width, height=height)


def in_the_dark(person: DrawnPerson, shot: int, *, width: int = FRAME_WIDTH, height: int = FRAME_HEIGHT) -> ByteArray:
    """
    Return a hand with hardly any light on it.
    """
    still = person.shot(shot)
    dark = replace(still, light=replace(still.light, exposure=DARK_EXPOSURE))
    return person.frame_of(dark, width=width, height=height)


def out_of_focus(person: DrawnPerson, shot: int, *, width: int = FRAME_WIDTH, height: int = FRAME_HEIGHT) -> ByteArray:
    """
    Return a hand that the camera was not focused on.
    """
    still = person.shot(shot)
    soft = replace(still, lens=replace(still.lens, blur=BLUR, noise=0.8))
    return person.frame_of(soft, width=width, height=height)


def _room(seed: int, width: int, height: int) -> FloatArray:
    """
    Return a room out of focus.
    """
    rng = np.random.default_rng([_SEED_SCENE, seed])
    return draw_backdrop(rng, Surroundings.ROOM, width=width, height=height)


def _draw_face(image: FloatArray, seed: int) -> None:
    """
    Draw head and shoulders into `image`, in place.
    """
    height, width = image.shape[:2]
    rng = np.random.default_rng([_SEED_SCENE, seed, 1])
    skin = draw_skin(seed).palm * np.float32(0.92)
    hair = rng.uniform(20, 170) * np.array([1.0, rng.uniform(0.65, 0.9), rng.uniform(0.35, 0.8)])
    clothes = rng.uniform(30, 200, 3)

    def oval(x: float, y: float, half_x: float, half_y: float, colour: NDArray[np.floating[Any]]) -> None:
        middle = int((width / 2 + x * height) * 16), int(y * height * 16)
        axes = int(half_x * height * 16), int(half_y * height * 16)
        cv2.ellipse(image, middle, axes, 0, 0, 360, colour.astype(float).tolist(), -1, cv2.LINE_AA, 4)

    oval(0, 1.12, 0.42, 0.34, clothes)
    oval(0, 0.36, 0.235, 0.26, hair)
    oval(0, 0.78, 0.09, 0.13, skin * np.float32(0.85))
    oval(0, 0.45, 0.2, 0.27, skin)
    for side in (-1, 1):
        oval(side * 0.2, 0.46, 0.025, 0.05, skin * np.float32(0.9))
        oval(side * 0.078, 0.345, 0.045, 0.009, hair * 0.8)
        oval(side * 0.078, 0.4, 0.036, 0.018, np.array([240.0, 238.0, 232.0]))
        oval(side * 0.078, 0.4, 0.016, 0.017, np.array([60.0, 45.0, 35.0]))
        oval(side * 0.016, 0.535, 0.009, 0.006, skin * np.float32(0.6))
    oval(0, 0.5, 0.022, 0.035, skin * np.float32(0.94))
    oval(0, 0.61, 0.065, 0.017, np.array([175.0, 85.0, 85.0]))
    oval(0, 0.608, 0.058, 0.003, np.array([90.0, 40.0, 40.0]))
