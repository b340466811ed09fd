"""
The net reads the same places as the untrained code, for which there is a slow reference; turns and maps are exact.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from handsel.drawn.person import DrawnPerson
from handsel.vision.places import AS_SEEN, View, find_lines, sample

torch = pytest.importorskip("torch", reason="PyTorch is needed to train only")

from training.line_field import CHANNELS, FIELD, SIDE, TO_READ, LineField  # noqa: E402
from training.palm_net import (  # noqa: E402
    Aligner,
    PalmCode,
    aligned,
    compose,
    places_code,
    power,
    shrinking,
    view_map,
)


def field_of(seed: int) -> Any:
    """
    Return the field of one drawn person's square, (1, CHANNELS, FIELD, FIELD).
    """
    small = cv2.resize(DrawnPerson(seed).square(0), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return LineField()(torch.from_numpy(small.astype(np.float32))[None, None])


@pytest.mark.parametrize("view", [AS_SEEN, View(turn_deg=6.0, x=0.05, y=-0.04)], ids=["as seen", "turned and shifted"])
def test_the_places_are_those_of_the_untrained_code(view: View) -> None:
    for seed in range(4):
        expected = sample(find_lines(DrawnPerson(seed).square(0)), view)
        pose = view_map(turn_deg=view.turn_deg, x=view.x, y=view.y)[None]

        square = torch.from_numpy(DrawnPerson(seed).square(0).astype(np.float32))[None, None]
        found = places_code(LineField(TO_READ)(square), pose)[0].numpy()

        # The order differs: banks come first here, places there.
        reordered = found.reshape(2, 3, 2, 36).transpose(3, 0, 1, 2).ravel()
        assert float(reordered @ expected) > 0.93  # Half the cells; two palms have about none in common.


def test_an_untrained_aligner_leaves_a_square_as_it_is() -> None:
    field = field_of(1)
    with torch.no_grad():
        pose = Aligner().eval()(field)

    assert torch.allclose(pose, torch.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]]), atol=0.02)


def test_a_field_aligned_by_nothing_is_the_field() -> None:
    field = field_of(2)

    assert field.shape == (1, CHANNELS, FIELD, FIELD)
    assert torch.allclose(aligned(field, view_map(turn_deg=0, x=0, y=0)[None]), field, atol=1e-4)


def test_the_power_of_a_turn_is_a_turn_of_so_many_times_the_angle() -> None:
    angle = torch.tensor(0.3)
    for exponent in (1, 2, 4, 6, 8):
        cosine, sine = power(torch.cos(angle), torch.sin(angle), exponent)

        assert torch.allclose(cosine, torch.cos(exponent * angle), atol=1e-5)
        assert torch.allclose(sine, torch.sin(exponent * angle), atol=1e-5)


def test_a_square_is_shrunk_as_pictures_are() -> None:
    square = DrawnPerson(3).square(0)
    matrix = shrinking(TO_READ.side, SIDE).numpy()

    expected = cv2.resize(square.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    assert np.allclose(matrix @ square.astype(np.float32) @ matrix.T, expected, atol=1e-2)


def test_composed_maps_do_the_one_after_the_other() -> None:
    pose, view = view_map(turn_deg=20, x=0.1, y=0)[None], view_map(turn_deg=-5, x=0, y=0.2)[None]
    place = torch.tensor([[0.3], [-0.2]])

    once = view[:, :, :2] @ place + view[:, :, 2:]
    both = compose(pose, view)

    assert torch.allclose(both[:, :, :2] @ place + both[:, :, 2:], pose[:, :, :2] @ once + pose[:, :, 2:], atol=1e-6)


def test_the_looks_at_a_square_balance() -> None:
    code = PalmCode(Aligner().eval(), view_map(turn_deg=0, x=0, y=0)[None])

    assert torch.allclose(code.looks[1:, :, 2].mean(0), torch.zeros(2), atol=1e-6)
    assert torch.allclose(code.looks[:, 1, 0].mean(), torch.zeros(()), atol=1e-6)
