"""
Make presentations of people whose palms are vectors of our choice, so that every score is known beforehand.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from handsel.evaluate.presentation import Presentation, Presented, Subject
from handsel.vision.embedding import Probe
from handsel.vision.read_palm import PalmReading

MODEL_ID = "made-up"


def subject(name: str, *, tone: float | None = None, age: float | None = None) -> Subject:
    """
    Return the subject of `payer` or `payer/hand`.
    """
    return Subject(payer=name.partition("/")[0], palm=name, tone=tone, age=age)


def reading(*views: Sequence[float], quality: float = 0.5) -> PalmReading:
    """
    Return a reading with these views, brought to unit norm.
    """
    rows = np.array(views, np.float64)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return PalmReading(probe=Probe(views=rows.astype(np.float32), model_id=MODEL_ID), quality=quality)


def picture(
    name: str, seen: PalmReading | None, *, tone: float | None = None, age: float | None = None
) -> Presentation:
    """
    Return a picture of `name`'s palm; without a reading it was blurred.
    """
    return Presentation("", subject(name, tone=tone, age=age), seen, "blurred" if seen is None else "ok")


def presented(rows: Sequence[Presentation], *, ignored: Sequence[tuple[int, int]] = ()) -> Presented:
    """
    Return all of `rows`, where the pairs `ignored` do not count.
    """
    is_ignored = np.zeros((len(rows), len(rows)), np.bool_)
    for first, second in ignored:
        is_ignored[first, second] = is_ignored[second, first] = True
    return Presented(tuple(rows), is_ignored)


def crowd(seed: int, *, palms: int, pictures: int, views: int = 3, dims: int = 8, noise: float = 0.7) -> Presented:
    """
    Return palms at random, each seen `pictures` times with noise; every seventh picture was not read.
    """
    rng = np.random.default_rng(seed)
    rows: list[Presentation] = []
    for palm in range(palms):
        own = rng.standard_normal(dims)
        own /= np.linalg.norm(own)
        for _ in range(pictures):
            seen: NDArray[np.float64] = own + noise / np.sqrt(dims) * rng.standard_normal((views, dims))
            is_read = len(rows) % 7 != 6
            rows.append(picture(f"p{palm}", reading(*seen.tolist(), quality=rng.random()) if is_read else None))
    return presented(rows)
