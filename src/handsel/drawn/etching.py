"""
Draw the creases of one palm as another painter would, to test on lines that no model was fitted on.

Where `crease.py` lays short curves, this one leads a pen: principal lines run through a few places of anatomy and taper
towards both ends, secondary creases follow one flow over the palm, fine wrinkles are grooves in noise. What it shares
with the other are the places of heart, head and life line, which are anatomy, and the size of a layer.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from handsel.drawn.canvas import ByteArray, FloatArray, blurred, smooth_field, smooth_row, to_bytes
from handsel.drawn.stroke import LAYER_PX, MARGIN_PX, SQUARE_PX, SUPERSAMPLE

# Places that a principal line runs through, (x, y) in sides of the square, and how far they scatter. Set by eye.
_HEART = ((0.29, -0.2), (0.33, 0.15), (0.24, 0.5), (0.06, 0.85))
_HEAD = ((0.2, 1.08), (0.33, 0.78), (0.47, 0.45), (0.6, 0.1))
_LIFE = ((0.23, 1.08), (0.38, 0.72), (0.66, 0.55), (1.12, 0.66))
_FATE = ((0.2, 0.5), (0.5, 0.48), (0.8, 0.5), (1.1, 0.5))
_SCATTER = 0.045
_FATE_SHARE = 0.5
_STEP = 0.012  # Length of one stretch of the pen, in sides.
_SUBPIXEL_BITS = 4
_SCALE = SQUARE_PX * SUPERSAMPLE


@dataclass(frozen=True)
class _Pen:
    """
    How a line is drawn: width in sides, depth 0 to 255, how it tapers, and how often the pen is lifted.
    """

    width: float
    depth: float
    taper: float
    lifted: float


def principal_paths(rng: np.random.Generator) -> list[FloatArray]:
    """
    Return the courses of the principal lines, each float32 (N, 2).
    """
    lines = [_HEART, _HEAD, _LIFE, *([_FATE] if rng.random() < _FATE_SHARE else [])]
    return [_through(np.array(line) + rng.normal(0, _SCATTER, (len(line), 2))) for line in lines]


def etch_principal(rng: np.random.Generator, layer: ByteArray, paths: list[FloatArray]) -> None:
    """
    Draw the principal lines, each with a few side lines that leave it and run on beside it.
    """
    for path in paths:
        pen = _Pen(rng.uniform(0.006, 0.016), rng.uniform(110, 230), rng.uniform(0.4, 1.2), lifted=0.02)
        trembling = path + _tremble(rng, len(path), 0.006)
        _draw(rng, layer, trembling, pen)
        for _ in range(int(rng.integers(1, 5))):
            start = int(rng.integers(0, len(path) * 3 // 4))
            part = trembling[start : start + int(rng.integers(8, 30))]
            away = np.linspace(0, 1, len(part))[:, None] * rng.normal(0, 0.06, 2)
            _draw(
                rng,
                layer,
                np.asarray(part + away, np.float32),
                _Pen(pen.width * 0.5, pen.depth * 0.75, 1.0, lifted=0.08),
            )


def etch_secondary(rng: np.random.Generator, layer: ByteArray, *, wear: float) -> None:
    """
    Draw secondary creases along one smooth flow of directions, so that neighbours bend alike.
    """
    flow = rng.uniform(0, np.pi) + 0.9 * smooth_field(rng, knots=int(rng.integers(3, 5)), size=64)
    for _ in range(int(rng.integers(26, 60) * (1 + 0.4 * wear))):
        turned = np.pi / 2 if rng.random() < 0.25 else 0.0
        path = _along(rng, flow + turned, steps=int(np.clip(rng.lognormal(2.7, 0.5), 6, 60)))
        pen = _Pen(rng.uniform(0.003, 0.009), rng.uniform(70, 220), rng.uniform(0.5, 1.3), lifted=0.04)
        _draw(rng, layer, path, pen)


def etched_fine(rng: np.random.Generator, *, wear: float) -> ByteArray:
    """
    Return the fine wrinkles, uint8 (LAYER_PX, LAYER_PX): the deep places of noise that is stretched one way.
    """
    depth = np.zeros((LAYER_PX, LAYER_PX), np.float32)
    for _ in range(int(rng.integers(3, 6))):
        angle, wavelength = rng.uniform(0, np.pi), rng.uniform(5, 9) - 1.5 * wear
        noise = rng.standard_normal((LAYER_PX, LAYER_PX), dtype=np.float32)
        grooves = np.asarray(cv2.filter2D(noise, cv2.CV_32F, _groove(wavelength, angle)), np.float32)
        where = np.clip(smooth_field(rng, knots=int(rng.integers(3, 6)), size=LAYER_PX) - 0.2, 0, 1.2)
        depth += where * np.maximum(grooves / grooves.std() - np.float32(1.1 - 0.5 * wear), 0)
    return to_bytes(depth * np.float32(rng.uniform(70, 130)))


def etched_texture(rng: np.random.Generator) -> ByteArray:
    """
    Return pores, cells and blotches around 128, uint8 (LAYER_PX, LAYER_PX).
    """
    noise = rng.standard_normal((LAYER_PX, LAYER_PX), dtype=np.float32)
    cells = np.abs(blurred(noise, rng.uniform(1.4, 2.2)))
    pores = blurred((rng.random((LAYER_PX, LAYER_PX)) < 0.012).astype(np.float32), 0.7)
    blotches = smooth_field(rng, knots=int(rng.integers(5, 12)), size=LAYER_PX)
    texture = 0.6 * (cells / cells.std() - 1) - 2.2 * pores / (pores.std() + 1e-6) * 0.2 + 0.5 * blotches
    return to_bytes(texture.astype(np.float32) * 24 + 128)


def _through(corners: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> FloatArray:
    """
    Return the polynomial through four places, float32 (N, 2), in steps of about `_STEP`.
    """
    lengths = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(corners, axis=0), axis=1))])
    along = np.linspace(0, lengths[-1], max(8, int(lengths[-1] / _STEP)))
    axes = [np.polyval(np.polyfit(lengths, corners[:, axis], 3), along) for axis in (0, 1)]
    return np.stack(axes, axis=1).astype(np.float32)


def _along(rng: np.random.Generator, flow: FloatArray, *, steps: int) -> FloatArray:
    """
    Return a path that follows `flow`, directions in radians (64, 64) over the square and its margin, float32 (N, 2).
    """
    place = rng.uniform(-0.25, 1.25, 2)
    path = [place]
    for _ in range(steps):
        column, row = np.clip((place + 0.3) / 1.6 * 63, 0, 63).astype(int).tolist()
        direction = float(flow[row, column]) + rng.normal(0, 0.12)
        place = place + _STEP * np.array([np.cos(direction), np.sin(direction)])
        path.append(place)
    return np.array(path, np.float32)


def _tremble(rng: np.random.Generator, count: int, amplitude: float) -> FloatArray:
    offsets = [smooth_row(rng, knots=max(3, count // 6), count=count) for _ in range(2)]
    return (np.stack(offsets, axis=1) * np.float32(amplitude)).astype(np.float32)


def _draw(rng: np.random.Generator, layer: ByteArray, path: FloatArray, pen: _Pen) -> None:
    """
    Draw `path` into a supersampled layer: pressed most in the middle, and lifted here and there.
    """
    count = len(path)
    pressure = np.sin(np.linspace(0.04, np.pi - 0.04, count)) ** pen.taper
    pressure *= np.clip(1 + 0.35 * smooth_row(rng, knots=max(3, count // 8), count=count), 0.2, 1.5)
    thickness = np.maximum(1, np.rint(pen.width * _SCALE * (0.35 + 0.65 * pressure))).astype(int).tolist()
    depth = np.clip(pen.depth * pressure, 0, 255).astype(int).tolist()
    is_lifted = (rng.random(count) < pen.lifted).tolist()
    places = ((path * SQUARE_PX + MARGIN_PX) * (SUPERSAMPLE << _SUBPIXEL_BITS)).astype(int).tolist()
    for i in range(count - 1):
        if not is_lifted[i]:
            cv2.line(layer, places[i], places[i + 1], (depth[i],), thickness[i], cv2.LINE_AA, _SUBPIXEL_BITS)


def _groove(wavelength_px: float, angle: float) -> FloatArray:
    """
    Return a long, narrow wave packet without mean, 25 pixels wide.
    """
    y, x = np.mgrid[-12:13, -12:13].astype(np.float32)
    across, along = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    envelope = np.exp(-(across**2) / (2 * (0.5 * wavelength_px) ** 2) - along**2 / (2 * 7.0**2))
    packet = envelope * np.cos(2 * np.pi * across / wavelength_px)
    return np.asarray(packet - packet.mean(), np.float32)
