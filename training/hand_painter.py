"""
Paint batches of hands from their capsules: depth, shade, skin, creases, nails, rings, sleeves. On whatever device.

1. `pose_hands` gives joints and flesh; the hand is tilted before the camera, or turned to show its back.
2. Each pixel gets the height of the flesh above it: the smooth maximum over all capsules.
3. Light falls on the slope; creases, nails, the lines of a drawn palm and a ring colour the skin.

What it returns is a sprite: colour and cover, the 21 joints, and what the hand shows. No picture of a person goes in.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor
from training.hand_skeleton import (
    ARM,
    CLOTH,
    FINGER_1,
    FINGER_2,
    FINGER_3,
    PALM,
    THUMB_1,
    THUMB_2,
    THUMB_3,
    Capsules,
    Dice,
    Skeletons,
    pose_hands,
)

SPRITE_PX = 160
PX_PER_MM = 0.58
MIDDLE_PX = (80.0, 117.0)  # Where the wrist lies in a sprite.
OUTSIDE_SLOPE = 3.0  # How fast the height falls beyond the outline: makes flesh flow together also there.
NOWHERE_MM = -60.0
REACH_MM = 9.0  # Beyond the outline of a capsule, for flesh that flows together.
PALM_SHOWN_MIN = 0.35  # Cosine between the palm's normal and the way to the camera: more than this shows a palm.
# Skin tones of palms, from very light to very dark, RGB 0 to 1, as in `handsel.drawn.skin`.
TONES = (
    (0.953, 0.808, 0.733), (0.933, 0.765, 0.678), (0.902, 0.718, 0.616), (0.863, 0.667, 0.561), (0.816, 0.612, 0.506),
    (0.761, 0.553, 0.451), (0.698, 0.494, 0.396), (0.627, 0.435, 0.345), (0.561, 0.388, 0.306), (0.49, 0.337, 0.267),
)  # fmt: skip
# Where a capsule shows creases, along its length (0 to 1), palm side.
CREASES = {
    FINGER_1: (0.42, 0.49, 1.0),
    FINGER_2: (0.0, 0.09, 1.0),
    FINGER_3: (0.02,),
    THUMB_2: (0.02, 1.0),
    THUMB_3: (0.02,),
}


@dataclass(frozen=True)
class Sprites:
    """
    Hold B painted hands: `colour` (B, 3, S, S) 0..1, `cover` (B, 1, S, S) 0..1, `joints` (B, 21, 2) in pixels,
    `facing` (B,) -1 (its back) to 1 (its palm), `is_fist` (B,).
    """

    colour: Tensor
    cover: Tensor
    joints: Tensor
    facing: Tensor
    is_fist: Tensor


@dataclass(frozen=True)
class Surface:
    """
    Hold what lies under each pixel, each (B, S, S): height in mm, distance outside the outline in mm, the number of the
    capsule, how far along it and how far beside its middle (-1 to 1).
    """

    height: Tensor
    outside: Tensor
    number: Tensor
    along: Tensor
    beside: Tensor


def paint_hands(count: int, *, generator: torch.Generator, palms: Tensor) -> Sprites:
    """
    Return `count` sprites. `palms` uint8 (P, 3, L, L) on the same device are layers of drawn palms to choose from.
    """
    dice = Dice(count, generator=generator)
    hands = pose_hands(dice)
    rotation = _tilt(dice, hands.is_fist)
    facing = rotation[:, 2, 2]
    distance = dice.uniform(260, 900)
    joints, _ = _project(hands.joints, rotation, distance)
    capsules = _projected(hands.capsules, rotation, distance)
    surface = _surface(capsules)
    shows_palm = facing > 0
    albedo = _skin(dice, surface, hands, shows_palm)
    albedo = albedo * _palm_lines(dice, surface, joints, shows_palm, palms, hands.capsules.kinds)
    albedo = _dress(dice, albedo, surface, hands)
    colour = _lit(dice, albedo, surface)
    cover = (0.5 - surface.outside * PX_PER_MM).clamp(0, 1)[:, None]
    return Sprites(colour.clamp(0, 1), cover, _to_pixels(joints), facing, hands.is_fist)


def _tilt(dice: Dice, is_fist: Tensor) -> Tensor:
    """
    Return how each hand is turned out of the picture's plane, (B, 3, 3).
    """
    pitch, roll = dice.normal(0, 13), dice.normal(0, 13)
    far = dice.chance(0.25)
    pitch = torch.where(far, dice.uniform(-55, 55), pitch)
    roll = torch.where(far, dice.uniform(-55, 55), roll)
    is_back = dice.chance(0.28) | (is_fist & dice.chance(0.4))
    roll = torch.where(is_back, roll + 180, roll)
    a, b = torch.deg2rad(pitch), torch.deg2rad(roll)
    zero, one = torch.zeros_like(a), torch.ones_like(a)
    around_x = torch.stack((one, zero, zero, zero, a.cos(), -a.sin(), zero, a.sin(), a.cos()), -1).view(-1, 3, 3)
    around_y = torch.stack((b.cos(), zero, b.sin(), zero, one, zero, -b.sin(), zero, b.cos()), -1).view(-1, 3, 3)
    return around_x @ around_y


def _project(points: Tensor, rotation: Tensor, distance: Tensor) -> tuple[Tensor, Tensor]:
    """
    Return `points` (B, N, 3) as the camera sees them: places (B, N, 2) in mm of the wrist's plane, and heights (B, N).
    """
    turned = points @ rotation.transpose(1, 2)
    zoom = distance[:, None] / (distance[:, None] - turned[..., 2]).clamp_min(80)
    return turned[..., :2] * zoom[..., None], turned[..., 2]


def _projected(capsules: Capsules, rotation: Tensor, distance: Tensor) -> Capsules:
    ends = []
    for points in (capsules.start, capsules.end):
        places, heights = _project(points, rotation, distance)
        ends.append(torch.cat((places, heights[..., None]), -1))
    heights = torch.stack([end[..., 2] for end in ends], -1)
    zoom = distance[:, None, None] / (distance[:, None, None] - heights).clamp_min(80)
    return Capsules(ends[0], ends[1], capsules.radii * zoom, capsules.kinds, capsules.blends_mm)


def _to_pixels(places: Tensor) -> Tensor:
    return places * PX_PER_MM + torch.tensor(MIDDLE_PX, device=places.device)


def _surface(capsules: Capsules) -> Surface:
    """
    Return the flesh under each pixel.
    """
    device, count = capsules.start.device, len(capsules.start)
    line = torch.arange(SPRITE_PX, device=device, dtype=torch.float32) + 0.5
    x = ((line - MIDDLE_PX[0]) / PX_PER_MM)[None, None, :]
    y = ((line - MIDDLE_PX[1]) / PX_PER_MM)[None, :, None]
    shape = (count, SPRITE_PX, SPRITE_PX)
    smooth = torch.full(shape, NOWHERE_MM, device=device)
    best = torch.full(shape, -1e4, device=device)
    outside = torch.full(shape, 1e4, device=device)
    number = torch.zeros(shape, dtype=torch.uint8, device=device)
    along, beside = torch.zeros(shape, device=device), torch.zeros(shape, device=device)
    for k, (left, top, right, bottom) in enumerate(_boxes(capsules)):
        if left >= right or top >= bottom:
            continue
        box = (slice(None), slice(top, bottom), slice(left, right))
        height, rim, t, side = _one_capsule(capsules, k, x[..., left:right], y[:, top:bottom])
        share = (0.5 + 0.5 * (height - smooth[box]) / capsules.blends_mm[k]).clamp(0, 1)
        smooth[box] = torch.lerp(smooth[box], height, share) + capsules.blends_mm[k] * share * (1 - share)
        is_best = height > best[box]
        best[box] = torch.where(is_best, height, best[box])
        number[box] = torch.where(is_best, k, number[box])
        along[box] = torch.where(is_best, t, along[box])
        beside[box] = torch.where(is_best, side, beside[box])
        outside[box] = torch.minimum(outside[box], rim)
    # Where flesh flows together, the outline does too.
    grown = (smooth - best).clamp(0, 8)
    return Surface(smooth, outside - 0.7 * grown, number.long(), along, beside)


def _boxes(capsules: Capsules) -> list[tuple[int, int, int, int]]:
    """
    Return for each capsule what part of a sprite it can touch in any picture of the batch: left, top, right, bottom.
    """
    middle = torch.tensor(MIDDLE_PX, device=capsules.start.device)
    reach = capsules.radii.amax(-1, keepdim=True) + REACH_MM  # (B, K, 1)
    low = torch.minimum(capsules.start[..., :2], capsules.end[..., :2]) - reach
    high = torch.maximum(capsules.start[..., :2], capsules.end[..., :2]) + reach
    first = (low * PX_PER_MM + middle).clamp(0, SPRITE_PX).amin(0).floor().int()  # (K, 2)
    last = (high * PX_PER_MM + middle).clamp(0, SPRITE_PX).amax(0).ceil().int()
    return [(left, top, right, bottom) for left, top, right, bottom in torch.cat((first, last), -1).tolist()]


def _one_capsule(capsules: Capsules, k: int, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """
    Return height, distance outside, place along and place beside of one capsule at the places `x` and `y` in mm.
    """
    ax, ay, az = (capsules.start[:, k, i, None, None] for i in range(3))
    bx, by, bz = (capsules.end[:, k, i, None, None] for i in range(3))
    ra, rb = (capsules.radii[:, k, i, None, None] for i in range(2))
    dx, dy = bx - ax, by - ay
    t = (((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy).clamp_min(1.0)).clamp(0, 1)
    off_x, off_y = x - ax - t * dx, y - ay - t * dy
    away = (off_x * off_x + off_y * off_y).sqrt()
    radius = ra + t * (rb - ra)
    rim = away - radius
    dome = (radius * radius - away * away).clamp_min(0).sqrt()
    height = az + t * (bz - az) + torch.where(rim < 0, dome, -OUTSIDE_SLOPE * rim)
    return height, rim, t, torch.sign(off_x * dy - off_y * dx) * away / radius


def _kind_map(kinds: tuple[int, ...], wanted: tuple[int, ...], number: Tensor) -> Tensor:
    """
    Return which pixels show a capsule of the `wanted` kinds, bool (B, S, S).
    """
    table = torch.tensor([kind in wanted for kind in kinds], device=number.device)
    return table[number]


def noise_fields(dice: Dice, *, knots: int, channels: int = 1, size: int = SPRITE_PX) -> Tensor:
    """
    Return smooth noise of about unit strength, (B, channels, size, size).
    """
    coarse = torch.randn(dice.count, channels, knots, knots, generator=dice.generator, device=dice.device)
    return F.interpolate(coarse, (size, size), mode="bicubic", align_corners=False)


def _skin(dice: Dice, surface: Surface, hands: Skeletons, shows_palm: Tensor) -> Tensor:
    """
    Return the colour of the bare skin, (B, 3, S, S).
    """
    kinds = hands.capsules.kinds
    tone = dice.uniform(0, 1)
    table = torch.tensor(TONES, device=dice.device)
    low = (tone * 8.999).long()
    share = (tone * 8.999 - low)[:, None]
    palm = table[low] * (1 - share) + table[low + 1] * share
    palm = palm * (1 + dice.normal(0, 0.05, 3)) * dice.uniform(0.9, 1.08, 1)
    back = palm * (1 - 0.05 - 0.4 * tone[:, None]) * (1 + dice.normal(0, 0.04, 3))
    is_arm = _kind_map(kinds, (ARM,), surface.number)
    is_dark = is_arm & (surface.along > 0.02) | ~shows_palm[:, None, None]
    base = torch.where(is_dark[:, None], back[..., None, None], palm[..., None, None])
    rosy = torch.zeros_like(surface.height)
    tips = _kind_map(kinds, (FINGER_3, THUMB_3), surface.number)
    rosy = (
        rosy
        + torch.where(tips, surface.along * dice.uniform(0, 0.12, 1, 1), 0)
        + noise_fields(dice, knots=7)[:, 0] * 0.03
    )
    tint = torch.tensor((0.4, -1.0, -0.8), device=dice.device)[None, :, None, None]
    base = base * (1 + rosy[:, None] * tint)
    base = base * (1 + noise_fields(dice, knots=24) * 0.02 + noise_fields(dice, knots=60) * 0.015)
    return base * _creases(dice, surface, kinds, shows_palm) * _nails(dice, surface, kinds, shows_palm)


def _creases(dice: Dice, surface: Surface, kinds: tuple[int, ...], shows_palm: Tensor) -> Tensor:
    """
    Return how much the creases of the joints darken the skin, (B, 1, S, S).
    """
    depth = dice.uniform(0.1, 0.5, 1, 1)
    width = dice.uniform(0.025, 0.06, 1, 1)
    wavy = surface.along + 0.03 * noise_fields(dice, knots=20)[:, 0]
    dark = torch.zeros_like(wavy)
    for kind, places in CREASES.items():
        away = torch.stack([(wavy - place).abs() for place in places]).amin(0)
        dark = torch.where(_kind_map(kinds, (kind,), surface.number), 1 / (1 + (away / width) ** 4), dark)
    # On the back there are wrinkles over the joints instead, wider and fainter.
    wrinkles = torch.zeros_like(wavy)
    here = _kind_map(kinds, (FINGER_2, FINGER_3, THUMB_3), surface.number)
    near = torch.exp(-((wavy / 0.16) ** 2)) * (0.6 + 0.4 * torch.cos(wavy * 75))
    wrinkles = torch.where(here, near, wrinkles)
    strength = torch.where(shows_palm[:, None, None], dark, wrinkles * 0.6)
    return (1 - depth * strength)[:, None]


def _nails(dice: Dice, surface: Surface, kinds: tuple[int, ...], shows_palm: Tensor) -> Tensor:
    """
    Return the nails on the back of a hand as factors of the skin, (B, 3, S, S).
    """
    here = _kind_map(kinds, (FINGER_3, THUMB_3), surface.number) & ~shows_palm[:, None, None]
    oval = ((surface.along - 0.8) / 0.36) ** 2 + (surface.beside / 0.62) ** 2
    inside = torch.where(here, torch.sigmoid((1 - oval) * 12), 0)
    border = torch.where(here, torch.exp(-(((oval - 1) / 0.18) ** 2)), 0)
    polish = torch.where(
        dice.chance(0.2, 1), dice.uniform(0.1, 1.3, 3), 1 + torch.stack((dice.uniform(0.02, 0.2),) * 3, -1)
    )
    factor = 1 + inside[:, None] * (polish[..., None, None] - 1)
    return factor * (1 - 0.3 * border[:, None])


def _palm_lines(
    dice: Dice, surface: Surface, joints: Tensor, shows_palm: Tensor, palms: Tensor, kinds: tuple[int, ...]
) -> Tensor:
    """
    Return the lines of a drawn palm as factors of the skin, (B, 1, S, S); joints (B, 21, 2) are in mm.
    """
    layers = palms[torch.randint(len(palms), (dice.count,), generator=dice.generator, device=dice.device)].float() / 255
    # Index and little knuckle and the wrist lie here in a layer: the square's middle is its middle, see `roi.py`.
    places = torch.tensor(((0.0, 0.35), (0.1, -0.35), (1.0, 0.0)), device=dice.device)
    unit = (places - torch.tensor((0.44, 0.0), device=dice.device)) / 0.95  # -0.5 to 0.5 is the square.
    wanted = torch.cat((unit * (176 / 288) * 2, torch.ones(3, 1, device=dice.device)), 1)
    known = torch.cat((joints[:, [5, 17, 0]], torch.ones(dice.count, 3, 1, device=dice.device)), -1)
    matrix = torch.linalg.solve(known + 1e-4 * torch.eye(3, device=dice.device), wanted.expand(dice.count, 3, 3))
    line = torch.arange(SPRITE_PX, device=dice.device, dtype=torch.float32) + 0.5
    y, x = torch.meshgrid((line - MIDDLE_PX[1]) / PX_PER_MM, (line - MIDDLE_PX[0]) / PX_PER_MM, indexing="ij")
    grid = torch.stack((x, y, torch.ones_like(x)), -1).view(1, -1, 3) @ matrix
    grid = grid[..., :2].view(dice.count, SPRITE_PX, SPRITE_PX, 2)
    seen = F.grid_sample(layers, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    gains = dice.uniform(0.15, 0.6, 1), dice.uniform(0.05, 0.5, 1), dice.uniform(0, 0.25, 1)
    texture = torch.where(seen[:, 2] > 0, seen[:, 2] - 0.5, 0)
    dark = gains[0][..., None] * seen[:, 0] + gains[1][..., None] * seen[:, 1] - gains[2][..., None] * texture
    fleshy = _kind_map(kinds, (PALM, THUMB_1), surface.number) & shows_palm[:, None, None]
    return (1 - torch.where(fleshy, dark, 0)).clamp(0.25, 1.3)[:, None]


def _dress(dice: Dice, albedo: Tensor, surface: Surface, hands: Skeletons) -> Tensor:
    """
    Return the skin with rings, a bracelet or watch, and the cloth of a sleeve over it.
    """
    kinds = hands.capsules.kinds
    first_finger = kinds.index(FINGER_1)
    ringed = first_finger + 3 * torch.randint(4, (dice.count,), generator=dice.generator, device=dice.device)
    ring = (surface.number == ringed[:, None, None]) & ((surface.along - dice.uniform(0.55, 0.75, 1, 1)).abs() < 0.05)
    ring &= dice.chance(0.25, 1, 1)
    metal = dice.uniform(0.35, 1.0, 3)[..., None, None] * (0.7 + 0.6 * (surface.beside[:, None] * 3).cos().abs())
    albedo = torch.where(ring[:, None], metal, albedo)
    band = _kind_map(kinds, (ARM,), surface.number) & ((surface.along - dice.uniform(0.02, 0.3, 1, 1)).abs() < 0.05)
    band &= dice.chance(0.2, 1, 1)
    albedo = torch.where(band[:, None], dice.uniform(0.02, 0.9, 3)[..., None, None], albedo)
    cloth = _kind_map(kinds, (CLOTH,), surface.number)
    stripes = 1 + dice.uniform(0, 0.35, 1, 1) * torch.sin(surface.along * dice.uniform(5, 160, 1, 1))
    weave = dice.uniform(0.03, 0.95, 3)[..., None, None] * stripes[:, None] * (1 + 0.08 * noise_fields(dice, knots=40))
    return torch.where(cloth[:, None], weave, albedo)


def _lit(dice: Dice, albedo: Tensor, surface: Surface) -> Tensor:
    """
    Return the colour under one lamp, some light from everywhere, and what the hand itself shades.
    """
    relief = surface.height + 0.25 * noise_fields(dice, knots=14)[:, 0]
    slope_x = F.pad(relief[:, :, 2:] - relief[:, :, :-2], (1, 1)) * (0.5 * PX_PER_MM)
    slope_y = F.pad(relief[:, 2:] - relief[:, :-2], (0, 0, 1, 1)) * (0.5 * PX_PER_MM)
    steep = dice.uniform(0.35, 1.0, 1, 1)
    normal = torch.stack((-slope_x * steep, -slope_y * steep, torch.ones_like(relief)), 1)
    normal = normal * normal.square().sum(1, keepdim=True).rsqrt()
    around, above = dice.uniform(0, 2 * torch.pi), torch.deg2rad(dice.uniform(15, 88))
    lamp = torch.stack((above.cos() * around.cos(), above.cos() * around.sin(), above.sin()), -1)[..., None, None]
    diffuse = (normal * lamp).sum(1, keepdim=True).clamp_min(0)
    ambient = dice.uniform(0.25, 0.85, 1, 1, 1)
    coarse = F.avg_pool2d(surface.height.clamp_min(-25)[:, None], 4)
    coarse = F.avg_pool2d(coarse, 5, stride=1, padding=2, count_include_pad=False)
    near = F.interpolate(coarse, (SPRITE_PX, SPRITE_PX), mode="bilinear", align_corners=False)
    hollow = ((near - surface.height[:, None]) / 22).clamp(0, 0.6) * dice.uniform(0.3, 1.4, 1, 1, 1)
    halfway = lamp + torch.tensor((0.0, 0.0, 1.0), device=dice.device)[None, :, None, None]
    halfway = halfway / halfway.norm(dim=1, keepdim=True)
    shine = (normal * halfway).sum(1, keepdim=True).clamp_min(0) ** dice.uniform(12, 60, 1, 1, 1)
    gloss = torch.where(dice.chance(0.3), dice.uniform(0.05, 0.5), dice.uniform(0, 0.06))[:, None, None, None]
    warm = (1 + dice.normal(0, 0.06, 3))[..., None, None]
    light = (ambient + (1 - ambient) * diffuse * warm) * (1 - hollow)
    return albedo * light * dice.uniform(0.75, 1.2, 1, 1, 1) + gloss * shine
