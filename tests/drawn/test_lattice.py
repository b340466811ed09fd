"""
What a camera sees of a fine lattice is the wave that its places make of it, weakened as lens and pixels do.
"""

from __future__ import annotations

import numpy as np
import pytest

from handsel.drawn.lattice import Plane, Wave, dot_waves, screen_waves, seen_waves

SIDE = 32


def facing(*, mm_per_px: float = 1.0) -> Plane:
    """
    Return a plane that faces the camera.
    """
    line = np.arange(SIDE, dtype=np.float32) * np.float32(mm_per_px)
    x, y = np.meshgrid(line, line)
    return Plane(x, y)


@pytest.mark.parametrize(("cycles", "alias"), [(0.25, 0.25), (0.75, 0.25), (1.25, 0.25), (1.0, 0.0), (2.1, 0.1)])
def test_a_wave_too_fine_for_the_camera_comes_back_coarse(cycles: float, alias: float) -> None:
    blur_px, fill = 0.3, 0.8
    weakened = np.exp(-((np.pi * blur_px) ** 2) * cycles) * np.sinc(fill * cycles)
    expected = np.tile(weakened * np.cos(2 * np.pi * alias * np.arange(SIDE)), (SIDE, 1))

    seen = seen_waves(facing(), (Wave(cycles, 0.0, 1.0, 0.0),), blur_px=blur_px, fill=fill)

    assert np.allclose(seen, expected, atol=2e-3)


def test_a_wave_that_a_pixel_holds_whole_is_not_seen() -> None:
    seen = seen_waves(facing(), (Wave(1.0, 0.0, 1.0, 0.0),), blur_px=0.3, fill=1.0)

    assert np.abs(seen).max() < 2e-3


def test_farther_away_a_print_shows_less() -> None:
    dots = dot_waves(pitch_mm=0.18, angle_deg=15)

    near, far = (np.abs(seen_waves(facing(mm_per_px=mm), dots, blur_px=0.5, fill=1.0)).max() for mm in (0.05, 0.5))

    assert near > 0.2
    assert far < 0.05


def test_the_colours_of_a_screen_lie_beside_each_other() -> None:
    red, green, blue = (
        seen_waves(
            facing(mm_per_px=0.02), screen_waves(pitch_mm=0.24, channel=channel, is_diamond=False), blur_px=0.3, fill=1
        )
        for channel in range(3)
    )

    assert np.allclose(np.roll(red, 4, axis=1)[:, 4:-4], green[:, 4:-4], atol=0.02)
    assert np.allclose(np.roll(green, 4, axis=1)[:, 4:-4], blue[:, 4:-4], atol=0.02)
    assert np.corrcoef(red.ravel(), green.ravel())[0, 1] < 0.5
