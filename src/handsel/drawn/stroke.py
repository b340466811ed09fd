"""
Draw one crease: a curve that is a little uneven in course, width and depth, and that fades out at both ends.

Places are in units of the palm square (0 to 1); it does not know which crease of a hand it draws.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from handsel.drawn.canvas import ByteArray, FloatArray, smooth_row

SQUARE_PX = 176  # The side of the palm square within a layer.
MARGIN_PX = 56  # What a layer shows beyond the square on each side.
LAYER_PX = SQUARE_PX + 2 * MARGIN_PX
SUPERSAMPLE = 2  # Lines are drawn at twice the size and shrunk by area.
WIDTH_UNIT = 1 / 150  # Widths are given in this part of the square's side.
_SUBPIXEL_BITS = 4


@dataclass(frozen=True)
class Stroke:
    """
    One crease: `points` float32 (N, 2) as (x, y), `width` in WIDTH_UNIT, `depth` 0 to 255.

    `fade_in` and `fade_out` are the parts of its length over which it starts and ends.
    """

    points: FloatArray
    width: float
    depth: float
    fade_in: float = 0.15
    fade_out: float = 0.15
    unevenness: float = 0.3


def point(x: float, y: float) -> FloatArray:
    """
    Return one place, float32 (2,).
    """
    return np.array([x, y], dtype=np.float32)


def quadratic(start: FloatArray, end: FloatArray, *, bend: float, count: int, bend_at: float = 0.5) -> FloatArray:
    """
    Return a quadratic Bézier curve, float32 (count, 2).

    Its control point lies `bend` chord lengths beside the chord, at the part `bend_at` of it.
    """
    chord = end - start
    control = start + chord * bend_at + point(-float(chord[1]), float(chord[0])) * bend
    t = np.linspace(0, 1, count, dtype=np.float32)[:, None]
    curve = (1 - t) ** 2 * start + 2 * t * (1 - t) * control + t * t * end  # (count, 2)
    return np.asarray(curve, dtype=np.float32)


def roughened(rng: np.random.Generator, points: FloatArray, *, amplitude: float, knots: int) -> FloatArray:
    """
    Return a curve that leaves its course to both sides by about `amplitude`, as skin does.
    """
    tangent = np.gradient(points, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True) + 1e-6
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1)  # (N, 2)
    count = len(points)
    offset = smooth_row(rng, knots=knots, count=count) + 0.35 * smooth_row(rng, knots=knots * 3, count=count)
    return np.asarray(points + normal * (offset * amplitude)[:, None], dtype=np.float32)


def draw_stroke(rng: np.random.Generator, layer: ByteArray, stroke: Stroke) -> None:
    """
    Draw `stroke` into a supersampled layer, uint8 (LAYER_PX · SUPERSAMPLE)².
    """
    count = len(stroke.points)
    t = np.linspace(0, 1, count)
    fade = np.minimum(t / max(stroke.fade_in, 1e-3), (1 - t) / max(stroke.fade_out, 1e-3))
    profile = np.clip(fade, 0, 1) ** 0.6
    profile *= np.clip(1 + stroke.unevenness * smooth_row(rng, knots=max(4, count // 5), count=count), 0.15, 1.4)
    swell = (0.45 + 0.55 * profile) * (1 + 0.22 * smooth_row(rng, knots=max(4, count // 4), count=count))
    width_px = stroke.width * WIDTH_UNIT * SQUARE_PX * SUPERSAMPLE * np.clip(swell, 0.35, 1.5)
    thickness = np.maximum(1, np.rint(width_px)).astype(int).tolist()
    depth = np.clip(stroke.depth * profile, 0, 255).astype(int).tolist()
    scaled = (stroke.points * SQUARE_PX + MARGIN_PX) * (SUPERSAMPLE << _SUBPIXEL_BITS)
    places = scaled.astype(int).tolist()
    for i in range(count - 1):
        cv2.line(layer, places[i], places[i + 1], (depth[i],), thickness[i], cv2.LINE_AA, _SUBPIXEL_BITS)
