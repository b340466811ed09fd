"""
A presentation is the same for the same seed, and each kind takes the till's light as it should.
"""

from __future__ import annotations

import numpy as np
import pytest

from handsel.drawn.copy_of_hand import Instrument
from handsel.drawn.person import FRAME_HEIGHT, FRAME_WIDTH
from handsel.drawn.presentation import Presentation, draw_attack, draw_real
from handsel.drawn.sway import FRAMES
from handsel.errors import InvariantBroken

RED_THEN_BLUE = ((1.0, 0.0, 0.0), (0.0, 0.0, 1.0)) * (FRAMES // 2)
MIDDLE = np.s_[FRAME_HEIGHT // 2 - 40 : FRAME_HEIGHT // 2 + 80, FRAME_WIDTH // 2 - 40 : FRAME_WIDTH // 2 + 40]


def red_by_blue(presentation: Presentation) -> float:
    """
    Return how much redder the palm is in the first frame than in the second.
    """
    first, second = (frame[MIDDLE].reshape(-1, 3).mean(axis=0) for frame in presentation.frames[:2])
    return float((first[0] / first[2]) / (second[0] / second[2]))


@pytest.fixture(scope="module")
def lit() -> dict[str, Presentation]:
    """
    Return a hand, a print and a screen under a till that shines red, then blue.
    """
    attacks = {
        each.value: draw_attack(5, each, till_colours=RED_THEN_BLUE) for each in (Instrument.CUT_OUT, Instrument.PHONE)
    }
    return {"real": draw_real(5, till_colours=RED_THEN_BLUE), **attacks}


def test_the_same_seed_is_the_same_presentation(lit: dict[str, Presentation]) -> None:
    again = draw_real(5, till_colours=RED_THEN_BLUE)

    assert all(np.array_equal(a, b) for a, b in zip(again.frames, lit["real"].frames, strict=True))
    assert not np.array_equal(draw_real(6).frames[0], again.frames[0])


def test_each_frame_is_a_picture_of_its_own(lit: dict[str, Presentation]) -> None:
    for presentation in lit.values():
        assert len(presentation.frames) == FRAMES
        assert all(frame.shape == (FRAME_HEIGHT, FRAME_WIDTH, 3) for frame in presentation.frames)
        assert not np.array_equal(presentation.frames[0], presentation.frames[1])


def test_skin_and_paper_take_the_tills_light_and_a_screen_hardly_does(lit: dict[str, Presentation]) -> None:
    assert red_by_blue(lit["real"]) > 1.1
    assert red_by_blue(lit["cut_out"]) > 1.1
    assert red_by_blue(lit["phone"]) < 1.06


def test_a_print_in_black_has_no_colour() -> None:
    print_in_black = draw_attack(5, Instrument.LASER_PRINT).frames[0][MIDDLE].astype(float)
    channels = print_in_black.reshape(-1, 3).mean(axis=0)

    coloured = draw_attack(5, Instrument.INKJET_PRINT).frames[0][MIDDLE].astype(float)

    assert np.ptp((print_in_black / channels).mean(axis=(0, 1))) < 1e-6
    hue = [float((each[..., 0] / each[..., 2]).std()) for each in (print_in_black, coloured)]
    assert hue[0] < hue[1]


def test_the_till_shows_one_colour_for_each_frame() -> None:
    with pytest.raises(InvariantBroken):
        draw_real(5, till_colours=((1.0, 1.0, 1.0),))
