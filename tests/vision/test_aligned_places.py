"""
The aligned places recognise a palm that was cut askew, where the untrained code does not, and still nobody else.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from handsel.drawn.person import DrawnPerson
from handsel.errors import InvariantBroken
from handsel.vision.aligned_places import AlignedPlacesModel
from handsel.vision.embedding import EmbeddingModel, best_cosine
from handsel.vision.places import DIMS, VIEWS, PlacesModel
from handsel.vision.roi import ROI_SIDE_PX, Roi

PEOPLE = range(300, 316)


@pytest.fixture(scope="module")
def model() -> AlignedPlacesModel:
    """
    Return the model of the package.
    """
    return AlignedPlacesModel.load()


def as_roi(square: NDArray[np.uint8]) -> Roi:
    """
    Return a grey square as a palm's.
    """
    return Roi(pixels=np.repeat(square[..., None], 3, axis=-1))


def askew(square: NDArray[np.uint8], *, turn_deg: float, x: float, y: float) -> NDArray[np.uint8]:
    """
    Return a square as a bad finder would have cut it: turned, and shifted by `x` and `y` sides.
    """
    middle = (ROI_SIDE_PX - 1) / 2
    turn = np.asarray(cv2.getRotationMatrix2D((middle, middle), turn_deg, 1.0), np.float64)
    turn[:, 2] += (x * ROI_SIDE_PX, y * ROI_SIDE_PX)
    return np.asarray(cv2.warpAffine(square, turn, square.shape, borderMode=cv2.BORDER_REFLECT_101), np.uint8)


def own_scores(model: EmbeddingModel) -> NDArray[np.float64]:
    """
    Return how well drawn squares match themselves, once cut askew one way and once the other.
    """
    scores = []
    for seed in PEOPLE:
        square = DrawnPerson(seed).square(0)
        kept = model.embed(as_roi(askew(square, turn_deg=7.0, x=-0.05, y=0.04))).enrolment()
        asked = model.embed(as_roi(askew(square, turn_deg=-7.0, x=0.05, y=-0.04)))
        scores.append(best_cosine(probe=asked, enrolled=kept))
    return np.array(scores)


def test_a_palm_cut_askew_matches_itself_far_better_than_with_the_untrained_code(model: AlignedPlacesModel) -> None:
    aligned, untrained = own_scores(model), own_scores(PlacesModel.load())

    assert np.median(aligned) > model.threshold
    assert np.median(aligned) > np.median(untrained) + 0.2


def test_drawn_palms_are_nearest_to_themselves_and_match_nobody_else(model: AlignedPlacesModel) -> None:
    people = [[model.embed(as_roi(DrawnPerson(seed).square(shot))) for shot in (0, 1)] for seed in PEOPLE]
    scores = np.array(
        [[best_cosine(probe=asked[1], enrolled=kept[0].enrolment()) for kept in people] for asked in people]
    )

    assert np.mean(scores.argmax(axis=1) == np.arange(len(people))) > 0.6
    assert scores[~np.eye(len(people), dtype=bool)].max() < model.threshold


def test_a_palm_is_embedded_alike_every_time(model: AlignedPlacesModel) -> None:
    roi = as_roi(DrawnPerson(4).square(0))

    probe = model.embed(roi)

    assert (model.dims, model.views, probe.views.shape) == (DIMS, VIEWS, (VIEWS, DIMS))
    assert probe.model_id == model.model_id
    assert np.array_equal(probe.views, model.embed(roi).views)


def test_the_model_is_named_after_both_its_files(model: AlignedPlacesModel) -> None:
    assert model.model_id.startswith("aligned-places-432-")
    assert model.model_id.endswith(model.net.net_id.rpartition("-")[2])


def test_parts_that_do_not_fit_together_are_refused(model: AlignedPlacesModel) -> None:
    with pytest.raises(InvariantBroken):
        replace(model, mean=model.mean[:-1])
    with pytest.raises(InvariantBroken):
        replace(model, matrix=model.matrix[:-1])
