"""
Draw one hand flat on its own sheet: outline, flesh, light, skin, and the palm's own lines where they belong.

The sheet is that of `anatomy.py`, in millimetres; where it comes to lie in a picture is not known here.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from handsel.drawn.anatomy import JOINTS_AT, Finger, HandShape, fingers, palm_outline, thumb
from handsel.drawn.canvas import ByteArray, FloatArray, blurred, resampled, resized, smooth_field
from handsel.drawn.palm import PalmLines
from handsel.drawn.shot import Light, Shot
from handsel.drawn.skin import Skin
from handsel.drawn.stroke import MARGIN_PX, SQUARE_PX

SHEET_LEFT_MM, SHEET_TOP_MM = -112.0, -204.0
SHEET_WIDTH_MM, SHEET_HEIGHT_MM = 202.0, 250.0
# The palm square on the sheet: where its corner at fingers and little finger lies, and its side.
SQUARE_TOP_MM, SQUARE_RIGHT_MM, SQUARE_SIDE_MM = -94.0, 42.0, 80.5
_COARSE_PX_PER_MM = 0.5
_EDGE_MM = 9.5  # Over this length the flesh rounds off towards the outline.
_WEB_MM = 1.5  # Blur that rounds the webs between the fingers.
_CREASE_MM = 0.55  # Depth of the deepest crease.
_STRETCH = 0.006  # How far the skin of the palm gives from shot to shot, in sides of the square.
_SEED_SKIN_GRAIN, _SEED_JOINTS, _SEED_STRETCH = 5, 6, 7
# Mounts and hollows of a palm: x, y, half lengths across and along, degrees, height; all in millimetres.
_MOUNTS = (
    (-27.0, -32.0, 13.0, 25.0, 22.0, 8.5),
    (28.0, -34.0, 11.0, 27.0, -6.0, 6.0),
    (-21.0, -92.0, 9.0, 7.0, 0.0, 2.4),
    (2.0, -95.0, 9.0, 7.0, 0.0, 2.4),
    (22.0, -89.0, 9.0, 7.0, 0.0, 2.4),
    (2.0, -58.0, 17.0, 16.0, 0.0, -4.5),
)


@dataclass(frozen=True)
class Sheet:
    """
    Something drawn flat: `colour` float32 (H, W, 3) RGB 0 to 255, `cover` float32 (H, W) 0 to 1, where its corner lies.
    """

    colour: FloatArray
    cover: FloatArray
    corner_mm: tuple[float, float]
    px_per_mm: float


@dataclass(frozen=True)
class HandLook:
    """
    What makes a hand look like this person's: proportions, skin, the lines of the palm, and the seed of small things.
    """

    seed: int
    shape: HandShape
    skin: Skin
    palm: PalmLines


def draw_hand(look: HandLook, shot: Shot, *, px_per_mm: float) -> Sheet:
    """
    Return the hand of `look` as `shot` finds it.

    1. Outline from palm, fingers and thumb. 2. Creases: the palm's, bent as skin gives, and those of the joints.
    3. Height of the flesh, with every crease a groove. 4. Colour of the skin. 5. Light on it.
    """
    rng = np.random.default_rng([_SEED_STRETCH, look.seed, shot.number])
    curl = (1 - np.abs(rng.normal(0, 0.012, 4))).astype(np.float32)
    digits = (*fingers(look.shape, spread=shot.pose.spread, curl=curl), thumb(look.shape, spread=shot.pose.spread))
    cover = _cover(look.shape, digits, px_per_mm)  # 1
    creases, texture = _palm_creases(look.palm, rng, px_per_mm, cover.shape)  # 2
    creases = np.maximum(creases, _joint_creases(look, digits, px_per_mm, cover.shape))
    height = height_of(cover, px_per_mm) - creases * np.float32(_CREASE_MM)  # 3
    colour = _skin_colour(look, digits, creases, texture, px_per_mm)  # 4
    colour = _lit(colour, height, shot.light, px_per_mm)  # 5
    return Sheet(colour=colour, cover=cover, corner_mm=(SHEET_LEFT_MM, SHEET_TOP_MM), px_per_mm=px_per_mm)


def _to_px(points: FloatArray, px_per_mm: float) -> FloatArray:
    """
    Return places on the sheet in pixels of it.
    """
    return np.asarray((points - np.array([SHEET_LEFT_MM, SHEET_TOP_MM])) * px_per_mm, dtype=np.float32)


def _grid_mm(px_per_mm: float, shape: tuple[int, ...]) -> tuple[FloatArray, FloatArray]:
    """
    Return x as a row (1, W) and y as a column (H, 1), in millimetres.
    """
    x = np.arange(shape[1], dtype=np.float32) / np.float32(px_per_mm) + np.float32(SHEET_LEFT_MM)
    y = np.arange(shape[0], dtype=np.float32) / np.float32(px_per_mm) + np.float32(SHEET_TOP_MM)
    return x[None, :], y[:, None]


def _coarse_grid_mm() -> tuple[FloatArray, FloatArray]:
    """
    Return x as a row and y as a column for what is smooth enough to be drawn at two millimetres a pixel.
    """
    return _grid_mm(
        _COARSE_PX_PER_MM, (round(SHEET_HEIGHT_MM * _COARSE_PX_PER_MM), round(SHEET_WIDTH_MM * _COARSE_PX_PER_MM))
    )


def _cover(shape: HandShape, digits: tuple[Finger, ...], px_per_mm: float) -> FloatArray:
    """
    Return how much of each pixel the hand covers, float32 (H, W).
    """
    size = round(SHEET_HEIGHT_MM * px_per_mm), round(SHEET_WIDTH_MM * px_per_mm)
    mask = np.zeros(size, np.uint8)
    outline = (_to_px(palm_outline(shape), px_per_mm) * 16).astype(np.int32)
    cv2.fillPoly(mask, [outline], (255,), cv2.LINE_AA, 4)
    for digit in digits:
        places = (_to_px(digit.course, px_per_mm) * 16).astype(int).tolist()
        radii = (digit.half_widths * px_per_mm * 16).astype(int).tolist()
        for place, radius in zip(places, radii, strict=True):
            cv2.circle(mask, place, radius, (255,), -1, cv2.LINE_AA, 4)
    soft = blurred(np.asarray(mask / np.float32(255), np.float32), _WEB_MM * px_per_mm)
    return np.asarray(np.clip((soft - 0.5) * np.float32(3.0 * _WEB_MM * px_per_mm) + 0.5, 0, 1), dtype=np.float32)


def _palm_creases(
    palm: PalmLines, rng: np.random.Generator, px_per_mm: float, shape: tuple[int, ...]
) -> tuple[FloatArray, FloatArray]:
    """
    Return the depth of the palm's creases, 0 to 1, and its texture around 0, each float32 (H, W).
    """
    x, y = _grid_mm(px_per_mm, shape)
    along = (y - SQUARE_TOP_MM) / SQUARE_SIDE_MM
    across = (SQUARE_RIGHT_MM - x) / SQUARE_SIDE_MM
    bend = [resized(smooth_field(rng, knots=5, size=5), width=shape[1], height=shape[0]) for _ in range(2)]
    columns = (along + bend[0] * np.float32(_STRETCH)) * SQUARE_PX + MARGIN_PX - 0.5
    rows = (across + bend[1] * np.float32(_STRETCH)) * SQUARE_PX + MARGIN_PX - 0.5
    layers = resampled(palm.stacked(), columns.astype(np.float32), rows.astype(np.float32))
    gains = np.array([0.72, 0.54, 0.36], np.float32) * np.exp(rng.normal(0, 0.1, 3)).astype(np.float32) / 255
    depth = layers[..., 0] * gains[0] + layers[..., 1] * gains[1] + layers[..., 2] * gains[2]
    # The layers end before the fingers and before the wrist.
    inside = np.clip((along + 0.26) / 0.12, 0, 1) * np.clip((1.31 - along) / 0.1, 0, 1)
    return (np.minimum(depth, 1.2) * inside).astype(np.float32), ((layers[..., 3] - 128) / 128).astype(np.float32)


def _joint_creases(look: HandLook, digits: tuple[Finger, ...], px_per_mm: float, shape: tuple[int, ...]) -> FloatArray:
    """
    Return the depth of the creases at the joints of fingers and thumb and at the wrist, 0 to 1, float32 (H, W).
    """
    rng = np.random.default_rng([_SEED_JOINTS, look.seed])
    layer = np.zeros(shape[:2], np.uint8)
    for i, digit in enumerate(digits):
        joints = JOINTS_AT if i < 4 else (0.4, 0.66)
        for joint in joints:
            for _ in range(1 + int(rng.integers(1, 3))):
                _joint_crease(rng, layer, digit, joint + rng.normal(0, 0.018), px_per_mm)
    for row in (3.0, 8.0):
        x = np.linspace(-24, 24, 24)
        y = row + rng.normal(0, 0.8) + 2.0 * (x / 24) ** 2 + np.cumsum(rng.normal(0, 0.15, 24))
        course = (_to_px(np.stack([x, y], axis=1), px_per_mm) * 16).astype(np.int32)
        cv2.polylines(layer, [course], False, (70,), max(1, round(0.5 * px_per_mm)), cv2.LINE_AA, 4)
    return blurred(np.asarray(layer / np.float32(255), np.float32), 0.25 * px_per_mm)


def _joint_crease(rng: np.random.Generator, layer: ByteArray, digit: Finger, t: float, px_per_mm: float) -> None:
    """
    Draw one crease across a digit at the part `t` of its length, bent towards the palm.
    """
    first = 8 if digit.half_widths[0] < 12 else 0  # A finger's course starts inside the palm, a thumb's does not.
    at = int(np.clip(first + t * (len(digit.course) - first - 1), 1, len(digit.course) - 2))
    along = digit.course[at + 1] - digit.course[at - 1]
    along = along / (np.linalg.norm(along) + 1e-6)
    side = np.array([-along[1], along[0]]) * digit.half_widths[at] * 0.93
    w = np.linspace(-rng.uniform(0.6, 1), rng.uniform(0.6, 1), 14)
    sag = rng.uniform(0.2, 1.4) * (1 - w**2) + rng.normal(0, 0.5) * w + np.cumsum(rng.normal(0, 0.1, 14))
    places = digit.course[at] + w[:, None] * side - sag[:, None] * along
    course = (_to_px(places, px_per_mm) * 16).astype(np.int32)
    depth, thickness = int(rng.uniform(40, 115)), max(1, round(rng.uniform(0.35, 0.8) * px_per_mm))
    cv2.polylines(layer, [course], False, (depth,), thickness, cv2.LINE_AA, 4)


def height_of(cover: FloatArray, px_per_mm: float) -> FloatArray:
    """
    Return how far the flesh rises above the sheet, in millimetres, float32 (H, W).
    """
    inside = (cover > 0.5).astype(np.uint8)
    depth = np.asarray(cv2.distanceTransform(inside, cv2.DIST_L2, 5), dtype=np.float32) / np.float32(px_per_mm)
    rounded = _EDGE_MM * np.sqrt(np.clip(1 - (1 - np.minimum(depth / _EDGE_MM, 1)) ** 2, 0, 1))
    return blurred(rounded.astype(np.float32), 1.1 * px_per_mm) + _mounts(cover.shape)


def _mounts(shape: tuple[int, ...]) -> FloatArray:
    """
    Return the mounts and hollows of the palm, in millimetres, float32 (H, W).
    """
    x, y = _coarse_grid_mm()
    height = np.zeros((y.size, x.size), np.float32)
    for middle_x, middle_y, half_x, half_y, turn_deg, rise in _MOUNTS:
        c, s = np.cos(np.deg2rad(turn_deg)), np.sin(np.deg2rad(turn_deg))
        u, v = (c * (x - middle_x) + s * (y - middle_y)) / half_x, (c * (y - middle_y) - s * (x - middle_x)) / half_y
        height += np.float32(rise) * np.exp(-0.5 * (u * u + v * v)).astype(np.float32)
    return resized(height, width=shape[1], height=shape[0])


def _skin_colour(
    look: HandLook, digits: tuple[Finger, ...], creases: FloatArray, texture: FloatArray, px_per_mm: float
) -> FloatArray:
    """
    Return the colour of the skin without light, float32 (H, W, 3).
    """
    rng = np.random.default_rng([_SEED_SKIN_GRAIN, look.seed])
    height, width = creases.shape
    _, y = _grid_mm(px_per_mm, creases.shape)
    red = resized(_redness(rng, digits), width=width, height=height)
    red *= np.float32(0.085 * look.skin.warmth * (1 - 0.4 * look.skin.tone))
    arm = np.clip((y + 4) / 22, 0, 1).astype(np.float32)
    grain = rng.standard_normal((height // 2, width // 2), dtype=np.float32)
    grain = resized(blurred(grain, 0.5 * px_per_mm / 2), width=width, height=height) * np.float32(0.02)
    stain = grain + texture * np.float32(0.06) - creases * np.float32(0.52 * look.skin.crease_contrast)
    channels = []
    for channel, (redness, darkening) in enumerate(((0.25, 0.85), (-0.9, 1.15), (-0.75, 1.2))):
        tone = look.skin.palm[channel] + (look.skin.arm[channel] - look.skin.palm[channel]) * arm
        channels.append(tone * np.exp(stain * np.float32(darkening) + red * np.float32(redness)))
    return np.asarray(cv2.merge(channels), dtype=np.float32)


def _redness(rng: np.random.Generator, digits: tuple[Finger, ...]) -> FloatArray:
    """
    Return where blood shows through: tips, mounts, below the fingers, and a few blotches; around 1, coarse.
    """
    x, y = _coarse_grid_mm()
    red = np.float32(0.35) * resized(smooth_field(rng, knots=28, size=28), width=x.size, height=y.size)
    places = [(digit.course[-6], 11.0) for digit in digits]
    for (middle_x, middle_y), reach in (*places, ((-28, -30), 20.0), ((28, -28), 19.0), ((2, -94), 22.0)):
        red += np.exp(-((x - middle_x) ** 2 + (y - middle_y) ** 2) / np.float32(2 * reach**2)).astype(np.float32)
    return red


def _lit(colour: FloatArray, height: FloatArray, light: Light, px_per_mm: float) -> FloatArray:
    """
    Return the colour under a soft light and a lamp; shadows keep more red than blue, as flesh does.
    """
    scale = px_per_mm / 8
    slope_x = np.asarray(cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=scale), dtype=np.float32)
    slope_y = np.asarray(cv2.Sobel(height, cv2.CV_32F, 0, 1, scale=scale), dtype=np.float32)
    up = 1 / np.sqrt(1 + slope_x**2 + slope_y**2)
    around, above = np.deg2rad(light.around_deg), np.deg2rad(light.above_deg)
    flat = float(np.tan(above))
    lamp = np.clip((1 - (slope_x * np.cos(around) + slope_y * np.sin(around)) / np.float32(flat)) * up, 0, 1.5)
    sky = 0.5 + 0.5 * up
    shade = np.maximum(light.softness * sky + (1 - light.softness) * lamp, 0.08).astype(np.float32)
    depth = np.log(shade)
    tint = cv2.merge([np.exp(depth * np.float32(power)) for power in (0.92, 1.04, 1.08)])
    lit = colour * tint
    if light.gloss > 0:
        lit = lit + (np.float32(255 * light.gloss) * np.clip(lamp - 1, 0, 0.5) ** 2 * 4)[..., None]
    return np.asarray(np.minimum(lit, 255), dtype=np.float32)
