"""
Draw a palm square as a finder would cut it out: cropping error, one warp of the whole palm, light, fading, blur, noise.

Its squares are what a model is fitted on; people's hands are never. It knows no model.
"""

from __future__ import annotations

import cv2
import numpy as np

from handsel.drawn.canvas import ByteArray, FloatArray, blurred, coordinates, resampled, smooth_field, to_bytes
from handsel.drawn.palm import RELIEF_PX, PalmLines
from handsel.drawn.stroke import LAYER_PX, MARGIN_PX, SQUARE_PX

SQUARE_SIDE = 128  # Pixels of the square that is returned.
_RELIEF_SCALE = RELIEF_PX / LAYER_PX
_NEUTRAL = np.float32(128)


def draw_square(palm: PalmLines, rng: np.random.Generator) -> ByteArray:
    """
    Return one picture of `palm`, grey uint8 (128, 128): x from the fingers to the wrist, y from the little finger to
    the thumb.

    1. One cropping error (±18°, ±24 %, ±15 %, perspective) and one smooth non-rigid warp move all layers together.
    2. Every layer fades by its own random gain, unevenly over the palm.
    3. Light: raking relief, gradients, folds that come and go.
    4. Camera: blur or sharpening, noise, contrast, brightness, JPEG.
    """
    columns, rows = _where(rng)
    layers = resampled(palm.stacked(), columns, rows)  # (128, 128, 4)
    relief_columns, relief_rows = columns * _RELIEF_SCALE - 0.375, rows * _RELIEF_SCALE - 0.375
    relief = resampled(palm.relief, relief_columns.astype(np.float32), relief_rows.astype(np.float32)) - _NEUTRAL
    strength = float(np.exp(rng.normal(0, 0.25)))
    creases = _faded_creases(rng, layers, strength)
    relief = relief * np.float32(strength * rng.uniform(0.05, 0.7))
    grain = strength * rng.uniform(0.05, 0.45) * rng.uniform(0.1, 1)
    image = 170 - creases + np.float32(grain) * (layers[..., 3] - _NEUTRAL) + relief
    image = _lit(rng, image, creases - 1.5 * relief)
    return _photographed(rng, image)


def _where(rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """
    Return which place of the layers each pixel shows: columns and rows, float32 (128, 128).
    """
    across, down = coordinates(SQUARE_SIDE)
    turn = np.deg2rad(np.clip(rng.normal(0, 6.5), -18, 18))
    scale = np.exp(np.clip(rng.normal(0, 0.085), -0.24, 0.24))
    aspect, shear = np.exp(rng.normal(0, 0.02)), rng.normal(0, 0.025)
    shift_x, shift_y = np.clip(rng.normal(0, 0.055, 2), -0.15, 0.15)
    tilt_x, tilt_y = rng.normal(0, 0.05, 2)
    c, s = np.cos(turn) * scale, np.sin(turn) * scale
    depth = 1 / (1 + tilt_x * across + tilt_y * down)
    x = (c * across + (shear - s * aspect) * down) * depth + shift_x
    y = (s * across + c * aspect * down) * depth + shift_y
    bending = abs(rng.normal(0, 1))
    for knots, reach in ((int(rng.integers(3, 6)), 0.017), (8, 0.004)):
        x = x + smooth_field(rng, knots=knots, size=SQUARE_SIDE) * (reach * bending)
        y = y + smooth_field(rng, knots=knots, size=SQUARE_SIDE) * (reach * bending)
    columns, rows = (axis * SQUARE_PX + (SQUARE_PX / 2 + MARGIN_PX - 0.5) for axis in (x, y))
    return columns.astype(np.float32), rows.astype(np.float32)


def _faded_creases(rng: np.random.Generator, layers: FloatArray, strength: float) -> FloatArray:
    """
    Return the depth of all creases together, each layer faded by its own gain.
    """
    u = rng.uniform
    principal = strength * u(0.12, 0.45) * (u(0.15, 0.6) if rng.random() < 0.2 else 1)
    secondary = strength * u(0.12, 0.5) * (1 if rng.random() < 0.93 else 0.3)
    fine = strength * u(0.06, 0.5) * (0.75 if rng.random() < 0.75 else 0.1)
    strong_here = np.clip(1 + 0.35 * smooth_field(rng, knots=4, size=SQUARE_SIDE), 0.1, 1.6)
    weak_here = np.clip(1 + 0.35 * smooth_field(rng, knots=4, size=SQUARE_SIDE), 0.05, 1.6)
    faint = layers[..., 1] * np.float32(secondary) + layers[..., 2] * np.float32(fine)
    return np.asarray(layers[..., 0] * np.float32(principal) * strong_here + faint * weak_here, dtype=np.float32)


def _lit(rng: np.random.Generator, image: FloatArray, hollows: FloatArray) -> FloatArray:
    """
    Return `image` under a light from somewhere, with folds that no second picture shows.
    """
    u = rng.uniform
    if rng.random() < 0.7:
        angle, force = u(0, 2 * np.pi), u(0.1, 0.8) * 0.25
        c, s = np.cos(angle) * force, np.sin(angle) * force
        slope = np.array([[-c - s, -2 * s, c - s], [-2 * c, 0, 2 * c], [-c + s, 2 * s, c + s]], np.float32)
        image = image - np.asarray(cv2.filter2D(hollows, cv2.CV_32F, slope), dtype=np.float32)
    image = image + smooth_field(rng, knots=2, size=SQUARE_SIDE) * np.float32(u(2, 30))
    image = image + smooth_field(rng, knots=int(rng.integers(3, 7)), size=SQUARE_SIDE) * np.float32(u(0, 14))
    if rng.random() < 0.55:
        image = image + _thumb_folds(rng)
    if rng.random() < 0.35:
        image = image + _passing_folds(rng)
    return image.astype(np.float32)


def _thumb_folds(rng: np.random.Generator) -> FloatArray:
    """
    Return the folds at the root of the thumb: alike on all palms, and never twice the same on one.
    """
    u = rng.uniform
    folds = np.zeros((SQUARE_SIDE, SQUARE_SIDE), np.float32)
    top, left, width, lean = u(0.5, 0.72), u(0.5, 0.75), u(0.15, 0.4), rng.normal(0, 0.08)
    for _ in range(int(rng.integers(2, 8))):
        x, y = left + width * rng.random(), top + u(-0.08, 0.12)
        end = x + lean + (x - left - width / 2) * u(-0.3, 0.3), y + u(0.15, 0.5)
        _fold(folds, (x, y), end, depth=u(-110, -25), thickness=int(rng.integers(1, 4)))
    return blurred(folds, u(0.6, 2.0))


def _passing_folds(rng: np.random.Generator) -> FloatArray:
    """
    Return up to four soft folds or glints of a hand that is held a little bent.
    """
    u = rng.uniform
    folds = np.zeros((SQUARE_SIDE, SQUARE_SIDE), np.float32)
    for _ in range(int(rng.integers(1, 5))):
        middle, angle, half = u(0, 1, 2), u(0, np.pi), u(0.05, 0.25)
        reach = np.array([np.cos(angle), np.sin(angle)]) * half
        start, end = (middle - reach).tolist(), (middle + reach).tolist()
        _fold(folds, start, end, depth=u(-90, 50), thickness=int(rng.integers(2, 8)))
    return blurred(folds, u(1.5, 4))


def _fold(
    image: FloatArray, start: tuple[float, float], end: tuple[float, float], *, depth: float, thickness: int
) -> None:
    """
    Draw one straight fold between two places given in parts of the side.
    """
    first, last = ([int(v * SQUARE_SIDE * 16) for v in place] for place in (start, end))
    cv2.line(image, first, last, (depth,), thickness, cv2.LINE_AA, 4)


def _photographed(rng: np.random.Generator, image: FloatArray) -> ByteArray:
    """
    Return `image` as some camera would have it: focus, noise, contrast, brightness, compression.
    """
    u = rng.uniform
    choice = rng.random()
    if choice < 0.4:
        image = blurred(image, abs(rng.normal(0, 0.45)) + 0.3)
    elif choice < 0.7:
        image = image + np.float32(u(0.3, 1.2)) * (image - blurred(image, u(0.8, 1.6)))
    noise = rng.standard_normal((SQUARE_SIDE, SQUARE_SIDE), dtype=np.float32)
    if rng.random() < 0.4:
        noise = blurred(noise, 0.7) * 2
    image = image + noise * np.float32(abs(rng.normal(0, 4.5)))
    contrast = u(14, 48) / max(float(image.std()), 5.0)
    image = 110 * np.tanh((image - image.mean()) * np.float32(contrast / 110)) + np.float32(128 + rng.normal(0, 12))
    if rng.random() < 0.5:
        image = np.float32(255) * (np.clip(image, 3, 255) / np.float32(255)) ** np.float32(np.exp(rng.normal(0, 0.35)))
    grey = to_bytes(image)
    if rng.random() < 0.5:
        share = u(0.3, 1)
        grey = np.asarray(cv2.addWeighted(cv2.equalizeHist(grey), share, grey, 1 - share, 0), dtype=np.uint8)
    if rng.random() < 0.25:
        coded = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(40, 92))])[1]
        grey = np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), dtype=np.uint8)
    return grey
