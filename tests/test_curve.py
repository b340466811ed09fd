"""
What a measured curve supports, and no palm more: checked against closed forms.
"""

from __future__ import annotations

import math

import pytest

from handsel.curve import (
    EXTRAPOLATED_DECADES_MAX,
    RULE_OF_THREE,
    GalleryPlan,
    GalleryTooLarge,
    ImpostorCurve,
    group_max,
    plan_gallery,
    rate_min,
    require_plan,
)
from handsel.errors import ConfigError, ModelInvalid

TRIALS = 300_000  # Supports a rate of 1e-6: a decade below 3 / trials.
POINTS = ((1e-2, 0.1), (1e-4, 0.2), (1e-6, 0.25))


def curve(
    *, trials: int = TRIALS, points: tuple[tuple[float, float], ...] = POINTS, margin: float = 0.1
) -> ImpostorCurve:
    """
    Return a curve, right but for what is given.
    """
    return ImpostorCurve(trials, points, margin, source="", margin_source="", reach_source="")


@pytest.mark.parametrize(
    ("rate", "score"),
    [(1e-2, 0.1), (1e-3, 0.15), (1e-4, 0.2), (10**-4.5, 0.2125), (1e-5, 0.225), (1e-6, 0.25), (0.5, 0.1)],
)
def test_a_score_lies_between_its_points_in_proportion_to_the_logarithm(rate: float, score: float) -> None:
    assert math.isclose(curve().score_at(rate), score)


def test_the_reach_is_a_decade_below_the_rule_of_three() -> None:
    assert (RULE_OF_THREE, EXTRAPOLATED_DECADES_MAX) == (3, 1)
    assert math.isclose(rate_min(TRIALS), 1e-6)
    assert math.isclose(curve().rate_min, 1e-6)


def test_points_that_end_early_support_no_more_than_they_say() -> None:
    assert curve(points=POINTS[:2]).rate_min == 1e-4


def test_points_beyond_the_trials_are_not_believed() -> None:
    assert math.isclose(curve(points=(*POINTS, (1e-9, 0.3))).rate_min, 1e-6)


def test_the_largest_gallery_is_planned_and_one_palm_more_is_refused() -> None:
    largest = plan_gallery(curve(), palms=1000, fpir=1e-3)
    refused = plan_gallery(curve(), palms=1001, fpir=1e-3)

    assert curve().palms_max(fpir=1e-3) == 1000
    assert isinstance(largest, GalleryPlan)
    assert math.isclose(largest.rate, 1e-6)
    assert largest.threshold == 0.35  # 0.25 and the margin.
    assert isinstance(refused, GalleryTooLarge)
    assert (refused.palms_max, refused.digits) == (1000, 1)


def test_ten_times_the_palms_or_a_tenth_of_the_target_need_the_same_score() -> None:
    many, strict = (plan_gallery(curve(), palms=palms, fpir=fpir) for palms, fpir in ((100, 1e-3), (10, 1e-4)))

    assert isinstance(many, GalleryPlan)
    assert isinstance(strict, GalleryPlan)
    assert many.threshold == strict.threshold == 0.325


def test_a_refusal_names_the_least_digits_that_do() -> None:
    refused = plan_gallery(curve(), palms=50_000, fpir=1e-3)

    assert isinstance(refused, GalleryTooLarge)
    assert refused.digits == 2
    assert group_max(50_000, 1) > refused.palms_max >= refused.group_max == group_max(50_000, 2)
    assert "2 digits split it into 100 groups of at most 641 palms" in refused.text
    assert isinstance(plan_gallery(curve(), palms=refused.group_max, fpir=1e-3), GalleryPlan)


def test_where_no_digits_do_only_a_held_key_is_named() -> None:
    refused = plan_gallery(curve(), palms=2, fpir=1e-6)

    assert isinstance(refused, GalleryTooLarge)
    assert (refused.palms_max, refused.digits) == (1, None)
    assert "a key that the customer holds does" in refused.text


def test_a_group_is_larger_than_the_mean_and_never_than_all() -> None:
    """
    Of 10,000 palms in 100 groups one has 100 ± 10, six deviations of which are 60.
    """
    assert group_max(10_000, 2) == 100 + 60 + 6
    assert group_max(3, 1) == 3


def test_what_is_refused_is_an_error_where_a_plan_is_required() -> None:
    assert require_plan(curve(), palms=1000, fpir=1e-3).threshold == 0.35
    with pytest.raises(ConfigError, match="1 digit that the customer types splits it into 10 groups"):
        require_plan(curve(), palms=1001, fpir=1e-3)


@pytest.mark.parametrize(("palms", "fpir"), [(0, 1e-3), (-1, 1e-3), (10, 0.0), (10, 0.51), (10, math.nan)])
def test_a_gallery_that_is_none_is_refused(palms: int, fpir: float) -> None:
    with pytest.raises(ConfigError):
        plan_gallery(curve(), palms=palms, fpir=fpir)


def test_the_largest_share_and_the_least_gallery_are_taken() -> None:
    assert isinstance(plan_gallery(curve(), palms=1, fpir=0.5), GalleryPlan)


def test_a_curve_that_gives_no_cosine_gives_no_plan() -> None:
    with pytest.raises(ConfigError, match="fit it again"):
        plan_gallery(curve(margin=0.9), palms=1000, fpir=1e-3)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: curve(trials=0),
        lambda: curve(points=POINTS[:1]),
        lambda: curve(points=((1e-2, 0.1), (1e-2, 0.2))),
        lambda: curve(points=((1e-2, 0.1), (1e-3, 0.09))),
        lambda: curve(points=((1e-2, 0.1), (0.0, 0.2))),
        lambda: curve(points=((1.1, 0.1), (1e-3, 0.2))),
        lambda: curve(points=((1e-2, 0.1), (1e-3, 1.0))),
        lambda: curve(points=((1e-2, 0.1), (1e-3, math.nan))),
        lambda: curve(margin=-0.01),
        lambda: curve(margin=1.0),
    ],
)
def test_what_is_no_curve_is_refused(wrong: object) -> None:
    assert callable(wrong)
    with pytest.raises(ModelInvalid):
        wrong()


def test_the_least_curve_is_taken() -> None:
    curve(trials=1, points=((1.0, 0.1), (0.5, 0.1)), margin=0.0)
