"""
The lines of a palm are its own, always the same, and lie where anatomy puts them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from handsel.drawn.palm import RELIEF_PX, draw_palm_lines
from handsel.drawn.stroke import LAYER_PX, MARGIN_PX, SQUARE_PX
from handsel.errors import InvariantBroken


def test_a_seed_always_gives_the_same_palm() -> None:
    first = draw_palm_lines.__wrapped__(7)
    again = draw_palm_lines.__wrapped__(7)

    assert np.array_equal(first.stacked(), again.stacked())
    assert np.array_equal(first.relief, again.relief)


def test_two_seeds_give_two_palms() -> None:
    one, other = draw_palm_lines(7), draw_palm_lines(8)

    for layer in ("principal", "secondary", "fine", "texture", "relief"):
        assert not np.array_equal(getattr(one, layer), getattr(other, layer))


def test_every_layer_has_lines_and_bare_skin() -> None:
    for seed in range(5):
        palm = draw_palm_lines(seed)

        for layer in (palm.principal, palm.secondary, palm.fine):
            assert layer.shape == (LAYER_PX, LAYER_PX)
            assert layer.max() > 80
            assert np.median(layer) < 60


def test_life_and_head_line_begin_at_the_thumbs_side() -> None:
    """
    Over many palms the principal lines are densest on the thumb's side between fingers and middle of the palm.
    """
    mean = np.mean([draw_palm_lines(seed).principal for seed in range(12)], axis=0)
    square = mean[MARGIN_PX : MARGIN_PX + SQUARE_PX, MARGIN_PX : MARGIN_PX + SQUARE_PX]
    half = SQUARE_PX // 2

    # Rows run from the little finger to the thumb, columns from the fingers to the wrist.
    assert square[half:, :half].mean() > 1.3 * square[:half, half:].mean()


def test_a_layer_of_another_size_is_refused() -> None:
    palm = draw_palm_lines(0)

    with pytest.raises(InvariantBroken):
        replace(palm, fine=palm.fine[:-1])
    with pytest.raises(InvariantBroken):
        replace(palm, relief=np.zeros((RELIEF_PX + 1, RELIEF_PX), np.uint8))
