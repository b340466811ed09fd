"""
Photograph batches of pictures as cheap cameras do: coloured and uneven light, shadow, blur, coarse pixels, noise, tone.

Pictures are float (B, 3, S, S), 0 to 1, RGB, on any device; all randomness comes from the dice.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor
from training.hand_skeleton import Dice

KERNEL_PX = 7


def photograph(dice: Dice, image: Tensor) -> Tensor:
    """
    Return `image`, changed in place, as a camera would have it, 0 to 1.

    1. The light's colour, for a fifth of the pictures a strong one; for some a second colour from one side.
    2. For some a shadow's edge, or something that covers a part.
    3. For some blur: out of focus, moved, or coarser pixels.
    4. Noise; contrast, brightness and tone; for some no colour at all.

    What happens to some of the batch happens to a run of it, from a random place on, so that no work is thrown away.
    """
    image *= _gains(dice)  # 1
    for share, change in (
        (0.35, _light_from_aside),
        (0.25, _shade),
        (0.2, _cover),
        (0.4, _blur),
        (0.25, _coarsen),
    ):  # 2, 3
        few = Dice(round(share * dice.count), generator=dice.generator)
        first = int(torch.randint(dice.count - few.count + 1, (1,), generator=dice.generator, device=dice.device))
        if few.count:
            image[first : first + few.count] = change(few, image[first : first + few.count])
    noise = torch.randn(image.shape, generator=dice.generator, device=dice.device)  # 4
    image += noise * (dice.normal(0, 0.02).abs() + 0.003)[:, None, None, None]
    return _toned(dice, image)


def _gains(dice: Dice) -> Tensor:
    strong = dice.chance(0.22)[:, None]
    return torch.where(strong, dice.normal(0, 0.5, 3, within=2), dice.normal(0, 0.1, 3)).exp()[..., None, None]


def _side_by_side(dice: Dice, size: int, *, softness: tuple[float, float]) -> Tensor:
    """
    Return masks that go from 0 to 1 across a straight edge somewhere, (B, 1, S, S).
    """
    line = torch.linspace(-1, 1, size, device=dice.device)
    y, x = torch.meshgrid(line, line, indexing="ij")
    angle = dice.uniform(0, 2 * torch.pi, 1, 1)
    away = x * angle.cos() + y * angle.sin() - dice.uniform(-0.7, 0.7, 1, 1)
    return torch.sigmoid(away / dice.uniform(*softness, 1, 1))[:, None]


def _light_from_aside(dice: Dice, image: Tensor) -> Tensor:
    return image * (1 + (_gains(dice) - 1) * _side_by_side(dice, image.shape[-1], softness=(0.2, 1.2)))


def _shade(dice: Dice, image: Tensor) -> Tensor:
    return image * (1 - _side_by_side(dice, image.shape[-1], softness=(0.01, 0.2)) * dice.uniform(0.1, 0.75, 1, 1, 1))


def _cover(dice: Dice, image: Tensor) -> Tensor:
    line = torch.linspace(0, 1, image.shape[-1], device=dice.device)
    (x, y), (w, h) = dice.uniform(0, 1, 2, 1).unbind(1), dice.uniform(0.02, 0.14, 2, 1).unbind(1)
    inside = ((line - x).abs() < w)[:, None, None, :] & ((line - y).abs() < h)[:, None, :, None]
    return torch.where(inside, dice.uniform(0, 1, 3)[..., None, None], image)


def _blur(dice: Dice, image: Tensor) -> Tensor:
    """
    Return each picture under a blur of its own: round, or along one way.
    """
    line = torch.arange(KERNEL_PX, device=dice.device) - KERNEL_PX // 2
    y, x = torch.meshgrid(line, line, indexing="ij")
    angle = dice.uniform(0, torch.pi, 1, 1)
    wide = dice.uniform(0.4, 1.7, 1, 1)
    long = torch.where(dice.chance(0.4, 1, 1), wide + 1.2, wide)
    along, across = x * angle.cos() + y * angle.sin(), y * angle.cos() - x * angle.sin()
    kernel = torch.exp(-(along**2) / (2 * long**2) - across**2 / (2 * wide**2))
    kernel = (kernel / kernel.sum((1, 2), keepdim=True)).repeat_interleave(3, 0)[:, None]
    flat = F.pad(image, (KERNEL_PX // 2,) * 4, mode="replicate").flatten(0, 1)[None]
    return F.conv2d(flat, kernel, groups=len(kernel)).view(image.shape)


def _coarsen(dice: Dice, image: Tensor) -> Tensor:
    small = int(image.shape[-1] * float(dice.uniform(0.3, 0.8)[0]))
    coarse = F.interpolate(image, (small, small), mode="area")
    return F.interpolate(coarse, image.shape[-2:], mode="bilinear", align_corners=False)


def _toned(dice: Dice, image: Tensor) -> Tensor:
    dim = torch.where(dice.chance(0.12), dice.uniform(0.2, 0.7), dice.uniform(0.8, 1.25))[:, None, None, None]
    contrast = dice.uniform(0.6, 1.4, 1, 1, 1)
    mean = image.mean((1, 2, 3), keepdim=True)
    image = (image * (contrast * dim) + ((1 - contrast) * mean + dice.normal(0, 0.06, 1, 1, 1)) * dim).clamp_(1e-3, 1)
    half = dice.count // 2
    image[:half] **= Dice(half, generator=dice.generator).normal(0, 0.3, 1, 1, 1).exp()
    grey = max(1, dice.count // 10)
    image[-grey:] = image[-grey:].mean(1, keepdim=True)
    return image
