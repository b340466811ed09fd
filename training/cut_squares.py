"""
Cut the palm squares out of photographs and of harder ones made from them, and keep them in one file, to score codes
with.

What is written are people's palms: for testing, and outside the repository. Each square is kept with half a square
around it, so that a scorer can displace it as a worse finder would.

Usage: python -m training.cut_squares SQUARES.npz FOLDER...
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from handsel.vision.eyes import open_finder
from handsel.vision.frame import Frame, decode_file
from handsel.vision.roi import ROI_SIDE_PX, place_square

WIDE_SIDE_PX = 2 * ROI_SIDE_PX  # The square is its middle half.
OVERSAMPLING = 3


def cut(frame: Frame, matrix: NDArray[np.float64]) -> NDArray[np.uint8]:
    """
    Return the square at `matrix` with half a square around it, RGB uint8 (256, 256, 3), continued at the frame's edge.
    """
    to_wide = matrix.copy()
    to_wide[:, 2] += to_wide[:, :2] @ (0.5, 0.5) + 0.5
    to_wide *= ROI_SIDE_PX * OVERSAMPLING
    to_wide[:, 2] -= 0.5
    size = (WIDE_SIDE_PX * OVERSAMPLING, WIDE_SIDE_PX * OVERSAMPLING)
    large = cv2.warpAffine(frame.pixels, to_wide, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(large, (WIDE_SIDE_PX, WIDE_SIDE_PX), interpolation=cv2.INTER_AREA), np.uint8)


def main() -> None:
    """
    Read every `<person>/<shot>[_<trouble>].jpg` of the folders, and write what the finder finds in them.
    """
    cv2.setNumThreads(1)
    destination, folders = Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]]
    finder, rows = open_finder(), []
    for path in sorted(path for folder in folders for path in folder.glob("*/*.jpg")):
        frame = decode_file(path.read_bytes())
        hands = finder.find(frame)
        placement = place_square(hands[0]) if hands else None
        wide = None if placement is None else cut(frame, placement.matrix)
        shot, _, trouble = path.stem.partition("_")
        rows.append((path.parent.name, shot, trouble or "original", wide))
    empty = np.zeros((WIDE_SIDE_PX, WIDE_SIDE_PX, 3), np.uint8)
    np.savez(
        destination,
        person=[row[0] for row in rows],
        shot=[row[1] for row in rows],
        trouble=[row[2] for row in rows],
        found=[row[3] is not None for row in rows],
        wide=np.stack([empty if row[3] is None else row[3] for row in rows]),
    )
    print(f"{len(rows)} pictures, a hand found in {sum(row[3] is not None for row in rows)}")


if __name__ == "__main__":
    main()
