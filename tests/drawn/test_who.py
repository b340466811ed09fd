"""
A person has an age that shows, two hands that are alike and not the same, and may be drawn by another painter.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from handsel.drawn.palm import PalmLines, draw_palm_lines
from handsel.drawn.person import DrawnPerson
from handsel.drawn.shot import OTHER_SURROUNDINGS, PLAIN_SURROUNDINGS
from handsel.drawn.stroke import MARGIN_PX, SQUARE_PX
from handsel.drawn.who import AGE_MAX, AGE_MIN, Style, WhichHand, draw_age, wear_of
from handsel.vision.frame import Frame
from handsel.vision.quality import Reason
from handsel.vision.read_palm import PalmReader, PalmReading

SEEDS = range(60)
SQUARE = slice(MARGIN_PX, MARGIN_PX + SQUARE_PX)


def by_age() -> tuple[list[int], list[int]]:
    """
    Return the twelve youngest and the twelve oldest of sixty people.
    """
    seeds = sorted(SEEDS, key=draw_age)
    return seeds[:12], seeds[-12:]


def test_ages_are_spread_evenly_from_20_to_80() -> None:
    ages = np.sort([draw_age(seed) for seed in range(3000)])

    expected = np.linspace(AGE_MIN, AGE_MAX, 3000)
    assert np.abs(ages - expected).max() < 2.5  # Kolmogorov: 1 % level at 1.63 / √3000 of 60 years.
    assert (wear_of(AGE_MIN), wear_of((AGE_MIN + AGE_MAX) / 2), wear_of(AGE_MAX)) == (0.0, 0.5, 1.0)


@pytest.mark.parametrize("style", Style)
def test_the_old_have_more_fine_wrinkles_and_a_rougher_skin(style: Style) -> None:
    young, old = ([draw_palm_lines(seed, style=style) for seed in seeds] for seeds in by_age())

    def wrinkled(palms: list[PalmLines]) -> float:
        return float(np.mean([np.mean(palm.fine[SQUARE, SQUARE] > 30) for palm in palms]))

    assert wrinkled(old) > 1.1 * wrinkled(young)
    assert np.mean([palm.texture.std() for palm in old]) > 1.2 * np.mean([palm.texture.std() for palm in young])


@pytest.mark.parametrize("style", Style)
def test_two_hands_of_one_person_are_mirrored_and_have_principal_lines_near_each_other(style: Style) -> None:
    """
    Blurred, the principal lines of the two hands of a person lie nearer to each other than to those of anybody else.
    """
    people = [[DrawnPerson(seed, style, hand) for hand in WhichHand] for seed in SEEDS[:14]]
    lines = np.array([[coarse(person.look.palm.principal) for person in hands] for hands in people])  # (14, 2, D)

    alike = lines[:, 0] @ lines[:, 1].T
    own, others = np.diag(alike), alike[~np.eye(len(people), dtype=bool)]
    assert own.mean() > others.mean() + 0.15
    for first, second in people:
        assert first.is_right_handed is not second.is_right_handed
        assert (first.age, first.skin.tone) == (second.age, second.skin.tone)
        assert not np.array_equal(first.look.palm.fine, second.look.palm.fine)


def coarse(layer: NDArray[np.uint8]) -> NDArray[np.float64]:
    """
    Return where the lines are, in cells of a sixteenth of a square, without mean and of unit norm.
    """
    cells = layer[SQUARE, SQUARE].reshape(16, 11, 16, 11).mean(axis=(1, 3)).ravel()
    centred = cells - cells.mean()
    return np.asarray(centred / np.linalg.norm(centred))


def test_the_first_hand_in_the_plain_style_is_who_a_seed_alone_names() -> None:
    assert DrawnPerson(5) == DrawnPerson(5, Style.PLAIN, WhichHand.FIRST)


def test_the_painters_share_neither_lines_nor_skin_nor_rooms() -> None:
    plain, other = DrawnPerson(5), DrawnPerson(5, Style.OTHER)

    assert plain.age == other.age
    assert not np.array_equal(plain.look.palm.principal, other.look.palm.principal)
    assert plain.skin.tone != other.skin.tone
    assert not set(PLAIN_SURROUNDINGS) & set(OTHER_SURROUNDINGS)
    for style, expected in ((Style.PLAIN, PLAIN_SURROUNDINGS), (Style.OTHER, OTHER_SURROUNDINGS)):
        assert {DrawnPerson(1, style).shot(number).surroundings for number in range(40)} == set(expected)


def test_only_the_other_painter_draws_gloss_and_dark_corners() -> None:
    shots = [DrawnPerson(1).shot(number) for number in range(20)]
    others = [DrawnPerson(1, Style.OTHER).shot(number) for number in range(20)]

    assert all((shot.light.gloss, shot.lens.vignette) == (0, 0) for shot in shots)
    assert np.mean([shot.light.gloss for shot in others]) > 0.1
    assert np.mean([shot.lens.vignette for shot in others]) > 0.1


def test_hands_of_the_other_painter_are_read(reader: PalmReader) -> None:
    answers = [reader.read(Frame(pixels=DrawnPerson(seed, Style.OTHER).frame(0))) for seed in range(101, 113)]

    assert sum(isinstance(answer, PalmReading) for answer in answers) >= 9
    assert all(isinstance(answer, PalmReading) or isinstance(answer.reason, Reason) for answer in answers)
