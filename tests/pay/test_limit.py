"""
Promise what may be paid by palm alone and what at all: up to the limit, and not a cent more.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handsel.errors import InvariantBroken
from handsel.pay.limit import (
    CONTACTLESS_EUR,
    Limits,
    OwnLimits,
    Spent,
    needs_second_factor,
    over_every_limit,
    over_limit,
)
from handsel.pay.money import Money

BY_NUMBER = replace(CONTACTLESS_EUR, alone_since=5)
minors = st.integers(0, 2000_00)


def euro(minor: int) -> Money:
    return Money(minor, "EUR")


def spent(*, in_day: int = 0, alone_in_day: int = 0, alone_since: int = 0, number: int = 0) -> Spent:
    return Spent(euro(in_day), euro(alone_in_day), euro(alone_since), number)


def needs(minor: int, before: Spent, limits: Limits = CONTACTLESS_EUR) -> bool:
    return needs_second_factor(euro(minor), spent=before, limits=limits)


def is_over(minor: int, before: Spent, limits: Limits = CONTACTLESS_EUR) -> bool:
    return over_limit(euro(minor), spent=before, limits=limits)


def test_one_payment_goes_up_to_fifty_euros_alone_and_five_hundred_at_all() -> None:
    assert not needs(50_00, spent())
    assert needs(50_01, spent())
    assert not is_over(500_00, spent())
    assert is_over(500_01, spent())


def test_since_the_last_second_factor_it_goes_up_to_a_hundred_and_fifty_euros() -> None:
    assert not needs(50_00, spent(alone_since=100_00))
    assert needs(50_00, spent(alone_since=100_01))
    assert needs(1, spent(alone_since=150_00))


def test_where_payments_are_counted_the_sixth_needs_a_second_factor_whatever_the_sum() -> None:
    assert not needs(1, spent(alone_since=1000_00, number=4), BY_NUMBER)
    assert needs(1, spent(number=5), BY_NUMBER)


def test_a_day_goes_up_to_a_hundred_and_fifty_euros_alone_and_a_thousand_at_all() -> None:
    assert not needs(50_00, spent(alone_in_day=100_00))
    assert needs(50_00, spent(alone_in_day=100_01))
    assert not is_over(500_00, spent(in_day=500_00))
    assert is_over(500_00, spent(in_day=500_01))


@given(minors, minors, minors, minors, st.integers(0, 9), st.sampled_from([CONTACTLESS_EUR, BY_NUMBER]))
def test_what_is_paid_alone_never_exceeds_any_limit(
    minor: int, in_day: int, alone: int, since: int, number: int, limits: Limits
) -> None:
    before = spent(in_day=in_day, alone_in_day=alone, alone_since=since, number=number)

    is_paid_alone = not needs(minor, before, limits) and not is_over(minor, before, limits)

    most_since = limits.alone_since
    within_since = since + minor <= most_since.amount_minor if isinstance(most_since, Money) else number < most_since
    assert is_paid_alone == (
        minor <= 50_00 and alone + minor <= 150_00 and within_since and minor <= 500_00 and in_day + minor <= 1000_00
    )


own_minors = st.none() | minors


@given(minors, minors, own_minors, own_minors, own_minors)
def test_limits_of_ones_own_only_ever_forbid_more(
    minor: int, before: int, alone: int | None, at_a_time: int | None, in_day: int | None
) -> None:
    lowered = CONTACTLESS_EUR.lowered(OwnLimits(alone, at_a_time, in_day))
    so_far = spent(in_day=before, alone_in_day=before, alone_since=before)

    assert is_over(minor, so_far, lowered) >= is_over(minor, so_far)
    assert needs(minor, so_far, lowered) >= needs(minor, so_far)
    assert at_a_time is None or minor <= at_a_time or is_over(minor, so_far, lowered)
    assert alone is None or minor <= alone or needs(minor, so_far, lowered)
    assert in_day is None or minor + before <= in_day or is_over(minor, so_far, lowered)


def test_who_allows_nothing_alone_is_always_asked() -> None:
    assert needs(1, spent(), CONTACTLESS_EUR.lowered(OwnLimits(alone_per_payment_minor=0)))


def test_a_currency_without_a_limit_pays_nothing() -> None:
    francs = Money(1, "CHF")
    nothing = Spent(Money(0, "CHF"), Money(0, "CHF"), Money(0, "CHF"), 0)

    assert over_every_limit(francs, limits=CONTACTLESS_EUR)
    assert over_limit(francs, spent=nothing, limits=CONTACTLESS_EUR)


def test_sums_of_two_currencies_are_never_added() -> None:
    with pytest.raises(InvariantBroken):
        over_limit(Money(1, "CHF"), spent=spent(), limits=CONTACTLESS_EUR)
    with pytest.raises(InvariantBroken):
        needs_second_factor(Money(1, "CHF"), spent=spent(), limits=CONTACTLESS_EUR)
    with pytest.raises(InvariantBroken):
        replace(CONTACTLESS_EUR, per_day=Money(1, "CHF"))
    with pytest.raises(InvariantBroken):
        OwnLimits(per_day_minor=-1)
