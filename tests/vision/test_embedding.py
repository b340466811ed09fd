"""
Vectors are of unit norm and of one model, and show none of their numbers.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from handsel.errors import InvariantBroken
from handsel.vision.embedding import Embedding, Probe, best_cosine


def unit_rows(*rows: tuple[float, ...]) -> NDArray[np.float32]:
    """
    Return rows scaled to unit norm.
    """
    matrix = np.array(rows, np.float32)
    return np.asarray(matrix / np.linalg.norm(matrix, axis=1, keepdims=True), np.float32)


def test_the_best_view_counts() -> None:
    probe = Probe(views=unit_rows((1, 0), (3, 4), (-1, 0)), model_id="m")

    assert best_cosine(probe=probe, enrolled=Embedding(vector=unit_rows((0, 1))[0], model_id="m")) == pytest.approx(0.8)


def test_the_first_view_is_enrolled() -> None:
    probe = Probe(views=unit_rows((3, 4), (1, 0)), model_id="m")

    enrolment = probe.enrolment()

    assert enrolment.model_id == "m"
    assert enrolment.vector.tolist() == pytest.approx([0.6, 0.8])


def test_vectors_of_different_models_are_not_compared() -> None:
    probe = Probe(views=unit_rows((1, 0)), model_id="m")

    with pytest.raises(InvariantBroken):
        best_cosine(probe=probe, enrolled=Embedding(vector=unit_rows((1, 0))[0], model_id="n"))


@pytest.mark.parametrize(
    "rows",
    [
        np.array([[0.6, 0.7]], np.float32),
        np.array([[0, 0]], np.float32),
        np.array([[np.nan, 1]], np.float32),
        np.array([[1, 0]], np.float64),
    ],
    ids=["long", "zero", "nan", "double"],
)
def test_what_is_no_unit_vector_is_refused(rows: NDArray[np.float32]) -> None:
    with pytest.raises(InvariantBroken):
        Probe(views=rows, model_id="m")
    with pytest.raises(InvariantBroken):
        Embedding(vector=rows[0], model_id="m")


def test_a_probe_without_views_is_refused() -> None:
    with pytest.raises(InvariantBroken):
        Probe(views=np.zeros((0, 2), np.float32), model_id="m")


def test_no_number_of_a_vector_is_shown() -> None:
    probe = Probe(views=unit_rows((3, 4)), model_id="m")

    assert (repr(probe), repr(probe.enrolment())) == ("Probe(model_id='m')", "Embedding(model_id='m')")
