"""
Draw a real hand over a few frames: flesh with depth, fingers that bend and fan out, in the light of a room and a till.

The hand of `hand.py` is drawn once, flat; here it gets height, moves, and is seen in true perspective.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from handsel.drawn.anatomy import Finger, fingers, thumb
from handsel.drawn.canvas import FloatArray, blurred
from handsel.drawn.hand import SHEET_LEFT_MM, SHEET_TOP_MM, HandLook, draw_hand, height_of
from handsel.drawn.picture import FOCAL_WIDTHS, HAND_LENGTH_MM, place
from handsel.drawn.sensor import to_light
from handsel.drawn.shot import Light, Pose, Shot

FRONT = Light(above_deg=89.0, softness=0.3)  # The till's screen shines from where the camera is.
_GRID_PX_PER_MM = 0.5
_STEPS = 4  # Of the search for the place that a pixel sees; a relief of 30 mm at 370 mm converges in three.
_CUP_MM = (2.0, 8.0)  # How far a palm's edges stand before its middle.
_PX_PER_MM = 3.4
NEAR_MM = 350.0  # From camera to hand: where the strength of the till's light is meant.


@dataclass(frozen=True)
class SolidHand:
    """
    A hand as it is before it moves: light from it in the room and in the till's light, linear (H, W, 3), and `cover`
    (H, W) on the sheet; coarse, (h, w): `height_mm`, `shares` (5, h, w), which place belongs to which finger,
    `reach_mm` (5, h, w) how far out on it, and `along` (5, 2), its direction.
    """

    in_room: FloatArray
    in_front: FloatArray
    cover: FloatArray
    height_mm: FloatArray
    shares: FloatArray
    reach_mm: FloatArray
    along: FloatArray


def draw_solid(look: HandLook, shot: Shot, rng: np.random.Generator) -> SolidHand:
    """
    Return the hand of `look`, at ease.
    """
    hand = draw_hand(look, shot, px_per_mm=_PX_PER_MM)
    front = draw_hand(look, replace(shot, light=FRONT), px_per_mm=_PX_PER_MM)
    rows, columns = (round(side / _PX_PER_MM * _GRID_PX_PER_MM) for side in hand.cover.shape)
    flesh = height_of(hand.cover, _PX_PER_MM)
    height = np.asarray(cv2.resize(flesh, (columns, rows), interpolation=cv2.INTER_AREA), np.float32)
    x = np.arange(columns, dtype=np.float32) / np.float32(_GRID_PX_PER_MM) + np.float32(SHEET_LEFT_MM)
    height = height + np.float32(rng.uniform(*_CUP_MM)) * np.minimum((x / 42) ** 2, 1.5).astype(np.float32)[None, :]
    even = np.ones(4, np.float32)
    digits = (*fingers(look.shape, spread=shot.pose.spread, curl=even), thumb(look.shape, spread=shot.pose.spread))
    shares, reach, along = _digit_fields(digits, rows, columns)
    return SolidHand(to_light(hand.colour), to_light(front.colour), hand.cover, height, shares, reach, along)


def _digit_fields(digits: tuple[Finger, ...], rows: int, columns: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    x = np.arange(columns, dtype=np.float32)[None, :] / np.float32(_GRID_PX_PER_MM) + np.float32(SHEET_LEFT_MM)
    y = np.arange(rows, dtype=np.float32)[:, None] / np.float32(_GRID_PX_PER_MM) + np.float32(SHEET_TOP_MM)
    shares, reach, along = [], [], []
    for number, digit in enumerate(digits):
        root = digit.course[8 if number < 4 else 4]
        way = digit.course[-1] - root
        way = way / np.linalg.norm(way)
        out = (x - root[0]) * way[0] + (y - root[1]) * way[1]
        aside = np.abs((x - root[0]) * way[1] - (y - root[1]) * way[0])
        width = float(digit.half_widths[0]) + 3.0
        shares.append(blurred((np.clip(out / 12, 0, 1) * (aside < width)).astype(np.float32), 2.0))
        reach.append(np.maximum(out, 0).astype(np.float32))
        along.append(way)
    return np.stack(shares), np.stack(reach), np.stack(along).astype(np.float32)


@dataclass(frozen=True)
class SeenHand:
    """
    What the camera sees of a hand: light in the room and in the till's, linear (H, W, 3), how much it covers (H, W).
    """

    in_room: FloatArray
    in_front: FloatArray
    cover: FloatArray


def see_solid(
    solid: SolidHand,
    pose: Pose,
    flex_deg: tuple[float, ...],
    fan_deg: tuple[float, ...],
    *,
    is_right: bool,
    width: int,
    height: int,
) -> SeenHand:
    """
    Return what the camera sees of `solid` in `pose`, its fingers bent and fanned out.

    1. From a pixel the ray goes to the sheet. 2. There the flesh has a height, and was moved from where it is drawn: a
    better place. 3. After a few steps the place no longer changes.

    LIMITATIONS: What a finger hides behind it is not hidden; light does not change with a hand's turn; skin is matt.
    """
    camera, ray_x, ray_y = rays_of(pose, is_right=is_right, width=width, height=height)  # 1
    moved = _moved(solid, flex_deg, fan_deg)
    place_x, place_y = camera[0] - ray_x * camera[2], camera[1] - ray_y * camera[2]
    for _ in range(_STEPS):  # 2, 3
        up, aside, down = cv2.split(_at(moved, place_x, place_y, _GRID_PX_PER_MM))
        reach = -up - camera[2]
        place_x, place_y = camera[0] + ray_x * reach - aside, camera[1] + ray_y * reach - down
    nearness = (np.float32(NEAR_MM) / (-camera[2] - up)) ** 2  # The till's light falls off with the distance.
    at_mm = (place_x, place_y, _PX_PER_MM)
    columns, rows = _columns_rows(*at_mm)
    cover = cv2.remap(solid.cover, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    in_front = _at(solid.in_front, *at_mm) * nearness[..., None]
    return SeenHand(_at(solid.in_room, *at_mm), in_front, np.asarray(cover, np.float32))


def distance_of(pose: Pose) -> float:
    """
    Return how far from the camera the middle of a hand is, in millimetres, in a picture four by three.
    """
    return FOCAL_WIDTHS * 4 / 3 * HAND_LENGTH_MM / pose.length


def rays_of(pose: Pose, *, is_right: bool, width: int, height: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """
    Return where the camera is, (3,), seen from the sheet, and each pixel's ray: x and y for a z of 1, (H, W) each.
    """
    focal = FOCAL_WIDTHS * width
    lens = np.array([[focal, 0, pose.x * width], [0, focal, pose.y * height], [0, 0, 1]])
    plane = np.linalg.inv(lens) @ place(pose, is_right=is_right, width=width, height=height).astype(np.float64)
    across, down = plane[:, 0], plane[:, 1]
    away = np.cross(across, down) * (-1 if is_right else 1)
    turn = np.column_stack([across, down, away])
    camera = (-turn.T @ plane[:, 2]).astype(np.float32)
    u, v = np.arange(width, dtype=np.float32)[None, :], np.arange(height, dtype=np.float32)[:, None]
    x, y, z = (row[0] * u + row[1] * v + row[2] for row in (turn.T @ np.linalg.inv(lens)).astype(np.float32))
    return camera, np.asarray(x / z, np.float32), np.asarray(y / z, np.float32)


def _moved(solid: SolidHand, flex_deg: tuple[float, ...], fan_deg: tuple[float, ...]) -> FloatArray:
    """
    Return how high the flesh is, and how far it was moved along x and y: millimetres, coarse, (h, w, 3).
    """
    lift, shift_x, shift_y = solid.height_mm.copy(), np.zeros_like(solid.height_mm), np.zeros_like(solid.height_mm)
    for i, (flex, fan) in enumerate(zip(np.deg2rad(flex_deg), np.deg2rad(fan_deg), strict=True)):
        out = solid.shares[i] * solid.reach_mm[i]
        way_x, way_y = solid.along[i]
        shorter, aside = np.float32(np.cos(flex) - 1), np.float32(fan)
        lift += out * np.float32(np.sin(flex))
        shift_x += out * (shorter * way_x - aside * way_y)
        shift_y += out * (shorter * way_y + aside * way_x)
    return np.asarray(cv2.merge([lift, shift_x, shift_y]), np.float32)


def _columns_rows(x: FloatArray, y: FloatArray, px_per_mm: float) -> tuple[FloatArray, FloatArray]:
    columns = (x - np.float32(SHEET_LEFT_MM)) * np.float32(px_per_mm)
    return columns, (y - np.float32(SHEET_TOP_MM)) * np.float32(px_per_mm)


def _at(layer: FloatArray, x: FloatArray, y: FloatArray, px_per_mm: float) -> FloatArray:
    columns, rows = _columns_rows(x, y, px_per_mm)
    return np.asarray(cv2.remap(layer, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)
