"""
Hold how often drawn impostors reach which score, and say what that allows: a threshold for a gallery, or a refusal.

A palm that is nobody's is compared with every row, so that its false positive identification rate (FPIR) is the number
of palms times the false match rate (FMR) of one comparison: FMR = FPIR / N. A larger gallery needs a rarer score, and
how rare a score can be measured at all is bounded by the number of trials. Knows no palm, no model and no camera.

LIMITATIONS
* The trials share people, so that they are fewer than they look: the rule of three counts them as if they did not.
* It holds for one palm shown once. Whoever shows three palms for one payment has three chances.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import msgspec

from handsel.errors import ConfigError, ModelInvalid

PALMS = 1000  # The gallery that is planned where nothing else is said: a neighbourhood, or a firm's canteen.
# Who is enrolled matches his own row, and a second match besides only makes the charge ambiguous. So a wrong wallet is
# debited only by somebody who is not enrolled and tries nevertheless; of a thousand of those one may succeed.
FPIR = 1e-3
RULE_OF_THREE = 3.0  # Trials × rate above which none in so many trials has a chance below 5 %.
# One more than the trials show. A generalised Pareto tail that is fitted to 2,000 scores says what lies a decade beyond
# the last of them to within its own error of some hundredths; two decades beyond, its shape is mostly a guess.
EXTRAPOLATED_DECADES_MAX = 1.0
DIGITS_MAX = 9
DEVIATIONS = 6.0  # Of a group's random size: of a million groups one in a thousand has more.
ROUNDING = 1e-9  # So that a rate just at the bound counts as within it.


class ImpostorCurve(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Hold the measured curve of one model: points (false match rate of one comparison, score), rarer and rarer.

    One comparison is one probe with all its views against one row. `margin` is added to every score for real people.
    """

    trials: int
    points: tuple[tuple[float, float], ...]
    margin: float
    source: str
    margin_source: str
    reach_source: str

    def __post_init__(self) -> None:
        """
        Refuse what is no curve. Raises `ModelInvalid`.
        """
        rates, scores = [rate for rate, _ in self.points], [score for _, score in self.points]
        if self.trials < 1 or len(rates) < 2 or not all(math.isfinite(each) for each in (*rates, *scores, self.margin)):
            raise ModelInvalid("a curve has trials, and two points or more")
        if not 0 < rates[-1] <= rates[0] <= 1 or any(b >= a for a, b in pairwise(rates)):
            raise ModelInvalid("a curve's rates lie between 0 and 1 and fall")
        if not -1 < scores[0] <= scores[-1] < 1 or any(b < a for a, b in pairwise(scores)):
            raise ModelInvalid("a curve's scores are cosines and do not fall while the rates do")
        if not 0 <= self.margin < 1:
            raise ModelInvalid("a curve's margin is a part of a cosine, and takes nothing off it")

    @property
    def rate_min(self) -> float:
        """
        Return the least false match rate that the curve supports: a decade below what the trials themselves show.
        """
        return max(self.points[-1][0], rate_min(self.trials))

    def palms_max(self, *, fpir: float) -> int:
        """
        Return the largest gallery that the curve supports at `fpir`; 0 for none.
        """
        return math.floor(_require_fpir(fpir) / self.rate_min * (1 + ROUNDING))

    def score_at(self, rate: float) -> float:
        """
        Return the score of a rate within the curve, between two points in proportion to the rate's logarithm.
        """
        for (often, low), (seldom, high) in pairwise(self.points):
            if seldom * (1 - ROUNDING) <= rate <= often:
                share = math.log(often / rate) / math.log(often / seldom)
                return low + min(share, 1.0) * (high - low)
        # More often than the first point: its score is more than is needed. Never reached for a rarer one.
        return self.points[0][1] if rate > self.points[0][0] else self.points[-1][1]


@dataclass(frozen=True)
class GalleryPlan:
    """
    Answer what a gallery of `palms` needs: a false match rate, and the threshold, margin included, that holds it.
    """

    palms: int
    fpir: float
    rate: float
    threshold: float


@dataclass(frozen=True)
class GalleryTooLarge:
    """
    Answer that a gallery is larger than the curve supports, and into how many groups it would have to be split.

    Each group of those who share `digits` drawn digits has at most `group_max` of its palms. None where no number of
    digits would do. With a key that the customer holds, one row is compared, and `palms_max` does not matter.
    """

    palms: int
    fpir: float
    rate: float
    palms_max: int
    digits: int | None
    group_max: int

    @property
    def text(self) -> str:
        """
        Return what is refused, and what narrows it.
        """
        said = (
            f"{self.palms} palms at an FPIR of {self.fpir:g} need a false match rate of {self.rate:.1e}: the measured "
            f"curve supports {self.palms_max} palms and no more."
        )
        if self.digits is None:
            return f"{said} No number of digits narrows it enough; a key that the customer holds does."
        digits = "1 digit that the customer types splits" if self.digits == 1 else f"{self.digits} digits split"
        return (
            f"{said} {digits} it into {10**self.digits} groups of at most {self.group_max} palms; or a key that the "
            "customer holds leaves one palm to compare with."
        )


def rate_min(trials: int) -> float:
    """
    Return the least rate of which that many trials may say something: a decade below the rule of three's bound.
    """
    return RULE_OF_THREE / trials / 10**EXTRAPOLATED_DECADES_MAX


def plan_gallery(curve: ImpostorCurve, *, palms: int, fpir: float) -> GalleryPlan | GalleryTooLarge:
    """
    Return the threshold for a gallery of `palms` at `fpir`, or why there is none. Raises `ConfigError` for nonsense.
    """
    if palms < 1:
        raise ConfigError("a gallery is planned for one palm or more")
    rate = _require_fpir(fpir) / palms
    palms_max = curve.palms_max(fpir=fpir)
    if palms > palms_max:
        digits = next((digits for digits in range(1, DIGITS_MAX + 1) if group_max(palms, digits) <= palms_max), None)
        largest = 0 if digits is None else group_max(palms, digits)
        return GalleryTooLarge(palms, fpir, rate, palms_max, digits, largest)
    threshold = round(curve.score_at(rate) + curve.margin, 4)
    if not 0 < threshold < 1:
        raise ConfigError("the model's curve gives no threshold between 0 and 1: fit it again")
    return GalleryPlan(palms, fpir, rate, threshold)


def require_plan(curve: ImpostorCurve, *, palms: int, fpir: float) -> GalleryPlan:
    """
    Return the threshold for a gallery. Raises `ConfigError`, with what narrows it, where the curve supports none.
    """
    plan = plan_gallery(curve, palms=palms, fpir=fpir)
    if isinstance(plan, GalleryTooLarge):
        raise ConfigError(plan.text)
    return plan


def group_max(palms: int, digits: int) -> int:
    """
    Return how many palms the largest group has, if every customer's digits are drawn, each as likely as the others.
    """
    mean = palms / 10.0**digits
    return min(palms, math.ceil(mean + DEVIATIONS * math.sqrt(mean) + DEVIATIONS))


def _require_fpir(fpir: float) -> float:
    if not 0 < fpir <= 0.5:
        raise ConfigError("the target FPIR is a share above 0 and at most a half")
    return fpir
