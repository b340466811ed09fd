"""
Say how much one wallet may pay by palm alone, and how much at all.

A palm is one element of strong customer authentication, not two. What may be paid with one is bounded by law; beyond
that a second factor is asked for, a PIN or a passkey. What was paid is counted for the wallet, so that another till,
another palm, a card or a new enrolment resets nothing. The module knows amounts, and no place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from handsel.errors import ensure
from handsel.pay.money import EURO, Money

DAY_MS = 24 * 60 * 60 * 1000


@dataclass(frozen=True)
class Limits:
    """
    Bound one payment, the payments of any 24 hours, and what is paid alone, which is without a second factor.

    `alone_since` bounds what is paid alone since the last second factor: by its sum, or by the number of payments.
    """

    alone_per_payment: Money
    alone_since: Money | int
    alone_per_day: Money
    per_payment: Money
    per_day: Money

    def __post_init__(self) -> None:
        """
        Refuse limits in several currencies. Raises `InvariantBroken`.
        """
        sums = (self.alone_per_payment, self.alone_per_day, self.per_payment, self.per_day)
        since = self.alone_since.currency if isinstance(self.alone_since, Money) else self.per_day.currency
        ensure({since} == {each.currency for each in sums}, "the limits of a wallet are in one currency")

    def lowered(self, own: OwnLimits) -> Limits:
        """
        Return the limits with those that a customer has set in addition: the lower one counts, always.
        """
        return replace(
            self,
            alone_per_payment=_lower(self.alone_per_payment, own.alone_per_payment_minor),
            per_payment=_lower(self.per_payment, own.per_payment_minor),
            per_day=_lower(self.per_day, own.per_day_minor),
        )


@dataclass(frozen=True)
class OwnLimits:
    """
    Hold what a customer has set for the own wallet, in minor units; None where nothing was set. Zero allows nothing.
    """

    alone_per_payment_minor: int | None = None
    per_payment_minor: int | None = None
    per_day_minor: int | None = None

    def __post_init__(self) -> None:
        """
        Refuse limits below zero. Raises `InvariantBroken`.
        """
        held = (self.alone_per_payment_minor, self.per_payment_minor, self.per_day_minor)
        ensure(all(minor is None or minor >= 0 for minor in held), "a limit is not below zero")


@dataclass(frozen=True)
class Spent:
    """
    Hold what a wallet has paid, what is under way included: within the last 24 hours, and alone since the last payment
    with a second factor.
    """

    in_day: Money
    alone_in_day: Money
    alone_since: Money
    alone_number_since: int


# Commission Delegated Regulation (EU) 2018/389, Art. 11: at most EUR 50 at a time, and since the last strong
# authentication EUR 150 or five payments. The others are the issuer's own: see `PaymentLimits`.
CONTACTLESS_EUR = Limits(
    alone_per_payment=Money(50_00, EURO),
    alone_since=Money(150_00, EURO),
    alone_per_day=Money(150_00, EURO),
    per_payment=Money(500_00, EURO),
    per_day=Money(1000_00, EURO),
)


def over_limit(amount: Money, *, spent: Spent, limits: Limits) -> bool:
    """
    Return whether `amount` is more than the wallet may pay at all, with whatever factor.
    """
    ensure(amount.currency == spent.in_day.currency, "a limit is counted in the currency of the wallet")
    if over_every_limit(amount, limits=limits):
        return True
    return spent.in_day.amount_minor + amount.amount_minor > limits.per_day.amount_minor


def over_every_limit(amount: Money, *, limits: Limits) -> bool:
    """
    Return whether `amount` is more than a wallet may pay that has paid nothing yet.
    """
    if amount.currency != limits.per_payment.currency:
        return True  # Nothing is said about this currency, so nothing is allowed.
    return amount.amount_minor > min(limits.per_payment.amount_minor, limits.per_day.amount_minor)


def needs_second_factor(amount: Money, *, spent: Spent, limits: Limits) -> bool:
    """
    Return whether `amount`, which is not over the limit, may be paid with a second factor only.
    """
    ensure(
        amount.currency == spent.alone_since.currency == limits.alone_per_day.currency,
        "a limit is counted in the currency of the wallet",
    )
    minor = amount.amount_minor
    if minor > limits.alone_per_payment.amount_minor:
        return True
    if spent.alone_in_day.amount_minor + minor > limits.alone_per_day.amount_minor:
        return True
    if isinstance(limits.alone_since, Money):
        return spent.alone_since.amount_minor + minor > limits.alone_since.amount_minor
    return spent.alone_number_since + 1 > limits.alone_since


def _lower(issuers: Money, own_minor: int | None) -> Money:
    return issuers if own_minor is None else Money(min(issuers.amount_minor, own_minor), issuers.currency)
