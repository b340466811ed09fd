"""
Hold an amount of money: whole minor units and a currency.

There are no floats, and no amount below zero: which way money flows is said by the accounts of a transfer. The module
knows nothing of accounts, exchange rates or rounding, because there is nothing to round.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from handsel.errors import BodyInvalid

# Digits of the minor unit. Source: ISO 4217, list one.
MINOR_DIGITS: dict[str, int] = {
    "CHF": 2,
    "CZK": 2,
    "DKK": 2,
    "EUR": 2,
    "GBP": 2,
    "JPY": 0,
    "NOK": 2,
    "PLN": 2,
    "SEK": 2,
    "USD": 2,
}
EURO = "EUR"
AMOUNT_MINOR_MAX = 10**12  # Far above any payment, and the sums of many fit the 64-bit integers of a database.

_AMOUNT_TEXT = re.compile(r"([0-9]{1,13})(?:[.,]([0-9]{1,3}))?")


@dataclass(frozen=True, order=False)
class Money:
    """
    Carry an amount in minor units (cents) of one currency.
    """

    amount_minor: int
    currency: str

    def __post_init__(self) -> None:
        """
        Refuse anything but a whole amount of zero or more in a known currency. Raises `BodyInvalid`.
        """
        if type(self.amount_minor) is not int:
            raise BodyInvalid("an amount must be a whole number of minor units")
        if not 0 <= self.amount_minor <= AMOUNT_MINOR_MAX:
            raise BodyInvalid(f"an amount must lie between 0 and {AMOUNT_MINOR_MAX} minor units")
        if self.currency not in MINOR_DIGITS:
            raise BodyInvalid("the currency must be one of: " + ", ".join(sorted(MINOR_DIGITS)))

    def __str__(self) -> str:
        """
        Return the amount as people write it, with its currency: `4.50 EUR`.
        """
        digits = MINOR_DIGITS[self.currency]
        if digits == 0:
            return f"{self.amount_minor} {self.currency}"
        whole, part = divmod(self.amount_minor, 10**digits)
        return f"{whole}.{part:0{digits}d} {self.currency}"


def require_positive(money: Money) -> Money:
    """
    Return `money` if it is more than zero. Raises `BodyInvalid`.
    """
    if money.amount_minor == 0:
        raise BodyInvalid("the amount must be more than zero")
    return money


def parse_amount(text: str, *, currency: str) -> Money:
    """
    Return the amount that a person wrote: `4.50`, `4,50`, `4,5` and `4` are understood.

    Groups of thousands are refused: `1.000` could mean one or a thousand. Raises `BodyInvalid`.
    """
    digits = MINOR_DIGITS[Money(0, currency).currency]
    found = _AMOUNT_TEXT.fullmatch(text.strip())
    if found is None:
        raise BodyInvalid("write the amount in digits, as in 4.50 or 1234,50")
    whole, part = found[1], found[2] or ""
    if len(part) > digits:
        raise BodyInvalid(f"an amount in {currency} has at most {digits} digits after the point")
    return Money(int(whole + part.ljust(digits, "0")), currency)


def sum_money(amounts: Iterable[Money], *, currency: str) -> Money:
    """
    Return the sum of amounts that are all in `currency`. Raises `BodyInvalid`.
    """
    held = tuple(amounts)
    if any(money.currency != currency for money in held):
        raise BodyInvalid(f"every amount must be in {currency}")
    return Money(sum(money.amount_minor for money in held), currency)
