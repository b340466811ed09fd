"""
Draw a detection error trade-off as an SVG that stands by itself: no script, no font and no address from elsewhere.

Both axes are those of a normal deviate, on which normal scores give straight lines. Source: Martin et al., "The DET
curve in assessment of detection task performance", Eurospeech 1997.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from handsel.evaluate.interval import rule_of_three
from handsel.evaluate.rates import det_points
from handsel.evaluate.trials import Trials

FMR_TICKS = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 0.4)
FNMR_TICKS = (1e-3, 5e-3, 0.02, 0.05, 0.1, 0.2, 0.4, 0.7)
_LEFT, _TOP, _WIDTH, _HEIGHT = 64.0, 40.0, 440.0, 300.0
_STYLE = """
.page{fill:#fff}.grid{stroke:#d9dce1;stroke-width:1}.frame{fill:none;stroke:#5b6470;stroke-width:1}
text{font:12px system-ui,sans-serif;fill:#22272e}.one{stroke:#0b62c4}.three{stroke:#b3470a}
.curve{fill:none;stroke-width:2}.counted{stroke-dasharray:5 4}
@media (prefers-color-scheme:dark){.page{fill:#14181d}.grid{stroke:#333b45}.frame{stroke:#9aa4b0}text{fill:#e4e8ec}
.one{stroke:#6cb0ff}.three{stroke:#ffa25c}}
"""


@dataclass(frozen=True, eq=False)
class Curve:
    """
    Hold one curve: its words, its classes of style, and false match and non-match rates, float64 (K, 2).
    """

    label: str
    style: str
    points: NDArray[np.float64]


def curves_of(trials: Sequence[Trials]) -> tuple[Curve, ...]:
    """
    Return two curves of each way to enrol: of palms that were read, and with failures counted as rejects.

    A curve ends where there are too few pairs to speak of a smaller false match rate (rule of three), or at the edge.
    """
    curves = []
    for each in trials:
        scores, _ = each.genuine()
        impostor = each.impostor()
        least = rule_of_three(each.pairs(len(impostor)))
        words = "enrolled from one picture" if each.enrolled_from == 1 else f"enrolled from {each.enrolled_from}"
        style = "one" if each.enrolled_from == 1 else "three"
        read = scores[np.isfinite(scores)]
        for genuine, more, dash in ((read, "", ""), (scores, ", failures counted", " counted")):
            if dash and len(read) == len(scores):
                continue
            points = det_points(genuine, impostor)
            is_shown = (points[:, 0] >= least) & (points[:, 0] <= FMR_TICKS[-1])
            curves.append(Curve(words + more, style + dash, points[is_shown]))
    return tuple(curves)


def draw_det(curves: Sequence[Curve], *, title: str, description: str) -> str:
    """
    Return the plot as an SVG file.
    """
    width, height = _LEFT + _WIDTH + 24, _TOP + _HEIGHT + 62 + 18 * len(curves)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img" '
        'aria-labelledby="title description">',
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="description">{escape(description)}</desc>',
        f"<style>{_STYLE}</style>",
        f'<rect class="page" width="{width:g}" height="{height:g}"/>',
        f'<text x="{_LEFT:g}" y="24">{escape(title)}</text>',
        *_axes(),
    ]
    for number, curve in enumerate(curves):
        y = _TOP + _HEIGHT + 62 + 18 * number
        places = " ".join(f"{x:.1f},{y:.1f}" for x, y in _placed(curve.points))
        parts.append(f'<polyline class="curve {curve.style}" points="{places}"/>')
        parts.append(f'<path class="curve {curve.style}" d="M{_LEFT:g} {y - 4:g}h32"/>')
        parts.append(f'<text x="{_LEFT + 40:g}" y="{y:g}">{escape(curve.label)}</text>')
    return "\n".join((*parts, "</svg>", ""))


def _axes() -> list[str]:
    """
    Return the grid with its numbers and words.
    """
    bottom, right = _TOP + _HEIGHT, _LEFT + _WIDTH
    parts = []
    for tick in FMR_TICKS:
        x = _LEFT + _part(tick, FMR_TICKS) * _WIDTH
        parts.append(f'<path class="grid" d="M{x:.1f} {_TOP:g}V{bottom:g}"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 18:g}" text-anchor="middle">{_percent(tick)}</text>')
    for tick in FNMR_TICKS:
        y = bottom - _part(tick, FNMR_TICKS) * _HEIGHT
        parts.append(f'<path class="grid" d="M{_LEFT:g} {y:.1f}H{right:g}"/>')
        parts.append(f'<text x="{_LEFT - 8:g}" y="{y + 4:.1f}" text-anchor="end">{_percent(tick)}</text>')
    parts.append(f'<rect class="frame" x="{_LEFT:g}" y="{_TOP:g}" width="{_WIDTH:g}" height="{_HEIGHT:g}"/>')
    middle = _LEFT + _WIDTH / 2
    parts.append(f'<text x="{middle:g}" y="{bottom + 38:g}" text-anchor="middle">false match rate, %</text>')
    y = _TOP + _HEIGHT / 2
    words = "false non-match rate, %"
    parts.append(f'<text transform="translate(16 {y:g}) rotate(-90)" text-anchor="middle">{words}</text>')
    return parts


def _placed(points: NDArray[np.float64]) -> list[tuple[float, float]]:
    return [
        (_LEFT + _part(fmr, FMR_TICKS) * _WIDTH, _TOP + _HEIGHT - _part(fnmr, FNMR_TICKS) * _HEIGHT)
        for fmr, fnmr in points.tolist()
    ]


def _part(rate: float, ticks: Sequence[float]) -> float:
    """
    Return where `rate` lies on an axis, 0..1; what lies beyond it is drawn on its edge.
    """
    deviate = NormalDist().inv_cdf
    low, high = deviate(ticks[0]), deviate(ticks[-1])
    return (deviate(min(max(rate, ticks[0]), ticks[-1])) - low) / (high - low)


def _percent(rate: float) -> str:
    return f"{100 * rate:.6f}".rstrip("0").rstrip(".")
