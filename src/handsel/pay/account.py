"""
Hold accounts: what they are called, what they may do and what is on them.

A credit adds to an account of the credit side (what is owed to somebody), a debit to one of the debit side (what is
had); the balance is what its own side has more. The module knows nothing of transfers and of who owns an account.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from handsel.errors import BodyInvalid
from handsel.pay.money import Money

_ACCOUNT_ID = re.compile(r"[a-z][a-z_]{0,39}(:[A-Za-z0-9_-]{1,40}){0,2}")


class Floor(StrEnum):
    """
    Say how far an account may go down.
    """

    ZERO = "zero"  # Never below zero, reservations counted.
    NONE = (
        "none"  # A source from which money enters the ledger; what is outstanding stands there as a negative balance.
    )


class Side(StrEnum):
    """
    Say on which side an account grows.
    """

    CREDIT = "credit"  # What is owed to somebody: a wallet, the notes in circulation.
    DEBIT = "debit"  # What is had: money at a bank.


@dataclass(frozen=True, repr=False)
class Account:
    """
    Name an account, once and for ever.
    """

    id: str
    currency: str
    floor: Floor
    side: Side = Side.CREDIT

    def __post_init__(self) -> None:
        """
        Refuse an ill-formed name or an unknown currency. Raises `BodyInvalid`.
        """
        if not _ACCOUNT_ID.fullmatch(self.id):
            raise BodyInvalid("an account is named in lower case, with at most two parts after a colon")
        Money(0, self.currency)


@dataclass(frozen=True, repr=False)
class AccountState:
    """
    Say what is on an account, all in minor units: sums since it was opened, and what is reserved now.
    """

    account: Account
    credits_posted: int = 0
    debits_posted: int = 0
    credits_pending: int = 0
    debits_pending: int = 0
    is_closed: bool = False

    @property
    def balance_minor(self) -> int:
        """
        Return what has been booked: below zero only where the account has no floor.
        """
        difference = self.credits_posted - self.debits_posted
        return difference if self.account.side is Side.CREDIT else -difference

    @property
    def available_minor(self) -> int:
        """
        Return what may still be spent: the balance less what is reserved.
        """
        leaving = self.debits_pending if self.account.side is Side.CREDIT else self.credits_pending
        return self.balance_minor - leaving

    def can_give(self, amount_minor: int) -> bool:
        """
        Return whether `amount_minor` may be taken from the account.
        """
        return self.account.floor is Floor.NONE or amount_minor <= self.available_minor

    def can_be_debited(self, amount_minor: int) -> bool:
        """
        Return whether the account may be debited: one of the debit side grows by it.
        """
        return self.account.side is Side.DEBIT or self.can_give(amount_minor)

    def can_be_credited(self, amount_minor: int) -> bool:
        """
        Return whether the account may be credited: one of the credit side grows by it.
        """
        return self.account.side is Side.CREDIT or self.can_give(amount_minor)


def wallet_account(wallet_id: str, *, currency: str) -> Account:
    """
    Return the account of a customer's wallet.
    """
    return Account(f"wallet:{wallet_id}", currency, Floor.ZERO)


def notes_in_circulation(currency: str) -> Account:
    """
    Return the account of what the issuer owes to whoever holds its notes.
    """
    return Account(f"notes_in_circulation:{currency}", currency, Floor.ZERO)


def settlement_account(acquirer: str, *, currency: str) -> Account:
    """
    Return the account of what the issuer owes to an acquirer for redeemed notes.
    """
    return Account(f"settlement:{acquirer}:{currency}", currency, Floor.ZERO)


def sandbox_funds(currency: str) -> Account:
    """
    Return the account from which play money enters the ledger.
    """
    return Account(f"sandbox_funds:{currency}", currency, Floor.NONE)
