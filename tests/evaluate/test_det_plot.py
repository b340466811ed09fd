"""
The plot is a drawing that says what it shows, loads nothing, and puts normal scores on a straight line.
"""

from __future__ import annotations

from statistics import NormalDist
from xml.etree import ElementTree

import numpy as np

from handsel.evaluate.det_plot import FMR_TICKS, Curve, curves_of, draw_det
from handsel.evaluate.trials import every_pair
from tests.evaluate.made_up import crowd

SVG = "{http://www.w3.org/2000/svg}"


def places(svg: str) -> list[np.ndarray[tuple[int, ...], np.dtype[np.float64]]]:
    """
    Return the points of each curve in a plot.
    """
    lines = ElementTree.fromstring(svg).iter(f"{SVG}polyline")  # noqa: S314
    return [np.array([pair.split(",") for pair in line.get("points", "").split()], np.float64) for line in lines]


def test_it_has_a_title_a_description_and_both_schemes() -> None:
    svg = draw_det((), title="Palms & people", description="Nothing <yet>.")

    root = ElementTree.fromstring(svg)  # noqa: S314
    assert root.get("role") == "img"
    names = {root.findtext(f"{SVG}title"), root.findtext(f"{SVG}desc")}
    assert names == {"Palms & people", "Nothing <yet>."}
    assert "prefers-color-scheme:dark" in svg
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")


def test_normal_scores_lie_on_a_straight_line() -> None:
    """
    With means d apart, FNMR is Φ(t - d) where FMR is Φ(-t): the sum of the two deviates is -d everywhere.
    """
    normal = NormalDist()
    fmr = np.geomspace(2e-5, 0.2, 30)
    fnmr = [normal.cdf(-normal.inv_cdf(rate) - 3) for rate in fmr.tolist()]
    svg = draw_det([Curve("normal", "one", np.stack([fmr, fnmr], axis=1))], title="t", description="d")

    (line,) = places(svg)
    inside = line[(line[:, 1] > 41) & (line[:, 1] < 339)]
    assert len(inside) > 8
    slope = np.diff(inside[:, 1]) / np.diff(inside[:, 0])
    assert np.ptp(slope) < 0.02 * abs(slope.mean())


def test_the_ends_of_the_axis_are_its_ends_and_nothing_leaves_it() -> None:
    curve = Curve("all", "one", np.array([[FMR_TICKS[0], 0.0], [FMR_TICKS[-1], 1.0], [1.0, 0.5]]))

    (line,) = places(draw_det([curve], title="t", description="d"))

    assert line[:, 0].tolist() == [64, 504, 504]
    assert line[:2, 1].tolist() == [340, 40]


def test_a_curve_ends_where_the_pairs_end_and_failures_have_one_of_their_own() -> None:
    trials = every_pair(crowd(7, palms=10, pictures=4))

    read, counted = curves_of([trials])

    least = 3 / trials.pairs(len(trials.impostor()))
    assert read.points[:, 0].min() >= least
    assert (counted.label, counted.style) == ("enrolled from one picture, failures counted", "one counted")
    assert (counted.points[:, 1] >= read.points[:, 1]).all()
