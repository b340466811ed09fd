"""
What reflects the till's light answers in its colour; what shines by itself does not; who asks nothing is not answered.
"""

from __future__ import annotations

import numpy as np
import pytest

from handsel.vision.lamp_answer import answer_to_light

SHOWN = np.array([(1, 1, 1), (1, 0.1, 0.1), (0.1, 0.2, 1), (1, 1, 1)], np.float64)
SKIN = np.array([0.5, 0.3, 0.2])


@pytest.mark.parametrize("strength", [0.02, 0.1])
def test_skin_answers_by_the_share_of_the_tills_light(strength: float) -> None:
    # For a weak light log(1 + k s) is k s, whatever colour the skin has.
    answer = answer_to_light(SKIN * (1 + strength * SHOWN), SHOWN)

    assert answer == pytest.approx(strength, rel=0.12)


def test_exposure_makes_no_difference() -> None:
    gains = np.array([1.0, 0.4, 1.7, 0.9])[:, None]

    dim = answer_to_light(SKIN * (1 + 0.1 * SHOWN) * gains, SHOWN)

    assert dim == pytest.approx(answer_to_light(SKIN * (1 + 0.1 * SHOWN), SHOWN))


def test_a_screen_does_not_answer() -> None:
    assert answer_to_light(np.tile(SKIN, (4, 1)), SHOWN) == pytest.approx(0, abs=1e-12)


def test_who_asks_nothing_is_not_answered() -> None:
    assert answer_to_light(np.tile(SKIN, (4, 1)), np.ones((4, 3))) is None
    assert answer_to_light(SKIN[None], SHOWN[:1]) is None
