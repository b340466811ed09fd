"""
Hold accounts and reservations while many steps are decided: states that change, shared by all steps of one batch.

What is kept is written from them by whoever stores; the module decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from handsel.pay.account import Account, AccountState, Floor, Side
from handsel.pay.ledger import Pending, PendingState, Transfer

Amounts = tuple[int, int, int, int, int, int]


class Running:
    """
    Hold what is on one account while a batch is decided.

    `number` is its place among the accounts; `entries` counts its entries, of which `last` is the newest.
    """

    __slots__ = (
        *("name", "currency", "is_closed", "number", "entries", "last"),
        *("credits_posted", "debits_posted", "credits_pending", "debits_pending"),
        *("bounds_debits", "bounds_credits", "account"),
    )

    def __init__(self, state: AccountState, *, number: int, entries: int, last: int) -> None:
        self.account: Account = state.account
        self.name = state.account.id
        self.currency = state.account.currency
        self.is_closed = state.is_closed
        self.number = number
        self.entries = entries
        self.last = last
        self.credits_posted = state.credits_posted
        self.debits_posted = state.debits_posted
        self.credits_pending = state.credits_pending
        self.debits_pending = state.debits_pending
        is_floored = state.account.floor is Floor.ZERO
        self.bounds_debits = is_floored and state.account.side is Side.CREDIT
        self.bounds_credits = is_floored and state.account.side is Side.DEBIT

    def amounts(self) -> Amounts:
        """
        Return what a batch may change.
        """
        return (
            *(self.credits_posted, self.debits_posted, self.credits_pending, self.debits_pending),
            *(self.last, self.entries),
        )

    def state(self) -> AccountState:
        """
        Return what is on the account now.
        """
        return AccountState(
            self.account,
            credits_posted=self.credits_posted,
            debits_posted=self.debits_posted,
            credits_pending=self.credits_pending,
            debits_pending=self.debits_pending,
            is_closed=self.is_closed,
        )

    def put_back(self, amounts: Amounts) -> None:
        """
        Undo what has changed since `amounts` were on the account.
        """
        self.credits_posted, self.debits_posted, self.credits_pending, self.debits_pending = amounts[:4]
        self.last, self.entries = amounts[4:]


@dataclass
class Held:
    """
    Hold a reservation while a batch is decided.
    """

    transfer: Transfer
    state: PendingState
    expires_at_ms: int
    is_new: bool = False
    is_changed: bool = False

    @classmethod
    def of(cls, pending: Pending) -> Held:
        """
        Return a reservation that was made before the batch.
        """
        return cls(pending.transfer, pending.state, pending.expires_at_ms)
