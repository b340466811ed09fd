"""
A frame is read, or the first reason that speaks against it is given; several readings make one enrolment.
"""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from handsel.drawn.person import DrawnPerson
from handsel.drawn.picture import draw_picture
from handsel.drawn.shot import Pose
from handsel.errors import InvariantBroken
from handsel.vision.embedding import Embedding, Probe, best_cosine
from handsel.vision.frame import Frame, decode_file, decode_frame
from handsel.vision.hand import Hand
from handsel.vision.quality import Reason
from handsel.vision.read_palm import (
    READINGS_MAX,
    PalmReader,
    PalmReading,
    Rejected,
    are_one_palm,
    merge_probes,
    merge_readings,
)
from tests.vision.conftest import draw_face

ENROLLED, STRANGERS, SHOTS = 20, 10, 4


@dataclass(frozen=True)
class FixedFinder:
    """
    Find the same hands in every frame.
    """

    hands: tuple[Hand, ...]

    def find(self, frame: Frame) -> tuple[Hand, ...]:
        """
        Return them.
        """
        del frame
        return self.hands


def read(reader: PalmReader, pixels: NDArray[np.uint8]) -> PalmReading:
    """
    Return what is read, which is a palm.
    """
    reading = reader.read(Frame(pixels=np.ascontiguousarray(pixels)))
    assert isinstance(reading, PalmReading)
    return reading


def readings_of(reader: PalmReader, person: DrawnPerson, *, count: int) -> tuple[PalmReading, ...]:
    """
    Return the first readings of a drawn person; now and then a picture shows the finder no hand.
    """
    results = (reader.read(Frame(pixels=person.frame(shot))) for shot in range(2 * count))
    readings = tuple(itertools.islice((one for one in results if isinstance(one, PalmReading)), count))
    assert len(readings) == count
    return readings


def posed(person: DrawnPerson, pose: Pose, **sizes: int) -> NDArray[np.uint8]:
    """
    Return the person's picture 0 in another pose.
    """
    return person.frame_of(dataclasses.replace(person.shot(0), pose=pose), **sizes)


def test_a_drawn_palm_matches_itself_at_any_turn_size_and_mirrored(
    reader: PalmReader, drawn_reading: PalmReading
) -> None:
    person = DrawnPerson(9)
    enrolled = drawn_reading.probe.enrolment()
    shown = [posed(person, Pose(turn_deg=turn_deg, length=0.6)) for turn_deg in (0, 70, 160, 250)]
    shown += [person.frame(1)[:, ::-1], person.frame(2)[::2, ::2], posed(person, Pose(pitch_deg=20, length=0.6))]

    scores = [best_cosine(probe=read(reader, pixels).probe, enrolled=enrolled) for pixels in shown]

    assert min(scores) > reader.model.threshold


def test_drawn_people_are_told_apart(reader: PalmReader) -> None:
    people = [readings_of(reader, DrawnPerson(seed), count=3) for seed in range(50, 58)]
    enrolled = [merge_readings(readings[:-1]) for readings in people]
    probes = [readings[-1].probe for readings in people]

    matches = score_all(probes, enrolled) >= reader.model.threshold

    assert np.array_equal(matches, np.eye(len(people), dtype=bool))


def score_all(probes: list[Probe], enrolled: list[Embedding]) -> NDArray[np.float64]:
    """
    Return the score of every probe against every enrolment.
    """
    return np.array([[best_cosine(probe=probe, enrolled=one) for one in enrolled] for probe in probes])


def test_each_bad_frame_is_rejected_with_its_reason(reader: PalmReader, drawn_frame: Frame) -> None:
    person = DrawnPerson(9)
    pixels = drawn_frame.pixels
    blurred = np.asarray(cv2.GaussianBlur(pixels, (0, 0), 14), np.uint8)
    flat = posed(person, Pose(length=0.6))
    two = draw_picture(
        tuple(
            (one.look, dataclasses.replace(one.shot(0), pose=Pose(x=x, length=0.55)), one.is_right_handed)
            for one, x in ((person, 0.27), (DrawnPerson(10), 0.73))
        ),
        width=1280,
        height=720,
    )
    frames = {
        Reason.TOO_DARK: np.zeros_like(pixels),
        Reason.NO_HAND: np.full_like(pixels, 130),
        Reason.TWO_HANDS: two,
        Reason.TOO_FAR: posed(person, Pose(length=0.24), width=640, height=480),
        Reason.OUT_OF_FRAME: flat[:, : pixels.shape[1] // 2 + 40],
        Reason.BLURRED: blurred,
    }

    reasons = {reason: reader.read(Frame(pixels=np.ascontiguousarray(shown))) for reason, shown in frames.items()}

    assert reasons == {reason: Rejected(reason) for reason in frames}


@pytest.mark.parametrize("seed", range(4))
def test_a_face_is_no_palm(reader: PalmReader, seed: int) -> None:
    assert reader.read(draw_face(seed)) == Rejected(Reason.NO_HAND)


def test_the_reason_with_precedence_is_given(reader: PalmReader, drawn_frame: Frame) -> None:
    hand = reader.finder.find(drawn_frame)[0]
    black = Frame(pixels=np.zeros_like(drawn_frame.pixels))
    grey = Frame(pixels=np.full_like(drawn_frame.pixels, 130))
    shrunk = Hand(landmarks=hand.landmarks * np.float32(0.1), score=1.0, palm_score=1.0)
    on_a_line = Hand(landmarks=hand.landmarks * np.array([1, 0], np.float32), score=1.0, palm_score=1.0)

    def reason(frame: Frame, *hands: Hand) -> PalmReading | Rejected:
        return PalmReader(finder=FixedFinder(hands), model=reader.model).read(frame)

    assert reason(black, hand, hand) == Rejected(Reason.TOO_DARK)
    assert reason(grey, shrunk, shrunk) == Rejected(Reason.TWO_HANDS)
    assert reason(grey, shrunk) == Rejected(Reason.TOO_FAR)
    assert reason(grey, on_a_line) == Rejected(Reason.NO_HAND)
    assert reason(grey, hand) == Rejected(Reason.BLURRED)


def reading(*rows: tuple[float, float], model_id: str = "m") -> PalmReading:
    """
    Return a reading with views of two numbers.
    """
    return PalmReading(probe=Probe(views=np.array(rows, np.float32), model_id=model_id), quality=1.0)


def test_readings_are_merged_to_the_unit_mean_of_what_was_seen() -> None:
    merged = merge_readings((reading((1, 0), (0, -1)), reading((0, 1)), reading((0, 1))))

    assert merged.vector.tolist() == pytest.approx([1 / 5**0.5, 2 / 5**0.5])
    assert merged.vector.dtype == np.float32


def test_no_reading_too_many_or_of_two_models_are_not_merged() -> None:
    one = reading((1, 0))
    assert merge_readings((one,) * READINGS_MAX).vector.tolist() == [1, 0]
    for readings in ((), (one,) * (READINGS_MAX + 1), (one, reading((1, 0), model_id="n")), (one, reading((-1, 0)))):
        with pytest.raises(InvariantBroken):
            merge_readings(readings)


def test_readings_of_two_palms_are_not_one_palm() -> None:
    first, near, far = reading((1, 0)), reading((0.8, 0.6)), reading((0, 1))

    assert are_one_palm((first, near), threshold=0.8)
    assert not are_one_palm((first, near), threshold=0.81)
    assert not are_one_palm((first, near, far), threshold=0.5)
    with pytest.raises(InvariantBroken):
        are_one_palm((), threshold=0.5)


def test_a_reading_shows_no_number_of_a_vector() -> None:
    assert repr(reading((1, 0))) == "PalmReading(probe=Probe(model_id='m'), quality=1.0)"


def test_on_photographs_everybody_is_known_and_no_stranger_is(reader: PalmReader, photographs: Path) -> None:
    """
    Enrol 20 people from three photographs, ask with the fourth, and with all of 10 strangers.
    """
    people = sorted(path for path in photographs.iterdir() if path.is_dir())[: ENROLLED + STRANGERS]
    probes = [
        [_read_file(reader, person / f"{shot}.jpg") for shot in range(1, SHOTS + 1)] for person in people
    ]  # Every one of 120 is read.
    enrolled = [merge_readings(tuple(readings[:-1])) for readings in probes[:ENROLLED]]

    own = score_all([readings[-1].probe for readings in probes[:ENROLLED]], enrolled)
    strangers = score_all([one.probe for readings in probes[ENROLLED:] for one in readings], enrolled)

    assert (len(own), len(strangers)) == (ENROLLED, STRANGERS * SHOTS)
    assert np.array_equal(own >= reader.model.threshold, np.eye(ENROLLED, dtype=bool))
    assert strangers.max() < reader.model.threshold


def _read_file(reader: PalmReader, path: Path) -> PalmReading:
    result = reader.read(decode_frame(path.read_bytes()))
    assert isinstance(result, PalmReading)
    return result


def test_probes_are_merged_view_by_view_to_unit_means() -> None:
    merged = merge_probes((reading((1.0, 0.0), (0.0, 1.0)), reading((0.0, 1.0), (0.0, 1.0))))

    half = 0.5**0.5
    assert np.allclose(merged.views, [(half, half), (0.0, 1.0)])
    assert merged.model_id == "m"


def test_probes_that_do_not_go_together_are_not_merged() -> None:
    one, other_model, opposite = reading((1, 0)), reading((1, 0), model_id="n"), reading((-1, 0))
    more_views = reading((1, 0), (0, 1))

    for together in ((), (one,) * (READINGS_MAX + 1), (one, other_model), (one, opposite), (one, more_views)):
        with pytest.raises(InvariantBroken):
            merge_probes(together)


def test_no_photograph_is_called_covered(reader: PalmReader, photographs: Path) -> None:
    """
    A check of thresholds that come from drawn palms: nobody is refused who holds out a bare palm.
    """
    for path in sorted(photographs.rglob("1.jpg")):
        assert reader.read(decode_file(path.read_bytes())) != Rejected(Reason.COVERED), path.parent.name
