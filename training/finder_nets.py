"""
Hold the two nets of the hand finder: one looks for hands in a small frame, one for 21 landmarks in a crop of one hand.

Dense 3 × 3 residual nets with ReLU: fast on one thread of ONNX Runtime, and fast to train without a GPU.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FRAME_PX = 192  # The detector's frame, letterboxed.
STRIDE_PX = 8
CROP_PX = 128
CROP_SIDE = 2.7  # Side of a crop in palm lengths.
CROP_UP = 0.42  # How far its middle lies from the palm's towards the fingers, in palm lengths.
LANDMARKS = 21


def convolution(inputs: int, outputs: int, *, stride: int = 1, size: int = 3) -> nn.Sequential:
    """
    Return a convolution with its normalisation.
    """
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False), nn.BatchNorm2d(outputs, momentum=0.03)
    )


class Residual(nn.Module):
    """
    Two convolutions beside a short cut.
    """

    def __init__(self, inputs: int, outputs: int, *, stride: int = 1) -> None:
        super().__init__()
        self.first = convolution(inputs, outputs, stride=stride)
        self.second = convolution(outputs, outputs)
        is_same = inputs == outputs and stride == 1
        self.short = nn.Identity() if is_same else convolution(inputs, outputs, stride=stride, size=1)

    def forward(self, x: Tensor) -> Tensor:
        """
        Return the block's output.
        """
        return F.relu(self.second(F.relu(self.first(x))) + self.short(x))


class Trunk(nn.Module):
    """
    Give features at a quarter, an eighth, a sixteenth of the size; with `deep` also at a thirty-second.
    """

    def __init__(self, stem: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.stem = nn.Sequential(convolution(3, stem, stride=2), nn.ReLU())
        inputs, stages = stem, []
        for width in widths:
            stages.append(nn.Sequential(Residual(inputs, width, stride=2), Residual(width, width)))
            inputs = width
        self.stages = nn.ModuleList(stages)

    def forward(self, x: Tensor) -> list[Tensor]:
        """
        Return the features, finest first.
        """
        x = self.stem(x - 0.5)
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return features


def up(x: Tensor, like: Tensor) -> Tensor:
    """
    Return `x` at twice its size, beside `like`.
    """
    return torch.cat((F.interpolate(x, scale_factor=2.0, mode="nearest"), like), 1)


class Detector(nn.Module):
    """
    Frame (B, 3, 192, 192), 0..1 → (B, 6, 24, 24): hand (logit), offset x and y in cells, log palm length in cells,
    direction x and y.
    """

    def __init__(self) -> None:
        super().__init__()
        self.trunk = Trunk(16, (24, 40, 72, 96))
        self.join = nn.Sequential(convolution(96 + 72, 72), nn.ReLU())
        self.refine = nn.Sequential(convolution(72 + 40, 64), nn.ReLU())
        self.answer = nn.Conv2d(64, 6, 1)
        nn.init.constant_(self.answer.bias[:1], -4.0)

    def forward(self, frame: Tensor) -> Tensor:
        """
        Return the grid of answers.
        """
        _, eighth, sixteenth, last = self.trunk(frame)
        out: Tensor = self.answer(self.refine(up(self.join(up(last, sixteenth)), eighth)))
        return out


class LandmarkNet(nn.Module):
    """
    Crop (B, 3, 128, 128), 0..1 → landmarks (B, 21, 2) in sides of the crop, and logits (B, 2): hand, palm.

    A landmark is the mean place under its map's softmax (integral regression, Sun et al., ECCV 2018).
    """

    def __init__(self) -> None:
        super().__init__()
        self.trunk = Trunk(24, (32, 64, 128))
        self.join = nn.Sequential(convolution(128 + 64, 64), nn.ReLU())
        self.refine = nn.Sequential(convolution(64 + 32, 48), nn.ReLU())
        self.maps = nn.Conv2d(48, LANDMARKS, 1)
        self.judge = nn.Linear(128, 2)
        self.line: Tensor
        self.register_buffer("line", (torch.arange(CROP_PX // 4) + 0.5) / (CROP_PX // 4))

    def forward(self, crop: Tensor) -> tuple[Tensor, Tensor]:
        """
        Return landmarks and logits.
        """
        places, logits, _ = self.with_maps(crop)
        return places, logits

    def with_maps(self, crop: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """
        Return landmarks, logits, and the log-probabilities of the maps (B, 21, 32, 32).
        """
        quarter, eighth, sixteenth = self.trunk(crop)
        maps = self.maps(self.refine(up(self.join(up(sixteenth, eighth)), quarter))).float()
        side = maps.shape[-1]
        log_share = maps.flatten(2).log_softmax(-1).view(-1, LANDMARKS, side, side)
        share = log_share.exp()
        line = self.line
        places = torch.stack(((share.sum(2) * line).sum(-1), (share.sum(3) * line).sum(-1)), -1)
        return places, self.judge(sixteenth.mean((2, 3))).float(), log_share
