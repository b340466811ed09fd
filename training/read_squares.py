"""
Read a grey square with one of the models' eyes, before anything is whitened: what a whitening is fitted on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

from handsel.vision import aligned_places, places
from handsel.vision.net import Net

Read = Callable[[NDArray[np.uint8]], NDArray[np.float32]]  # (128, 128) → (V, D), the first view as seen.


@cache
def _net() -> Net:
    return aligned_places.open_net()


def read_untrained(square: NDArray[np.uint8]) -> NDArray[np.float32]:
    """
    Return the views of the places code.
    """
    lines = places.find_lines(square)
    return np.stack([places.sample(lines, view) for view in places.spread_views()])


def read_aligned(square: NDArray[np.uint8]) -> NDArray[np.float32]:
    """
    Return the views of the aligned places.
    """
    return aligned_places.read_places(_net(), square)


READERS: Mapping[str, Read] = {places.MODEL_NAME: read_untrained, aligned_places.MODEL_NAME: read_aligned}
