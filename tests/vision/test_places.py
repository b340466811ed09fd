"""
The places code says where lines lie: checked on stripes and turns, whose code is known in closed form.
"""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from handsel.curve import ImpostorCurve
from handsel.drawn.person import DrawnPerson
from handsel.errors import InvariantBroken
from handsel.vision.embedding import best_cosine
from handsel.vision.places import (
    AS_SEEN,
    DIMS,
    FIELD_SIDE,
    GRID,
    GRID_SPAN,
    HARMONICS,
    VIEW_SPREAD,
    VIEWS,
    PlacesModel,
    View,
    find_lines,
    fit_whitening,
    sample,
    spread_views,
    whiten,
)
from handsel.vision.roi import ROI_SIDE_PX, Roi


def stripes(theta_deg: float) -> NDArray[np.uint8]:
    """
    Return dark stripes whose direction across is at `theta_deg` from x, ten pixels a wave.
    """
    y, x = np.mgrid[0:ROI_SIDE_PX, 0:ROI_SIDE_PX]
    theta = np.deg2rad(theta_deg)
    wave = np.cos(2 * np.pi * 0.1 * (x * np.cos(theta) + y * np.sin(theta)))
    return np.asarray((128 + 60 * wave).round(), np.uint8)


def as_roi(square: NDArray[np.uint8]) -> Roi:
    """
    Return a grey square as a palm's.
    """
    return Roi(pixels=np.repeat(square[..., None], 3, axis=-1))


def test_the_angle_of_a_line_is_stated_by_its_harmonics() -> None:
    for theta_deg in (0.0, 15.0, 40.0, 52.5, 105.0):
        angles = np.angle(find_lines(stripes(theta_deg))[16:48, 16:48])  # (32, 32, 6)
        expected = np.deg2rad(theta_deg) * np.array(HARMONICS * 2)

        assert np.abs(np.angle(np.exp(1j * (angles - expected)))).max() < 0.5  # Chance gives 3.1


def test_a_faint_line_has_the_same_say_as_a_strong_one() -> None:
    square = DrawnPerson(1).square(0)
    faint = (128 + (square.astype(float) - 128) / 2).round().astype(np.uint8)

    assert float(sample(find_lines(square), AS_SEEN) @ sample(find_lines(faint), AS_SEEN)) > 0.99


def test_a_sample_is_what_a_slow_reading_of_the_recipe_gives() -> None:
    lines = find_lines(DrawnPerson(2).square(0))
    view = View(turn_deg=7.0, x=0.31, y=-0.04)  # So far to the right that some places lie outside.
    turn = np.deg2rad(view.turn_deg)
    expected: list[complex] = []
    for row in range(GRID):
        for column in range(GRID):
            across, down = (((index + 0.5) / GRID - 0.5) * FIELD_SIDE * GRID_SPAN for index in (column, row))
            x = np.cos(turn) * across - np.sin(turn) * down + view.x * FIELD_SIDE + (FIELD_SIDE - 1) / 2
            y = np.sin(turn) * across + np.cos(turn) * down + view.y * FIELD_SIDE + (FIELD_SIDE - 1) / 2
            place = np.zeros(6, np.complex128)
            for cell_y in (int(np.floor(y)), int(np.floor(y)) + 1):
                for cell_x in (int(np.floor(x)), int(np.floor(x)) + 1):
                    if 0 <= cell_x < FIELD_SIDE and 0 <= cell_y < FIELD_SIDE:
                        place = place + lines[cell_y, cell_x] * ((1 - abs(cell_x - x)) * (1 - abs(cell_y - y)))
            turned = place * np.exp(-1j * turn * np.array(HARMONICS * 2))
            expected.extend(np.stack([turned.real, turned.imag], axis=1).ravel())

    assert np.allclose(sample(lines, view), np.array(expected) / np.linalg.norm(expected), atol=1e-5)


def test_a_view_that_is_turned_and_shifted_sees_a_palm_that_was() -> None:
    square = DrawnPerson(3).square(0)
    view = View(turn_deg=6.0, x=0.05, y=-0.04)
    middle = (ROI_SIDE_PX - 1) / 2
    turn = np.asarray(cv2.getRotationMatrix2D((middle, middle), -view.turn_deg, 1.0), np.float64)
    turn[:, 2] += (view.x * ROI_SIDE_PX, view.y * ROI_SIDE_PX)
    moved = np.asarray(cv2.warpAffine(square, turn, square.shape, borderMode=cv2.BORDER_REFLECT_101), np.uint8)

    seen = sample(find_lines(square), AS_SEEN)

    assert float(seen @ sample(find_lines(moved), view)) > 0.9
    assert float(seen @ sample(find_lines(moved), AS_SEEN)) < 0.7


def test_a_square_without_any_line_gives_next_to_nothing_and_no_warning() -> None:
    for grey in (0, 90, 255):
        assert np.linalg.norm(sample(find_lines(np.full((ROI_SIDE_PX, ROI_SIDE_PX), grey, np.uint8)), AS_SEEN)) < 1e-3


def test_another_shape_or_kind_of_square_is_refused() -> None:
    for square in (np.zeros((64, 64)), np.zeros((ROI_SIDE_PX, ROI_SIDE_PX - 1))):
        with pytest.raises(InvariantBroken):
            find_lines(square.astype(np.uint8))
    with pytest.raises(InvariantBroken):
        PlacesModel.load().embed(as_roi(stripes(0.0)[:64]))


def test_views_are_as_spread_as_they_should_be_and_begin_with_the_palm_as_seen() -> None:
    views = spread_views()
    places = np.array([(view.turn_deg, view.x, view.y) for view in views]) / VIEW_SPREAD

    assert (len(views), views[0]) == (VIEWS, AS_SEEN)
    assert len(set(views)) == VIEWS
    # The centres stand around the middle, one to two deviations away, and balance.
    assert np.all((np.linalg.norm(places[1:], axis=1) > 0.8) & (np.linalg.norm(places[1:], axis=1) < 2.2))
    assert np.abs(places.mean(axis=0)).max() < 0.25


def test_whitening_makes_variances_equal_and_shrinkage_tames_the_smallest() -> None:
    seed = 5
    rng = np.random.default_rng(seed)
    samples = (rng.standard_normal((4000, 4)) @ np.diag([4, 2, 1, 0.01]) @ rng.standard_normal((4, 4))).astype(
        np.float32
    )

    mean, matrix = fit_whitening(samples, shrinkage=0.0)
    covariance = np.cov((samples.astype(np.float64) - mean) @ matrix, rowvar=False)
    tamed = np.cov((samples.astype(np.float64) - mean) @ fit_whitening(samples)[1], rowvar=False)

    assert np.allclose(covariance, np.eye(4), atol=0.02)
    assert np.diag(tamed).max() <= 1
    assert np.diag(tamed).min() < 0.01


def test_whitened_rows_have_unit_norm() -> None:
    samples = np.stack([sample(find_lines(DrawnPerson(seed).square(0)), AS_SEEN) for seed in range(6)])
    mean, matrix = fit_whitening(samples)

    assert np.allclose(np.linalg.norm(whiten(samples, mean=mean, matrix=matrix), axis=1), 1, atol=1e-5)


def test_the_model_in_the_package_is_sound_and_embeds_alike_every_time() -> None:
    model = PlacesModel.load()
    roi = as_roi(DrawnPerson(4).square(0))

    probe = model.embed(roi)

    assert (model.dims, model.views, probe.views.shape) == (DIMS, VIEWS, (VIEWS, DIMS))
    assert probe.model_id == model.model_id
    assert np.array_equal(probe.views, model.embed(roi).views)


def test_drawn_palms_are_nearest_to_themselves_and_match_nobody_else() -> None:
    model = PlacesModel.load()
    people = [[model.embed(as_roi(DrawnPerson(seed).square(shot))) for shot in (0, 1)] for seed in range(300, 312)]
    scores = np.array(
        [[best_cosine(probe=asked[1], enrolled=kept[0].enrolment()) for kept in people] for asked in people]
    )
    # Drawn squares are cropped much worse than a finder crops; whole hands are in test_read_palm.py.
    assert np.mean(scores.argmax(axis=1) == np.arange(len(people))) > 0.5
    assert scores[~np.eye(len(people), dtype=bool)].max() < model.threshold


def test_parts_that_do_not_fit_together_are_refused() -> None:
    mean, matrix = np.zeros(DIMS, np.float32), np.eye(DIMS, dtype=np.float32)
    curve = ImpostorCurve(1000, ((0.01, 0.2), (0.001, 0.3)), 0.1, "", "", "")
    sound = PlacesModel(model_id="m", curve=curve, mean=mean, matrix=matrix, looks=(AS_SEEN,))
    assert sound.views == 1

    with pytest.raises(InvariantBroken):
        turned = View(turn_deg=1.0, x=0.0, y=0.0)
        PlacesModel(model_id="m", curve=curve, mean=mean, matrix=matrix, looks=(turned,))
    with pytest.raises(InvariantBroken):
        PlacesModel(model_id="m", curve=curve, mean=mean[:-1], matrix=matrix, looks=(AS_SEEN,))
