"""
Ways of asking and of enrolling are scored on what they say, and never on the photograph that a probe was made from.
"""

from __future__ import annotations

import numpy as np
from training.score_squares import SIDE_PX, Squares
from training.score_uses import ask_in_pairs, ask_singly, best_scores

SHOTS = ["1", "2", "3"]
PEOPLE = ["anna"] * 3 + ["bela"] * 3


def squares(trouble: str) -> Squares:
    """
    Return three blank squares each of two people.
    """
    pixels = np.zeros((6, SIDE_PX, SIDE_PX, 3), np.uint8)
    return Squares(pixels, np.array(PEOPLE), np.array(SHOTS * 2), np.array([trouble] * 6))


def vectors() -> np.ndarray:
    """
    Return one vector for each square: all of a person's are the same but for one entry of the shot's own.
    """
    return np.concatenate([np.repeat(np.eye(2), 3, axis=0), np.tile(np.eye(3), (2, 1))], axis=1).astype(np.float32)


def test_a_probe_meets_no_row_of_its_own_photograph() -> None:
    asked = ask_singly(squares("dim"), vectors()[:, None], SHOTS)

    assert asked.uses_shot.sum(axis=1).tolist() == [1] * 6
    # With its own photograph a genuine score would be 2; without it is 1, as an impostor's of the same shot.
    said = best_scores(asked, squares("original"), vectors(), SHOTS, rows="each")
    assert said.split() == ["100.0", "100.0", "100.0"]


def test_two_pictures_that_are_merged_rule_out_both_photographs() -> None:
    asked = ask_in_pairs(squares("dim"), vectors()[:, None], SHOTS)

    assert len(asked.views) == 6
    assert asked.uses_shot.sum(axis=1).tolist() == [2] * 6
    assert np.allclose(np.linalg.norm(asked.views, axis=-1), 1)


def test_rows_are_enrolled_as_they_are_said_to_be() -> None:
    asked = ask_singly(squares("dim"), -vectors()[:, None], SHOTS)

    for rows in ("first", "mean", "each"):
        said = best_scores(asked, squares("original"), vectors(), SHOTS, rows=rows)
        assert said.split() == ["0.0", "0.0", "0.0"], rows
