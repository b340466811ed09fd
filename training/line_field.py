"""
Find the angles of lines in many squares at once: the fixed oriented filters of the places code, as one layer of a
network.

Two banks of twelve filters, at the places code's resolution to read lines, and at three quarters of it to see how a
palm lies. Out of every place come the 2nd, 4th, 6th and 8th harmonic of its line's angle, of unit norm together however
faint the line is, and how strong it is. Nothing is learned.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

SIDE = 96
FIELD = 24  # Cells a side of what comes out.
HARMONICS = (2, 4, 6, 8)
CHANNELS = 2 * (2 * len(HARMONICS) + 1)  # Of each bank: cosine and sine of every harmonic, and strength.
ORIENTATIONS = 12


class Grain(NamedTuple):
    """
    Say how finely a square is looked at: its pixels and cells a side, and of each bank σ and size in half pixels' grid,
    frequency, and the background's σ in pixels.
    """

    side: int
    cells: int
    coarse: tuple[float, float, int, float]
    fine: tuple[float, float, int, float]


TO_ALIGN = Grain(SIDE, FIELD, (1.725, 0.2443, 13, 9.0), (2.175, 0.1933, 17, 6.0))
TO_READ = Grain(128, 32, (2.3, 0.1832, 17, 12.0), (2.9, 0.145, 23, 8.0))
NORM_FLOOR = 1e-3


def kernels(sigma: float, frequency: float, size: int) -> Tensor:
    """
    Return a bank of line filters without mean and of unit L1, (ORIENTATIONS, 1, size, size).
    """
    y, x = np.mgrid[-(size // 2) : size // 2 + 1, -(size // 2) : size // 2 + 1].astype(np.float32)
    bank = []
    for theta in np.pi * np.arange(ORIENTATIONS) / ORIENTATIONS:
        across, along = x * np.cos(theta) + y * np.sin(theta), y * np.cos(theta) - x * np.sin(theta)
        kernel = np.exp(-(across**2 + along**2 / 4) / (2 * sigma**2)) * np.cos(2 * np.pi * frequency * across)
        kernel -= kernel.mean()
        bank.append(kernel / np.abs(kernel).sum())
    return torch.from_numpy(np.stack(bank)[:, None].astype(np.float32))


def background(sigma: float, side: int) -> Tensor:
    """
    Return the matrix (side, side) of a Gaussian blur, continued by reflection.
    """
    reach = int(3.5 * sigma)
    weights = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * sigma**2))
    matrix = np.zeros((side, side), np.float32)
    for row in range(side):
        for offset, weight in zip(range(-reach, reach + 1), weights / weights.sum(), strict=True):
            place = abs(row + offset)
            matrix[row, min(place, 2 * (side - 1) - place)] += weight
    return torch.from_numpy(matrix)


class LineField(nn.Module):
    """
    Turn grey squares (B, 1, side, side), 0..255, into fields of lines (B, CHANNELS, cells, cells).
    """

    def __init__(self, grain: Grain = TO_ALIGN) -> None:
        """
        Make the filters.
        """
        super().__init__()
        self.pooled = grain.side // 2 // grain.cells
        for name, (sigma, frequency, size, behind) in (("coarse", grain.coarse), ("fine", grain.fine)):
            self.register_buffer(name, kernels(sigma, frequency, size))
            self.register_buffer(f"{name}_background", background(behind, grain.side))
        thetas = np.pi * np.arange(ORIENTATIONS) / ORIENTATIONS
        waves = [f(h * thetas) for h in HARMONICS for f in (np.cos, np.sin)]
        self.register_buffer("waves", torch.tensor(np.stack(waves), dtype=torch.float32)[:, :, None, None])

    def forward(self, grey: Tensor) -> Tensor:
        """
        Return the field of `grey`.
        """
        behind = self.coarse_background @ grey @ self.coarse_background.T
        coarse = F.conv2d(F.avg_pool2d(grey - behind, 2), self.coarse, padding=self.coarse.shape[-1] // 2)
        behind = self.fine_background @ grey @ self.fine_background.T
        fine = F.conv2d(grey - behind, self.fine, stride=2, padding=self.fine.shape[-1] // 2)
        return F.avg_pool2d(torch.cat([self._angles(coarse), self._angles(fine)], dim=1), self.pooled)

    def _angles(self, responses: Tensor) -> Tensor:
        # A line is darker than its surroundings.
        angles = F.conv2d(torch.relu(-responses) ** 2, self.waves)
        norm = torch.sqrt((angles**2).sum(1, keepdim=True) + 1e-12)
        mean = norm.mean((2, 3), keepdim=True)
        return torch.cat([angles / (norm + NORM_FLOOR * mean + 1e-4), torch.log1p(norm / (mean + 1e-4))], dim=1)
