"""
The strongest cue counts, an odd frame does not, and drawn copies are told from drawn hands where the cues reach.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from handsel.drawn.copy_of_hand import Instrument
from handsel.drawn.person import DrawnPerson
from handsel.drawn.presentation import Presentation, draw_attack, draw_real
from handsel.errors import InvariantBroken
from handsel.vision.attack_hint import (
    COLOUR,
    HINT_MIN,
    LEFT,
    PERIODIC,
    UNKNOWN,
    AttackHint,
    Levels,
    Measures,
    judge,
    measure,
    weigh,
)
from handsel.vision.frame import Frame
from handsel.vision.read_palm import PalmReader, PalmReading
from handsel.vision.sight import Sight, look_at

SKIN = Measures(periodic=PERIODIC.nothing, colour=COLOUR.nothing, left=LEFT.nothing, answer=None)
ASKED = ((1.0, 1.0, 1.0), (1.0, 0.1, 0.1), (0.1, 0.2, 1.0), (1.0, 1.0, 1.0))


def sights_of(reader: PalmReader, presentation: Presentation) -> tuple[Sight, ...]:
    """
    Return what is kept of the frames of which a palm is read: at least one.
    """
    readings = [replace(reader, look=look_at).read(Frame(pixels=pixels)) for pixels in presentation.frames]
    sights = tuple(each.sight for each in readings if isinstance(each, PalmReading) and each.sight is not None)
    assert sights
    return sights


def test_skin_gives_no_hint() -> None:
    assert judge(SKIN) == AttackHint(periodic=0, colourless=0, flat=0, dark=0)


@pytest.mark.parametrize("cue", ["periodic", "colourless", "flat", "dark"])
def test_each_cue_alone_is_enough_and_half_of_it_is_the_boundary(cue: str) -> None:
    nothing = AttackHint(periodic=0, colourless=0, flat=0, dark=0)

    assert replace(nothing, **{cue: HINT_MIN}).is_given
    assert not replace(nothing, **{cue: HINT_MIN - 1e-6}).is_given
    assert replace(nothing, **{cue: 0.9}).score == 0.9


@pytest.mark.parametrize(("measure", "score"), [(0, 0), (1, 0), (2, 0.5), (3, 1), (9, 1)])
def test_between_its_levels_a_cue_is_linear(measure: float, score: float) -> None:
    assert Levels(nothing=1, all=3).score(measure) == score
    assert Levels(nothing=3, all=1).score(4 - measure) == score


def test_levels_differ() -> None:
    with pytest.raises(InvariantBroken):
        Levels(nothing=1, all=1)


def test_one_odd_frame_says_nothing(reader: PalmReader) -> None:
    still = sights_of(reader, draw_real(7))
    odd = replace(still[0], periodic=99.0, colour=0.0)

    hint = weigh((odd, *still[1:]))

    assert hint == weigh(still) or (hint.periodic < HINT_MIN and hint.colourless < HINT_MIN)
    assert weigh((odd,) * 3).periodic == 1


def test_a_hint_is_made_of_a_frame_at_least() -> None:
    with pytest.raises(InvariantBroken):
        weigh(())


def test_a_drawn_hand_gives_none_and_a_moving_print_and_a_dark_screen_do(reader: PalmReader) -> None:
    real = sights_of(reader, draw_real(8, till_colours=ASKED))
    phone = sights_of(reader, draw_attack(8, Instrument.PHONE, till_colours=ASKED))
    assert len(real) == len(phone) == len(ASKED)
    black = weigh(sights_of(reader, draw_attack(8, Instrument.LASER_PRINT)))

    assert not weigh(real, shown=np.array(ASKED)).is_given
    assert weigh(phone, shown=np.array(ASKED)).dark >= HINT_MIN
    assert black.colourless >= HINT_MIN


def test_frames_whose_light_is_not_known_take_no_part_in_the_answer(reader: PalmReader) -> None:
    sights = sights_of(reader, draw_real(8, till_colours=ASKED))
    without_first = np.array([UNKNOWN, *ASKED[1:]])
    only_one = np.array([UNKNOWN, ASKED[1], UNKNOWN, UNKNOWN])

    assert measure(sights, shown=without_first).answer == measure(sights[1:], shown=np.array(ASKED[1:])).answer
    assert measure(sights, shown=only_one).answer is None
    assert measure(sights, shown=np.array([UNKNOWN] * 4)) == measure(sights)


def test_different_pictures_of_a_person_are_not_taken_for_a_sheet(reader: PalmReader) -> None:
    # The simulated camera shows one after the other: each in another pose and place.
    watching = replace(reader, look=look_at)
    readings = [watching.read(Frame(pixels=DrawnPerson(9).frame(shot))) for shot in range(4)]
    sights = tuple(each.sight for each in readings if isinstance(each, PalmReading) and each.sight is not None)

    assert len(sights) >= 2
    assert not weigh(sights).is_given
