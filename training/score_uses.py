"""
Score what is done with a code, not the code: what several pictures, several rows and all views together are worth.

The probes are the harder pictures of `harder_photos.py`, cut a little askew; the enrolled ones are photographs of the
same people, never the one that a probe was made from. Shares of genuine trials accepted at rates of false matches
measured in the same comparison. For testing, and for choosing between designs; nothing is fitted here.

Usage: python -m training.score_uses SQUARES.npz
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from training.score_squares import RATES, Squares, make_sets

from handsel.vision.eyes import open_model
from handsel.vision.roi import Roi

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Asked:
    """
    Hold probes as views, (N, V, D), and of whom and from which photographs each is: names, and (N, shots) of bool.
    """

    views: Vectors
    person: NDArray[np.str_]
    uses_shot: NDArray[np.bool_]


def unit(rows: Vectors) -> Vectors:
    """
    Return the last axis of `rows` with norm 1.
    """
    return np.asarray(rows / np.linalg.norm(rows, axis=-1, keepdims=True), np.float32)


def ask_singly(squares: Squares, views: Vectors, shots: list[str]) -> Asked:
    """
    Return one probe of each picture.
    """
    return Asked(views, squares.person, squares.shot[:, None] == np.array(shots)[None])


def ask_in_pairs(squares: Squares, views: Vectors, shots: list[str]) -> Asked:
    """
    Return one probe of every two pictures of one person with one trouble, the views of both merged.
    """
    merged, person, uses = [], [], []
    for name in np.unique(squares.person):
        for trouble in np.unique(squares.trouble):
            chosen = np.flatnonzero((squares.person == name) & (squares.trouble == trouble))
            for one, other in zip(chosen, np.roll(chosen, 1), strict=True):
                if one != other:
                    merged.append(unit(views[one] + views[other]))
                    person.append(name)
                    uses.append([shot in squares.shot[[one, other]] for shot in shots])
    return Asked(np.stack(merged), np.array(person), np.array(uses))


def best_scores(asked: Asked, photographs: Squares, enrolled: Vectors, shots: list[str], *, rows: str) -> str:
    """
    Return in words what is accepted when each person is enrolled from all photographs that a probe does not come from.

    `rows`: "first" enrols one picture, "mean" the mean of all as one row, "each" all of them as rows of their own.
    """
    people = np.unique(photographs.person)
    genuine: list[float] = []
    impostor: list[float] = []
    for views, person, uses in zip(asked.views, asked.person, asked.uses_shot, strict=True):
        allowed = ~uses[[shots.index(shot) for shot in photographs.shot]]
        for name in people:
            mine = enrolled[(photographs.person == name) & allowed]
            if rows == "mean":
                mine = unit(mine.mean(axis=0, keepdims=True))
            elif rows == "first":
                mine = mine[:1]
            score = float((views @ mine.T).max())
            (genuine if name == person else impostor).append(score)
    accepted = (100 * np.mean(np.array(genuine) > np.quantile(impostor, 1 - rate)) for rate in RATES[:3])
    return "  ".join(f"{share:5.1f}" for share in accepted)


def main() -> None:
    """
    Print a line for each way of asking and each way of enrolling.
    """
    cv2.setNumThreads(1)
    model, sets = open_model(), make_sets(Path(sys.argv[1]))
    probes, photographs = sets["harder, askew"], sets["photographs"]
    views = np.stack([model.embed(Roi(pixels=one)).views for one in probes.pixels])
    enrolled = np.stack([model.embed(Roi(pixels=one)).views[0] for one in photographs.pixels])
    shots = sorted(set(photographs.shot.tolist()))
    ways = {
        "one picture, best of the views": ask_singly(probes, views, shots),
        "one picture, as seen": ask_singly(probes, views[:, :1], shots),
        "one picture, the views' mean": ask_singly(probes, unit(views.mean(axis=1, keepdims=True)), shots),
        "two pictures merged, best of the views": ask_in_pairs(probes, views, shots),
    }
    for rows in ("first", "mean", "each"):
        for way, asked in ways.items():
            print(f"{rows:6s} {way:40s} {best_scores(asked, photographs, enrolled, shots, rows=rows)}", flush=True)


if __name__ == "__main__":
    main()
