"""
Hold what a palm becomes: one unit vector to enrol, a few views of it to ask with, and the shape of a model.

Says nothing of how a model works, and never prints a number of a vector.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from handsel.curve import ImpostorCurve
from handsel.errors import ensure
from handsel.vision.roi import Roi

NORM_TOLERANCE = 1e-3  # Of a unit vector in float32, with room for a mean that was divided by its norm.


@dataclass(frozen=True, eq=False)
class Embedding:
    """
    Hold the vector that is enrolled: float32 (D,), unit norm, of the model `model_id`.
    """

    vector: NDArray[np.float32] = field(repr=False)  # (D,)
    model_id: str

    def __post_init__(self) -> None:
        """
        Refuse what is no unit vector. Raises `InvariantBroken`.
        """
        ensure(self.vector.dtype == np.float32 and self.vector.ndim == 1, "an embedding is float32 (D,)")
        ensure(_are_unit(self.vector[None]), "an embedding has unit norm")


@dataclass(frozen=True, eq=False)
class Probe:
    """
    Hold the views that a palm is asked for with: float32 (V, D), rows of unit norm; row 0 is the palm as it was seen.
    """

    views: NDArray[np.float32] = field(repr=False)  # (V, D)
    model_id: str

    def __post_init__(self) -> None:
        """
        Refuse what is not a set of unit vectors. Raises `InvariantBroken`.
        """
        ensure(self.views.dtype == np.float32 and self.views.ndim == 2, "a probe is float32 (V, D)")
        ensure(len(self.views) > 0 and _are_unit(self.views), "a probe's views have unit norm")

    def enrolment(self) -> Embedding:
        """
        Return the view that is enrolled: the palm as it was seen, neither turned nor shifted.
        """
        return Embedding(vector=self.views[0], model_id=self.model_id)


class EmbeddingModel(Protocol):
    """
    Turn the square of a palm into a probe. Two palms are the same where any view's cosine reaches a threshold.
    """

    @property
    def model_id(self) -> str:
        """
        Name the model; vectors of different models are never compared.
        """

    @property
    def dims(self) -> int:
        """
        Return D, the length of a vector.
        """

    @property
    def views(self) -> int:
        """
        Return V, the number of views in a probe.
        """

    @property
    def curve(self) -> ImpostorCurve:
        """
        Return how often drawn impostors reach which cosine: what the threshold of a gallery's size comes from.
        """

    @property
    def threshold(self) -> float:
        """
        Return the cosine from which two palms are the same in a gallery of the default size.
        """

    def embed(self, roi: Roi) -> Probe:
        """
        Return the views of the palm in `roi`.
        """


def best_cosine(*, probe: Probe, enrolled: Embedding) -> float:
    """
    Return the largest cosine between any view and an enrolled palm: what the matchers compare with the threshold.
    """
    ensure(probe.model_id == enrolled.model_id, "vectors of different models are not compared")
    return float(np.max(probe.views @ enrolled.vector))


def _are_unit(rows: NDArray[np.float32]) -> bool:
    # A NaN compares as false, so that it is refused here too.
    return bool(np.all(np.abs(np.linalg.norm(rows, axis=1) - 1) < NORM_TOLERANCE))
