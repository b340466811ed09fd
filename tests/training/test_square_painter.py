"""
The painter paints the same from the same seed, and knows which place of a palm every pixel shows.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is needed to train only")

from training.draw_palms import Palms  # noqa: E402
from training.square_painter import SIDE, Crop, Painter, Pigments, make_pigments  # noqa: E402
from training.train_aligner import palm_places  # noqa: E402
from training.training_run import TrainingRun  # noqa: E402

STRAIGHT = Crop(turn=0, shift=0, scale=0, aspect=0, shear=0, perspective=0, bending=0)


@pytest.fixture(scope="module")
def pigments() -> Pigments:
    """
    Return pigments of eight palms that hold nothing but noise.
    """
    rng = np.random.default_rng(1)
    palms = Palms(
        layers=rng.integers(0, 255, (8, 4, 288, 288), dtype=np.uint8),
        relief=rng.integers(0, 255, (8, 1, 72, 72), dtype=np.uint8),
    )
    return make_pigments(palms.layers, palms.relief, seed=2)


def painter(pigments: Pigments, *, seed: int, crop: Crop) -> Painter:
    """
    Return a painter with a generator of its own.
    """
    return Painter(pigments, torch.Generator().manual_seed(seed), crop)


def test_the_same_seed_paints_the_same_and_another_does_not(pigments: Pigments) -> None:
    first, again, other = (painter(pigments, seed=seed, crop=Crop()) for seed in (5, 5, 6))
    images = [each.paint(each.choose(8, family=4)).image for each in (first, again, other)]

    assert torch.equal(images[0], images[1])
    assert not torch.equal(images[0], images[2])
    assert images[0].shape == (8, 1, SIDE, SIDE)
    assert images[0].min() >= 0
    assert images[0].max() <= 255


def test_a_family_shares_its_main_lines_and_nothing_else(pigments: Pigments) -> None:
    palms = painter(pigments, seed=7, crop=Crop()).choose(40, family=4)

    assert torch.equal(palms.principal.view(-1, 4), palms.principal[::4, None].expand(-1, 4))
    assert not torch.equal(palms.secondary.view(-1, 4), palms.secondary[::4, None].expand(-1, 4))


def test_a_square_that_is_cut_as_it_should_shows_the_places_of_its_pixels(pigments: Pigments) -> None:
    straight = painter(pigments, seed=8, crop=STRAIGHT)
    line = (torch.arange(SIDE) + 0.5) / SIDE - 0.5

    places = straight.paint(straight.choose(2, family=1)).places

    assert torch.allclose(places[:, 0], line.expand(2, SIDE, SIDE), atol=1e-6)
    assert torch.allclose(places[:, 1], line[:, None].expand(2, SIDE, SIDE), atol=1e-6)


def test_a_shift_moves_every_place_alike(pigments: Pigments) -> None:
    shifted = painter(pigments, seed=9, crop=replace(STRAIGHT, shift=0.05))
    places = shifted.paint(shifted.choose(1, family=1)).places

    assert float(places.std((2, 3)).min()) > 0.28  # Of a uniform spread over one side: 0.289.
    assert float(places.mean((2, 3)).abs().max()) > 1e-4


def test_where_a_square_is_read_is_told_on_the_palm() -> None:
    """
    A mesh that shows places shifted by (0.1, -0.2) shows (0.1, -0.2) in its middle, and beyond its edge goes on.
    """
    line = (torch.arange(12) + 0.5) / 12 - 0.5
    shown = torch.stack([line.expand(12, 12) + 0.1, line[:, None].expand(12, 12) - 0.2])[None]
    straight = torch.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])

    found = palm_places(shown, straight, torch.tensor([[0.0, 0.6], [0.0, 0.0]]))

    assert torch.allclose(found[0], torch.tensor([[0.1, 0.7], [-0.2, -0.2]]), atol=1e-5)


def test_a_training_that_was_stopped_goes_on_from_its_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.training_run.CHECKPOINT_S", 0.0)
    net = torch.nn.Linear(1, 1)
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1)
    first = TrainingRun(tmp_path, "tiny", minutes=60)
    for step in first.steps({"net": net}, optimiser, rate=0.1):
        net.weight.data.fill_(step)
        if step == 3:
            break

    later = TrainingRun(tmp_path, "tiny", minutes=60)
    fresh = torch.nn.Linear(1, 1)
    step = next(iter(later.steps({"net": fresh}, optimiser, rate=0.1)))

    assert step == 3  # The third step had been kept; the fourth had not come to its end.
    assert float(fresh.weight.detach()) == 2
