"""
Paint many squares of many drawn palms once, and keep them: a training looks at each more than once.

Pieces of 1,000 palms, 16 pictures each, in families of four that share their main lines. A piece is a file, and what is
there already is not painted again. On a GPU this takes seconds; on one core of a CPU half a minute for a thousand
palms.

Usage: python -m training.paint_squares PALMS-FOLDER SQUARES-FOLDER --pieces 12 [--palms 3000] [--device cpu]
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from training.draw_palms import load_palms
from training.square_painter import SIDE, Chosen, Painter, Pigments, make_pigments

PALMS, PICTURES, FAMILY = 1000, 16, 4  # Of a piece.
BATCH = 64
MESH = 12  # Places are kept for a mesh of 12 × 12 cells.


@dataclass(frozen=True)
class Pool:
    """
    Hold pictures uint8 (palms, PICTURES, SIDE, SIDE), and the places they show, float16 (palms, PICTURES, 2, MESH,
    MESH).
    """

    images: NDArray[np.uint8]
    places: NDArray[np.float16]


def paint_piece(pigments: Pigments, *, seed: int, device: str) -> Pool:
    """
    Return the pictures of one piece.
    """
    painter = Painter(pigments, torch.Generator(device).manual_seed(seed))
    palms = painter.choose(PALMS, family=FAMILY)
    which = torch.arange(PALMS, device=device).repeat_interleave(PICTURES)
    images = np.empty((len(which), SIDE, SIDE), np.uint8)
    places = np.empty((len(which), 2, MESH, MESH), np.float16)
    for start in range(0, len(which), BATCH):
        now = which[start : start + BATCH]
        painted = painter.paint(Chosen(palms.principal[now], palms.secondary[now], palms.fine[now]))
        images[start : start + BATCH] = painted.image[:, 0].byte().cpu().numpy()
        places[start : start + BATCH] = F.avg_pool2d(painted.places, SIDE // MESH).half().cpu().numpy()
    return Pool(images.reshape(PALMS, PICTURES, SIDE, SIDE), places.reshape(PALMS, PICTURES, 2, MESH, MESH))


def load_pool(folder: Path, pieces: range) -> Pool:
    """
    Return the pictures of the pieces that are there.
    """
    stored = [np.load(folder / f"squares-{piece}.npz") for piece in pieces]
    return Pool(np.concatenate([one["images"] for one in stored]), np.concatenate([one["places"] for one in stored]))


def main() -> None:
    """
    Read the command line, and paint what is missing.
    """
    options = argparse.ArgumentParser(description="Paint many squares of many drawn palms once.")
    options.add_argument("palms_folder", type=Path)
    options.add_argument("squares_folder", type=Path)
    options.add_argument("--first-seed", type=int, default=30_000_000)
    options.add_argument("--palms", type=int, default=3000)
    options.add_argument("--first-piece", type=int, default=0)
    options.add_argument("--pieces", type=int, default=12)
    options.add_argument("--device", default="cpu")
    chosen = options.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    chosen.squares_folder.mkdir(parents=True, exist_ok=True)
    palms = load_palms(chosen.palms_folder, first_seed=chosen.first_seed, count=chosen.palms)
    pigments = make_pigments(palms.layers, palms.relief, seed=chosen.first_seed).to(chosen.device)
    for piece in range(chosen.first_piece, chosen.first_piece + chosen.pieces):
        path = chosen.squares_folder / f"squares-{piece}.npz"
        if path.exists():
            continue
        pool = paint_piece(pigments, seed=chosen.first_seed + piece, device=chosen.device)
        unfinished = path.with_suffix(".part.npz")
        np.savez(unfinished, images=pool.images, places=pool.places)
        unfinished.rename(path)  # A piece is there whole or not at all.
        print(path, flush=True)


if __name__ == "__main__":
    main()
