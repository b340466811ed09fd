"""
A regular pattern stands out from noise and lines, wherever and however fine; JPEG's own blocks do not.
"""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from handsel.vision.periodic import periodicity

SIDE = 320
LOUD = 3.3  # Above what an even noise reaches in 10,000 bins.


def skin(seed: int) -> NDArray[np.float64]:
    """
    Return something like skin, float64 (SIDE, SIDE, 3): coarse shades, fine grain, a camera's noise.
    """
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((SIDE, SIDE))
    grey = sum(cv2.GaussianBlur(noise, (0, 0), sigma) * sigma * 4 for sigma in (1.0, 2.0, 4.0, 16.0))
    noisy = np.asarray(grey)[..., None] + 1.5 * rng.standard_normal((SIDE, SIDE, 3))
    return np.asarray(np.array([190, 140, 110]) + noisy, np.float64)


def measured(picture: NDArray[np.float64], *, quality: int = 95, side_px: float = 260) -> float:
    """
    Return the periodicity of the picture after JPEG.
    """
    stored = np.clip(picture, 0, 255).astype(np.uint8)
    coded = cv2.imencode(".jpg", stored[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    pixels = np.ascontiguousarray(cv2.imdecode(coded, cv2.IMREAD_COLOR)[..., ::-1])
    return periodicity(np.asarray(pixels, np.uint8), middle=(SIDE / 2, SIDE / 2), side_px=side_px)


def wave(across: float, down: float) -> NDArray[np.float64]:
    """
    Return a wave of unit strength, (SIDE, SIDE, 1).
    """
    rows, columns = np.mgrid[:SIDE, :SIDE]
    return np.asarray(np.cos(2 * np.pi * (across * columns + down * rows))[..., None])


@pytest.mark.parametrize("quality", [70, 85, 95])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_skin_and_what_jpeg_makes_of_it_are_quiet(seed: int, quality: int) -> None:
    assert measured(skin(seed), quality=quality) < LOUD


@pytest.mark.parametrize(("across", "down"), [(0.31, 0.07), (0.2, -0.2), (0.03, 0.38)])
def test_a_wave_of_one_grey_level_in_brightness_is_loud(across: float, down: float) -> None:
    assert measured(skin(1) + 1.2 * wave(across, down)) > LOUD


def test_a_coloured_wave_is_loud() -> None:
    assert measured(skin(1) + 3 * wave(0.11, 0.05) * np.array([1, 0, -1])) > LOUD


@pytest.mark.parametrize("side_px", [90, 150, 200, 300])
def test_a_smaller_palm_is_looked_at_through_a_smaller_window(side_px: float) -> None:
    assert measured(skin(1) + 4 * wave(0.31, 0.07), side_px=side_px) > LOUD


def test_a_palm_at_the_edge_is_looked_at_and_a_tiny_frame_says_nothing() -> None:
    pixels = np.clip(skin(1) + 3 * wave(0.31, 0.07), 0, 255).astype(np.uint8)

    assert periodicity(pixels, middle=(0.0, SIDE * 1.0), side_px=260) > LOUD
    assert periodicity(pixels[:100, :100], middle=(50, 50), side_px=90) == 0
