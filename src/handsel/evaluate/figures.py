"""
Hold all figures of one evaluation, as they are written to a file and read again by the performance card.

Counts and rates only: no vector, no score and no name of any one picture or person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from handsel.errors import BadInput
from handsel.evaluate.breakdown import Group
from handsel.evaluate.identification import Search
from handsel.evaluate.rates import Accepted, Rate

FORMAT = 1
FIGURES_BYTES_MAX = 4 * 2**20
NOTES = (
    "Pairs that share a picture or a person are not independent. The exact intervals (Clopper-Pearson, 95 %) take them "
    "for independent and are too narrow. The intervals over people (bootstrap, 95 %, whole people drawn again) do not; "
    "where nobody was missed they say nothing, and 3 / people is then the bound that does.",
    "A score is the best cosine over the views of the picture that asks, against the vector that is enrolled. Enrolled "
    "from one picture, every pair is tried both ways, as only who asks has several views; `pairs` counts it once.",
    "A payer's own other hand is neither a genuine nor an impostor trial.",
    "Where there was no error, `bound` is the rule of three (95 %). A false match rate is spoken of only where there "
    "are at least 3 / rate pairs of different people; nothing is extrapolated.",
    "Failures counted: a picture in which no palm was read is a reject in each of its genuine trials. Thresholds are "
    "set on trials in which both palms were read.",
    "Enrolled from three: a picture asks for its palm enrolled from the three that follow it in a circle, merged as a "
    "till merges them; a palm that was not read often enough fails its trials where failures are counted.",
    "A search is missed unless it matches the palm itself and nobody else: two matches are declined as ambiguous. The "
    "rates are means over all galleries of a size. Two palms of one payer are never in one search.",
    "By group: misses are of trials in which the group asks, matches of pairs of people who both belong to it.",
)


@dataclass(frozen=True)
class Pictures:
    """
    Say what was evaluated: the folder's own name, what kind of pictures, and how many of what.
    """

    folder: str
    kind: str
    pictures: int
    palms: int
    payers: int
    ignored_pictures: int
    ignored_pairs: int


@dataclass(frozen=True)
class Model:
    """
    Say which model gave the vectors.
    """

    model_id: str
    dims: int
    views: int
    threshold: float


@dataclass(frozen=True)
class Acquisition:
    """
    Say of how many pictures a palm was read, and why not of the others.
    """

    not_acquired: Rate
    reasons: Mapping[str, int]


@dataclass(frozen=True)
class Verification:
    """
    Hold the rates of one against one, enrolled from `enrolled_from` pictures.

    `strictest` is the lowest threshold at which no two people were taken for each other; its `fmr` is the rule of
    three.
    """

    enrolled_from: int
    genuine_pairs: int
    impostor_pairs: int
    enrolments_begun_anew: int
    equal_error_rate: float
    equal_error_rate_failures_counted: float
    missed: Rate
    missed_failures_counted: Rate
    matched: Rate
    at_fmr: tuple[Accepted, ...]
    strictest: Accepted


@dataclass(frozen=True)
class Identification:
    """
    Hold what is to be expected of searches among many, enrolled from `enrolled_from` pictures.
    """

    enrolled_from: int
    searches: tuple[Search, ...]


@dataclass(frozen=True)
class Figures:
    """
    Hold all figures of one evaluation.
    """

    format: int
    pictures: Pictures
    model: Model
    acquisition: Acquisition
    verification: tuple[Verification, ...]
    identification: tuple[Identification, ...]
    breakdown: tuple[Group, ...]
    notes: tuple[str, ...] = NOTES


def encode(figures: Figures) -> bytes:
    """
    Return `figures` as JSON, indented; floats as they are, so that the same figures give the same bytes.
    """
    return msgspec.json.format(msgspec.json.encode(figures), indent=1) + b"\n"


def decode(content: bytes) -> Figures:
    """
    Return the figures in a file that `encode` wrote. Raises `BadInput`.
    """
    if len(content) > FIGURES_BYTES_MAX:
        raise BadInput(f"a file of figures has at most {FIGURES_BYTES_MAX} bytes")
    try:
        figures = msgspec.json.decode(content, type=Figures)
    except msgspec.DecodeError as exc:
        raise BadInput(f"these are not the figures of an evaluation: {exc}") from exc
    if figures.format != FORMAT:
        raise BadInput(f"these figures have the format {figures.format}; this version reads {FORMAT}")
    return figures
