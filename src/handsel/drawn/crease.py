"""
Lay out the creases of one palm by anatomy: heart, head and life line, secondary creases, bundles of fine wrinkles.

The square's x runs from the fingers (0) to the wrist (1), its y from the little finger's side (0) to the thumb's (1).
Every range is from textbook anatomy, or was set by eye. Real palms were looked at while the painter was shaped; none
was measured, and nothing is fitted on one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from handsel.drawn.canvas import ByteArray, FloatArray
from handsel.drawn.stroke import Stroke, draw_stroke, point, quadratic, roughened

SINGLE_TRANSVERSE_SHARE = 0.06  # Heart and head line are one.
FATE_SHARE = 0.35
DOUBLED_LIFE_SHARE = 0.2
# Directions in radians that creases of a palm favour: the fans of the three lines, across, along.
FAVOURED = (1.9, 2.35, 2.7, 0.1, 1.57, 0.5)


@dataclass(frozen=True)
class Principal:
    """
    The course of one principal line, float32 (N, 2), and the ranges of its width and depth.
    """

    points: FloatArray
    width: tuple[float, float] = (1.1, 3.2)
    depth: tuple[float, float] = (120.0, 255.0)


_FAINT = Principal(points=np.zeros((0, 2), np.float32), width=(0.7, 1.6), depth=(80.0, 200.0))


def principal_courses(rng: np.random.Generator) -> list[Principal]:
    """
    Return the principal lines of a palm: heart, head, life, for some people a fate line or a doubled life line.
    """
    u = rng.uniform
    heart = _heart(rng)
    fork = point(u(0.1, 0.36), u(0.92, 1.12))  # Head and life line leave the thumb's side close together.
    gap = u(0, 0.08) if rng.random() < 0.8 else u(0.08, 0.18)
    head_end = point(u(0.42, 0.85), u(-0.05, 0.4))
    head = quadratic(fork, head_end, bend=u(-0.18, 0.1), count=40, bend_at=u(0.35, 0.65))
    # The life line goes round the mount of the thumb, to the middle of the wrist or short of it.
    life_end = point(u(0.95, 1.25), u(0.45, 0.82))
    life_start = fork + point(gap, u(-0.02, 0.08))
    life = quadratic(life_start, life_end, bend=-u(0.28, 0.62), count=44, bend_at=u(0.4, 0.62))
    lines = [Principal(heart), Principal(head), Principal(life)]
    if rng.random() < SINGLE_TRANSVERSE_SHARE:
        across = quadratic(point(u(0.25, 0.45), -0.15), point(u(0.2, 0.42), 1.15), bend=u(-0.12, 0.12), count=44)
        lines = [Principal(across), Principal(life)]
    if rng.random() < FATE_SHARE:
        start, end = point(u(0.05, 0.4), u(0.3, 0.7)), point(u(0.9, 1.2), u(0.3, 0.6))
        lines.append(replace(_FAINT, points=quadratic(start, end, bend=u(-0.1, 0.1), count=34)))
    if rng.random() < DOUBLED_LIFE_SHARE:
        lines.append(replace(_FAINT, points=life + point(u(0.02, 0.1), u(0.03, 0.12))))
    return lines


def _heart(rng: np.random.Generator) -> FloatArray:
    """
    Return the heart line: from the edge below the little finger towards the roots of index and middle finger.
    """
    u = rng.uniform
    start, end = point(u(0.16, 0.42), u(-0.25, -0.05)), point(u(-0.12, 0.16), u(0.55, 1.1))
    return quadratic(start, end, bend=-u(0.02, 0.2), count=40, bend_at=u(0.4, 0.65))


def draw_principal(rng: np.random.Generator, layer: ByteArray, line: Principal) -> None:
    """
    Draw one principal line with its strands and branches.
    """
    u = rng.uniform
    width, depth = u(*line.width), u(*line.depth)
    strands = 1 if rng.random() < 0.55 else int(rng.integers(2, 4))
    count = len(line.points)
    first = int(u(0, 0.08) * count)
    last = count - int(max(0.0, u(-0.15, 0.25)) * count)
    course = roughened(rng, line.points[first:last], amplitude=u(0.002, 0.009), knots=int(rng.integers(4, 9)))
    fades = u(0.02, 0.15), u(0.03, 0.35)
    draw_stroke(rng, layer, Stroke(course, width, depth, *fades, unevenness=u(0.05, 0.35)))
    for _ in range(strands - 1):
        _draw_strand(rng, layer, Stroke(course, width, depth))
    for _ in range(int(rng.integers(0, 4))):
        _draw_branch(rng, layer, Stroke(course, width, depth))


def _draw_strand(rng: np.random.Generator, layer: ByteArray, main: Stroke) -> None:
    """
    Draw a second, fainter strand beside a part of `main`.
    """
    u = rng.uniform
    beside = roughened(rng, main.points, amplitude=u(0.002, 0.010), knots=int(rng.integers(6, 14)))
    first = int(u(0, 0.5) * len(beside))
    part = beside[first : first + max(8, int(u(0.3, 0.8) * len(beside)))]
    if len(part) < 5:
        return
    part = (part + rng.normal(0, 0.012, 2)).astype(np.float32)
    width, depth = main.width * u(0.3, 0.7), main.depth * u(0.4, 0.9)
    draw_stroke(rng, layer, Stroke(part, width, depth, u(0.02, 0.15), u(0.03, 0.35), u(0.05, 0.35)))


def _draw_branch(rng: np.random.Generator, layer: ByteArray, main: Stroke) -> None:
    """
    Draw a branch that leaves `main` at an acute angle, forwards more often than backwards.
    """
    u = rng.uniform
    root = int(rng.integers(3, len(main.points) - 3))
    along = main.points[root] - main.points[root - 2]
    along = along / (np.linalg.norm(along) + 1e-6) * (-1 if rng.random() < 0.3 else 1)
    turn = u(0.2, 0.9) * (1 if rng.random() < 0.5 else -1)
    c, s = np.cos(turn), np.sin(turn)
    away = point(c * along[0] - s * along[1], s * along[0] + c * along[1])
    end = (main.points[root] + away * u(0.08, 0.45)).astype(np.float32)
    branch = roughened(rng, quadratic(main.points[root], end, bend=u(-0.2, 0.2), count=16), amplitude=0.005, knots=5)
    draw_stroke(rng, layer, Stroke(branch, main.width * u(0.3, 0.65), main.depth * u(0.4, 0.9), 0.02, u(0.3, 0.8)))


@dataclass(frozen=True)
class _Straight:
    """
    A nearly straight crease: its middle (x, y), direction in radians, length, width in WIDTH_UNIT and depth.
    """

    middle: FloatArray
    angle: float
    length: float
    width: float
    depth: float
    count: int
    curvature: float
    amplitude: float


def _draw_straight(rng: np.random.Generator, layer: ByteArray, line: _Straight) -> None:
    """
    Draw one secondary or fine crease.
    """
    half = point(np.cos(line.angle), np.sin(line.angle)) * (line.length / 2)
    bend = rng.normal(0, line.curvature)
    curve = quadratic(line.middle - half, line.middle + half, bend=bend, count=line.count)
    points = roughened(rng, curve, amplitude=line.amplitude, knots=5)
    fades = rng.uniform(0.05, 0.35), rng.uniform(0.05, 0.35)
    draw_stroke(rng, layer, Stroke(points, line.width, line.depth, *fades, unevenness=0.25))


def draw_secondary(rng: np.random.Generator, layer: ByteArray) -> None:
    """
    Draw the secondary creases: a few families that run alike in one region, and loners anywhere.
    """
    u = rng.uniform
    families = [_family(rng) for _ in range(int(rng.integers(2, 7)))]
    density = u(0.5, 1.7)
    for _ in range(int(rng.integers(22, 56) * density) + 8):
        if rng.random() < 0.55:
            middle, angle, width, turn = families[int(rng.integers(len(families)))]
            place, direction = middle + rng.normal(0, width, 2), angle + rng.normal(0, turn)
        else:
            place, direction = u(-0.25, 1.25, 2), u(0, np.pi)
        length = float(np.clip(rng.lognormal(-1.15, 0.55), 0.08, 1.1))
        thickness = float(np.clip(rng.lognormal(-0.5, 0.4), 0.3, 1.7))
        depth = 40 + 190 * rng.random() ** 1.5  # Most are faint.
        line = _Straight(place.astype(np.float32), direction, length, thickness, depth, 20, 0.14, 0.005)
        _draw_straight(rng, layer, line)


def _family(rng: np.random.Generator) -> tuple[FloatArray, float, float, float]:
    """
    Return where a family of creases lies, its direction, and how far places and directions scatter.
    """
    u = rng.uniform
    middle = u(-0.2, 1.2, 2).astype(np.float32)
    favoured = FAVOURED[int(rng.integers(len(FAVOURED)))] + rng.normal(0, 0.25)
    angle = favoured if rng.random() < 0.6 else u(0, np.pi)
    return middle, float(angle), u(0.1, 0.35), u(0.08, 0.4)


def draw_fine(rng: np.random.Generator, layer: ByteArray) -> None:
    """
    Draw the fine wrinkles: bundles of parallel ones, some crossed by a second bundle, and strays.
    """
    u = rng.uniform
    bundles, density = int(rng.integers(5, 24)), u(0.3, 1.6)
    for _ in range(int(bundles * density) + 2):
        _draw_bundle(rng, layer)
    for _ in range(int(rng.integers(40, 160) * density)):
        middle = u(-0.25, 1.25, 2).astype(np.float32)
        line = _Straight(middle, u(0, np.pi), u(0.05, 0.25), u(0.3, 0.7), u(40, 190), 5, 0.08, 0.002)
        _draw_straight(rng, layer, line)


def draw_years(rng: np.random.Generator, layer: ByteArray, *, wear: float) -> None:
    """
    Draw the wrinkles that come with the years, from none at `wear` 0 on: short, narrow, across each other.
    """
    u = rng.uniform
    for _ in range(int(140 * wear**1.5)):
        middle, direction = u(-0.25, 1.25, 2).astype(np.float32), u(0, np.pi)
        for _ in range(int(rng.integers(1, 4))):
            place = (middle + rng.normal(0, 0.03, 2)).astype(np.float32)
            turned = direction + rng.normal(0, 0.3)
            _draw_straight(rng, layer, _Straight(place, turned, u(0.04, 0.16), u(0.25, 0.5), u(40, 130), 5, 0.1, 0.003))


def _draw_bundle(rng: np.random.Generator, layer: ByteArray) -> None:
    """
    Draw 3 to 15 parallel wrinkles; a quarter of the bundles are crossed by another.
    """
    u = rng.uniform
    middle = u(-0.2, 1.2, 2)
    angle = u(0, np.pi) if rng.random() < 0.6 else FAVOURED[int(rng.integers(len(FAVOURED)))] + rng.normal(0, 0.2)
    spacing, members, length = u(0.014, 0.07), int(rng.integers(3, 16)), u(0.1, 0.5)
    width, depth = u(0.3, 0.8), u(50, 210)
    for crossing in range(2 if rng.random() < 0.25 else 1):
        direction = angle + crossing * (np.pi / 2 + rng.normal(0, 0.25))
        along, across = (np.cos(direction), np.sin(direction)), (-np.sin(direction), np.cos(direction))
        for i in range(members):
            aside = (i - members / 2 + rng.normal(0, 0.25)) * spacing
            place = middle + np.multiply(across, aside) + np.multiply(along, rng.normal(0, 0.15) * length)
            _draw_straight(
                rng,
                layer,
                _Straight(
                    place.astype(np.float32),
                    direction + rng.normal(0, 0.1),
                    length * u(0.4, 1.2),
                    width * u(0.7, 1.2),
                    depth * u(0.4, 1.1),
                    7,
                    0.08,
                    0.003,
                ),
            )
