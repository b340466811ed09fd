"""
Promise what may be paid by palm alone: up to the limit, and not a cent more.
"""

from __future__ import annotations

import pytest

from handsel.errors import InvariantBroken
from handsel.pay.limit import over_limit
from handsel.pay.money import Money


def euro(minor: int) -> Money:
    return Money(minor, "EUR")


def test_one_payment_goes_up_to_fifty_euros() -> None:
    assert not over_limit(euro(50_00), spent_in_day=euro(0))
    assert over_limit(euro(50_01), spent_in_day=euro(0))


def test_a_day_goes_up_to_a_hundred_and_fifty_euros() -> None:
    assert not over_limit(euro(50_00), spent_in_day=euro(100_00))
    assert over_limit(euro(50_00), spent_in_day=euro(100_01))
    assert over_limit(euro(1), spent_in_day=euro(150_00))


def test_a_currency_without_a_limit_pays_nothing() -> None:
    assert over_limit(Money(1, "CHF"), spent_in_day=Money(0, "CHF"))


def test_sums_of_two_currencies_are_never_added() -> None:
    with pytest.raises(InvariantBroken):
        over_limit(euro(1), spent_in_day=Money(1, "CHF"))
