"""
Score a code on squares that were cut out of photographs: which share of pairs of one hand is accepted, at which rate of
false matches.

The photographs themselves are so easy that every code accepts all of them. So the squares are displaced by chance, as a
worse finder would do, and the harder pictures of `harder_photos.py` are compared with each other and with the
photographs. Two pictures made from one photograph are never compared. A trial's score is the best of the probe's views
against the enrolled one. For testing, and for choosing between designs; nothing is fitted here.

Usage: python -m training.score_squares SQUARES.npz          (the untrained code, and the model in use)
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE_PX = 128
RATES = (1e-2, 1e-3, 1e-4, 1e-5)
COPIES = 5  # Of every photograph under each displacement.
ASKEW = (3.0, 0.03, 0.03)  # Of harder pictures, which their finder has cut as well as the photographs.
DISPLACEMENTS = {"crop 5°, 6 %, 6 %": (5.0, 0.06, 0.06), "crop 8°, 9 %, 9 %": (8.0, 0.09, 0.09)}  # Turn, shift, scale.

Embed = Callable[[NDArray[np.uint8]], NDArray[np.float32]]  # (N, 128, 128, 3) → (N, V, D), rows of unit norm.


@dataclass(frozen=True)
class Squares:
    """
    Hold squares (N, 128, 128, 3), RGB, and of whom, from which photograph and with which trouble each is.
    """

    pixels: NDArray[np.uint8]
    person: NDArray[np.str_]
    shot: NDArray[np.str_]
    trouble: NDArray[np.str_]

    def where(self, chosen: NDArray[np.bool_]) -> Squares:
        """
        Return the chosen ones.
        """
        return Squares(self.pixels[chosen], self.person[chosen], self.shot[chosen], self.trouble[chosen])


def load_squares(path: Path) -> tuple[Squares, NDArray[np.uint8]]:
    """
    Return the squares in which a hand was found, and what lies around each: uint8 (N, 256, 256, 3).
    """
    stored = np.load(path)
    found = stored["found"]
    wide = stored["wide"][found]
    quarter = SIDE_PX // 2
    pixels = np.ascontiguousarray(wide[:, quarter:-quarter, quarter:-quarter])
    return Squares(pixels, stored["person"][found], stored["shot"][found], stored["trouble"][found]), wide


def displace(
    wide: NDArray[np.uint8], spread: tuple[float, float, float], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """
    Return the square of a wide one, (128, 128, 3), turned, shifted and scaled by chance.
    """
    turn, x, y, scale = rng.normal(0, 1, 4) * (spread[0], spread[1], spread[1], spread[2])
    matrix = cv2.getRotationMatrix2D((SIDE_PX - 0.5, SIDE_PX - 0.5), turn, float(np.exp(scale)))
    matrix = matrix + np.array([[0, 0, x * SIDE_PX - SIDE_PX / 2], [0, 0, y * SIDE_PX - SIDE_PX / 2]])
    warped = cv2.warpAffine(wide, matrix, (SIDE_PX, SIDE_PX), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.uint8)


def make_sets(path: Path) -> dict[str, Squares]:
    """
    Return the sets that are compared: the photographs, displaced ones, and the harder pictures.
    """
    squares, wide = load_squares(path)
    original = squares.trouble == "original"
    sets = {"photographs": squares.where(original), "harder": squares.where(~original)}
    photographs = sets["photographs"]
    rng = np.random.default_rng(len(DISPLACEMENTS))
    sets["harder, askew"] = squares.where(~original)
    sets["harder, askew"].pixels[:] = [displace(one, ASKEW, rng) for one in wide[~original]]
    for seed, (name, spread) in enumerate(DISPLACEMENTS.items()):
        rng = np.random.default_rng(seed)
        pixels = np.stack([displace(one, spread, rng) for one in wide[original] for _ in range(COPIES)])
        of_each = [np.repeat(column, COPIES) for column in (photographs.person, photographs.shot, photographs.trouble)]
        sets[name] = Squares(pixels, *of_each)
    return sets


@dataclass(frozen=True)
class Comparison:
    """
    Hold the scores of every probe against every enrolled square of another photograph.
    """

    genuine: NDArray[np.float32]
    impostor: NDArray[np.float32]
    genuine_trouble: NDArray[np.str_]  # Of the probe.

    def accepted(self, rate: float) -> float:
        """
        Return the share of genuine pairs above the score that the share `rate` of impostors exceeds.
        """
        return float((self.genuine > np.quantile(self.impostor, 1 - rate)).mean())

    def distance(self) -> float:
        """
        Return d′, the distance of the two means in their common standard deviation.
        """
        spread = np.sqrt((self.genuine.var() + self.impostor.var()) / 2)
        return float((self.genuine.mean() - self.impostor.mean()) / spread)


def compare(probe: Squares, views: NDArray[np.float32], other: Squares, enrolled: NDArray[np.float32]) -> Comparison:
    """
    Return the scores of the probes' views (N, V, D) against the enrolled vectors (M, D).
    """
    score = np.max([view @ enrolled.T for view in views.transpose(1, 0, 2)], axis=0)  # (N, M)
    same = probe.person[:, None] == other.person[None]
    genuine = same & (probe.shot[:, None] != other.shot[None])
    return Comparison(score[genuine], score[~same], np.broadcast_to(probe.trouble[:, None], same.shape)[genuine])


def score(sets: dict[str, Squares], embed: Embed) -> dict[str, Comparison]:
    """
    Return the comparisons by name.
    """
    views = {name: embed(squares.pixels) for name, squares in sets.items()}
    pairs = [(name, name) for name in (*DISPLACEMENTS, "harder", "harder, askew")] + [("harder", "photographs")]
    return {
        f"{probe} × {other}": compare(sets[probe], views[probe], sets[other], views[other][:, 0])
        for probe, other in pairs
    }


def print_scores(comparisons: dict[str, Comparison]) -> None:
    """
    Print a line for each comparison, and one with the troubles of the probe.
    """
    for name, result in comparisons.items():
        shares = " ".join(f"{100 * result.accepted(rate):5.1f}" for rate in RATES)
        gap = result.genuine.min() - result.impostor.max()
        print(f"{name:40s} d′ {result.distance():5.2f}  {shares}  gap {gap:+.2f}  top {result.impostor.max():.2f}")
    result = comparisons["harder × photographs"]
    limit = np.quantile(result.impostor, 1 - 1e-4)
    for trouble in np.unique(result.genuine_trouble):
        share = (result.genuine[result.genuine_trouble == trouble] > limit).mean()
        print(f"{trouble} {100 * share:.0f}", end="  ")
    print(flush=True)


def main() -> None:
    """
    Score the untrained places code and the model in use.
    """
    from handsel.vision.eyes import open_model  # noqa: PLC0415  A scorer of other codes does without.
    from handsel.vision.places import PlacesModel  # noqa: PLC0415
    from handsel.vision.roi import Roi  # noqa: PLC0415

    cv2.setNumThreads(1)
    sets = make_sets(Path(sys.argv[1]))
    for model in (PlacesModel.load(), open_model()):
        print(model.model_id)
        print_scores(score(sets, lambda pixels: np.stack([model.embed(Roi(pixels=one)).views for one in pixels])))  # noqa: B023


if __name__ == "__main__":
    main()
