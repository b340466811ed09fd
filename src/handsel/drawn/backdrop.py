"""
Draw what is behind a hand: a wall, a cloth, a wooden table, a room out of focus; and the sleeve it comes out of.
"""

from __future__ import annotations

import cv2
import numpy as np

from handsel.drawn.canvas import FloatArray, blurred, resized, smooth_field
from handsel.drawn.shot import Surroundings

_COARSE = 4  # What is out of focus is drawn at a quarter of the size.


def draw_backdrop(rng: np.random.Generator, kind: Surroundings, *, width: int, height: int) -> FloatArray:
    """
    Return a background, float32 (H, W, 3), RGB 0 to 255.
    """
    columns, rows = max(8, width // _COARSE), max(8, height // _COARSE)
    drawing = {
        Surroundings.WALL: _wall,
        Surroundings.CLOTH: _cloth,
        Surroundings.WOOD: _wood,
        Surroundings.ROOM: _room,
        Surroundings.TILES: _tiles,
        Surroundings.STRIPES: _stripes,
        Surroundings.LEAVES: _leaves,
    }[kind]
    return np.clip(resized(drawing(rng, columns, rows), width=width, height=height), 0, 255)


def _field(rng: np.random.Generator, knots: int, columns: int, rows: int) -> FloatArray:
    """
    Return smooth noise stretched to (rows, columns, 1).
    """
    return resized(smooth_field(rng, knots=knots, size=max(knots, 64)), width=columns, height=rows)[..., None]


def _plain_colour(rng: np.random.Generator, *, low: float, high: float) -> FloatArray:
    """
    Return a muted colour, float32 (3,), of a brightness between `low` and `high`.
    """
    colour = rng.uniform(low, high) * (1 + rng.normal(0, 0.09, 3))
    return colour.astype(np.float32)


def _wall(rng: np.random.Generator, columns: int, rows: int) -> FloatArray:
    """
    Return a plain wall with a gradient of light.
    """
    return _plain_colour(rng, low=60, high=225) * (1 + 0.09 * _field(rng, 2, columns, rows))


def _cloth(rng: np.random.Generator, columns: int, rows: int) -> FloatArray:
    """
    Return a dark cloth with soft folds.
    """
    folds = 0.1 * _field(rng, 4, columns, rows) + 0.05 * _field(rng, 9, columns, rows)
    weave = rng.standard_normal((rows, columns, 1), dtype=np.float32) * np.float32(0.03)
    return np.asarray(_plain_colour(rng, low=22, high=95) * (1 + folds + weave), dtype=np.float32)


def _wood(rng: np.random.Generator, columns: int, rows: int) -> FloatArray:
    """
    Return a wooden table: streaks along one direction, in brown to grey.
    """
    down = np.linspace(0, rng.uniform(25, 60), rows, dtype=np.float32)[:, None, None]
    bent = down + 1.5 * _field(rng, 3, columns, rows)
    streaks = np.sin(bent) * 0.05 + np.sin(bent * 2.7 + 1) * 0.03
    brightness = rng.uniform(100, 200)
    tone = np.array([1.0, rng.uniform(0.72, 0.9), rng.uniform(0.45, 0.8)], np.float32) * np.float32(brightness)
    return np.asarray(tone * (1 + streaks + 0.06 * _field(rng, 2, columns, rows)), dtype=np.float32)


def _room(rng: np.random.Generator, columns: int, rows: int) -> FloatArray:
    """
    Return a room far out of focus: boxes and round lights in many colours.
    """
    image = np.empty((rows, columns, 3), np.float32)
    image[:] = _plain_colour(rng, low=50, high=190)
    for _ in range(int(rng.integers(8, 22))):
        colour = tuple(float(v) for v in rng.uniform(15, 240) * (1 + rng.normal(0, 0.25, 3)))
        x, y = int(rng.integers(-20, columns)), int(rng.integers(-20, rows))
        w, h = int(rng.uniform(0.05, 0.35) * columns), int(rng.uniform(0.08, 0.6) * rows)
        if rng.random() < 0.7:
            cv2.rectangle(image, (x, y), (x + w, y + h), colour, -1)
        else:
            cv2.circle(image, (x, y), w // 3 + 1, colour, -1)
    return blurred(image, rng.uniform(1.2, 4.5))


def _tiles(rng: np.random.Generator, columns: int, rows: int) -> FloatArray:
    """
    Return a tiled wall, each tile of its own brightness, with joints between them.
    """
    side = int(rng.integers(14, 40))
    shades = rng.normal(1, 0.06, (rows // side + 2, columns // side + 2)).astype(np.float32)
    image = np.repeat(np.repeat(shades, side, axis=0), side, axis=1)
    image[::side], image[:, ::side] = 0.7, 0.7
    top, left = rng.integers(0, side, 2).tolist()
    cut = image[top : top + rows, left : left + columns, None]
    return np.asarray(cut * _plain_colour(rng, low=70, high=220), np.float32)


def _stripes(rng: np.random.Generator, columns: int, rows: int) -> FloatArray:
    """
    Return a shirt with stripes of two colours.
    """
    angle, waves = rng.uniform(-0.4, 0.4), rng.uniform(0.15, 0.6)
    x = np.arange(columns, dtype=np.float32)[None, :, None]
    y = np.arange(rows, dtype=np.float32)[:, None, None]
    mix = 0.5 + 0.5 * np.tanh(3 * np.sin(waves * (x * np.cos(angle) + y * np.sin(angle))))
    first, second = _plain_colour(rng, low=30, high=130), _plain_colour(rng, low=110, high=230)
    return np.asarray((first * mix + second * (1 - mix)) * (1 + 0.1 * _field(rng, 4, columns, rows)), np.float32)


def _leaves(rng: np.random.Generator, columns: int, rows: int) -> FloatArray:
    """
    Return a hedge: many small leaves in greens, some in the light.
    """
    image = np.empty((rows, columns, 3), np.float32)
    image[:] = (20, 34, 16)
    for _ in range(500):
        place = int(rng.integers(0, columns)), int(rng.integers(0, rows))
        axes = int(rng.integers(2, 9)), int(rng.integers(1, 5))
        green = rng.uniform(50, 190)
        colour = (green * rng.uniform(0.4, 0.9), green, green * rng.uniform(0.2, 0.6))
        cv2.ellipse(image, place, axes, float(rng.uniform(0, 180)), 0, 360, colour, -1)
    return blurred(image, rng.uniform(0.5, 1.5))


def draw_sleeve(rng: np.random.Generator, *, width_mm: float, length_mm: float, px_per_mm: float) -> FloatArray:
    """
    Return a straight sleeve lying flat, cuff upwards, float32 (length, width, 3), RGB 0 to 255.
    """
    columns, rows = round(width_mm * px_per_mm), round(length_mm * px_per_mm)
    u = np.linspace(-1, 1, columns, dtype=np.float32)[None, :, None]
    v = np.linspace(0, length_mm, rows, dtype=np.float32)[:, None, None]
    round_light = 0.45 + 0.55 * np.sqrt(np.clip(1 - u * u, 0, 1))
    folds = 1 + 0.08 * _field(rng, 6, columns, rows) + 0.05 * _field(rng, 14, columns, rows)
    cuff = np.where(v < 22, 1.07, 1.0) * np.where(np.abs(v - 22) < 1.0, 0.75, 1.0) * np.where(v < 1.5, 0.8, 1.0)
    image = _plain_colour(rng, low=30, high=215) * round_light * folds * cuff
    return np.asarray(image, dtype=np.float32)
