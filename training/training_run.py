"""
Keep one training going: its clock, its learning rate, its log, its checkpoint, and its recipe at the end.

A training is told how many minutes to work. It goes on where it stopped: what is kept every two minutes are the parts
it is made of, the step and the minutes worked so far.
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn
from torch.optim import Optimizer

WARM_STEPS = 100
REPORT_STEPS = 50
CHECKPOINT_S = 120.0


class Part(Protocol):
    """
    Keep and take back a state: a network, or an optimiser.
    """

    def state_dict(self) -> dict[str, Any]:
        """
        Return the state.
        """

    def load_state_dict(self, state_dict: dict[str, Any]) -> Any:
        """
        Take the state back.
        """


class TrainingRun:
    """
    Count the steps and minutes of one training in a folder, under a name.
    """

    def __init__(self, folder: Path, name: str, *, minutes: float) -> None:
        """
        Begin a log in the folder.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.name, self.minutes = folder, name, minutes
        self.step, self.worked_s, self._saved_s = 0, 0.0, 0.0
        self.log = logging.getLogger(name)
        handlers: list[logging.Handler] = [logging.StreamHandler(), logging.FileHandler(folder / f"{name}.log")]
        logging.basicConfig(format="%(asctime)s %(message)s", level=logging.INFO, handlers=handlers)

    @property
    def share(self) -> float:
        """
        Return how much of the training is done, 0..1.
        """
        return min(1.0, self.worked_s / (60 * self.minutes))

    def steps(self, parts: Mapping[str, Part], optimiser: Optimizer, *, rate: float) -> Iterator[int]:
        """
        Yield the numbers of the steps until the minutes are over, from the checkpoint on; keep the parts on the way.

        The rate grows over `WARM_STEPS` and falls as a cosine.
        """
        self._take_back(parts)
        while self.share < 1:
            started = time.monotonic()
            for group in optimiser.param_groups:
                group["lr"] = (
                    rate * min(1.0, (self.step + 1) / WARM_STEPS) * (0.5 + 0.5 * math.cos(math.pi * self.share))
                )
            yield self.step
            self.step += 1
            self.worked_s += time.monotonic() - started
            if self.worked_s - self._saved_s > CHECKPOINT_S:
                self._keep(parts)

    def watch(self, losses: Sequence[float], *, pictures: int) -> None:
        """
        Write down the losses of a step now and then, and how many pictures a second were seen.
        """
        if self.step % REPORT_STEPS == REPORT_STEPS - 1 and self.worked_s > 0:
            speed = pictures * self.step / self.worked_s
            shown = " ".join(f"{loss:.4f}" for loss in losses)
            self.log.info("step %d: %s, %.0f pictures a second", self.step, shown, speed)

    def finish(self, net: nn.Module, recipe: Mapping[str, object]) -> None:
        """
        Write the trained net and its recipe.
        """
        torch.save(net.state_dict(), self.folder / f"{self.name}.pt")
        whole = {**recipe, "steps": self.step, "minutes": round(self.worked_s / 60, 1), "torch": torch.__version__}
        (self.folder / f"{self.name}.json").write_text(json.dumps(whole))
        self.log.info("%s", whole)

    @property
    def _checkpoint(self) -> Path:
        return self.folder / f"{self.name}.checkpoint.pt"

    def _take_back(self, parts: Mapping[str, Part]) -> None:
        if not self._checkpoint.exists():
            return
        kept = torch.load(self._checkpoint, weights_only=True)
        for name, part in parts.items():
            part.load_state_dict(kept[name])
        self.step, self.worked_s = kept["step"], kept["worked_s"]
        self._saved_s = self.worked_s

    def _keep(self, parts: Mapping[str, Part]) -> None:
        states = {name: part.state_dict() for name, part in parts.items()}
        unfinished = self._checkpoint.with_suffix(".part")
        torch.save({**states, "step": self.step, "worked_s": self.worked_s}, unfinished)
        unfinished.rename(self._checkpoint)
        self._saved_s = self.worked_s
