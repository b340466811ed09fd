"""
Say how much one wallet may pay by palm alone.

A palm is one element of strong customer authentication, not two. What may be paid with less than two is bounded by law;
the counter belongs to the wallet, so that another till does not reset it. The module knows no second factor yet.
"""

from __future__ import annotations

from dataclasses import dataclass

from handsel.errors import ensure
from handsel.pay.money import EURO, Money

DAY_MS = 24 * 60 * 60 * 1000


@dataclass(frozen=True)
class Limits:
    """
    Bound one payment, and the sum of all payments within any 24 hours.
    """

    per_payment: Money
    per_day: Money


# Commission Delegated Regulation (EU) 2018/389, Art. 11: at most EUR 50 at a time, and EUR 150 since the last strong
# authentication. Until there is a second factor that could count as the last one, the second sum is kept per 24 hours.
CONTACTLESS_EUR = Limits(per_payment=Money(50_00, EURO), per_day=Money(150_00, EURO))


def over_limit(amount: Money, *, spent_in_day: Money, limits: Limits = CONTACTLESS_EUR) -> bool:
    """
    Return whether `amount`, after `spent_in_day` within the last 24 hours, is more than the limits allow.
    """
    ensure(amount.currency == spent_in_day.currency, "a limit is counted in the currency of the wallet")
    if amount.currency != limits.per_payment.currency:
        return True  # Nothing is said about this currency, so nothing is allowed.
    if amount.amount_minor > limits.per_payment.amount_minor:
        return True
    return spent_in_day.amount_minor + amount.amount_minor > limits.per_day.amount_minor
