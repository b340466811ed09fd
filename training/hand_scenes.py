"""
Lay painted hands before clutter, as the two nets of the hand finder get to see them, with what they are to answer.

The detector's picture is a whole frame with no, one or two hands at any turn, 15 to 115 % of its side, mirrored or not.
The landmark net's is a crop around one hand, fingers up but for the detector's errors; some show no hand.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor
from training.finder_nets import CROP_PX, CROP_SIDE, CROP_UP, FRAME_PX, STRIDE_PX
from training.hand_painter import PALM_SHOWN_MIN, Sprites
from training.hand_skeleton import Dice
from training.lens import photograph

KNUCKLES = (5, 9, 13, 17)
HAND_LENGTHS = 2.3  # A hand with its fingers, in palm lengths.
SECOND_HAND_EVERY = 6  # One frame in so many shows a second hand.


@dataclass(frozen=True)
class Bank:
    """
    Hold what scenes are made of: sprites (uint8 colour and cover, (N, 4, S, S)) and backgrounds uint8 (M, 3, T, T).
    """

    rgba: Tensor
    joints: Tensor
    facing: Tensor
    is_fist: Tensor
    clutter: Tensor

    def choose(self, dice: Dice) -> Sprites:
        """
        Return one sprite for each place in the batch.
        """
        chosen = torch.randint(len(self.rgba), (dice.count,), generator=dice.generator, device=dice.device)
        rgba = self.rgba[chosen].float().mul_(1 / 255)
        return Sprites(rgba[:, :3], rgba[:, 3:], self.joints[chosen], self.facing[chosen], self.is_fist[chosen])


@dataclass(frozen=True)
class Frames:
    """
    Hold B frames (B, 3, 192, 192) and the answers on the detector's grid: heat (B, 1, G, G), and five numbers
    (B, 5, G, G) that count where `near` (B, 1, G, G) is true: offset x and y in cells, log palm length, direction.
    """

    image: Tensor
    heat: Tensor
    near: Tensor
    answers: Tensor


@dataclass(frozen=True)
class Crops:
    """
    Hold B crops (B, 3, 128, 128): joints (B, 21, 2) in sides of the crop, and 0 or 1 for `has_hand`, `shows_palm`,
    `is_plain` (that the last can be told), each (B,).
    """

    image: Tensor
    joints: Tensor
    has_hand: Tensor
    shows_palm: Tensor
    is_plain: Tensor


def palm_axis(joints: Tensor) -> tuple[Tensor, Tensor]:
    """
    Return the middle of the palm (B, 2) and the way from the wrist to the middle of the knuckles (B, 2).
    """
    knuckles = joints[:, KNUCKLES].mean(1)
    return (knuckles + joints[:, 0]) / 2, knuckles - joints[:, 0]


def draw_frames(bank: Bank, dice: Dice) -> Frames:
    """
    Return a batch for the detector.
    """
    image = _background(bank, dice, FRAME_PX)
    cells = FRAME_PX // STRIDE_PX
    heat = torch.zeros(dice.count, 1, cells, cells, device=dice.device)
    near = torch.zeros_like(heat, dtype=torch.bool)
    answers = torch.zeros(dice.count, 5, cells, cells, device=dice.device)
    is_upright = dice.chance(0.3)
    bars = dice.uniform(0, 0.25)[:, None] * torch.stack((is_upright, ~is_upright), -1)  # (B, 2): letterboxed.
    for share, count in ((0.8, dice.count), (0.9, dice.count // SECOND_HAND_EVERY)):
        few = Dice(count, generator=dice.generator)
        shown = few.chance(share)
        sprites = bank.choose(few)
        axis, joints, image[:count] = _lay(few, image[:count], sprites, shown=shown, bars=bars[:count])
        targets = (heat[:count], near[:count], answers[:count])
        _mark(*targets, joints=joints, axis=axis, shown=shown)
    image = photograph(dice, image)
    line = torch.arange(FRAME_PX, device=dice.device) / FRAME_PX
    outside = (line < bars[..., None]) | (line > 1 - bars[..., None])  # (B, 2, S)
    black = (outside[:, 0, None, :] | outside[:, 1, :, None])[:, None]
    return Frames(torch.where(black, 0, image), heat, near, answers)


def draw_crops(bank: Bank, dice: Dice) -> Crops:
    """
    Return a batch for the landmark net.
    """
    sprites = bank.choose(dice)
    has_hand = dice.chance(0.9)
    middle, axis = palm_axis(sprites.joints)
    length = axis.norm(dim=-1).clamp_min(18)
    turn = torch.atan2(axis[:, 0], -axis[:, 1]) + torch.deg2rad(dice.normal(0, 14, within=2.6))
    side = length * CROP_SIDE * dice.normal(0, 0.12, within=2.5).exp()
    up = torch.stack((turn.sin(), -turn.cos()), -1)
    centre = middle + up * length[:, None] * CROP_UP + dice.normal(0, 0.06, 2, within=2.5) * side[:, None]
    mirror = torch.where(dice.chance(0.5), -1.0, 1.0)
    across = torch.stack((turn.cos(), turn.sin()), -1) * mirror[:, None]
    # Crop coordinates (-1 to 1) to pixels of the sprite.
    matrix = torch.stack((across, -up), -1) * (side / 2)[:, None, None]  # (B, 2, 2)
    size = sprites.colour.shape[-1]
    theta = torch.cat((matrix * 2 / size, (centre * 2 / size - 1)[..., None]), -1)
    background = _background(bank, dice, CROP_PX)
    image = _over(dice, background, sprites, theta, has_hand)
    joints = torch.linalg.solve(matrix[:, None], (sprites.joints - centre[:, None])[..., None])[..., 0] / 2 + 0.5
    shows_palm = (sprites.facing > PALM_SHOWN_MIN) & ~sprites.is_fist
    is_plain = has_hand & ((sprites.facing > PALM_SHOWN_MIN) | (sprites.facing < 0.1) | sprites.is_fist)
    return Crops(photograph(dice, image), joints, has_hand.float(), shows_palm.float(), is_plain.float())


def _background(bank: Bank, dice: Dice, size: int) -> Tensor:
    chosen = torch.randint(len(bank.clutter), (dice.count,), generator=dice.generator, device=dice.device)
    turn, scale = dice.uniform(0, 2 * torch.pi), dice.uniform(0.25, 0.75)
    cosine, sine = turn.cos() * scale, turn.sin() * scale
    shift = dice.uniform(-0.3, 0.3, 2)
    theta = torch.stack((cosine, -sine, shift[:, 0], sine, cosine, shift[:, 1]), -1).view(-1, 2, 3)
    grid = F.affine_grid(theta, (dice.count, 3, size, size), align_corners=False)
    clutter = bank.clutter[chosen].float().mul_(1 / 255)
    return F.grid_sample(clutter, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def _over(dice: Dice, image: Tensor, sprites: Sprites, theta: Tensor, shown: Tensor) -> Tensor:
    """
    Lay sprites into `image` where `theta` (B, 2, 3) says, with a shadow beside them.
    """
    grid = F.affine_grid(theta, image.shape, align_corners=False)
    rgba = torch.cat((sprites.colour, sprites.cover), 1)
    laid = F.grid_sample(rgba, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    cover = laid[:, 3:] * shown[:, None, None, None]
    away = [int(v) for v in torch.randint(-9, 10, (2,), generator=dice.generator, device=dice.device).tolist()]
    few = dice.count // 2
    shade = F.avg_pool2d(cover[:few].roll(away, (2, 3)), 4)
    shade = F.interpolate(shade, scale_factor=4.0, mode="bilinear", align_corners=False)
    image[:few] *= 1 - shade * Dice(few, generator=dice.generator).uniform(0, 0.7, 1, 1, 1)
    return torch.lerp(image, laid[:, :3], cover)


def _lay(dice: Dice, image: Tensor, sprites: Sprites, *, shown: Tensor, bars: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """
    Return the axis and the joints of hands laid anywhere into frames, and the frames.
    """
    middle, axis = palm_axis(sprites.joints)
    length = axis.norm(dim=-1).clamp_min(18)
    share = (dice.uniform(0, 1) * torch.log(torch.tensor(1.15 / 0.15))).exp() * 0.15  # Of the frame: 15 to 115 %.
    zoom = share * FRAME_PX / (length * HAND_LENGTHS)  # Pixels of the frame for one of the sprite.
    turn = dice.uniform(0, 2 * torch.pi)
    mirror = torch.where(dice.chance(0.5), -1.0, 1.0)
    rotate = torch.stack((turn.cos() * mirror, -turn.sin(), turn.sin() * mirror, turn.cos()), -1).view(-1, 2, 2)
    forward = rotate * zoom[:, None, None]  # Sprite to frame.
    centre = (bars + (1 - 2 * bars) * dice.uniform(0.1, 0.9, 2)) * FRAME_PX
    joints = (sprites.joints - middle[:, None]) @ forward.transpose(1, 2) + centre[:, None]
    back = torch.linalg.inv(forward)
    size = sprites.colour.shape[-1]
    origin = middle + ((FRAME_PX / 2 - centre)[:, None] @ back.transpose(1, 2))[:, 0]
    theta = torch.cat((back * FRAME_PX / size, (origin * 2 / size - 1)[..., None]), -1)
    return (axis[:, None] @ forward.transpose(1, 2))[:, 0], joints, _over(dice, image, sprites, theta, shown)


def _mark(heat: Tensor, near: Tensor, answers: Tensor, *, joints: Tensor, axis: Tensor, shown: Tensor) -> None:
    """
    Write hands into the detector's answers, in place.
    """
    middle, _ = palm_axis(joints)
    cells = heat.shape[-1]
    line = torch.arange(cells, device=heat.device) + 0.5
    dx = middle[:, 0, None, None] / STRIDE_PX - line[None, None, :]
    dy = middle[:, 1, None, None] / STRIDE_PX - line[None, :, None]
    length = axis.norm(dim=-1).clamp_min(1)
    spread = (length / STRIDE_PX * 0.22).clamp(0.7, 2.0)[:, None, None]
    is_middle = (dx.abs() <= 0.5) & (dy.abs() <= 0.5)
    bump = torch.exp(-(dx**2 + dy**2) / (2 * spread**2))
    bump = torch.where(is_middle, 1.0, bump) * shown[:, None, None]
    here = (bump > 0.45) & (bump >= heat[:, 0])
    heat[:, 0] = torch.maximum(heat[:, 0], bump)
    near[:, 0] |= here
    way = axis / length[:, None]
    for i, value in enumerate((dx, dy, (length / STRIDE_PX).log(), way[:, 0], way[:, 1])):
        value = value if value.ndim == 3 else value[:, None, None].expand_as(dx)
        answers[:, i] = torch.where(here, value, answers[:, i])
