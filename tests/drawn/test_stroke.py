"""
A stroke runs where it is told to, fades at its ends, and a curve keeps its ends.
"""

from __future__ import annotations

import numpy as np

from handsel.drawn.stroke import (
    LAYER_PX,
    MARGIN_PX,
    SQUARE_PX,
    SUPERSAMPLE,
    Stroke,
    draw_stroke,
    point,
    quadratic,
    roughened,
)


def test_a_curve_begins_and_ends_where_it_should_and_bends_by_half_its_control_point() -> None:
    curve = quadratic(point(0, 0), point(1, 0), bend=0.4, count=101)

    assert np.allclose(curve[0], (0, 0))
    assert np.allclose(curve[-1], (1, 0))
    assert np.allclose(curve[50], (0.5, 0.2), atol=1e-6)


def test_without_amplitude_a_curve_is_not_roughened() -> None:
    curve = quadratic(point(0, 0), point(1, 1), bend=0.1, count=20)

    assert np.allclose(roughened(np.random.default_rng(0), curve, amplitude=0.0, knots=5), curve)


def test_a_stroke_is_dark_in_its_middle_and_gone_beyond_its_ends() -> None:
    layer = np.zeros((LAYER_PX * SUPERSAMPLE,) * 2, np.uint8)
    course = quadratic(point(0.2, 0.5), point(0.8, 0.5), bend=0.0, count=40)

    draw_stroke(np.random.default_rng(1), layer, Stroke(course, width=3.0, depth=200.0, unevenness=0.0))

    def at(x: float) -> int:
        row, column = (int((v * SQUARE_PX + MARGIN_PX) * SUPERSAMPLE) for v in (0.5, x))
        return int(layer[row, column])

    assert at(0.5) > 150
    assert at(0.1) == at(0.9) == 0
    assert at(0.22) < at(0.5)
