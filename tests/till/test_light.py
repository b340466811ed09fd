"""
The screen's colours are no flash and no red one, any two are a question, and chance orders them; an agent that shows
them hints at a drawn screen that does not answer, and lets a drawn hand pass.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cache
from itertools import pairwise, permutations, product
from pathlib import Path

import numpy as np
import pytest

from handsel.config import AttackHintSetting
from handsel.drawn.copy_of_hand import Instrument
from handsel.drawn.presentation import SHOWN, Colour, Presentation, draw_attack, draw_real
from handsel.drawn.sway import FRAMES
from handsel.till.agent_state import AgentState
from handsel.till.light import Light, lights_of, next_light
from handsel.till.session import CHARGE_FRAMES, ENROLMENT_FRAMES
from handsel.vision.eyes import open_reader
from handsel.vision.frame import Frame
from handsel.vision.lamp_answer import answer_to_light
from handsel.vision.quality import Reason
from handsel.vision.read_palm import PalmReader, PalmReading
from handsel.vision.sight import Sight, look_at
from tests.till.conftest import Till
from tests.till.fakes import COFFEE, FakeAcquirer, Keyring, Stream, picture, reading

LUMINANCE_CHANGE_MAX = 0.10  # Of full: a smaller one is no flash (WCAG 2.2, "general flash").
RED_SHARE_MAX = 0.8  # From here on a red is saturated (WCAG 2.2, "red flash").
PAIRS = tuple(permutations(Light, 2))
PERSON = 6  # Of the drawn people: neither hand nor monitor gives a hint by anything but its answer to light.

Draw = Callable[[tuple[Colour, ...]], Presentation]


@cache
def eyes() -> PalmReader:
    """
    Return the reader in use, which keeps what a hint is made of.
    """
    return dataclasses.replace(open_reader(), look=look_at)


def hand(colours: tuple[Colour, ...]) -> Presentation:
    """
    Return a drawn hand under these lights.
    """
    return draw_real(PERSON, till_colours=colours)


def monitor(colours: tuple[Colour, ...]) -> Presentation:
    """
    Return the same hand on a screen, which shines by itself.
    """
    return draw_attack(PERSON, Instrument.MONITOR, till_colours=colours)


def sight_of(presentation: Presentation, number: int) -> Sight:
    """
    Return what the reader in use keeps of one frame.
    """
    seen = eyes().read(Frame(pixels=presentation.frames[number]))
    assert isinstance(seen, PalmReading) and seen.sight is not None
    return seen.sight


def asked_till(keyring: Keyring, directory: Path, *, lights: tuple[Light, ...]) -> Till:
    """
    Return a till that shows these lights and is asked for a coffee.
    """
    till = Till(keyring, directory, FakeAcquirer(keyring), lights=lights)
    till.acquirer.told = COFFEE
    assert till.agent.poll().screen == "showing"
    return till


def hold_out(till: Till, draw: Draw) -> AgentState:
    """
    Hold out what is drawn under the light that the till asks for, for as many frames as a charge takes.
    """
    colours: tuple[Colour, ...] = ()
    for number in range(CHARGE_FRAMES):
        light = till.agent.state().light
        colours = (*colours, light.linear if light else SHOWN[number])
        presentation = draw(colours + colours[-1:] * (FRAMES - len(colours)))
        seen = dataclasses.replace(reading(1, shot=number), sight=sight_of(presentation, number))
        till.reader.sights = [seen]
        state = till.show(number)
    return state


def luminance(light: Light) -> float:
    """
    Return the relative luminance as WCAG 2.2 defines it, from what the page writes.
    """
    shares = [value / 255 for value in light.rgb]
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_no_change_of_light_is_a_flash(one: Light, other: Light) -> None:
    assert abs(luminance(one) - luminance(other)) < LUMINANCE_CHANGE_MAX


@pytest.mark.parametrize("light", Light)
def test_no_light_is_a_saturated_red(light: Light) -> None:
    assert light.rgb[0] / sum(light.rgb) < RED_SHARE_MAX
    assert light.linear[0] / sum(light.linear) < RED_SHARE_MAX


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_any_two_lights_are_a_question(one: Light, other: Light) -> None:
    shown = np.array([one.linear, other.linear])

    assert answer_to_light(1 + 0.1 * shown, shown) is not None
    assert answer_to_light(1 + 0.1 * shown, shown[[0, 0]]) is None


@pytest.mark.parametrize("frames", [CHARGE_FRAMES, ENROLMENT_FRAMES])
def test_the_good_frames_of_any_action_are_a_question_in_whatever_order(frames: int) -> None:
    orders = [order for order in product(Light, repeat=frames) if all(a is not b for a, b in pairwise(order))]
    assert len(orders) == 3 * 2 ** (frames - 1)

    for order in orders:
        shown = np.array([light.linear for light in order])
        assert answer_to_light(1 + 0.1 * shown, shown) is not None


def test_light_is_linear_from_nothing_to_all() -> None:
    # A stored 188 is half the light: IEC 61966-2-1.
    assert Light.PINK.rgb[1] == 187
    assert Light.PINK.linear[1] == pytest.approx(0.5, abs=0.01)
    assert (Light.AMBER.linear[0], Light.AMBER.linear[2]) == (1, 0)


def test_no_two_lights_in_a_row_are_equal_and_each_comes_by_chance() -> None:
    random, light, lights = Stream(), None, []
    for _ in range(300):
        light = next_light(tuple(Light), last=light, kept=None, random_bytes=random)
        lights.append(light)

    assert set(pairwise(lights)) == set(PAIRS)


@pytest.mark.parametrize("last", Light)
@pytest.mark.parametrize("kept", Light)
def test_the_next_light_is_another_than_that_of_the_last_good_frame(last: Light, kept: Light) -> None:
    for seed in range(20):
        light = next_light(tuple(Light), last=last, kept=kept.linear, random_bytes=Stream(seed))

        assert light not in (None, last, kept)


@pytest.mark.parametrize("setting", AttackHintSetting)
def test_lights_are_shown_where_the_setting_says_so_and_a_hint_is_looked_for(setting: AttackHintSetting) -> None:
    shown = () if setting is AttackHintSetting.OFF else tuple(Light)

    assert lights_of(setting, light_challenge=True) == shown
    assert lights_of(setting, light_challenge=False) == ()


def test_a_drawn_hand_in_the_tills_light_pays(keyring: Keyring, tmp_path: Path) -> None:
    till = asked_till(keyring, tmp_path, lights=tuple(Light))

    assert hold_out(till, hand).screen == "paid"


def test_a_drawn_screen_that_does_not_answer_is_asked_for_once_more(keyring: Keyring, tmp_path: Path) -> None:
    till = asked_till(keyring, tmp_path, lights=tuple(Light))

    state = hold_out(till, monitor)

    assert (state.screen, state.reason, state.good_frames) == ("reading", "once_more", 0)
    assert till.acquirer.debits_minor == []


def test_without_lights_the_same_screen_is_not_noticed(keyring: Keyring, tmp_path: Path) -> None:
    till = asked_till(keyring, tmp_path, lights=())

    assert till.agent.state().light is None
    assert hold_out(till, monitor).screen == "paid"


@pytest.mark.parametrize("lights", [tuple(Light), ()])
def test_a_light_that_is_not_known_or_not_asked_for_is_no_question(
    keyring: Keyring, tmp_path: Path, lights: tuple[Light, ...]
) -> None:
    till = asked_till(keyring, tmp_path, lights=lights)
    claimed = (None, None) if lights else (Light.AMBER, Light.SKY)
    dark = sight_of(monitor(SHOWN), 0)

    for number, light in enumerate(claimed):
        till.reader.sights = [dataclasses.replace(reading(1, shot=number), sight=dark)]
        state = till.agent.see(picture(number), session=till.agent.state().session, light=light)

    assert state.screen == "paid"


def test_two_good_frames_are_taken_in_different_lights_whatever_comes_between(keyring: Keyring, tmp_path: Path) -> None:
    for bad in range(4):
        till = asked_till(keyring, tmp_path / str(bad), lights=tuple(Light))
        first = till.agent.state().light
        till.reader.sights = [reading(1), *[Reason.TOO_FAR] * bad]
        for number in range(1 + bad):
            before, after = till.agent.state().light, till.show(number).light
            assert before is not after

        assert till.agent.state().light not in (None, first)


def test_no_light_is_asked_for_while_nobody_looks(keyring: Keyring, tmp_path: Path) -> None:
    till = Till(keyring, tmp_path, FakeAcquirer(keyring), lights=tuple(Light))

    assert till.agent.state().light is None
    till.acquirer.told = COFFEE
    assert till.agent.poll().light is not None
    assert till.hold_out(1).light is None
