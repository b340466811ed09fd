"""
A drawn person is one person: in every picture the same palm, found by the hand finder, and nobody else's.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from handsel.drawn.camera import as_jpeg
from handsel.drawn.hand import SQUARE_RIGHT_MM, SQUARE_SIDE_MM, SQUARE_TOP_MM
from handsel.drawn.person import FRAME_HEIGHT, FRAME_WIDTH, DrawnPerson
from handsel.drawn.picture import place
from handsel.vision.embedding import best_cosine
from handsel.vision.frame import Frame, decode_frame
from handsel.vision.read_palm import PalmReader, PalmReading, merge_readings
from handsel.vision.roi import place_square


def test_a_shot_is_always_the_same_picture(people: tuple[DrawnPerson, ...]) -> None:
    first, again = people[0].frame(2), DrawnPerson(people[0].seed).frame(2)

    assert np.array_equal(first, again)
    assert first.shape == (FRAME_HEIGHT, FRAME_WIDTH, 3)
    assert first.dtype == np.uint8


def test_two_people_and_two_shots_are_different_pictures(people: tuple[DrawnPerson, ...]) -> None:
    pictures = {person.frame(shot, width=320, height=240).tobytes() for person in people for shot in range(2)}

    assert len(pictures) == 2 * len(people)


@pytest.mark.parametrize(("width", "height"), [(640, 480), (1280, 720), (480, 640)])
def test_a_picture_has_the_size_that_was_asked_for(width: int, height: int) -> None:
    assert DrawnPerson(3).frame(0, width=width, height=height).shape == (height, width, 3)


def test_a_jpeg_shows_the_picture(people: tuple[DrawnPerson, ...]) -> None:
    shown = decode_frame(as_jpeg(people[0].frame(1), quality=92)).pixels.astype(np.float32)
    drawn = people[0].frame(1).astype(np.float32)

    assert np.abs(shown - drawn).mean() < 3


def test_all_skins_and_both_hands_occur() -> None:
    people = [DrawnPerson(seed) for seed in range(40)]
    tones = [person.skin.tone for person in people]

    assert min(tones) < 0.1
    assert max(tones) > 0.9
    assert {person.is_right_handed for person in people} == {True, False}


def _of_tone(tone: float) -> DrawnPerson:
    """
    Return the person, of sixty, whose skin is nearest to `tone`.
    """
    return min((DrawnPerson(seed) for seed in range(60)), key=lambda person: abs(person.skin.tone - tone))


@pytest.mark.parametrize("tone", [0.0, 0.25, 0.5, 0.75, 1.0], ids=lambda tone: f"tone {tone}")
def test_the_finder_finds_a_hand_of_every_skin(reader: PalmReader, tone: float) -> None:
    person = _of_tone(tone)

    for shot in range(3):
        hands = reader.finder.find(Frame(pixels=person.frame(shot)))

        assert len(hands) == 1
        thumb_x, little_x = hands[0].landmarks[2, 0], hands[0].landmarks[17, 0]
        # A palm held out upright has its thumb on the camera's right if it is that of a right hand.
        assert (thumb_x > little_x) == person.is_right_handed


def test_the_palm_square_lies_where_the_lines_were_laid(reader: PalmReader, people: tuple[DrawnPerson, ...]) -> None:
    """
    The finder's square is that of the drawing: its centre within a tenth of its side, its side within a seventh.
    """
    for person in people:
        shot = person.shot(0)
        to_picture = place(shot.pose, is_right=person.is_right_handed, width=FRAME_WIDTH, height=FRAME_HEIGHT)
        hand = reader.finder.find(Frame(pixels=person.frame_of(shot)))[0]
        placement = place_square(hand)
        assert placement is not None
        corners = np.column_stack([placement.corners(), np.ones(4)]) @ np.linalg.inv(to_picture).T
        found_mm = corners[:, :2] / corners[:, 2:]

        middle = np.array([SQUARE_RIGHT_MM - SQUARE_SIDE_MM / 2, SQUARE_TOP_MM + SQUARE_SIDE_MM / 2])
        assert np.linalg.norm(found_mm.mean(axis=0) - middle) < SQUARE_SIDE_MM / 10
        side = np.linalg.norm(found_mm[1] - found_mm[0])
        assert abs(side / SQUARE_SIDE_MM - 1) < 1 / 7


def test_people_are_recognised_as_themselves_and_as_nobody_else(
    reader: PalmReader, people: tuple[DrawnPerson, ...]
) -> None:
    """
    Enrolled from three shots and asked with a fourth, everyone reaches the threshold, and nobody another's.
    """
    readings: dict[int, list[PalmReading]] = {}
    for person in people:
        answers = [reader.read(Frame(pixels=person.frame(shot))) for shot in range(4)]
        readings[person.seed] = [answer for answer in answers if isinstance(answer, PalmReading)]
        assert len(readings[person.seed]) == 4
    enrolled = {seed: merge_readings(tuple(found[:3])) for seed, found in readings.items()}

    for seed, found in readings.items():
        for name, embedding in enrolled.items():
            score = best_cosine(probe=found[3].probe, enrolled=embedding)

            assert (score >= reader.model.threshold) is (name == seed)


@pytest.mark.parametrize("turn_deg", [90.0, 180.0, -135.0])
def test_a_hand_can_be_turned_at_will(reader: PalmReader, people: tuple[DrawnPerson, ...], turn_deg: float) -> None:
    person = people[1]
    upright = reader.read(Frame(pixels=person.frame(0)))
    still = person.shot(1)
    pose = replace(still.pose, turn_deg=turn_deg, x=0.5, y=0.5, length=0.6)
    turned = reader.read(Frame(pixels=person.frame_of(replace(still, pose=pose))))
    assert isinstance(upright, PalmReading)
    assert isinstance(turned, PalmReading)

    assert best_cosine(probe=turned.probe, enrolled=upright.probe.enrolment()) >= reader.model.threshold
