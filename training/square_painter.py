"""
Paint squares of drawn palms by the hundred, on a CPU or a GPU alike.

A palm here is a choice of three drawn ones: the main lines of one, the secondary lines of another, the wrinkles of a
third. So a few thousand drawn palms give more identities than a training can see, and look-alikes: the same main lines,
everything else another's. Texture and folds are always a stranger's, because they do not tell hands apart from one
picture to the next as lines do.

1. One cropping error (turn, shift, scale, aspect, shear, perspective) and one smooth bending move all layers together.
2. Every layer fades by its own gain, unevenly over the palm.
3. Light: raking relief, gradients, hard shadows; folds that come and go; gloss, ink and plasters that cover a part.
4. Camera: blur or sharpening, noise, contrast, brightness, JPEG's blocks.

Every random number comes from the generator that is passed in. No real palm and no statistic of one goes in.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from handsel.drawn.stroke import LAYER_PX, SQUARE_PX

SIDE = 96  # Pixels of a painted square.
STORED_PX = 216  # Layers are kept at three quarters: 1.375 pixels of a layer for one of a square.
RELIEF_PX = LAYER_PX // 4
COVERS = 600
NEUTRAL = 128.0


@dataclass(frozen=True)
class Pigments:
    """
    Hold what is painted with, on one device: uint8 layers (N, 4, 216, 216), relief (N, 1, 72, 72), folds and covers.
    """

    layers: Tensor
    relief: Tensor
    folds: Tensor  # (COVERS, 1, SIDE, SIDE), around 128.
    covers: Tensor  # (COVERS, 1, SIDE, SIDE), 0..255: how much is covered.

    def to(self, device: str) -> Pigments:
        """
        Return the same on another device.
        """
        return Pigments(*(part.to(device) for part in (self.layers, self.relief, self.folds, self.covers)))


@dataclass(frozen=True)
class Chosen:
    """
    Say which palms are painted, each (B,): of which drawn palm each has its main lines, secondary lines and wrinkles.
    """

    principal: Tensor
    secondary: Tensor
    fine: Tensor


@dataclass(frozen=True)
class Painted:
    """
    Hold pictures (B, 1, SIDE, SIDE), 0..255, and which place of the palm each pixel shows (B, 2, SIDE, SIDE), in sides.
    """

    image: Tensor
    places: Tensor


@dataclass(frozen=True)
class Crop:
    """
    Say how badly squares are cut: standard deviations of turn in degrees, and of shift, scale, aspect, shear,
    perspective.
    """

    turn: float = 7.5
    shift: float = 0.065
    scale: float = 0.085
    aspect: float = 0.035
    shear: float = 0.035
    perspective: float = 0.09
    bending: float = 0.016


def make_pigments(layers: NDArray[np.uint8], relief: NDArray[np.uint8], *, seed: int) -> Pigments:
    """
    Return the pigments of drawn palms, with folds and covers drawn from `seed`.
    """
    size = (STORED_PX, STORED_PX)
    stored = np.stack([[cv2.resize(layer, size, interpolation=cv2.INTER_AREA) for layer in palm] for palm in layers])
    rng = np.random.default_rng(seed)
    folds = np.stack([_folds(rng) for _ in range(COVERS)])[:, None]
    covers = np.stack([_cover(rng) for _ in range(COVERS)])[:, None]
    return Pigments(*(torch.from_numpy(array) for array in (stored, relief, folds, covers)))


class Painter:
    """
    Paint squares with one generator on one device.
    """

    def __init__(self, pigments: Pigments, generator: torch.Generator, crop: Crop = Crop()) -> None:
        """
        Keep what is painted with.
        """
        self.pigments, self.generator, self.crop = pigments, generator, crop
        self.device = generator.device

    def choose(self, count: int, *, family: int) -> Chosen:
        """
        Return `count` palms in families of `family` that share their main lines.
        """
        total = len(self.pigments.layers)
        main = torch.randint(total, (-(-count // family),), generator=self.generator, device=self.device)
        rest = [torch.randint(total, (count,), generator=self.generator, device=self.device) for _ in range(2)]
        return Chosen(main.repeat_interleave(family)[:count], *rest)

    def paint(self, palms: Chosen) -> Painted:
        """
        Return one picture of every palm.
        """
        count = len(palms.principal)
        places = self._places(count)
        creases, grain, relief = self._layers(palms, places)
        image = 170 - creases + grain + relief
        image = self._lit(image, creases - 1.5 * relief)
        return Painted(image=self._photographed(self._covered(image)), places=places)

    def uniform(self, count: int, low: float, high: float) -> Tensor:
        """
        Return `count` numbers, (B, 1, 1, 1).
        """
        numbers = torch.rand(count, generator=self.generator, device=self.device)
        return (low + (high - low) * numbers)[:, None, None, None]

    def normal(self, count: int, spread: float, *, limit: float = 2.6) -> Tensor:
        """
        Return `count` numbers, (B, 1, 1, 1), none farther out than `limit` standard deviations.
        """
        numbers = torch.randn(count, generator=self.generator, device=self.device).clamp(-limit, limit)
        return (spread * numbers)[:, None, None, None]

    def sometimes(self, count: int, chance: float) -> Tensor:
        """
        Return 1 with `chance`, else 0, (B, 1, 1, 1).
        """
        return (self.uniform(count, 0, 1) < chance).float()

    def smooth(self, count: int, knots: int, *, channels: int = 1) -> Tensor:
        """
        Return smooth noise of unit strength, (B, channels, SIDE, SIDE).
        """
        shape = (count, channels, knots, knots)
        coarse = torch.randn(shape, generator=self.generator, device=self.device)
        return _both_ways(coarse, _stretching(knots))

    def knots(self, low: int, high: int) -> int:
        """
        Return a number of knots for a whole batch.
        """
        return int(torch.randint(low, high, (1,), generator=self.generator, device=self.device))

    def _places(self, count: int) -> Tensor:
        crop = self.crop
        # Most finders cut most squares well.
        error = 1 - self.sometimes(count, 0.4) * self.uniform(count, 0.4, 0.8)
        line = (torch.arange(SIDE, device=self.device) + 0.5) / SIDE - 0.5
        across, down = line[None, None, None, :], line[None, None, :, None]
        turn = error * self.normal(count, float(np.deg2rad(crop.turn)))
        scale, aspect = torch.exp(error * self.normal(count, crop.scale)), torch.exp(self.normal(count, crop.aspect))
        shear = self.normal(count, crop.shear)
        depth = 1 / (1 + self.normal(count, crop.perspective) * across + self.normal(count, crop.perspective) * down)
        cosine, sine = torch.cos(turn) * scale, torch.sin(turn) * scale
        x = (cosine * aspect * across + (shear - sine) / aspect * down) * depth + error * self.normal(count, crop.shift)
        y = (sine * aspect * across + cosine / aspect * down) * depth + error * self.normal(count, crop.shift)
        bending = self.normal(count, 1).abs()
        wide = self.smooth(count, self.knots(3, 6), channels=2) * (crop.bending * bending)
        narrow = self.smooth(count, 8, channels=2) * (crop.bending / 4 * bending)
        return torch.cat([x, y], dim=1) + wide + narrow

    def _layers(self, palms: Chosen, places: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        count, source = len(places), self.pigments.layers
        strangers = torch.randint(len(source), (2, count), generator=self.generator, device=self.device)
        stacked = torch.stack(
            [source[palms.principal, 0], source[palms.secondary, 1], source[palms.fine, 2], source[strangers[0], 3]], 1
        )
        where = (places * (2 * SQUARE_PX / LAYER_PX)).permute(0, 2, 3, 1)  # -1 to 1 over a layer
        found = F.grid_sample(stacked.float(), where, padding_mode="reflection", align_corners=False)
        relief = F.grid_sample(
            self.pigments.relief[strangers[1]].float(), where, padding_mode="reflection", align_corners=False
        )
        strength = torch.exp(self.normal(count, 0.25))
        weak, lost, faint = (self.sometimes(count, chance) for chance in (0.2, 0.08, 0.25))
        principal = strength * self.uniform(count, 0.12, 0.45) * (1 - weak * self.uniform(count, 0.4, 0.85))
        secondary = strength * self.uniform(count, 0.12, 0.5) * (1 - 0.7 * lost)
        fine = strength * self.uniform(count, 0.06, 0.45) * (1 - 0.85 * faint)
        uneven = (1 + 0.35 * self.smooth(count, 4, channels=2)).clamp(0.05, 1.6)
        creases = found[:, :1] * principal * uneven[:, :1]
        creases = creases + (found[:, 1:2] * secondary + found[:, 2:3] * fine) * uneven[:, 1:]
        grain = strength * self.uniform(count, 0.05, 0.45) * self.uniform(count, 0.1, 1) * (found[:, 3:] - NEUTRAL)
        return creases, grain, strength * self.uniform(count, 0.05, 0.7) * (relief - NEUTRAL)

    def _lit(self, image: Tensor, hollows: Tensor) -> Tensor:
        count = len(image)
        rise, mean = _row_filter((-1.0, 0.0, 1.0), self.device), _row_filter((1.0, 2.0, 1.0), self.device)
        across, down = mean @ hollows @ rise.T, rise @ hollows @ mean.T
        angle = self.uniform(count, 0, 2 * np.pi)
        force = self.uniform(count, 0.02, 0.2) * self.sometimes(count, 0.7)
        image = image - force * (torch.cos(angle) * across + torch.sin(angle) * down)
        image = image + self.smooth(count, 2) * self.uniform(count, 2, 30)
        image = image + self.smooth(count, self.knots(3, 7)) * self.uniform(count, 0, 14)
        return self._shaded(self._shaded(image, chance=0.35), chance=0.1)

    def _shaded(self, image: Tensor, *, chance: float) -> Tensor:
        count = len(image)
        line = torch.linspace(-0.5, 0.5, SIDE, device=self.device)
        turn = self.uniform(count, 0, 2 * np.pi)
        distance = torch.cos(turn) * line[None, None, None, :] + torch.sin(turn) * line[None, None, :, None]
        edge = torch.sigmoid((distance + self.normal(count, 0.2)) / self.uniform(count, 0.005, 0.08))
        return image * (1 - self.sometimes(count, chance) * self.uniform(count, 0.2, 0.75) * edge)

    def _covered(self, image: Tensor) -> Tensor:
        count = len(image)
        pick = torch.randint(COVERS, (2, count), generator=self.generator, device=self.device)
        folds = self.pigments.folds[pick[0]].float() - NEUTRAL
        image = image + self.sometimes(count, 0.6) * self.uniform(count, 0.3, 1) * folds
        cover = self.pigments.covers[pick[1]].float() / 255 * self.sometimes(count, 0.4) * self.uniform(count, 0.4, 1)
        return image * (1 - cover) + self.uniform(count, 10, 300) * cover

    def _photographed(self, image: Tensor) -> Tensor:
        count = len(image)
        noise = torch.randn(image.shape, generator=self.generator, device=self.device)
        grainy = self.normal(count, 4.5).abs() * (1 + 2 * self.sometimes(count, 0.2))
        early = self.sometimes(count, 0.4)
        image = image + noise * (grainy * early * 2)
        soft = _blurred(image, 1.0)
        softer = _blurred(soft, 1.6)
        image = image + self.uniform(count, -0.9, 1) * (soft - image)
        image = image + self.sometimes(count, 0.15) * (softer - image)
        image = image + noise.flip(0) * (grainy * (1 - early))
        mean, spread = image.mean((2, 3), keepdim=True), image.std((2, 3), keepdim=True).clamp(min=5)
        contrast = self.uniform(count, 14, 48) / spread / 110
        image = 110 * torch.tanh((image - mean) * contrast) + 128 + self.normal(count, 12)
        image = 255 * (image.clamp(3, 255) / 255) ** torch.exp(self.normal(count, 0.35))
        blocky = self.sometimes(count, 0.25).flatten().bool()
        if bool(blocky.any()):
            image[blocky] = _compressed(image[blocky], self.uniform(int(blocky.sum()), 4, 40))
        return image.clamp(0, 255).round()


@cache
def _stretching(knots: int) -> Tensor:
    """
    Return the matrix (SIDE, knots) that stretches a row of knots smoothly over a side.
    """
    rows = cv2.resize(np.eye(knots, dtype=np.float32), (SIDE, knots), interpolation=cv2.INTER_CUBIC)
    return torch.from_numpy(np.ascontiguousarray(rows.T))


@cache
def _row_filter(weights: tuple[float, ...], device: torch.device) -> Tensor:
    """
    Return the matrix (SIDE, SIDE) that filters a column, continued by reflection.
    """
    kernel = np.array(weights, np.float32)[None]
    rows = cv2.filter2D(np.eye(SIDE, dtype=np.float32), cv2.CV_32F, kernel, borderType=cv2.BORDER_REFLECT_101)
    return torch.from_numpy(np.ascontiguousarray(rows.T)).to(device)


def _gaussian(sigma: float) -> tuple[float, ...]:
    reach = int(np.ceil(2.5 * sigma))
    weights = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * sigma**2))
    return tuple((weights / weights.sum()).tolist())


def _both_ways(image: Tensor, matrix: Tensor) -> Tensor:
    matrix = matrix.to(image.device)
    return matrix @ image @ matrix.T


def _blurred(image: Tensor, sigma: float) -> Tensor:
    return _both_ways(image, _row_filter(_gaussian(sigma), image.device))


def _compressed(image: Tensor, step: Tensor) -> Tensor:
    """
    Return images whose 8 × 8 blocks of cosines are rounded, finer ones more coarsely, as JPEG does.
    """
    index = torch.arange(8, dtype=torch.float32)
    waves = torch.cos(np.pi / 8 * (index[None] + 0.5) * index[:, None]) * np.sqrt(2 / 8)
    waves[0] /= np.sqrt(2)
    blocks = torch.block_diag(*[waves] * (SIDE // 8)).to(image.device)
    steps = step * (0.5 + 0.25 * (index[:, None] + index[None])).repeat(SIDE // 8, SIDE // 8).to(image.device)
    coefficients = torch.round(_both_ways(image - NEUTRAL, blocks) / steps)
    return _both_ways(coefficients * steps, blocks.T) + NEUTRAL


def _segment(
    rng: np.random.Generator, image: NDArray[np.float32], middle: NDArray[np.float64], depth: float, thickness: int
) -> None:
    angle, half = rng.uniform(0, np.pi), rng.uniform(0.05, 0.28)
    reach = np.array([np.cos(angle), np.sin(angle)]) * half
    start, end = ([int(v * SIDE * 16) for v in middle + sign * reach] for sign in (-1, 1))
    cv2.line(image, start, end, (depth,), thickness, cv2.LINE_AA, 4)


def _folds(rng: np.random.Generator) -> NDArray[np.uint8]:
    """
    Return folds and glints that no second picture shows, half of them at the root of the thumb.
    """
    u = rng.uniform
    folds = np.zeros((SIDE, SIDE), np.float32)
    for _ in range(int(rng.integers(1, 7))):
        near_thumb = rng.random() < 0.5
        middle = np.array([u(0.45, 0.95), u(0.6, 1.0)]) if near_thumb else u(0, 1, 2)
        _segment(rng, folds, middle, u(-110, -25) if near_thumb else u(-90, 60), int(rng.integers(1, 5)))
    return np.asarray(np.clip(cv2.GaussianBlur(folds, (0, 0), u(0.6, 3)) + NEUTRAL, 0, 255), np.uint8)


def _cover(rng: np.random.Generator) -> NDArray[np.uint8]:
    """
    Return what covers a palm in part: spots and broad shine of water, strokes of a pen, or a plaster.
    """
    u = rng.uniform
    cover = np.zeros((SIDE, SIDE), np.float32)
    kind = rng.random()
    if kind < 0.4:
        for x, y in rng.integers(0, SIDE, (int(rng.integers(5, 40)), 2)).tolist():
            axes = (int(rng.integers(1, 5)), int(rng.integers(1, 3)))
            cv2.ellipse(cover, (x, y), axes, u(0, 180), 0, 360, (u(90, 255),), -1, cv2.LINE_AA)
        shine = cv2.resize(rng.standard_normal((5, 5), dtype=np.float32), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
        cover = np.maximum(cover, np.maximum(shine - 0.6, 0) * u(0, 110))
    elif kind < 0.8:
        for _ in range(int(rng.integers(1, 7))):
            steps = np.cumsum(rng.normal(0, 1, (24, 2)), axis=0) * u(1, 3)
            points = cv2.GaussianBlur(steps.astype(np.float32), (1, 9), 2) + u(0, SIDE, 2)
            cv2.polylines(cover, [points.astype(np.int32)], False, (255.0,), int(rng.integers(1, 3)), cv2.LINE_AA)
    else:
        box = (tuple(u(0, SIDE, 2)), (u(10, 60), u(6, 25)), u(0, 180))
        cv2.fillPoly(cover, [cv2.boxPoints(box).astype(np.int32)], (255.0,))
    return np.clip(cv2.GaussianBlur(cover, (0, 0), u(0.4, 1.2)), 0, 255).astype(np.uint8)
