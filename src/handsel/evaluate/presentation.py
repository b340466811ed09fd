"""
Hold what was presented: one picture of one palm, whose it is, and what became of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from handsel.errors import BadInput
from handsel.vision.read_palm import PalmReading


@dataclass(frozen=True)
class Subject:
    """
    Say whose pictures lie in one folder.

    `payer` may own several folders. `palm` names one hand of one payer: folders that share it show the same palm.
    `tone` is 0 (very light) to 1 (very dark), `age` in years; None where it is not known.
    """

    payer: str
    palm: str
    tone: float | None = None
    age: float | None = None


@dataclass(frozen=True)
class Presentation:
    """
    Hold one picture: the path below the folder that is evaluated, whose it is, the reading, or the reason for none.
    """

    path: str
    subject: Subject
    reading: PalmReading | None = field(repr=False)
    reason: str


@dataclass(frozen=True, eq=False)
class Presented:
    """
    Hold all pictures in order, and as arrays what is asked of them again and again.

    `palms` and `payers` (N,) are numbers that stand for the labels, `is_acquired` bool (N,), `is_ignored` bool (N, N)
    is true for pairs of pictures that do not count.
    """

    rows: tuple[Presentation, ...]
    is_ignored: NDArray[np.bool_]
    palms: NDArray[np.int64] = field(init=False)
    payers: NDArray[np.int64] = field(init=False)
    is_acquired: NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        """
        Number the labels. Raises `BadInput` where no palm can be compared with another.
        """
        palms, payers = (_numbered([getattr(row.subject, name) for row in self.rows]) for name in ("palm", "payer"))
        if len(set(payers.tolist())) < 2:
            raise BadInput("an evaluation takes pictures of two people at least")
        acquired = np.array([row.reading is not None for row in self.rows], np.bool_)
        if not acquired.any():
            raise BadInput("no palm was read in any of the pictures, so that there is nothing to compare")
        for name, value in (("palms", palms), ("payers", payers), ("is_acquired", acquired)):
            object.__setattr__(self, name, value)

    def reading(self, row: int) -> PalmReading:
        """
        Return the reading of a picture that was acquired.
        """
        reading = self.rows[row].reading
        if reading is None:
            raise BadInput("a picture in which no palm was read has no reading")
        return reading

    def views(self) -> NDArray[np.float32]:
        """
        Return the probes of all pictures, float32 (N, V, D), NaN where there is none.
        """
        shape = self.reading(int(np.argmax(self.is_acquired))).probe.views.shape
        views: NDArray[np.float32] = np.full((len(self.rows), *shape), np.nan, np.float32)
        for row in np.flatnonzero(self.is_acquired).tolist():
            views[row] = self.reading(row).probe.views
        return views


def _numbered(labels: list[str]) -> NDArray[np.int64]:
    numbers = {label: number for number, label in enumerate(dict.fromkeys(labels))}
    return np.array([numbers[label] for label in labels], np.int64)
