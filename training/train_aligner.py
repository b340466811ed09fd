"""
Train the aligner: squares of one drawn palm, cut differently, are to be read at the same places of the palm.

The painter says which place of a palm every pixel shows. So the loss is a distance on the palm: where the mesh of one
square comes to lie, less where that of another square of the same palm does. A little of it is the distance from where the
mesh should lie, so that it does not wander off. Distances count as they are beyond `SOFT`, and squared below, for a square
that shows nothing cannot be placed.

Stops after `--minutes` of work, whatever the machine does beside; goes on where it stopped from its checkpoint.

Usage: OMP_NUM_THREADS=1 python training/train_aligner.py SQUARES-FOLDER RUN-FOLDER --pieces 12 --minutes 20
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  As everybody calls it.
from torch import Tensor

from field_pool import FieldPool, open_pool
from paint_squares import MESH, PICTURES
from palm_net import SPAN, Aligner, mesh

log = logging.getLogger("train_aligner")
PAIRS = 96
RATE = 2e-3
DECAY = 0.02
ABSOLUTE = 0.1  # Weight of the distance from where the mesh should lie.
SOFT = 0.02  # Sides.
REPORT_STEPS = 50
CHECKPOINT_S = 120


def palm_places(shown: Tensor, pose: Tensor, places: Tensor) -> Tensor:
    """
    Return which places of the palm `places` (2, P) show under `pose`: (B, 2, P). `shown` is what a mesh of pixels shows.
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


def draw_pairs(rng: np.random.Generator, palms: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """
    Return the numbers of `PAIRS` pictures and of as many others of the same palms, (2 · PAIRS,).
    """
    chosen = rng.integers(0, palms, PAIRS)
    first = rng.integers(0, PICTURES, PAIRS)
    second = (first + rng.integers(1, PICTURES, PAIRS)) % PICTURES
    return np.concatenate([chosen * PICTURES + first, chosen * PICTURES + second])


def losses(aligner: Aligner, pool: FieldPool, pictures: np.ndarray[tuple[int, ...], np.dtype[np.int64]], device: str) -> tuple[Tensor, Tensor, Tensor]:
    """
    Return the mean distance of pairs, from where they should lie, and of pairs as they were cut.
    """
    places = mesh(5, SPAN).to(device)
    field = pool.fields(pictures).to(device).contiguous(memory_format=torch.channels_last)
    shown = pool.shown(pictures).to(device)
    with torch.autocast(device, torch.bfloat16):
        pose = aligner(field)
    lies = palm_places(shown, pose, places)
    as_cut = palm_places(shown, aligner.straight.expand(len(shown), -1, -1), places)
    pair = distance(lies[:PAIRS], lies[PAIRS:]).mean()
    return pair, distance(lies, places[None]).mean(), distance(as_cut[:PAIRS], as_cut[PAIRS:]).mean()


def main() -> None:
    """
    Read the command line, train, and write `aligner.pt`.
    """
    options = argparse.ArgumentParser(description="Train the aligner on painted squares.")
    options.add_argument("squares_folder", type=Path)
    options.add_argument("run_folder", type=Path)
    options.add_argument("--pieces", type=int, default=12)
    options.add_argument("--minutes", type=float, default=20)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--device", default="cpu")
    chosen = options.parse_args()
    chosen.run_folder.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.INFO, handlers=[logging.StreamHandler(), logging.FileHandler(chosen.run_folder / "aligner.log")])
    torch.set_num_threads(1)
    torch.manual_seed(chosen.seed)
    pool = open_pool(chosen.squares_folder, range(chosen.pieces), device=chosen.device)
    aligner = Aligner().to(chosen.device).to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(aligner.parameters(), lr=RATE, weight_decay=DECAY)
    checkpoint, step, worked_s = chosen.run_folder / "aligner.checkpoint.pt", 0, 0.0
    if checkpoint.exists():
        kept = torch.load(checkpoint)
        aligner.load_state_dict(kept["aligner"])
        optimiser.load_state_dict(kept["optimiser"])
        step, worked_s = kept["step"], kept["worked_s"]
    log.info("%s parameters, %d palms, from step %d", sum(p.numel() for p in aligner.parameters()), pool.palms, step)
    sums, saved_s = np.zeros(3), worked_s
    while worked_s < 60 * chosen.minutes:
        started = time.monotonic()
        rng = np.random.default_rng([chosen.seed, step])
        share = worked_s / (60 * chosen.minutes)
        for group in optimiser.param_groups:
            group["lr"] = RATE * min(1.0, (step + 1) / 100) * (0.5 + 0.5 * float(np.cos(np.pi * share)))
        pair, absolute, as_cut = losses(aligner, pool, draw_pairs(rng, pool.palms), chosen.device)
        optimiser.zero_grad()
        (100 * (pair + ABSOLUTE * absolute)).backward()
        torch.nn.utils.clip_grad_norm_(aligner.parameters(), 20.0)
        optimiser.step()
        step += 1
        sums += (pair.item(), absolute.item(), as_cut.item())
        worked_s += time.monotonic() - started
        if step % REPORT_STEPS == 0:
            log.info("step %d: pairs %.4f (as cut %.4f), off %.4f, %.0f pictures a second", step, *(sums / REPORT_STEPS)[[0, 2, 1]], 2 * PAIRS * step / worked_s)
            sums[:] = 0
        if worked_s - saved_s > CHECKPOINT_S:
            torch.save({"aligner": aligner.state_dict(), "optimiser": optimiser.state_dict(), "step": step, "worked_s": worked_s}, checkpoint)
            saved_s = worked_s
    torch.save(aligner.state_dict(), chosen.run_folder / "aligner.pt")
    recipe = {"script": "training/train_aligner.py", "palms": pool.palms, "pictures": 2 * PAIRS * step, "minutes": round(worked_s / 60, 1), "seed": chosen.seed, "rate": RATE, "pairs": PAIRS}
    (chosen.run_folder / "aligner.json").write_text(json.dumps(recipe))
    log.info("%s", recipe)


if __name__ == "__main__":
    main()
