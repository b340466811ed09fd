"""
Train the aligner: squares of one drawn palm, cut differently, are to be read at the same places of the palm.

The painter says which place of a palm every pixel shows. So the loss is a distance on the palm: where the mesh of one
square comes to lie, less where that of another square of the same palm does. A little of it is the distance from where
the mesh should lie, so that it does not wander off. Distances count as they are beyond `SOFT`, and squared below, for a
square that shows nothing cannot be placed.

Stops after `--minutes` of work, whatever the machine does beside; goes on where it stopped from its checkpoint.

Usage: OMP_NUM_THREADS=1 python -m training.train_aligner SQUARES-FOLDER RUN-FOLDER --pieces 12 --minutes 20
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor
from training.field_pool import FieldPool, open_pool
from training.paint_squares import MESH, PICTURES
from training.palm_net import SPAN, Aligner, aligned, compose, mesh
from training.training_run import TrainingRun

Numbers = NDArray[np.int64]  # Of pictures.
PAIRS = 96
DECAY = 0.02
SOFT = 0.02  # Sides.
LOSS_SCALE, GRADIENT_MAX = 100.0, 20.0


def palm_places(shown: Tensor, pose: Tensor, places: Tensor) -> Tensor:
    """
    Return which places of the palm `places` (2, P) show under `pose`: (B, 2, P). `shown` is what a mesh of pixels
    shows.
    """
    where = pose[:, :, :2] @ places + pose[:, :, 2:]
    reach = 0.5 - 0.5 / MESH
    inside = where.clamp(-reach, reach)
    found = F.grid_sample(shown, (2 * inside).transpose(1, 2)[:, :, None], align_corners=False)[..., 0]
    return found + where - inside  # Beyond the square a palm goes on as it is.


def distance(one: Tensor, other: Tensor) -> Tensor:
    """
    Return the mean distance of two meshes, softly: (B,).
    """
    return torch.sqrt(((one - other) ** 2).sum(1).mean(1) + SOFT**2) - SOFT


def draw_pairs(rng: np.random.Generator, palms: int) -> Numbers:
    """
    Return the numbers of `PAIRS` pictures and of as many others of the same palms, (2 · PAIRS,).
    """
    chosen = rng.integers(0, palms, PAIRS)
    first = rng.integers(0, PICTURES, PAIRS)
    second = (first + rng.integers(1, PICTURES, PAIRS)) % PICTURES
    return np.concatenate([chosen * PICTURES + first, chosen * PICTURES + second])


@dataclass(frozen=True)
class Distances:
    """
    Hold mean distances: of pairs as they were cut, of pairs after one look and two, of all from where they should lie.
    """

    as_cut: Tensor
    once: Tensor
    twice: Tensor
    off: Tensor

    def loss(self, *, absolute: float) -> Tensor:
        """
        Return what is trained on; `absolute` is the weight of the distance from where squares should lie.
        """
        return LOSS_SCALE * (self.once + self.twice + absolute * self.off)

    def figures(self) -> list[float]:
        """
        Return the four as numbers.
        """
        return [self.as_cut.item(), self.once.item(), self.twice.item(), self.off.item()]


def measure(aligner: Aligner, pool: FieldPool, pictures: Numbers, *, device: str) -> Distances:
    """
    Return how far apart pairs of squares are read. The second look is at what the first has aligned.
    """
    places = mesh(5, SPAN).to(device)
    field, shown = pool.fields(pictures).to(device), pool.shown(pictures).to(device)
    with torch.autocast(device, torch.bfloat16):
        first = aligner(field.contiguous(memory_format=torch.channels_last))
    with torch.no_grad():
        straighter = aligned(field, first).contiguous(memory_format=torch.channels_last)
    with torch.autocast(device, torch.bfloat16):
        second = aligner(straighter)
    straight = aligner.straight.expand(len(shown), -1, -1)
    lies = [palm_places(shown, pose, places) for pose in (straight, first, compose(first.detach(), second))]
    as_cut, once, twice = (distance(found[:PAIRS], found[PAIRS:]).mean() for found in lies)
    off = (distance(lies[1], places[None]).mean() + distance(lies[2], places[None]).mean()) / 2
    return Distances(as_cut, once, twice, off)


def read_command_line() -> argparse.Namespace:
    """
    Return the options.
    """
    options = argparse.ArgumentParser(description="Train the aligner on painted squares.")
    options.add_argument("squares_folder", type=Path)
    options.add_argument("run_folder", type=Path)
    options.add_argument("--first-piece", type=int, default=0)
    options.add_argument("--pieces", type=int, default=12)
    options.add_argument("--minutes", type=float, default=20)
    options.add_argument(
        "--absolute", type=float, default=0.4, help="weight of the distance from where meshes should lie"
    )
    options.add_argument("--start", type=Path, help="an aligner.pt to go on from, with a fresh optimiser")
    options.add_argument("--rate", type=float, default=2e-3)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--device", default="cpu")
    return options.parse_args()


def main() -> None:
    """
    Train, and write `aligner.pt`.
    """
    chosen = read_command_line()
    torch.set_num_threads(1)
    torch.manual_seed(chosen.seed)
    run = TrainingRun(chosen.run_folder, "aligner", minutes=chosen.minutes)
    pieces = range(chosen.first_piece, chosen.first_piece + chosen.pieces)
    pool = open_pool(chosen.squares_folder, pieces, device=chosen.device)
    aligner = Aligner().to(chosen.device).to(memory_format=torch.channels_last)
    if chosen.start is not None:
        aligner.load_state_dict(torch.load(chosen.start, weights_only=True))
    optimiser = torch.optim.AdamW(aligner.parameters(), lr=chosen.rate, weight_decay=DECAY)
    for step in run.steps({"aligner": aligner, "optimiser": optimiser}, optimiser, rate=chosen.rate):
        pictures = draw_pairs(np.random.default_rng([chosen.seed, step]), pool.palms)
        distances = measure(aligner, pool, pictures, device=chosen.device)
        optimiser.zero_grad()
        distances.loss(absolute=chosen.absolute).backward()
        torch.nn.utils.clip_grad_norm_(aligner.parameters(), GRADIENT_MAX)
        optimiser.step()
        run.watch(distances.figures(), pictures=2 * PAIRS)
    recipe = {
        "script": "training/train_aligner.py",
        "palms": pool.palms,
        "pictures": 2 * PAIRS * run.step,
        "pairs": PAIRS,
        "rate": chosen.rate,
        "absolute": chosen.absolute,
        "seed": chosen.seed,
        "start": "" if chosen.start is None else (chosen.start.parent / "aligner.json").read_text(),
    }
    run.finish(aligner, recipe)


if __name__ == "__main__":
    main()
