"""
What is held moves a little, as much as it is said to, and on a stand hardly.
"""

from __future__ import annotations

import numpy as np

from handsel.drawn.shot import Pose
from handsel.drawn.sway import FRAMES, draw_sway


def tilts(amount: float | None, seed: int) -> float:
    """
    Return how far the tilt goes over the frames, in degrees.
    """
    sway = draw_sway(np.random.default_rng(seed), Pose(), amount=amount)
    return float(np.ptp([pose.pitch_deg for pose in sway.poses]))


def test_there_is_a_pose_and_a_hand_for_each_frame() -> None:
    sway = draw_sway(np.random.default_rng(1), Pose())

    assert len(sway.poses) == len(sway.flex_deg) == len(sway.fan_deg) == FRAMES
    assert all(len(digits) == 5 for digits in (*sway.flex_deg, *sway.fan_deg))


def test_it_grows_with_the_amount_and_nothing_moves_without_one() -> None:
    assert tilts(0.0, 3) == 0
    assert np.isclose(tilts(1.0, 3), 10 * tilts(0.1, 3))


def test_people_differ() -> None:
    reach = [tilts(None, seed) for seed in range(40)]

    assert min(reach) < 1 < 5 < max(reach)
