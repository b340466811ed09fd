"""
The tail that the threshold rests on is found again where it is known, and the model's file is always the same.
"""

from __future__ import annotations

import tomllib

import numpy as np
import pytest
from training.fit_places import Tail, archive, fit_tail, manifest_text, score_all


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


def test_every_shot_is_scored_against_everyone_enrolled_from_the_other_shots() -> None:
    """
    Three people with unit vectors of their own: everyone matches himself fully and nobody else, whatever the view.
    """
    own = np.eye(3, dtype=np.float32)[:, None, None]  # (people, 1, 1, D)
    vectors = np.zeros((3, 4, 2, 3), np.float32)
    vectors[:, :, 0] = own[:, 0]

    scores = score_all(vectors)

    assert np.array_equal(scores.impostor, np.zeros(3 * 2 * 4))
    assert np.allclose(scores.genuine, np.ones(3 * 4))


def test_a_shot_does_not_help_to_enrol_who_it_asks_for() -> None:
    """
    One person's last shot is another palm altogether: asked with it, nothing matches.
    """
    vectors = np.zeros((1, 4, 1, 2), np.float32)
    vectors[:, :3, :, 0] = 1
    vectors[:, 3, :, 1] = 1

    assert score_all(vectors).genuine[3] == 0


def test_the_same_numbers_give_the_same_file() -> None:
    arrays = {"mean": np.arange(5, dtype=np.float32)}

    assert archive(arrays) == archive(arrays)


def test_the_manifest_names_file_sum_and_shapes() -> None:
    arrays = {"mean": np.zeros(5, np.float32), "views": np.zeros((2, 3), np.float32)}

    entry = tomllib.loads(manifest_text(b"content", arrays, model="places-432", threshold=0.4, source="a trial"))[
        "places-432"
    ]

    assert entry["sha256"] == "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73"
    assert entry["arrays"] == {"mean": [5], "views": [2, 3]}
    assert entry["threshold"] == 0.4
