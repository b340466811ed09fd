"""
Squares of one palm look different and are still nearer to each other than to those of other palms.
"""

from __future__ import annotations

import numpy as np

from handsel.drawn.person import DrawnPerson
from handsel.vision.places import AS_SEEN, PlacesModel, find_lines, sample, whiten


def test_a_shot_is_always_the_same_square(people: tuple[DrawnPerson, ...]) -> None:
    first, again = people[0].square(3), DrawnPerson(people[0].seed).square(3)

    assert np.array_equal(first, again)
    assert first.shape == (128, 128)
    assert first.dtype == np.uint8


def test_no_two_shots_are_the_same_square(people: tuple[DrawnPerson, ...]) -> None:
    squares = [people[0].square(shot).tobytes() for shot in range(6)]

    assert len(set(squares)) == 6


def test_squares_of_one_person_are_nearer_to_each_other_than_to_those_of_others() -> None:
    model = PlacesModel.load()
    samples = np.stack(
        [sample(find_lines(DrawnPerson(seed).square(shot)), AS_SEEN) for seed in range(201, 213) for shot in range(6)]
    )
    vectors = whiten(samples, mean=model.mean, matrix=model.matrix).reshape(12, 6, -1)

    scores = np.einsum("aid,bjd->aibj", vectors, vectors).transpose(0, 2, 1, 3).reshape(12, 12, 36)
    own = np.mean([scores[i, i].reshape(6, 6)[np.triu_indices(6, 1)].mean() for i in range(12)])
    others = scores[~np.eye(12, dtype=bool)].mean()

    assert own > 0.04
    assert abs(others) < 0.01
