"""
Train the map of learned cells on aligned fields, so that look-alikes are told apart.

1. Batches are families of palms that share their main lines, three pictures of each palm. The aligner's pose of every
   picture is found once; a small error is added each time, as the views and an unsure aligner leave it.
2. Two losses: one picture against all others of the batch (InfoNCE), and against every palm of the pool with a margin
   that grows from nothing (CosFace).

Stops after `--minutes` of work, whatever the machine does beside; goes on where it stopped from its checkpoint.

Usage: OMP_NUM_THREADS=1 python -m training.train_map SQUARES-FOLDER RUN-FOLDER --pieces 12 --minutes 25
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from training.field_pool import OF_A_PIECE, FieldPool, open_pool
from training.paint_squares import FAMILY, PICTURES
from training.palm_net import GRID, Aligner, PlaceMap, aligned, compose
from training.training_run import TrainingRun

FAMILIES, SHOTS = 20, 3  # Of a batch.
RATE = 2e-3
DECAY = 0.02
TEMPERATURE = 0.08
SCALE, MARGIN = 32.0, 0.25
POSE_ERROR = (0.03, 0.02, 0.02)  # Turn in radians, shift in sides, scale: standard deviations.
GRADIENT_MAX = 5.0


@dataclass(frozen=True)
class Batch:
    """
    Name the pictures of a batch, and the palm of each.
    """

    pictures: NDArray[np.int64]
    palms: Tensor


def draw_batch(rng: np.random.Generator, palms: int) -> Batch:
    """
    Return whole families, `SHOTS` pictures of every palm.
    """
    families = rng.choice(palms // FAMILY, FAMILIES, replace=False)
    chosen = (families[:, None] * FAMILY + np.arange(FAMILY)).ravel()
    shots = np.stack([rng.choice(PICTURES, SHOTS, replace=False) for _ in chosen])
    return Batch((chosen[:, None] * PICTURES + shots).ravel(), torch.from_numpy(np.repeat(chosen, SHOTS)))


def pose_errors(count: int, generator: torch.Generator) -> Tensor:
    """
    Return small affine maps by chance, (count, 2, 3).
    """
    turn, x, y, across, down = torch.randn(5, count, generator=generator, device=generator.device)
    turn, x, y = turn * POSE_ERROR[0], x * POSE_ERROR[1], y * POSE_ERROR[1]
    across, down = 1 + across * POSE_ERROR[2], 1 + down * POSE_ERROR[2]
    return torch.stack([torch.stack([across, -turn, x], 1), torch.stack([turn, down, y], 1)], 1)


def find_poses(pool: FieldPool, aligner: Aligner, device: str) -> Tensor:
    """
    Return how every picture of the pool lies, (N, 2, 3).
    """
    total = len(pool.pieces) * OF_A_PIECE
    with torch.no_grad():
        found = [aligner(pool.fields(np.arange(start, start + 500)).to(device)).cpu() for start in range(0, total, 500)]
    return torch.cat(found)


def contrast(vectors: Tensor, palms: Tensor) -> Tensor:
    """
    Return how badly pictures of one palm stand out among all pictures of the batch.
    """
    scores = vectors @ vectors.T / TEMPERATURE
    same = palms[:, None] == palms[None]
    others = torch.logsumexp(scores.masked_fill(same, -1e4), dim=1, keepdim=True)
    pairs = same & ~torch.eye(len(palms), dtype=torch.bool, device=palms.device)
    return F.softplus(others - scores)[pairs].mean()


def classify(vectors: Tensor, centres: Tensor, palms: Tensor, *, margin: float) -> Tensor:
    """
    Return how badly every picture stands out towards its own palm among all palms, its score less the margin.
    """
    with torch.autocast(vectors.device.type, torch.bfloat16):
        scores = vectors @ F.normalize(centres).T
    less = torch.zeros_like(scores, dtype=torch.float32)
    less[torch.arange(len(palms), device=palms.device), palms] = margin
    return F.cross_entropy(SCALE * (scores.float() - less), palms)


def read_command_line() -> argparse.Namespace:
    """
    Return the options.
    """
    options = argparse.ArgumentParser(description="Train the map of learned cells on painted squares.")
    options.add_argument("squares_folder", type=Path)
    options.add_argument("run_folder", type=Path, help="holds aligner.pt")
    options.add_argument("--first-piece", type=int, default=0)
    options.add_argument("--pieces", type=int, default=12)
    options.add_argument("--minutes", type=float, default=25)
    options.add_argument("--depth", type=int, default=8)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--device", default="cpu")
    return options.parse_args()


def main() -> None:
    """
    Train, and write `map.pt`.
    """
    chosen = read_command_line()
    device = chosen.device
    torch.set_num_threads(1)
    torch.manual_seed(chosen.seed)
    run = TrainingRun(chosen.run_folder, "map", minutes=chosen.minutes)
    pieces = range(chosen.first_piece, chosen.first_piece + chosen.pieces)
    pool = open_pool(chosen.squares_folder, pieces, device=device)
    aligner = Aligner().to(device).eval()
    aligner.load_state_dict(torch.load(chosen.run_folder / "aligner.pt", map_location=device, weights_only=True))
    poses = find_poses(pool, aligner, device)
    net = PlaceMap(depth=chosen.depth).to(device).to(memory_format=torch.channels_last)
    centres = nn.Embedding(pool.palms, GRID * GRID * chosen.depth).to(device)
    weights = {"params": list(net.parameters()), "weight_decay": DECAY}
    optimiser = torch.optim.AdamW([weights, {"params": list(centres.parameters()), "weight_decay": DECAY / 20}])
    parts = {"net": net, "centres": centres, "optimiser": optimiser}
    for step in run.steps(parts, optimiser, rate=RATE):
        batch = draw_batch(np.random.default_rng([chosen.seed, step]), pool.palms)
        generator = torch.Generator().manual_seed(chosen.seed * 1_000_003 + step)
        pose = compose(poses[batch.pictures], pose_errors(len(batch.pictures), generator)).to(device)
        field = aligned(pool.fields(batch.pictures).to(device), pose).contiguous(memory_format=torch.channels_last)
        with torch.autocast(device, torch.bfloat16):
            seen = net(field)
        vectors, palms = F.normalize(seen.float()), batch.palms.to(device)
        pairs = contrast(vectors, palms)
        classes = classify(vectors, centres.weight, palms, margin=MARGIN * min(1.0, run.share / 0.3))
        optimiser.zero_grad()
        (pairs + classes).backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), GRADIENT_MAX)
        optimiser.step()
        run.watch([pairs.item(), classes.item()], pictures=len(palms))
    pictures = FAMILIES * FAMILY * SHOTS * run.step
    recipe = {"script": "training/train_map.py", "palms": pool.palms, "pictures": pictures, "rate": RATE}
    run.finish(net, {**recipe, "seed": chosen.seed, "depth": chosen.depth})


if __name__ == "__main__":
    main()
