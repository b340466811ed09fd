"""
What is kept of a frame is small, in true proportions, and tells a print in black from skin.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from handsel.drawn.person import DrawnPerson
from handsel.vision.frame import Frame
from handsel.vision.read_palm import PalmReader, PalmReading
from handsel.vision.roi import Roi
from handsel.vision.sight import SIDE_PX, Sight, colourfulness, look_at


@pytest.fixture(scope="module")
def sight(reader: PalmReader, drawn_frame: Frame) -> Sight:
    """
    Return what is kept of a good frame.
    """
    reading = replace(reader, look=look_at).read(drawn_frame)
    assert isinstance(reading, PalmReading)
    assert reading.sight is not None
    return reading.sight


def test_the_small_picture_holds_the_hand_where_the_landmarks_say(sight: Sight, drawn_frame: Frame) -> None:
    assert sight.small.shape == (SIDE_PX * drawn_frame.height // drawn_frame.width, SIDE_PX)
    assert (sight.landmarks >= 0).all()
    assert (sight.landmarks < (sight.small.shape[1], sight.small.shape[0])).all()


def test_glow_is_linear_light(sight: Sight, drawn_frame: Frame) -> None:
    red, green, blue = sight.glow

    assert 0 < blue < red < 1
    assert green < red


def test_what_is_printed_in_black_has_one_hue_in_any_light(reader: PalmReader) -> None:
    pixels = cv2.resize(DrawnPerson(9).frame(0)[300:500, 380:580], (128, 128))
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None]
    warm = np.clip(grey * np.array([1.0, 0.8, 0.5]), 0, 255).astype(np.uint8)

    assert colourfulness(Roi(np.asarray(pixels, np.uint8))) > 0.1
    assert colourfulness(Roi(warm)) < 0.05


def test_nothing_is_kept_where_nobody_asked(reader: PalmReader, drawn_reading: PalmReading) -> None:
    assert reader.look is None
    assert drawn_reading.sight is None


def test_the_repr_shows_no_picture(sight: Sight) -> None:
    assert "array" not in repr(sight)
