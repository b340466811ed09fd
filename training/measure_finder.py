"""
Measure the hand finder in use on drawn hands and clutter it was not trained on, and write the figures as JSON.

1. Crops of hands from other seeds: how far landmarks lie from the truth, what is not taken for a hand, how often a palm
   is taken for a back and a back (or a fist) for a palm.
2. Clutter from other seeds, faces apart: how often a hand is found where there is none.
3. Whole pictures by the other painter, `handsel.drawn`, which the nets have never seen: how often one hand is found.

Usage: python -m training.measure_finder --folder runs/finder --json docs/figures/finder.json
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from training.clutter import draw_clutter
from training.hand_painter import paint_hands
from training.hand_scenes import Bank, draw_crops
from training.hand_skeleton import Dice
from training.train_finder import palm_layers

from handsel.drawn.person import DrawnPerson
from handsel.vision.find_hands import CROP_PX, CROP_SIDE, LANDMARK_NET, MODELS, NetHandFinder
from handsel.vision.frame import Frame
from handsel.vision.hand import LANDMARKS
from handsel.vision.net import Net
from handsel.vision.roi import ANCHORS

HANDS, SEED = 2048, 900_000
CLUTTER, CLUTTER_FIRST_SEED = 1500, 60_000_000
PEOPLE, PEOPLE_FIRST_SEED, SHOTS = 100, 70_000_000, 4
BATCH = 16


@dataclass(frozen=True)
class CropFigures:
    """
    Hold what the landmark net made of crops.
    """

    crops: int
    anchor_error_median: float
    anchor_error_95: float
    missed_hands: float
    false_hands: float
    palms_taken_for_backs: float
    backs_taken_for_palms: float


def measure_crops(folder: Path) -> CropFigures:
    """
    Return the figures of the first part; errors of the square's anchors in palm lengths.
    """
    generator = torch.Generator().manual_seed(SEED)
    palms = palm_layers(folder)
    net = Net.load(
        MODELS,
        LANDMARK_NET,
        inputs=(1, 3, CROP_PX, CROP_PX),
        outputs={"landmarks": (1, LANDMARKS, 2), "logits": (1, 2)},
    )
    errors, rows = [], []
    for _ in range(HANDS // BATCH):
        hands = paint_hands(BATCH, generator=generator, palms=palms)
        rgba = torch.cat((hands.colour, hands.cover), 1).mul(255).round().byte()
        clutter = np.stack([draw_clutter(CLUTTER_FIRST_SEED - 1 - i)[0].transpose(2, 0, 1) for i in range(BATCH)])
        bank = Bank(rgba, hands.joints, hands.facing, hands.is_fist, torch.from_numpy(clutter))
        crops = draw_crops(bank, Dice(BATCH, generator=generator))
        for i in range(BATCH):
            places, logits = (each[0] for each in net.run(crops.image[i : i + 1].numpy()))
            if crops.has_hand[i]:
                away = np.linalg.norm(places - crops.joints[i].numpy(), axis=1)[list(ANCHORS)] * CROP_SIDE
                errors.append(float(np.sqrt((away**2).mean())))
            rows.append((crops.has_hand[i] > 0, crops.is_plain[i] > 0, crops.shows_palm[i] > 0, *(logits > 0)))
    has_hand, is_plain, is_palm, says_hand, says_palm = np.array(rows, bool).T
    return CropFigures(
        crops=len(rows),
        anchor_error_median=round(float(np.median(errors)), 4),
        anchor_error_95=round(float(np.quantile(errors, 0.95)), 4),
        missed_hands=round(float(np.mean(~says_hand[has_hand])), 4),
        false_hands=round(float(np.mean(says_hand[~has_hand])), 4),
        palms_taken_for_backs=round(float(np.mean(~says_palm[is_plain & is_palm])), 4),
        backs_taken_for_palms=round(float(np.mean(says_palm[is_plain & ~is_palm])), 4),
    )


def measure_clutter(finder: NetHandFinder) -> dict[str, float | int]:
    """
    Return how often a hand is found in clutter without faces, and in clutter with one.
    """
    found: dict[bool, list[bool]] = {False: [], True: []}
    for seed in range(CLUTTER_FIRST_SEED, CLUTTER_FIRST_SEED + CLUTTER):
        pixels, is_face = draw_clutter(seed)
        found[is_face].append(bool(finder.find(Frame(pixels=pixels))))
    return {
        "clutter": len(found[False]),
        "hands_in_clutter": round(float(np.mean(found[False])), 4),
        "faces": len(found[True]),
        "hands_in_faces": round(float(np.mean(found[True])), 4),
    }


def measure_people(finder: NetHandFinder) -> dict[str, float | int]:
    """
    Return how often exactly one hand, showing its palm, is found in the other painter's pictures.
    """
    good = []
    for seed in range(PEOPLE_FIRST_SEED, PEOPLE_FIRST_SEED + PEOPLE):
        for shot in range(SHOTS):
            hands = finder.find(Frame(pixels=DrawnPerson(seed).frame(shot, width=640, height=480)))
            good.append(len(hands) == 1 and hands[0].palm_score > 0.5)
    return {"pictures": len(good), "not_found": round(1 - float(np.mean(good)), 4)}


def main() -> None:
    """
    Measure, print and write.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--json", type=Path, required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    finder = NetHandFinder()
    figures = {
        "command": "python -m training.measure_finder",
        "crops": vars(measure_crops(args.folder)),
        "clutter": measure_clutter(finder),
        "other_painter": measure_people(finder),
    }
    text = json.dumps(figures, indent=1)
    print(text)
    args.json.parent.mkdir(parents=True, exist_ok=True)
    args.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
