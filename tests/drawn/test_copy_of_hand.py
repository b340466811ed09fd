"""
A copy keeps the shape of its photograph, and shines or reflects as its kind does.
"""

from __future__ import annotations

import numpy as np
import pytest

from handsel.drawn.canvas import FloatArray
from handsel.drawn.copy_of_hand import Illumination, Instrument, SeenCopy, draw_copy, see_copy
from handsel.drawn.lattice import Plane
from handsel.drawn.picture import HAND_MIDDLE_MM
from handsel.drawn.sensor import Sensor

SENSOR = Sensor(blur_px=0.3, fill=1.0, shot_noise=0.0, dark_noise=0.0, balance=0.0, quality=95)
HEIGHT, WIDTH = 60, 80
DARK, DAY = np.zeros(3, np.float32), np.ones(3, np.float32)


def seen(instrument: Instrument, *, room: FloatArray = DAY, till: FloatArray = DARK) -> SeenCopy:
    """
    Return what is seen of a grey photograph with a white left half, at three millimetres a pixel, in the middle.
    """
    photo = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    photo[:, : WIDTH // 2] = 255
    outline = np.zeros((HEIGHT, WIDTH), np.float32)
    outline[20:40, 20:60] = 1
    rng = np.random.default_rng(1)
    copy = draw_copy(photo, outline, instrument, length_px=182 / 3, rng=rng)
    x, y = np.meshgrid(np.arange(2 * WIDTH, dtype=np.float32), np.arange(2 * HEIGHT, dtype=np.float32))
    left, top = HAND_MIDDLE_MM[0] - 3 * WIDTH, HAND_MIDDLE_MM[1] - 3 * HEIGHT
    plane = Plane((x * 3 + left).astype(np.float32), (y * 3 + top).astype(np.float32))
    return see_copy(copy, plane, Illumination(room, till), sensor=SENSOR, facing=1.0, rng=rng)


def middle(copy: SeenCopy, column: int) -> FloatArray:
    """
    Return the mean light around a column of the photograph, (3,).
    """
    part = copy.light[HEIGHT - 15 : HEIGHT + 15, WIDTH // 2 + column - 8 : WIDTH // 2 + column + 8]
    return np.asarray(part.mean(axis=(0, 1)), np.float32)


@pytest.mark.parametrize("instrument", list(Instrument))
def test_white_stays_brighter_than_grey(instrument: Instrument) -> None:
    copy = seen(instrument)

    assert (middle(copy, 25) > 1.5 * middle(copy, 55)).all()


def test_in_the_dark_only_a_screen_shines() -> None:
    for instrument in Instrument:
        light = middle(seen(instrument, room=DARK), 25).mean()
        assert (light > 0.3) if instrument.is_screen else (light == 0)


def test_the_till_lights_paper_and_hardly_a_screen() -> None:
    red = np.array([0.3, 0, 0], np.float32)
    for instrument in Instrument:
        gain = float(middle(seen(instrument, till=red), 25)[0] / middle(seen(instrument), 25)[0])
        assert (gain < 1.03) if instrument.is_screen else (gain > 1.2)


def test_what_was_cut_out_has_no_surroundings() -> None:
    cut, whole = seen(Instrument.CUT_OUT).cover, seen(Instrument.INKJET_PRINT).cover

    assert cut.sum() == pytest.approx(20 * 40, rel=0.05)
    assert whole.sum() > WIDTH * HEIGHT


def test_a_print_in_black_is_grey() -> None:
    light = seen(Instrument.LASER_PRINT).light

    assert np.ptp(light, axis=2).max() < 1e-6
