"""
Put a drawn hand into a picture: perspective, sleeve, shadow, background, and what a camera makes of it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from handsel.drawn.backdrop import draw_backdrop, draw_sleeve
from handsel.drawn.canvas import ByteArray, FloatArray, blurred, resized, smooth_field, to_bytes
from handsel.drawn.hand import HandLook, Sheet, draw_hand
from handsel.drawn.shot import Lens, Light, Pose, Shot

HAND_LENGTH_MM = 182.0  # From the wrist crease to the tip of the middle finger.
HAND_MIDDLE_MM = (-4.0, -84.0)
PX_PER_MM_MAX = 4.0  # A hand that is larger in the picture is enlarged; its lines hold no more.
FOCAL_WIDTHS = 1.1  # Focal length in widths of the picture: an ordinary webcam.
_CUFF_MM = (12.0, 30.0)
_SLEEVE_WIDTH_MM, _SLEEVE_LENGTH_MM, _SLEEVE_PX_PER_MM = 78.0, 420.0, 1.5
_SEED_SURROUNDINGS, _SEED_LENS = 8, 9
_NOISE_SIDE = 256


def draw_picture(looks: tuple[tuple[HandLook, Shot, bool], ...], *, width: int, height: int) -> ByteArray:
    """
    Return a picture of hands, uint8 (H, W, 3) RGB: each with its shot and whether it is a right hand.

    Surroundings and camera are those of the first.
    """
    look, shot, _ = looks[0]
    rng = np.random.default_rng([_SEED_SURROUNDINGS, look.seed, shot.number])
    image = draw_backdrop(rng, shot.surroundings, width=width, height=height)
    for one_look, one_shot, is_right in looks:
        image = _with_hand(rng, image, one_look, one_shot, is_right)
    return photographed(image, shot.light, shot.lens, seed=look.seed, number=shot.number)


def place(pose: Pose, *, is_right: bool, width: int, height: int) -> FloatArray:
    """
    Return the homography (3, 3) from millimetres on the hand's sheet to pixels of the picture.
    """
    focal = FOCAL_WIDTHS * width
    distance = focal * HAND_LENGTH_MM / (pose.length * height)
    turn, pitch, roll = np.deg2rad([pose.turn_deg, pose.pitch_deg, pose.roll_deg])
    about_z = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    about_y = np.array([[np.cos(roll), 0, np.sin(roll)], [0, 1, 0], [-np.sin(roll), 0, np.cos(roll)]])
    mirror = np.diag([-1.0 if is_right else 1.0, 1.0, 1.0])
    rotation = about_x @ about_y @ about_z @ mirror
    middle = np.array([*HAND_MIDDLE_MM, 0.0])
    plane = np.column_stack([rotation[:, 0], rotation[:, 1], [0, 0, distance] - rotation @ middle])
    lens = np.array([[focal, 0, pose.x * width], [0, focal, pose.y * height], [0, 0, 1]])
    return np.asarray(lens @ plane, dtype=np.float32)


def _with_hand(rng: np.random.Generator, image: FloatArray, look: HandLook, shot: Shot, is_right: bool) -> FloatArray:
    """
    Return `image` with a hand, its sleeve and the shadow of both.
    """
    height, width = image.shape[:2]
    px_per_mm = min(PX_PER_MM_MAX, max(0.5, 1.15 * shot.pose.length * height / HAND_LENGTH_MM))
    to_picture = place(shot.pose, is_right=is_right, width=width, height=height)
    hand = draw_hand(look, shot, px_per_mm=px_per_mm)
    sleeve = sleeve_sheet(rng)
    image = image * _shadow((hand, sleeve), to_picture, shot.light, width=width, height=height)[..., None]
    for sheet in (hand, sleeve):
        paint(image, sheet, to_picture)
    return image


def sleeve_sheet(rng: np.random.Generator) -> Sheet:
    """
    Return a sleeve around the wrist.
    """
    colour = draw_sleeve(rng, width_mm=_SLEEVE_WIDTH_MM, length_mm=_SLEEVE_LENGTH_MM, px_per_mm=_SLEEVE_PX_PER_MM)
    cover = np.zeros(colour.shape[:2], np.float32)
    cover[1:, 1:-1] = 1
    corner = -_SLEEVE_WIDTH_MM / 2, rng.uniform(*_CUFF_MM)
    return Sheet(colour=colour, cover=cover, corner_mm=corner, px_per_mm=_SLEEVE_PX_PER_MM)


def from_sheet(sheet: Sheet, to_picture: FloatArray) -> NDArray[np.float64]:
    """
    Return the homography (3, 3) from pixels of a sheet to pixels of the picture.
    """
    scale, (x, y) = 1 / sheet.px_per_mm, sheet.corner_mm
    return np.asarray(to_picture @ np.array([[scale, 0, x], [0, scale, y], [0, 0, 1]]), dtype=np.float64)


def paint(image: FloatArray, sheet: Sheet, to_picture: FloatArray) -> None:
    """
    Lay a sheet into `image`, in place, only where it can reach.
    """
    matrix = from_sheet(sheet, to_picture)
    rows, columns = sheet.cover.shape
    edge = np.array([[(0, 0), (columns, 0), (columns, rows), (0, rows)]], np.float64)
    corners = cv2.perspectiveTransform(edge, matrix)[0]
    left, top = np.clip(np.floor(corners.min(axis=0)), 0, (image.shape[1], image.shape[0])).astype(int).tolist()
    right, bottom = np.clip(np.ceil(corners.max(axis=0)), 0, (image.shape[1], image.shape[0])).astype(int).tolist()
    if right <= left or bottom <= top:
        return
    matrix = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1]]) @ matrix
    size = right - left, bottom - top
    # The sheet's colours go on beyond the outline, so that no dark rim comes in.
    colour = cv2.warpPerspective(to_bytes(sheet.colour), matrix, size, borderMode=cv2.BORDER_REPLICATE)
    cover = cv2.warpPerspective(to_bytes(sheet.cover * 255), matrix, size).astype(np.float32) / 255
    part = image[top:bottom, left:right]
    part += (colour - part) * cover[..., None]


def _shadow(sheets: tuple[Sheet, ...], to_picture: FloatArray, light: Light, *, width: int, height: int) -> FloatArray:
    """
    Return what the hand and its sleeve leave of the light behind them, 0 to 1.
    """
    small = width // 4, height // 4
    shrink = np.diag([0.25, 0.25, 1.0])
    reach = 0.035 * small[1] / np.tan(np.deg2rad(light.above_deg))
    around = np.deg2rad(light.around_deg)
    shift = np.array([[1, 0, -reach * np.cos(around)], [0, 1, -reach * np.sin(around)], [0, 0, 1]])
    moved = np.zeros(small[::-1], np.float32)
    for sheet in sheets:
        matrix = shift @ shrink @ from_sheet(sheet, to_picture)
        moved = np.maximum(moved, cv2.warpPerspective(sheet.cover, matrix, small)).astype(np.float32)
    dark = 1 - np.float32(1.1 * (1 - light.softness)) * blurred(moved, 0.024 * small[1])
    return resized(dark, width=width, height=height)


def photographed(image: FloatArray, light: Light, lens: Lens, *, seed: int, number: int) -> ByteArray:
    """
    Return what a camera makes of `image`: exposure, colour of the light, blur, noise, JPEG.
    """
    rng = np.random.default_rng([_SEED_LENS, seed, number])
    height, width = image.shape[:2]
    image = blurred(
        image * (np.array(light.colour, np.float32) * np.float32(light.exposure)), lens.blur * height / 1000
    )
    if lens.vignette > 0:
        image = image * _vignette(lens.vignette, width=width, height=height)[..., None]
    tile = rng.standard_normal((_NOISE_SIDE, _NOISE_SIDE), dtype=np.float32) * np.float32(lens.noise)
    across, down = -(-width // _NOISE_SIDE), -(-height // _NOISE_SIDE)
    noise = np.tile(tile, (down, across))[:height, :width]
    colour_noise = resized(smooth_field(rng, knots=64, size=64), width=width, height=height) * np.float32(
        lens.noise / 3
    )
    image += cv2.merge([noise + colour_noise, noise, noise - colour_noise])
    bgr = cv2.cvtColor(to_bytes(image), cv2.COLOR_RGB2BGR)
    coded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, lens.quality])[1]
    return np.asarray(cv2.cvtColor(cv2.imdecode(coded, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB), dtype=np.uint8)


def _vignette(darkness: float, *, width: int, height: int) -> FloatArray:
    """
    Return what a lens leaves of the light, 1 in the middle and 1 - `darkness` in the corners, float32 (H, W).
    """
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    return np.asarray(1 - np.float32(darkness) * ((x * x + y * y) / 2) ** 2, np.float32)
