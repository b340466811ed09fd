"""
Keep the fields of lines of all painted squares, so that a training runs the fixed filters once and not in every round.

A piece of painted squares (`paint_squares.py`) gives a file of fields beside it, made where it is missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from training.line_field import CHANNELS, FIELD, LineField
from training.paint_squares import MESH, PALMS, PICTURES

BATCH = 64
OF_A_PIECE = PALMS * PICTURES


@dataclass(frozen=True)
class FieldPool:
    """
    Hold the fields of `palms` palms, `PICTURES` of each, in files of a piece each, and the places that they show.
    """

    pieces: tuple[NDArray[np.float16], ...]  # Each (OF_A_PIECE, CHANNELS, FIELD, FIELD), in a file.
    places: NDArray[np.float16]  # (palms · PICTURES, 2, MESH, MESH)

    @property
    def palms(self) -> int:
        """
        Return the number of palms.
        """
        return len(self.pieces) * PALMS

    def fields(self, pictures: NDArray[np.int64]) -> Tensor:
        """
        Return the fields of the pictures with these numbers, float32 (B, CHANNELS, FIELD, FIELD).
        """
        found = np.empty((len(pictures), CHANNELS, FIELD, FIELD), np.float16)
        for row, picture in enumerate(pictures.tolist()):
            found[row] = self.pieces[picture // OF_A_PIECE][picture % OF_A_PIECE]
        return torch.from_numpy(found).float()

    def shown(self, pictures: NDArray[np.int64]) -> Tensor:
        """
        Return the places that the pictures with these numbers show, float32 (B, 2, MESH, MESH).
        """
        return torch.from_numpy(self.places[pictures].astype(np.float32))


def find_fields(images: NDArray[np.uint8], *, device: str = "cpu") -> NDArray[np.float16]:
    """
    Return the fields of grey squares (N, SIDE, SIDE), float16 (N, CHANNELS, FIELD, FIELD).
    """
    finder = LineField().to(device).eval()
    found = np.empty((len(images), CHANNELS, FIELD, FIELD), np.float16)
    with torch.no_grad():
        for start in range(0, len(images), BATCH):
            grey = torch.from_numpy(images[start : start + BATCH]).to(device).float()[:, None]
            found[start : start + BATCH] = finder(grey).half().cpu().numpy()
    return found


def open_pool(folder: Path, pieces: range, *, device: str = "cpu") -> FieldPool:
    """
    Return the pool of the pieces of `folder`, and make the fields that are not there.
    """
    fields, places = [], []
    for piece in pieces:
        path = folder / f"fields-{piece}.npy"
        with np.load(folder / f"squares-{piece}.npz") as painted:
            places.append(painted["places"].reshape(OF_A_PIECE, 2, MESH, MESH))
            if not path.exists():
                unfinished = path.with_suffix(".part.npy")
                np.save(
                    unfinished,
                    find_fields(painted["images"].reshape(OF_A_PIECE, *painted["images"].shape[2:]), device=device),
                )
                unfinished.rename(path)
        fields.append(np.load(path, mmap_mode="r"))
    return FieldPool(tuple(fields), np.concatenate(places))
