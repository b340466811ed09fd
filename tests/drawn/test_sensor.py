"""
The camera of drawn presentations exposes for the middle, takes out a cast, and adds no more than it says.
"""

from __future__ import annotations

import numpy as np

from handsel.drawn.sensor import GAMMA, Sensor, draw_sensor, exposure, taken, to_light

QUIET = Sensor(blur_px=0.5, fill=1.0, shot_noise=0.0, dark_noise=0.0, balance=1.0, quality=100)


def even(*colour: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """
    Return a scene of one colour.
    """
    return np.broadcast_to(np.array(colour, np.float32), (64, 96, 3)).copy()


def test_what_is_stored_and_what_shines_are_two_sides_of_one_curve() -> None:
    light = to_light(np.array([[[0, 128, 255]]], np.uint8))

    assert np.allclose(light, [[[0, (128 / 255) ** GAMMA, 1]]], atol=1e-6)


def test_a_grey_scene_comes_out_at_the_same_brightness_in_any_light() -> None:
    dim, bright = (
        taken(even(*(level,) * 3), QUIET, exposure(even(*(level,) * 3), QUIET), np.random.default_rng(0))
        for level in (0.02, 0.9)
    )

    assert abs(float(dim.mean()) - 255 * 0.2 ** (1 / GAMMA)) < 1.5
    assert abs(float(dim.mean()) - float(bright.mean())) < 1.5


def test_a_cast_is_taken_out_as_far_as_the_camera_balances() -> None:
    warm = even(0.5, 0.3, 0.2)
    picture = taken(warm, QUIET, exposure(warm, QUIET), np.random.default_rng(0))

    assert np.ptp(picture.reshape(-1, 3).mean(axis=0)) < 3


def test_noise_is_of_the_strength_that_was_asked_for() -> None:
    noisy = Sensor(blur_px=0.5, fill=1.0, shot_noise=0.05, dark_noise=0.0, balance=1.0, quality=100)
    grey = even(0.2, 0.2, 0.2)

    picture = to_light(taken(grey, noisy, exposure(grey, noisy), np.random.default_rng(1)))

    # A quarter of the reds are as measured, the others are means of two or four neighbours.
    expected = 0.05 * np.sqrt(0.2) * np.sqrt(1 / 4 + 1 / 2 / 2 + 1 / 4 / 4)
    assert abs(float(picture[4:-4, 4:-4, 0].std()) / expected - 1) < 0.15


def test_cameras_differ_and_are_drawn_alike_from_a_seed() -> None:
    assert draw_sensor(np.random.default_rng(1)) == draw_sensor(np.random.default_rng(1))
    assert draw_sensor(np.random.default_rng(1)) != draw_sensor(np.random.default_rng(2))
