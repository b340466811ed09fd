"""
Hold what a bank says of one account: a balance, the movements after it, and the balance that they leave.

The module knows no file format and nothing of wallets and merchants. What it holds of other people, their account and
name, is in no `repr`.
"""

from __future__ import annotations

from dataclasses import dataclass

from handsel.bank.iban import Iban
from handsel.errors import StatementInvalid
from handsel.pay.money import Money


@dataclass(frozen=True, repr=False)
class Party:
    """
    Name the one at the other end of a movement, as far as the bank says: either may be missing.
    """

    name: str
    iban: Iban | None


@dataclass(frozen=True, repr=False)
class Movement:
    """
    Carry one movement that the bank has booked.

    `bank_reference` is the bank's own name for it, or empty. `end_to_end_id` and `block_id` are what we called a
    payment and the block of payments in the file that ordered it; `reference` is what the sender says it is for, and
    `is_reference_wrong` says that the sender tried. A reversal takes back what the bank booked in error, and
    `return_code` says why a payment came back (`AC04`).
    """

    money: Money
    is_credit: bool
    booked_on: str
    bank_reference: str = ""
    end_to_end_id: str = ""
    block_id: str = ""
    reference: str = ""
    is_reference_wrong: bool = False
    is_reversal: bool = False
    return_code: str = ""
    party: Party = Party("", None)

    @property
    def change_minor(self) -> int:
        """
        Return what the movement adds to the account: below zero where money left.
        """
        return self.money.amount_minor if self.is_credit else -self.money.amount_minor


@dataclass(frozen=True, repr=False)
class Statement:
    """
    Carry a statement whose movements lead from one balance to the other, that of the end of the day `closed_on`.

    Balances are in minor units, with a sign.
    """

    id: str
    iban: Iban
    currency: str
    opening_minor: int
    closing_minor: int
    closed_on: str
    movements: tuple[Movement, ...]

    def __post_init__(self) -> None:
        """
        Refuse a statement that does not add up. Raises `StatementInvalid`.
        """
        if any(movement.money.currency != self.currency for movement in self.movements):
            raise StatementInvalid("a movement is in another currency than its account; nothing was booked")
        if self.opening_minor + sum(movement.change_minor for movement in self.movements) != self.closing_minor:
            raise StatementInvalid(
                "the movements do not lead from the opening to the closing balance; nothing was booked: "
                "get the whole statement from the bank"
            )
