"""
Draw what is around a hand, and what is no hand at all: cloth, walls, tables, shelves, lamps, writing, faces, arms.

Pictures are uint8 (SIDE, SIDE, 3), RGB, the same for the same seed. None is a photograph.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from handsel.drawn.skin import draw_skin

SIDE_PX = 224
FACE_SHARE = 0.15

Picture = NDArray[np.float32]


def draw_clutter(seed: int) -> tuple[NDArray[np.uint8], bool]:
    """
    Return one background without a hand, and whether it shows a face.
    """
    rng = np.random.default_rng([71, seed])
    grounds: tuple[Callable[[np.random.Generator], Picture], ...] = (
        _cloth,
        _gradient,
        _planks,
        _mosaic,
        _shelves,
        _noise,
    )
    image = np.ascontiguousarray(grounds[int(rng.integers(len(grounds)))](rng), np.float32)
    is_face = bool(rng.random() < FACE_SHARE)
    for _ in range(int(rng.integers(0, 7)) if rng.random() < 0.75 else 0):
        things: tuple[Callable[[np.random.Generator, Picture], None], ...] = (
            _box,
            _ball,
            _bar,
            _writing,
            _limb,
            _stripes,
        )
        things[int(rng.integers(len(things)))](rng, image)
    if is_face:
        _face(rng, image, seed)
    image = _blurred(image, float(rng.choice((0.0, 0.7, 1.5, 4.0))))
    if rng.random() < 0.25:
        _lamp(rng, image)
    return np.clip(image, 0, 255).astype(np.uint8), is_face


def _colour(rng: np.random.Generator) -> NDArray[np.float32]:
    """
    Return a colour: grey, muted, strong, or like skin.
    """
    kind = rng.random()
    if kind < 0.2:
        return np.full(3, rng.uniform(5, 245), np.float32)
    if kind < 0.6:
        return (rng.uniform(15, 235) * (1 + rng.normal(0, 0.15, 3))).astype(np.float32)
    if kind < 0.8:
        return rng.uniform(0, 255, 3).astype(np.float32)
    return np.asarray(draw_skin(int(rng.integers(1 << 30))).palm * rng.uniform(0.6, 1.05), np.float32)


def _field(rng: np.random.Generator, knots: int) -> Picture:
    coarse = rng.standard_normal((knots, knots), dtype=np.float32)
    return np.asarray(cv2.resize(coarse, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_CUBIC)[..., None], np.float32)


def _blurred(image: Picture, sigma: float) -> Picture:
    return image if sigma == 0 else np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.float32)


def _cloth(rng: np.random.Generator) -> Picture:
    folds = 0.14 * _field(rng, 4) + 0.07 * _field(rng, 10) + 0.05 * _field(rng, 90)
    return np.asarray(_colour(rng) * rng.uniform(0.15, 1) * (1 + folds), np.float32)


def _gradient(rng: np.random.Generator) -> Picture:
    share = np.linspace(0, 1, SIDE_PX, dtype=np.float32)[:, None, None]
    share = share if rng.random() < 0.5 else share.transpose(1, 0, 2)
    return np.asarray(_colour(rng) * share + _colour(rng) * (1 - share) + 4 * _field(rng, 6), np.float32)


def _planks(rng: np.random.Generator) -> Picture:
    down = np.linspace(0, rng.uniform(10, 60), SIDE_PX, dtype=np.float32)[:, None, None]
    grain = 0.1 * np.sin(down + 1.5 * _field(rng, 3)) + 0.06 * np.sin(2.7 * down + 2 * _field(rng, 4))
    image = _colour(rng) * (1 + grain + 0.06 * _field(rng, 60))
    return np.asarray(image if rng.random() < 0.5 else image.transpose(1, 0, 2), np.float32)


def _mosaic(rng: np.random.Generator) -> Picture:
    tiles = int(rng.integers(3, 24))
    coarse = rng.uniform(0, 255, (tiles, tiles, 3)).astype(np.float32) * np.float32(rng.uniform(0.1, 1))
    coarse += _colour(rng) * np.float32(rng.uniform(0, 0.8))
    how = cv2.INTER_NEAREST if rng.random() < 0.5 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(coarse, (SIDE_PX, SIDE_PX), interpolation=how), np.float32)


def _shelves(rng: np.random.Generator) -> Picture:
    image = np.asarray(np.ones((SIDE_PX, SIDE_PX, 1), np.float32) * _colour(rng), np.float32)
    for _ in range(int(rng.integers(10, 60))):
        _box(rng, image)
    return image


def _noise(rng: np.random.Generator) -> Picture:
    image = _colour(rng) + sum(
        rng.uniform(0, 25) * np.concatenate([_field(rng, knots) for _ in range(3)], -1) for knots in (3, 8, 20, 50)
    )
    return np.asarray(image, np.float32)


def _place(rng: np.random.Generator) -> tuple[int, int]:
    x, y = rng.uniform(-0.1, 1.1, 2) * SIDE_PX
    return int(x), int(y)


def _box(rng: np.random.Generator, image: Picture) -> None:
    (x, y), (w, h) = _place(rng), rng.uniform(0.03, 0.5, 2) * SIDE_PX
    corners = cv2.boxPoints(((float(x), float(y)), (float(w), float(h)), float(rng.uniform(-45, 45))))
    cv2.fillPoly(image, [corners.astype(np.int32)], _colour(rng).tolist(), cv2.LINE_AA)


def _ball(rng: np.random.Generator, image: Picture) -> None:
    axes = (rng.uniform(0.01, 0.25, 2) * SIDE_PX).astype(int).tolist()
    colour, middle, turn = _colour(rng), _place(rng), float(rng.uniform(0, 180))
    for share in np.linspace(1, 0.1, 8):
        size = [max(1, int(axis * share)) for axis in axes]
        cv2.ellipse(image, middle, size, turn, 0, 360, (colour * (1.2 - 0.5 * share)).tolist(), -1, cv2.LINE_AA)


def _bar(rng: np.random.Generator, image: Picture) -> None:
    cv2.line(image, _place(rng), _place(rng), _colour(rng).tolist(), int(rng.integers(1, 26)), cv2.LINE_AA)


def _limb(rng: np.random.Generator, image: Picture) -> None:
    """
    Draw a rounded bar the colour of skin, or several side by side: arms, and things that are nearly fingers.
    """
    skin = draw_skin(int(rng.integers(1 << 30))).palm * np.float32(rng.uniform(0.5, 1.05))
    first, last = np.array(_place(rng)), np.array(_place(rng))
    thick, beside = int(rng.integers(6, 60)), rng.uniform(-1, 1, 2)
    for i in range(int(rng.integers(1, 5)) if thick < 22 else 1):
        shift = (beside * i * thick * 1.2).astype(int)
        for share in np.linspace(1, 0.15, 7):
            start, end = (first + shift).tolist(), (last + shift).tolist()
            cv2.line(
                image, start, end, (skin * (1.08 - 0.45 * share)).tolist(), max(1, int(thick * share)), cv2.LINE_AA
            )


def _stripes(rng: np.random.Generator, image: Picture) -> None:
    phase = np.linspace(0, rng.uniform(20, 250), SIDE_PX, dtype=np.float32)
    wave = (np.sin(phase) > 0).astype(np.float32)[:, None, None]
    image += (
        (wave if rng.random() < 0.5 else wave.transpose(1, 0, 2)) * _colour(rng) * np.float32(rng.uniform(-0.3, 0.3))
    )


def _writing(rng: np.random.Generator, image: Picture) -> None:
    letters = "".join(chr(int(c)) for c in rng.integers(65, 91, int(rng.integers(2, 12))))
    ink = np.zeros((SIDE_PX, SIDE_PX), np.uint8)
    font, size, thick = int(rng.integers(0, 8)), float(rng.uniform(0.3, 2.5)), int(rng.integers(1, 5))
    cv2.putText(ink, letters, _place(rng), font, size, (255,), thick, cv2.LINE_AA)
    share = (ink / np.float32(255))[..., None]
    image += (_colour(rng) - image) * share


def _lamp(rng: np.random.Generator, image: Picture) -> None:
    glow = np.zeros((SIDE_PX, SIDE_PX), np.float32)
    cv2.circle(glow, _place(rng), int(rng.integers(4, 40)), (1.0,), -1)
    glow = np.asarray(cv2.GaussianBlur(glow, (0, 0), float(rng.uniform(3, 25))), np.float32)
    image += glow[..., None] * (200 + 0.3 * _colour(rng)) * np.float32(rng.uniform(0.4, 1.4))


def _face(rng: np.random.Generator, image: Picture, seed: int) -> None:
    """
    Draw head, neck and shoulders with light from one side.
    """
    skin = draw_skin(seed).palm * np.float32(rng.uniform(0.7, 1.0))
    hair, clothes, size = _colour(rng) * 0.6, _colour(rng), rng.uniform(0.12, 0.33) * SIDE_PX
    x, y = rng.uniform(0.25, 0.75) * SIDE_PX, rng.uniform(0.25, 0.65) * SIDE_PX

    def oval(at_x: float, at_y: float, half_x: float, half_y: float, colour: NDArray[np.float32]) -> None:
        middle = int(x + at_x * size), int(y + at_y * size)
        axes = max(1, int(half_x * size)), max(1, int(half_y * size))
        cv2.ellipse(image, middle, axes, 0, 0, 360, np.asarray(colour, float).tolist(), -1, cv2.LINE_AA)

    oval(0, 2.3, 1.8, 1.2, clothes)
    oval(0, -0.15, 0.95, 1.15, hair)
    oval(0, 1.0, 0.4, 0.6, skin * np.float32(0.75))
    light = rng.uniform(-0.15, 0.15)
    for share in np.linspace(1, 0.2, 10):
        oval(light * (1 - share), 0, 0.78 * share, 1.0 * share, skin * np.float32(1.1 - 0.4 * share))
    for side in (-1, 1):
        oval(side * 0.8, 0.05, 0.1, 0.22, skin * np.float32(0.8))
        oval(side * 0.32, -0.34, 0.2, 0.05, hair)
        oval(side * 0.32, -0.15, 0.15, 0.08, np.array([235, 230, 225], np.float32))
        oval(side * 0.32, -0.15, 0.07, 0.08, np.array([50, 38, 30], np.float32))
    oval(0, 0.2, 0.12, 0.16, skin * np.float32(0.9))
    oval(0, 0.52, 0.28, 0.08, skin * np.array([0.85, 0.5, 0.5], np.float32))
