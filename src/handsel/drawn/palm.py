"""
Make the lines of one palm from a seed, in layers that can be faded, lit and warped apart.

A palm drawn here belongs to no one: no pixel and no statistic of a real palm goes in. It knows nothing of hands and
cameras.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np

from handsel.drawn.canvas import ByteArray, FloatArray, blurred, shrunk, smooth_field, to_bytes
from handsel.drawn.crease import (
    Principal,
    draw_fine,
    draw_principal,
    draw_secondary,
    draw_years,
    principal_courses,
)
from handsel.drawn.etching import etch_principal, etch_secondary, etched_fine, etched_texture, principal_paths
from handsel.drawn.stroke import LAYER_PX, SUPERSAMPLE
from handsel.drawn.who import Style, WhichHand, draw_age, wear_of
from handsel.errors import ensure

RELIEF_PX = LAYER_PX // 4
_NEUTRAL = 128.0  # Texture and relief are around this value.
_SEED_PALM = 1  # Keeps the palm's randomness apart from that of other parts of a person.
_SEED_YEARS, _SEED_SECOND, _SEED_ETCHING = 14, 15, 16
_HANDS_APART = 0.03  # How far the principal lines of a person's two hands lie apart, in sides of the square.


@dataclass(frozen=True)
class PalmLines:
    """
    The lines that make one palm that palm: uint8 layers (LAYER_PX, LAYER_PX), relief (RELIEF_PX, RELIEF_PX).

    `principal`, `secondary` and `fine` hold the depth of creases; `texture` (ridges, blotches, moles) and `relief`
    (soft folds) are around 128. The palm square lies in the middle of a layer, MARGIN_PX from its edges.
    """

    principal: ByteArray
    secondary: ByteArray
    fine: ByteArray
    texture: ByteArray
    relief: ByteArray

    def __post_init__(self) -> None:
        layers = (self.principal, self.secondary, self.fine, self.texture)
        ensure(all(layer.shape == (LAYER_PX, LAYER_PX) for layer in layers), "a palm layer has a fixed size")
        ensure(self.relief.shape == (RELIEF_PX, RELIEF_PX), "a palm's relief has a fixed size")

    def stacked(self) -> ByteArray:
        """
        Return the four layers as one image, uint8 (LAYER_PX, LAYER_PX, 4), to be resampled together.
        """
        return np.dstack([self.principal, self.secondary, self.fine, self.texture])


@lru_cache(maxsize=64)
def draw_palm_lines(seed: int, *, style: Style = Style.PLAIN, hand: WhichHand = WhichHand.FIRST) -> PalmLines:
    """
    Return a palm of the person of `seed`: always the same one, and another than that of any other seed.

    The second hand's principal lines lie about where the first one's do; everything else is its own. With the years
    come fine wrinkles and texture, and creases lose contrast.
    """
    drawing = {Style.PLAIN: _plain_lines, Style.OTHER: _etched_lines}[style]
    return _aged(drawing(seed, hand), wear_of(draw_age(seed)))


def _plain_lines(seed: int, hand: WhichHand) -> PalmLines:
    """
    Return a palm of strokes, before the years.
    """
    rng = np.random.default_rng([_SEED_PALM, seed])
    size = LAYER_PX * SUPERSAMPLE
    principal, secondary, fine = (np.zeros((size, size), np.uint8) for _ in range(3))
    courses = principal_courses(rng)
    if hand is WhichHand.SECOND:
        rng = np.random.default_rng([_SEED_SECOND, seed])
        courses = [_moved(rng, line) for line in courses]
    for line in courses:
        draw_principal(rng, principal, line)
    draw_secondary(rng, secondary)
    draw_fine(rng, fine)
    draw_years(np.random.default_rng([_SEED_YEARS, seed, hand is WhichHand.SECOND]), fine, wear=wear_of(draw_age(seed)))
    return PalmLines(
        principal=_softened(
            principal, keep=0.85, edge_px=0.6, wide_px=rng.uniform(2.4, 5.5), wide=rng.uniform(0.05, 0.5)
        ),
        secondary=_softened(secondary, keep=0.9, edge_px=0.0, wide_px=2.4, wide=rng.uniform(0, 0.5)),
        fine=shrunk(fine, size=LAYER_PX),
        texture=_texture(rng),
        relief=_relief(rng),
    )


def _etched_lines(seed: int, hand: WhichHand) -> PalmLines:
    """
    Return a palm of the other painter's, before the years.
    """
    rng = np.random.default_rng([_SEED_ETCHING, seed])
    size = LAYER_PX * SUPERSAMPLE
    principal, secondary = (np.zeros((size, size), np.uint8) for _ in range(2))
    paths = principal_paths(rng)
    if hand is WhichHand.SECOND:
        rng = np.random.default_rng([_SEED_SECOND, _SEED_ETCHING, seed])
        paths = [(path + rng.normal(0, _HANDS_APART, 2)).astype(np.float32) for path in paths]
    wear = wear_of(draw_age(seed))
    etch_principal(rng, principal, paths)
    etch_secondary(rng, secondary, wear=wear)
    return PalmLines(
        principal=_softened(principal, keep=1.0, edge_px=0.4, wide_px=rng.uniform(1.5, 3.5), wide=rng.uniform(0, 0.8)),
        secondary=shrunk(secondary, size=LAYER_PX),
        fine=etched_fine(rng, wear=wear),
        texture=etched_texture(rng),
        relief=_relief(rng),
    )


def _moved(rng: np.random.Generator, line: Principal) -> Principal:
    """
    Return where the other hand has that line: shifted a little, more at one end than at the other.
    """
    share = np.linspace(0, 1, len(line.points))[:, None]
    start, end = rng.normal(0, _HANDS_APART, (2, 2))
    return replace(line, points=(line.points + start * (1 - share) + end * share).astype(np.float32))


def _aged(palm: PalmLines, wear: float) -> PalmLines:
    """
    Return `palm` as the years leave it: at 50 as it was drawn, at 80 with less contrast and more texture.
    """
    depth, roughness = np.float32(1.08 - 0.16 * wear), np.float32(0.8 + 0.4 * wear)

    def faded(layer: ByteArray) -> ByteArray:
        return to_bytes(blurred(layer.astype(np.float32), 0.6 * max(0.0, wear - 0.5)) * depth)

    texture = (palm.texture.astype(np.float32) - np.float32(_NEUTRAL)) * roughness + np.float32(_NEUTRAL)
    return replace(palm, principal=faded(palm.principal), secondary=faded(palm.secondary), texture=to_bytes(texture))


def _softened(layer: ByteArray, *, keep: float, edge_px: float, wide_px: float, wide: float) -> ByteArray:
    """
    Return the shrunk layer with a soft hollow around every crease.
    """
    sharp = shrunk(layer, size=LAYER_PX).astype(np.float32)
    return to_bytes(blurred(sharp, edge_px) * np.float32(keep) + blurred(sharp, wide_px) * np.float32(wide))


def _texture(rng: np.random.Generator) -> ByteArray:
    """
    Return ridges that change direction over the palm, grain, blotches, and up to five moles.
    """
    u = rng.uniform
    ridges = np.zeros((LAYER_PX, LAYER_PX), np.float32)
    for _ in range(3):
        noise = rng.standard_normal((LAYER_PX, LAYER_PX), dtype=np.float32)
        where = np.maximum(smooth_field(rng, knots=int(rng.integers(3, 7)), size=LAYER_PX), 0)
        kernel = _ridge_kernel(wavelength_px=u(3, 8.5), angle=u(0, np.pi), aspect=u(1, 2.2))
        ridges += where * np.asarray(cv2.filter2D(noise, cv2.CV_32F, kernel), dtype=np.float32)
    blotches = np.zeros_like(ridges)
    for low, high, strongest in ((8, 14, 0.6), (18, 34, 0.8), (40, 64, 0.8)):
        blotches += smooth_field(rng, knots=int(rng.integers(low, high)), size=LAYER_PX) * np.float32(u(0.2, strongest))
    grain = blurred(rng.standard_normal((LAYER_PX, LAYER_PX), dtype=np.float32), u(0.85, 1.6))
    texture = _unit(ridges) * u(0.05, 0.6) + _unit(grain) * u(0.3, 0.9) + _unit(blotches) * u(0.3, 0.9)
    for _ in range(int(rng.integers(0, 6))):
        column, row = u(12, LAYER_PX - 12, 2)
        tone = u(-5, -2) if rng.random() < 0.8 else u(1, 3)
        place = int(column * 16), int(row * 16)
        cv2.circle(texture, place, int(u(1.0, 2.7) * 16), (float(tone),), -1, cv2.LINE_AA, 4)
    return to_bytes(texture.astype(np.float32) * 30 + _NEUTRAL)


def _unit(noise: FloatArray) -> FloatArray:
    """
    Return `noise` scaled to unit standard deviation.
    """
    return np.asarray(noise / (noise.std() + 1e-6), dtype=np.float32)


def _ridge_kernel(*, wavelength_px: float, angle: float, aspect: float) -> FloatArray:
    """
    Return an oriented wave packet without mean and of unit energy, at most 25 pixels wide.
    """
    sigma = wavelength_px * 0.55
    reach = min(int(3 * sigma * aspect) | 1, 25) // 2
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
    across, along = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    packet = np.exp(-(across**2 + along**2 / aspect**2) / (2 * sigma**2)) * np.cos(2 * np.pi * across / wavelength_px)
    packet -= packet.mean()
    return np.asarray(packet / np.sqrt((packet**2).sum()), dtype=np.float32)


def _relief(rng: np.random.Generator) -> ByteArray:
    """
    Return the soft hollows and folds of the palm's flesh.
    """
    u = rng.uniform
    relief = smooth_field(rng, knots=int(rng.integers(3, 6)), size=RELIEF_PX) * np.float32(u(0.3, 1))
    for _ in range(int(rng.integers(0, 9))):
        middle, angle = u(0, RELIEF_PX, 2), u(0, np.pi)
        half = np.array([np.cos(angle), np.sin(angle)]) * u(0.1, 0.5) * RELIEF_PX / 3
        fold = np.zeros((RELIEF_PX, RELIEF_PX), np.float32)
        ends = ((middle - half) * 16).astype(int).tolist(), ((middle + half) * 16).astype(int).tolist()
        cv2.line(fold, *ends, (1.0,), int(rng.integers(1, 4)), cv2.LINE_AA, 4)
        relief += blurred(fold, u(0.8, 2.0)) * np.float32(u(-3, 1.5))
    return to_bytes(relief * 30 + np.float32(_NEUTRAL))
