"""
Measure how the colour of a palm follows the light of the till's own screen: skin does, a screen hardly does.

One cue of `attack_hint.py`, for frames that were taken while the till's page showed colours that it chose.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

COLOUR_CHANGE_MIN = 0.3  # Deviation of a channel's share in what the till shows; less is no question, and no answer.


def answer_to_light(glows: NDArray[np.float64], shown: NDArray[np.float64]) -> float | None:
    """
    Return how far the palm's colour followed the till's, as a slope; None where the till's light did not change colour.

    `glows` float (N, 3) is the palm's mean light in each frame, linear; `shown` float (N, 3), 0 to 1, what the till's
    screen showed. Both are taken relative to the mean of the channels, so that exposure and distance count little.

    LIMITATIONS
    * In strong light the till's own is lost, and a real hand does not answer either. What does not answer is no proof.
    * Paper answers as skin does.
    * A camera that balances its white within the second takes part of the answer out.
    """
    logs = np.log(np.maximum(glows, 1e-4))
    seen = logs - logs.mean(axis=1, keepdims=True)
    asked = shown - shown.mean(axis=1, keepdims=True)
    seen, asked = seen - seen.mean(axis=0), asked - asked.mean(axis=0)
    if float(asked.std(axis=0).max()) < COLOUR_CHANGE_MIN:
        return None
    return float((seen * asked).sum() / (asked**2).sum())
