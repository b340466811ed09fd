"""
Train one of the hand finder's two nets on drawn hands and on nothing else.

1. Paint sprites and clutter, in shards on disk: each is drawn once, from its own seed, and found again after a break.
2. Lay them into frames or crops, photograph them, and learn (AdamW, cosine rate, bf16).
3. Every two minutes write a checkpoint, which a later start resumes; at the end the mean of the weights is kept.

Usage: python -m training.train_finder --net detector|landmarks --minutes 40 --folder runs/finder [--device cuda]
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from training.clutter import draw_clutter
from training.finder_nets import CROP_PX, Detector, LandmarkNet
from training.hand_painter import paint_hands
from training.hand_scenes import Bank, draw_crops, draw_frames
from training.hand_skeleton import Dice

from handsel.drawn.palm import draw_palm_lines

SHARD_HANDS = 256
PALMS, PALM_PX, PALM_FIRST_SEED = 200, 96, 40_000_000
SPRITE_FIRST_SEED, CLUTTER_FIRST_SEED = 1000, 50_000_000
CLUTTER_SHARD = 250
BATCH = 32
RATE, RATE_MIN = 2e-3, 1e-5
WARM_STEPS = 300
GRADIENT_MAX = 5.0
DECAY = 1e-2
MEAN_KEEP = 0.999
CHECKPOINT_S = 120.0
LOG_STEPS = 200


@dataclass(frozen=True)
class Job:
    """
    Say what is trained, on what, where, and for how long.
    """

    net: str
    folder: Path
    device: torch.device
    minutes: float
    shards: int
    seed: int

    @property
    def checkpoint(self) -> Path:
        """
        Return the file that a later start resumes.
        """
        return self.folder / f"{self.net}.pt"


def palm_layers(folder: Path) -> Tensor:
    """
    Return layers of drawn palms, uint8 (P, 3, L, L): principal lines, other creases, texture.
    """
    path = folder / "palms.npy"
    if not path.exists():
        drawn = []
        for seed in range(PALM_FIRST_SEED, PALM_FIRST_SEED + PALMS):
            palm = draw_palm_lines(seed)
            creases = np.maximum(palm.secondary, (palm.fine * 0.6).astype(np.uint8))
            layers = (palm.principal, creases, palm.texture)
            drawn.append([cv2.resize(each, (PALM_PX, PALM_PX), interpolation=cv2.INTER_AREA) for each in layers])
        _save(path, np.array(drawn, np.uint8))
    return torch.from_numpy(np.load(path))


def sprite_shard(job: Job, number: int, palms: Tensor) -> list[NDArray[Any]]:
    """
    Return one shard of sprites: colour and cover, joints, facing, is_fist; painted where it is not on disk yet.
    """
    path = job.folder / f"sprites-{number:04d}.npz"
    if not path.exists():
        generator = torch.Generator(job.device).manual_seed(SPRITE_FIRST_SEED + number)
        parts = []
        batch = 16 if job.device.type == "cpu" else SHARD_HANDS
        for _ in range(SHARD_HANDS // batch):
            hands = paint_hands(batch, generator=generator, palms=palms)
            rgba = torch.cat((hands.colour, hands.cover), 1).mul(255).round().byte()
            parts.append([each.cpu().numpy() for each in (rgba, hands.joints, hands.facing, hands.is_fist)])
        arrays = [np.concatenate(each) for each in zip(*parts, strict=True)]
        partial = path.with_suffix(".part.npz")
        np.savez(partial, rgba=arrays[0], joints=arrays[1], facing=arrays[2], fist=arrays[3])
        partial.replace(path)
    with np.load(path) as stored:
        return [stored[name] for name in ("rgba", "joints", "facing", "fist")]


def clutter_shard(job: Job, number: int) -> NDArray[Any]:
    """
    Return one shard of backgrounds, uint8 (N, 3, T, T).
    """
    path = job.folder / f"clutter-{number:04d}.npy"
    if not path.exists():
        first = CLUTTER_FIRST_SEED + number * CLUTTER_SHARD
        drawn = [draw_clutter(seed)[0].transpose(2, 0, 1) for seed in range(first, first + CLUTTER_SHARD)]
        _save(path, np.stack(drawn))
    return np.asarray(np.load(path))


def _save(path: Path, array: NDArray[Any]) -> None:
    partial = path.with_suffix(".part.npy")
    np.save(partial, array)
    partial.replace(path)


def open_bank(job: Job) -> Bank:
    """
    Return all shards together, in memory.
    """
    palms = palm_layers(job.folder).to(job.device)
    shards = []
    for number in range(job.shards):
        shards.append(sprite_shard(job, number, palms))
        if (number + 1) % 10 == 0:
            log(job, f"sprites: {(number + 1) * SHARD_HANDS}")
    rgba, joints, facing, fist = (torch.from_numpy(np.concatenate(each)) for each in zip(*shards, strict=True))
    clutter = np.concatenate([clutter_shard(job, number) for number in range(max(1, job.shards // 10))])
    tensors = (rgba, joints.float(), facing.float(), fist, torch.from_numpy(clutter))
    return Bank(*(each.to(job.device) for each in tensors))


def detector_loss(net: Detector, bank: Bank, dice: Dice) -> tuple[Tensor, dict[str, float]]:
    """
    Return the detector's loss on one new batch, and what it is made of.

    Heat: the focal loss of CenterNet (Zhou et al. 2019); the rest: smooth L1 near a hand's middle.
    """
    frames = draw_frames(bank, dice)
    with torch.autocast(dice.device.type, torch.bfloat16):
        out = net(_channels_last(frames.image))
    out = out.float()
    heat = out[:, :1].sigmoid().clamp(1e-4, 1 - 1e-4)
    is_middle = frames.heat == 1
    found = -((1 - heat) ** 2) * heat.log()
    quiet = -((1 - frames.heat) ** 4) * heat**2 * (1 - heat).log()
    hands = is_middle.sum().clamp_min(1)
    heat_loss = torch.where(is_middle, found, quiet).sum() / hands
    near = frames.near.expand(-1, 5, -1, -1)
    place_loss = F.smooth_l1_loss(out[:, 1:6][near], frames.answers[near], beta=0.1)
    return heat_loss + 2 * place_loss, {"heat": heat_loss.item(), "place": place_loss.item()}


def landmark_loss(net: LandmarkNet, bank: Bank, dice: Dice) -> tuple[Tensor, dict[str, float]]:
    """
    Return the landmark net's loss on one new batch, and what it is made of.

    Places: L1, and the cross entropy of each map with a narrow bump at its landmark.
    """
    crops = draw_crops(bank, dice)
    with torch.autocast(dice.device.type, torch.bfloat16):
        places, logits, log_share = net.with_maps(_channels_last(crops.image))
    inside = ((crops.joints > 0.02) & (crops.joints < 0.98)).all(-1).float() * crops.has_hand[:, None]  # (B, 21)
    away = (places - crops.joints).abs().sum(-1)
    place_loss = (away * inside).sum() / inside.sum()
    line = (torch.arange(CROP_PX // 4, device=dice.device) + 0.5) / (CROP_PX // 4)
    bump_x = torch.exp(-(((line - crops.joints[..., :1]) / 0.03) ** 2) / 2)
    bump_y = torch.exp(-(((line - crops.joints[..., 1:]) / 0.03) ** 2) / 2)
    bump = bump_y[..., :, None] * bump_x[..., None, :]
    bump = bump / bump.sum((2, 3), keepdim=True).clamp_min(1e-6)
    map_loss = (-(bump * log_share).sum((2, 3)) * inside).sum() / inside.sum()
    hand_loss = F.binary_cross_entropy_with_logits(logits[:, 0], crops.has_hand)
    palm_loss = F.binary_cross_entropy_with_logits(logits[:, 1], crops.shows_palm, weight=crops.is_plain)
    figures = {"px": place_loss.item() * CROP_PX / 1.27, "hand": hand_loss.item(), "palm": palm_loss.item()}
    return 20 * place_loss + 0.3 * map_loss + 0.5 * hand_loss + 0.5 * palm_loss, figures


def _channels_last(image: Tensor) -> Tensor:
    return image.contiguous(memory_format=torch.channels_last)


class Learner:
    """
    Hold a net, the running mean of its weights, its optimiser, and how far it is.
    """

    def __init__(self, job: Job) -> None:
        """
        Begin anew, or where the checkpoint is.
        """
        torch.manual_seed(job.seed)
        net: nn.Module = Detector() if job.net == "detector" else LandmarkNet()
        self.job = job
        self.net = net.to(job.device, memory_format=torch.channels_last)
        self.mean = copy.deepcopy(self.net)
        self.optimiser = torch.optim.AdamW(self.net.parameters(), RATE, weight_decay=DECAY)
        self.spent_s, self.step = 0.0, 0
        if job.checkpoint.exists():
            kept = torch.load(job.checkpoint, map_location=job.device, weights_only=True)
            self.net.load_state_dict(kept["net"])
            self.mean.load_state_dict(kept["mean"])
            self.optimiser.load_state_dict(kept["optimiser"])
            self.spent_s, self.step = kept["spent_s"], kept["step"]

    @property
    def share(self) -> float:
        """
        Return how much of the time is used up, 0 to 1.
        """
        return min(1.0, self.spent_s / (self.job.minutes * 60))

    def learn(self, bank: Bank, dice: Dice) -> dict[str, float]:
        """
        Learn from one new batch, and return what its loss is made of.
        """
        rate = RATE * min(1.0, (self.step + 1) / WARM_STEPS) * 0.5 * (1 + math.cos(math.pi * self.share)) + RATE_MIN
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.net.train()
        loss_of = landmark_loss if self.job.net == "landmarks" else detector_loss
        loss, figures = loss_of(self.net, bank, dice)
        self.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), GRADIENT_MAX)
        self.optimiser.step()
        self.step += 1
        follow(self.mean, self.net, keep=min(MEAN_KEEP, 1 - 1 / (self.step / 10 + 1)))
        return figures

    def save(self) -> None:
        """
        Write the checkpoint in one step.
        """
        partial = self.job.checkpoint.with_suffix(".part")
        state = {"net": self.net.state_dict(), "mean": self.mean.state_dict(), "optimiser": self.optimiser.state_dict()}
        torch.save({**state, "spent_s": self.spent_s, "step": self.step}, partial)
        partial.replace(self.job.checkpoint)


def train(job: Job) -> None:
    """
    Train until the minutes are used up, resuming where a checkpoint is, and write the recipe.
    """
    learner = Learner(job)
    bank = open_bank(job)
    generator = torch.Generator(job.device).manual_seed(job.seed * 1_000_003 + learner.step)
    spent_before, begun, saved_at = learner.spent_s, time.monotonic(), time.monotonic()
    sums: dict[str, float] = {}
    while learner.share < 1:
        figures = learner.learn(bank, Dice(BATCH, generator=generator))
        learner.spent_s = spent_before + time.monotonic() - begun
        sums = {name: sums.get(name, 0.0) + value / LOG_STEPS for name, value in figures.items()}
        if learner.step % LOG_STEPS == 0:
            words = " ".join(f"{name} {value:.3f}" for name, value in sums.items())
            log(job, f"step {learner.step} {words} {learner.step * BATCH / learner.spent_s:.0f} pictures/s")
            sums = {}
        if time.monotonic() - saved_at > CHECKPOINT_S or learner.share == 1:
            saved_at = time.monotonic()
            learner.save()
    recipe = {
        "net": job.net, "pictures": learner.step * BATCH, "hands": job.shards * SHARD_HANDS,
        "seconds": round(learner.spent_s), "device": str(job.device), "seed": job.seed, "batch": BATCH, "rate": RATE,
        "torch": str(torch.__version__),
    }  # fmt: skip
    (job.folder / f"{job.net}.json").write_text(json.dumps(recipe, indent=1) + "\n")


def follow(mean: nn.Module, net: nn.Module, *, keep: float) -> None:
    """
    Move the running mean of the weights, `mean`, a little towards `net`.
    """
    for old, new in zip(mean.state_dict().values(), net.state_dict().values(), strict=True):
        if old.dtype.is_floating_point:
            old.lerp_(new, 1 - keep)
        else:
            old.copy_(new)


def log(job: Job, text: str) -> None:
    """
    Print `text`, and add it to the log file.
    """
    line = f"{time.strftime('%H:%M:%S')} {text}"
    print(line, flush=True)
    with (job.folder / f"{job.net}.log").open("a") as file:
        file.write(line + "\n")


def main() -> None:
    """
    Read the arguments and train.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--net", choices=("detector", "landmarks"), required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--shards", type=int, default=80)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    if args.device == "cpu":
        torch.set_num_threads(1)
        cv2.setNumThreads(1)
    train(Job(args.net, args.folder, torch.device(args.device), args.minutes, args.shards, args.seed))


if __name__ == "__main__":
    main()
