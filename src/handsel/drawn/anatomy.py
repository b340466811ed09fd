"""
Hold the proportions of one person's hand, and where its bones lie when the fingers are spread.

Lengths are millimetres in the plane of the hand: the origin is the middle of the wrist crease, y points away from the
fingers, x to the little finger's side: the palm of a left hand, fingers up. It draws nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from handsel.drawn.canvas import FloatArray

_SEED_SHAPE = 2
# Root (x, y), length, half the width at the root and direction (degrees from straight up) of index to little finger.
_FINGERS = (
    ((-29.0, -96.0), 71.0, 9.4, -6.0),
    ((-8.0, -101.0), 79.0, 9.8, -1.0),
    ((13.0, -97.0), 73.0, 9.3, 4.0),
    ((32.0, -86.0), 57.0, 8.2, 12.0),
)
_THUMB_ROOT = (-27.0, -22.0)
_THUMB_BONES = (33.0, 34.0, 27.0)
JOINTS_AT = (0.0, 0.42, 0.72)  # Where a finger's creases lie, in parts of its length.
# The outline of palm and wrist, from the wrist at the little finger's side round to the thumb's.
_PALM = (
    (26.0, 34.0), (26.5, 4.0), (34.0, -14.0), (41.5, -40.0), (43.0, -64.0), (41.5, -86.0), (35.0, -96.0),
    (22.0, -101.0), (3.0, -107.0), (-20.0, -106.0), (-36.0, -99.0), (-40.0, -82.0), (-39.0, -64.0), (-43.0, -48.0),
    (-44.0, -30.0), (-37.0, -10.0), (-28.0, 4.0), (-27.0, 34.0),
)  # fmt: skip


@dataclass(frozen=True)
class Finger:
    """
    One finger as it lies: the middle line float32 (N, 2) from root to tip, and half its width there, float32 (N,).
    """

    course: FloatArray
    half_widths: FloatArray

    @property
    def length(self) -> float:
        """
        Return the length of the middle line in millimetres.
        """
        return float(np.linalg.norm(np.diff(self.course, axis=0), axis=1).sum())


@dataclass(frozen=True)
class HandShape:
    """
    The proportions of one person's hand, relative to an average one, and its small asymmetries.
    """

    finger_lengths: FloatArray  # (4,)
    finger_turns_deg: FloatArray  # (4,)
    finger_bends_deg: FloatArray  # (4,)
    thickness: float
    palm_width: float
    thumb_turn_deg: float
    thumb_length: float


def draw_shape(seed: int) -> HandShape:
    """
    Return the hand's proportions for the person of `seed`.
    """
    rng = np.random.default_rng([_SEED_SHAPE, seed])
    bends = np.clip(rng.normal(0, 2.0, 4), -5, 5) + np.array([2.0, 0.5, -1.5, -4.0])
    return HandShape(
        finger_lengths=np.clip(rng.normal(1, 0.035, 4), 0.92, 1.08).astype(np.float32),
        finger_turns_deg=np.clip(rng.normal(0, 1.2, 4), -2.5, 2.5).astype(np.float32),
        finger_bends_deg=bends.astype(np.float32),
        thickness=float(np.clip(rng.normal(1, 0.05), 0.9, 1.1)),
        palm_width=float(np.clip(rng.normal(1, 0.03), 0.94, 1.06)),
        thumb_turn_deg=float(np.clip(rng.normal(0, 3), -6, 6)),
        thumb_length=float(np.clip(rng.normal(1, 0.04), 0.92, 1.08)),
    )


def palm_outline(shape: HandShape) -> FloatArray:
    """
    Return the outline of palm and forearm without the fingers, float32 (N, 2), smooth.
    """
    corners = np.array(_PALM) * [shape.palm_width, 1.0]
    count = len(corners)
    t = np.linspace(0, 1, 8, endpoint=False)[:, None]
    parts = []
    for i in range(count):
        p0, p1, p2, p3 = (corners[min(max(i + k, 0), count - 1)] for k in (-1, 0, 1, 2))
        # Catmull and Rom: through all corners, with continuous slope.
        parts.append(
            p1 + t * (p2 - p0) / 2 + t**2 * (p0 - 2.5 * p1 + 2 * p2 - p3 / 2) + t**3 * (1.5 * (p1 - p2) + (p3 - p0) / 2)
        )
    return np.asarray(np.concatenate(parts), dtype=np.float32)


def fingers(shape: HandShape, *, spread: float, curl: FloatArray) -> tuple[Finger, ...]:
    """
    Return index to little finger. `spread` 1 is at ease, more is wider; `curl` (4,) shortens them to the eye.
    """
    found = []
    for i, (root, length, half_width, direction) in enumerate(_FINGERS):
        fan = (direction - 2.0) * (spread - 1.0) * 1.1
        turn = direction + fan + float(shape.finger_turns_deg[i])
        reach = length * float(shape.finger_lengths[i]) * float(curl[i])
        start = (np.array(root) * [shape.palm_width, 1.0]).astype(np.float32)
        found.append(_finger(start, turn, float(shape.finger_bends_deg[i]), reach, half_width * shape.thickness))
    return tuple(found)


def _finger(root: FloatArray, turn_deg: float, bend_deg: float, length: float, half_width: float) -> Finger:
    """
    Return a finger that leaves `root` in a direction and bends a little on its way.
    """
    t = np.linspace(-0.16, 1, 48, dtype=np.float32)  # It starts inside the palm.
    heading = np.deg2rad(turn_deg + bend_deg * np.clip(t, 0, 1))
    step = float(t[1] - t[0]) * length
    start = root + 0.16 * length * np.array([-np.sin(heading[0]), np.cos(heading[0])])
    along = np.stack([np.sin(heading), -np.cos(heading)], axis=1) * step
    course = start + np.concatenate([np.zeros((1, 2)), np.cumsum(along[:-1], axis=0)])
    return Finger(course.astype(np.float32), _profile(t, half_width, tip_mm=half_width * 0.92, length=length))


def _profile(t: FloatArray, half_width: float, *, tip_mm: float, length: float) -> FloatArray:
    """
    Return half the width along a finger: fuller between the joints, tapering, round at the tip.
    """
    taper = 1 - 0.17 * np.clip(t, 0, 1)
    flesh = 1 - 0.045 * sum(np.exp(-(((t - joint) / 0.05) ** 2)) for joint in JOINTS_AT[1:])
    flesh = flesh + 0.03 * np.exp(-(((t - 0.86) / 0.08) ** 2))
    left_mm = np.clip((1 - t) * length / tip_mm, 0, 1)
    rounding = np.sqrt(np.clip(1 - (1 - left_mm) ** 2, 0, 1))
    return np.asarray(np.maximum(half_width * taper * flesh * rounding, 0.3), dtype=np.float32)


def thumb(shape: HandShape, *, spread: float) -> Finger:
    """
    Return the thumb, from inside its mount to the tip.
    """
    opening = 30.0 + shape.thumb_turn_deg + 14.0 * (spread - 1.0)
    headings = np.deg2rad([-opening - 8, -opening - 2, -opening + 10])
    joints = [np.array(_THUMB_ROOT) * [shape.palm_width, 1.0]]
    for bone, heading in zip(_THUMB_BONES, headings, strict=True):
        joints.append(joints[-1] + bone * shape.thumb_length * np.array([np.sin(heading), -np.cos(heading)]))
    corners = np.array(joints)
    lengths = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(corners, axis=0), axis=1))])
    along = np.linspace(0, lengths[-1], 48)
    course = np.stack([np.interp(along, lengths, corners[:, i]) for i in (0, 1)], axis=1)
    kernel = np.hanning(15)[:, None] / np.hanning(15).sum()
    padded = np.pad(course, ((7, 7), (0, 0)), mode="reflect", reflect_type="odd")
    course = np.stack([np.convolve(padded[:, i], kernel[:, 0], mode="valid") for i in (0, 1)], axis=1)
    t = along / lengths[-1]
    width = np.interp(t, [0, 0.35, 0.62, 0.72, 0.88, 1], [15.5, 13.0, 10.6, 10.2, 10.9, 10.0]) * shape.thickness
    tip = np.clip((1 - t) * lengths[-1] / 10.0, 0, 1)
    half_widths = np.maximum(width * np.sqrt(np.clip(1 - (1 - tip) ** 2, 0, 1)), 0.3)
    return Finger(course.astype(np.float32), half_widths.astype(np.float32))
