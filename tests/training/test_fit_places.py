"""
The tail that the threshold rests on is found again where it is known, and the model's file is always the same.
"""

from __future__ import annotations

import tomllib

import msgspec
import numpy as np
import pytest
from training.fit_places import MARGIN, TAIL_SHARE, Tail, archive, fit_tail, manifest_text, measure_curve, score_all

from handsel.curve import ImpostorCurve, rate_min


@pytest.mark.parametrize("rate", [1e-5, 1e-6])
def test_an_exponential_tail_is_extrapolated_within_three_percent(rate: float) -> None:
    """
    Of an exponential distribution the share r lies above -ln r.
    """
    scores = np.random.default_rng(1).exponential(1.0, 1_000_000).astype(np.float32)

    found = fit_tail(scores, share=0.002).score_at(rate)

    assert abs(found / -np.log(rate) - 1) < 0.03


def test_a_bounded_tail_is_told_by_its_shape() -> None:
    """
    Uniform scores have a generalised Pareto tail of shape -1 that ends at 1.
    """
    scores = np.random.default_rng(2).uniform(0, 1, 500_000).astype(np.float32)

    tail = fit_tail(scores, share=0.01)

    assert abs(tail.shape + 1) < 0.05
    assert 0.9999 < tail.score_at(1e-7) < 1.0005


def test_without_a_shape_the_tail_is_exponential() -> None:
    tail = Tail(start=0.2, share=0.01, scale=0.03, shape=0.0)

    assert tail.score_at(0.01) == 0.2
    assert np.isclose(tail.score_at(0.001), 0.2 + 0.03 * np.log(10))


def test_every_two_shots_are_scored_against_everyone_enrolled_from_the_other_shots() -> None:
    """
    Three people with unit vectors of their own: everyone matches himself fully and nobody else, whatever the view.
    """
    own = np.eye(3, dtype=np.float32)[:, None, None]  # (people, 1, 1, D)
    vectors = np.tile(own, (1, 5, 2, 1))
    vectors[:, :, 1] = (0.0, 0.0, 0.0)
    vectors[:, :, 1] += np.float32(0.1) * own[:, 0]

    scores = score_all(vectors)

    assert np.allclose(scores.impostor, np.zeros(3 * 2 * 5))
    assert np.allclose(scores.genuine, np.ones(3 * 5))


def test_shots_do_not_help_to_enrol_who_they_ask_for() -> None:
    """
    One person's last two shots are another palm altogether: asked with them, nothing matches.
    """
    vectors = np.zeros((1, 5, 1, 2), np.float32)
    vectors[:, :3, :, 0] = 1
    vectors[:, 3:, :, 1] = 1

    assert score_all(vectors).genuine[3] == 0


def test_the_same_numbers_give_the_same_file() -> None:
    arrays = {"mean": np.arange(5, dtype=np.float32)}

    assert archive(arrays) == archive(arrays)


def test_the_manifest_names_file_sum_and_shapes() -> None:
    arrays = {"mean": np.zeros(5, np.float32), "views": np.zeros((2, 3), np.float32)}

    curve = ImpostorCurve(10, ((0.01, 0.2), (0.001, 0.3)), 0.1, 'seen "so"', "", "")

    entry = tomllib.loads(manifest_text(b"content", arrays, model="places-432", curve=curve))["places-432"]

    assert entry["sha256"] == "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73"
    assert entry["arrays"] == {"mean": [5], "views": [2, 3]}
    assert msgspec.convert(entry["curve"], ImpostorCurve) == curve


def test_the_curve_follows_the_quantiles_and_then_the_tail_as_far_as_the_trials_bear() -> None:
    """
    Of an exponential distribution of mean 0.02 the share r lies above -0.02 ln r.
    """
    scores = np.random.default_rng(3).exponential(0.02, 1_000_000).astype(np.float32)

    curve = measure_curve(scores, source="drawn")

    assert (curve.trials, curve.margin) == (1_000_000, MARGIN)
    assert curve.rate_min == rate_min(1_000_000) == 3e-7
    assert curve.points[0][0] > TAIL_SHARE > curve.points[-1][0]
    for rate in (1e-2, 3e-3, 1e-3, 1e-4, 2e-5, 1e-6, 3e-7):
        assert abs(curve.score_at(rate) / (-0.02 * np.log(rate)) - 1) < 0.03


def test_between_its_points_the_curve_is_next_to_the_tail() -> None:
    """
    A bounded tail, which bends most: what lies between two points is off by less than the rounding of a threshold.
    """
    scores = np.random.default_rng(4).beta(2, 30, 1_000_000).astype(np.float32)
    tail, curve = fit_tail(scores, share=TAIL_SHARE), measure_curve(scores, source="drawn")

    for rate in np.geomspace(curve.rate_min, 1e-3, 50):
        assert abs(curve.score_at(float(rate)) - tail.score_at(float(rate))) < 5e-4
