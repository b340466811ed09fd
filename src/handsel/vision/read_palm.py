"""
Read a palm from a frame: the one way from a picture to a probe, and every reason why there is none.

Which finder and which model do the work is said in `eyes.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from handsel.errors import ensure
from handsel.vision.embedding import Embedding, EmbeddingModel, Probe, best_cosine
from handsel.vision.frame import Frame
from handsel.vision.hand import Hand, HandFinder
from handsel.vision.quality import Reason, grade, judge_frame, judge_hands, judge_placement, judge_roi, judge_side
from handsel.vision.roi import Placement, Roi, crop_roi, place_square
from handsel.vision.sight import Sight

READINGS_MAX = 16  # Captures that one enrolment is made of.

Look = Callable[[Frame, Hand, Placement, Roi], Sight]


@dataclass(frozen=True)
class PalmReading:
    """
    Hold what one frame said of a palm: the probe, how good the picture was, 0..1, and what a hint of a copy is made of.

    `shown` is the light of the till's screen that it was seen in, by channel, linear from 0 to 1; None if not known.
    """

    probe: Probe
    quality: float
    sight: Sight | None = field(default=None, repr=False)
    shown: tuple[float, float, float] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Rejected:
    """
    Say why a frame was not read.
    """

    reason: Reason


@dataclass(frozen=True)
class PalmReader:
    """
    Read palms with a finder and a model; `look`, where there is one, keeps what a hint of a copy is made of.
    """

    finder: HandFinder
    model: EmbeddingModel
    look: Look | None = None

    def read(self, frame: Frame) -> PalmReading | Rejected:
        """
        Return the palm in `frame`, or the first reason that speaks against it.

        1. Something can be seen at all.
        2. There is one hand.
        3. Its palm lies well in the frame.
        4. Its square shows lines, nothing that covers them, and the palm's side.
        """
        reason = judge_frame(frame)  # 1
        if reason is not None:
            return Rejected(reason)
        hands = self.finder.find(frame)  # 2
        reason = judge_hands(hands)
        if reason is not None:
            return Rejected(reason)
        placement = place_square(hands[0])  # 3
        reason = judge_placement(frame, hand=hands[0], placement=placement)
        if placement is None or reason is not None:
            return Rejected(reason or Reason.NO_HAND)
        roi = crop_roi(frame, placement)  # 4
        reason = judge_roi(roi) or judge_side(frame, hands[0])
        if reason is not None:
            return Rejected(reason)
        sight = self.look(frame, hands[0], placement, roi) if self.look else None
        return PalmReading(probe=self.model.embed(roi), quality=grade(roi, placement), sight=sight)


def merge_readings(readings: tuple[PalmReading, ...]) -> Embedding:
    """
    Return one embedding for several captures of a palm: the mean of what was seen, of unit norm.

    The caller checks first, with `are_one_palm`, that they are of the same palm.
    """
    ensure(0 < len(readings) <= READINGS_MAX, f"an enrolment is made of 1 to {READINGS_MAX} readings")
    enrolments = [reading.probe.enrolment() for reading in readings]
    ensure(len({each.model_id for each in enrolments}) == 1, "readings of different models are not merged")
    mean = np.mean([each.vector for each in enrolments], axis=0, dtype=np.float64)  # (D,)
    norm = float(np.linalg.norm(mean))
    ensure(norm > 0, "readings that cancel each other out are not of one palm")
    return Embedding(vector=np.asarray(mean / norm, np.float32), model_id=enrolments[0].model_id)


def merge_probes(readings: tuple[PalmReading, ...]) -> Probe:
    """
    Return one probe for several captures of a palm: view by view the mean of what was seen, of unit norm.

    The caller checks first, with `are_one_palm`, that they are of the same palm.
    """
    ensure(0 < len(readings) <= READINGS_MAX, f"a probe is made of 1 to {READINGS_MAX} readings")
    ensure(len({reading.probe.model_id for reading in readings}) == 1, "readings of different models are not merged")
    ensure(
        len({reading.probe.views.shape for reading in readings}) == 1, "readings that are merged have the same views"
    )
    mean = np.mean([reading.probe.views for reading in readings], axis=0, dtype=np.float64)  # (V, D)
    norms = np.linalg.norm(mean, axis=1, keepdims=True)
    ensure(bool(np.all(norms > 0)), "readings that cancel each other out are not of one palm")
    return Probe(views=(mean / norms).astype(np.float32), model_id=readings[0].probe.model_id)


def are_one_palm(readings: tuple[PalmReading, ...], *, threshold: float) -> bool:
    """
    Say whether every reading matches the first one as a payment would, so that nobody enrols two hands as one.
    """
    ensure(len(readings) > 0, "there is at least one reading")
    first = readings[0].probe.enrolment()
    return all(best_cosine(probe=reading.probe, enrolled=first) >= threshold for reading in readings)
