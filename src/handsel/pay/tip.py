"""
Say which tips a payment offers. A tip is the customer's to give: none of them is chosen beforehand.
"""

from __future__ import annotations

from dataclasses import dataclass

from handsel.errors import BodyInvalid
from handsel.pay.money import AMOUNT_MINOR_MAX, Money

CHOICES_MAX = 3  # Besides none, and another amount: as many as fit a small screen in large letters.
PERCENT_MAX = 100  # No tip is more than the amount itself.


@dataclass(frozen=True)
class TipChoice:
    """
    Offer one tip; `percent` is what it was computed from, or 0.
    """

    amount_minor: int
    percent: int = 0


@dataclass(frozen=True)
class TipOffer:
    """
    Offer tips in percent of the amount, or as amounts; an empty offer offers none.

    Where some are offered, the customer may also give another amount, up to the amount that is paid.
    """

    percents: tuple[int, ...] = ()
    amounts_minor: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """
        Refuse both kinds at once, too many, the same twice, and what is no tip. Raises `BodyInvalid`.
        """
        offered = self.percents or self.amounts_minor
        if self.percents and self.amounts_minor:
            raise BodyInvalid("offer tips in percent or as amounts, not both")
        if len(offered) > CHOICES_MAX or len(set(offered)) != len(offered):
            raise BodyInvalid(f"offer at most {CHOICES_MAX} tips, each once")
        if any(not 0 < percent <= PERCENT_MAX for percent in self.percents):
            raise BodyInvalid(f"a tip in percent lies between 1 and {PERCENT_MAX}")
        if any(not 0 < amount_minor <= AMOUNT_MINOR_MAX for amount_minor in self.amounts_minor):
            raise BodyInvalid("a tip is more than zero")

    def most(self, amount: Money, *, total_minor_max: int) -> int:
        """
        Return the largest tip on `amount`: the amount itself, unless the total would be more than can be paid at once.
        """
        is_offered = bool(self.percents or self.amounts_minor)
        return max(0, min(amount.amount_minor, total_minor_max - amount.amount_minor)) if is_offered else 0

    def choices(self, amount: Money, *, total_minor_max: int) -> tuple[TipChoice, ...]:
        """
        Return what is offered on `amount`, without what is nothing or too much. A half of a minor unit is rounded up.
        """
        of_percents = (TipChoice((amount.amount_minor * percent + 50) // 100, percent) for percent in self.percents)
        most = self.most(amount, total_minor_max=total_minor_max)
        offered = (*of_percents, *map(TipChoice, self.amounts_minor))
        return tuple(choice for choice in offered if 0 < choice.amount_minor <= most)


NO_TIPS = TipOffer()
