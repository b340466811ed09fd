"""
Draw palms once and keep their layers, so that a training can paint pictures of them again and again.

Palms are drawn in pieces of 250, each a file of its own; what is there already is not drawn again, so that the work may
be stopped and run side by side. A palm belongs to no one, and its seed is its place in the file plus the first seed.

Usage: OMP_NUM_THREADS=1 python -m training.draw_palms FOLDER --first-seed 30000000 --count 3000 [--workers 1]
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from handsel.drawn.palm import draw_palm_lines

PIECE = 250


@dataclass(frozen=True)
class Palms:
    """
    Layers of many palms, as `PalmLines` describes them: uint8 `layers` (N, 4, 288, 288), `relief` (N, 1, 72, 72).
    """

    layers: NDArray[np.uint8]
    relief: NDArray[np.uint8]


def draw_piece(first_seed: int, *, folder: Path) -> Path:
    """
    Draw the palms from `first_seed` on unless they are there, and return their file.
    """
    path = folder / f"palms-{first_seed}.npz"
    if path.exists():
        return path
    palms = [draw_palm_lines(seed) for seed in range(first_seed, first_seed + PIECE)]
    layers = np.stack([palm.stacked().transpose(2, 0, 1) for palm in palms])
    unfinished = path.with_suffix(".part.npz")
    np.savez(unfinished, layers=layers, relief=np.stack([palm.relief[None] for palm in palms]))
    unfinished.rename(path)  # A piece is there whole or not at all.
    return path


def load_palms(folder: Path, *, first_seed: int, count: int) -> Palms:
    """
    Return the layers of the palms that were drawn.
    """
    pieces = [np.load(folder / f"palms-{seed}.npz") for seed in range(first_seed, first_seed + count, PIECE)]
    layers = np.concatenate([piece["layers"] for piece in pieces])
    return Palms(layers=layers[:count], relief=np.concatenate([piece["relief"] for piece in pieces])[:count])


def main() -> None:
    """
    Read the command line, and draw what is missing.
    """
    options = argparse.ArgumentParser(description="Draw palms once and keep their layers.")
    options.add_argument("folder", type=Path)
    options.add_argument("--first-seed", type=int, default=30_000_000)
    options.add_argument("--count", type=int, default=3000)
    options.add_argument("--workers", type=int, default=1)
    chosen = options.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    seeds = range(chosen.first_seed, chosen.first_seed + chosen.count, PIECE)
    with ProcessPoolExecutor(chosen.workers, initializer=cv2.setNumThreads, initargs=(1,)) as workers:
        for path in workers.map(partial(draw_piece, folder=chosen.folder), seeds):
            print(path, flush=True)


if __name__ == "__main__":
    main()
