"""
A hand knows its side and whether it is open, and refuses landmarks that are none.
"""

from __future__ import annotations

import numpy as np
import pytest

from handsel.errors import InvariantBroken
from handsel.vision.hand import LANDMARKS, Hand, Side

# A left palm, fingers up, in an image that is not mirrored: the thumb is on the left.
LEFT = {0: (50, 100), 5: (38, 45), 9: (47, 42), 13: (56, 45), 17: (64, 50)}


def hand(places: dict[int, tuple[int, int]]) -> Hand:
    """
    Return a hand with some of its landmarks in place.
    """
    landmarks = np.zeros((LANDMARKS, 2), np.float32)
    for index, place in places.items():
        landmarks[index] = place
    return Hand(landmarks=landmarks, score=1.0, palm_score=1.0)


def test_the_side_follows_from_the_knuckles_at_any_turn_and_flips_in_a_mirror() -> None:
    left = hand(LEFT).landmarks
    mirrored = left * np.array([-1, 1], np.float32)
    for turn_deg in range(0, 360, 30):
        c, s = np.cos(np.deg2rad(turn_deg)), np.sin(np.deg2rad(turn_deg))
        turn = np.array([[c, s], [-s, c]], np.float32)

        assert Hand(landmarks=left @ turn, score=1.0, palm_score=1.0).side == Side.LEFT
        assert Hand(landmarks=mirrored @ turn, score=1.0, palm_score=1.0).side == Side.RIGHT


def test_reach_tells_an_open_hand_from_a_fist() -> None:
    roots = dict.fromkeys((5, 9, 13, 17), (0, 100))

    assert hand(roots | dict.fromkeys((8, 12, 16, 20), (0, 180))).finger_reach == pytest.approx(1.8)
    assert hand(roots | dict.fromkeys((8, 12, 16, 20), (0, 80))).finger_reach == pytest.approx(0.8)


def test_a_hand_refuses_missing_or_infinite_landmarks_and_shows_none() -> None:
    assert repr(hand(LEFT)) == "Hand(score=1.0, palm_score=1.0)"
    for landmarks in (np.zeros((20, 2), np.float32), np.full((LANDMARKS, 2), np.nan, np.float32)):
        with pytest.raises(InvariantBroken):
            Hand(landmarks=landmarks, score=1.0, palm_score=1.0)


@pytest.mark.parametrize(
    ("score", "palm_score"), [(-0.1, 0.5), (1.1, 0.5), (0.5, -0.1), (0.5, 1.1), (0.5, float("nan"))]
)
def test_a_hand_refuses_scores_that_are_no_shares(score: float, palm_score: float) -> None:
    with pytest.raises(InvariantBroken):
        Hand(landmarks=hand(LEFT).landmarks, score=score, palm_score=palm_score)
