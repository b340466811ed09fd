"""
The scorer counts what is known beforehand, and never compares two pictures of one photograph.
"""

from __future__ import annotations

import numpy as np
from training.score_squares import SIDE_PX, Comparison, Squares, compare, displace


def squares(people: list[str], shots: list[str]) -> Squares:
    """
    Return blank squares of these people and shots.
    """
    pixels = np.zeros((len(people), SIDE_PX, SIDE_PX, 3), np.uint8)
    return Squares(pixels, np.array(people), np.array(shots), np.array(["original"] * len(people)))


def test_shares_and_distance_are_those_of_known_scores() -> None:
    genuine, impostor = np.array([0.2, 0.6, 0.8, 1.0]), np.linspace(0, 0.5, 101)
    result = Comparison(genuine.astype(np.float32), impostor.astype(np.float32), np.array(["x"] * 4))

    assert result.accepted(0.01) == 0.75
    assert result.accepted(0.9) == 1.0
    assert np.isclose(result.distance(), (0.65 - 0.25) / np.sqrt((genuine.var() + impostor.var()) / 2), atol=1e-4)


def test_two_pictures_of_one_photograph_are_never_compared() -> None:
    of = squares(["anna", "anna", "bela"], ["1", "2", "1"])
    vectors = np.eye(3, dtype=np.float32)

    result = compare(of, vectors[:, None], of, vectors)

    assert np.array_equal(result.genuine, [0, 0])  # Anna's two shots, both ways.
    assert len(result.impostor) == 4


def test_the_best_view_counts() -> None:
    of, views = squares(["anna", "anna"], ["1", "2"]), np.zeros((2, 2, 2), np.float32)
    views[:, 0, 0] = 1  # As seen.
    views[0, 1, 1] = 1

    result = compare(of, views, of, np.array([[1, 0], [0, 1]], np.float32))

    assert sorted(result.genuine) == [1, 1]


def test_a_square_that_is_not_displaced_is_the_middle() -> None:
    wide = np.random.default_rng(1).integers(0, 255, (2 * SIDE_PX, 2 * SIDE_PX, 3), dtype=np.uint8)
    quarter = SIDE_PX // 2

    square = displace(wide, (0.0, 0.0, 0.0), np.random.default_rng(2))

    assert np.array_equal(square, wide[quarter:-quarter, quarter:-quarter])
