"""
Hold what becomes of a movement at the bank, what it was taken for or which difference it is, and where an order stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from handsel.bank.orders import Holder
from handsel.pay.money import Money


class Difference(StrEnum):
    """
    Name what does not agree between the bank and the ledger, one name for each.
    """

    UNKNOWN_REFERENCE = "unknown_reference"  # Money came with a reference that is nobody's, or is mistyped.
    NO_REFERENCE = "no_reference"  # Money came, and does not say what for.
    WALLET_CLOSED = "wallet_closed"  # Money came for a wallet that takes none any more.
    AMOUNT_DIFFERS = "amount_differs"  # The bank moved another amount than it was asked, or than is owed.
    DUPLICATE_ENTRY = "duplicate_entry"  # The bank states the same movement, or carried out the same order, again.
    ENTRY_CHANGED = "entry_changed"  # The bank states under the same name something else than before.
    ORDER_ENDED = "order_ended"  # The bank carried out what it had refused or sent back before.
    REVERSAL_UNMATCHED = "reversal_unmatched"  # The bank takes back something that it never stated.
    MISSING_IN_LEDGER = "missing_in_ledger"  # Money left, and nobody here ordered it.
    MISSING_AT_BANK = "missing_at_bank"  # Something was ordered, and the bank does not state it.
    BALANCE_DIFFERS = "balance_differs"  # The ledger has another sum at the bank than the bank.


class Outcome(StrEnum):
    """
    Say what a movement was taken for.
    """

    TOP_UP = "top_up"
    COLLECTED = "collected"
    COLLECTION_RETURNED = "collection_returned"
    PAID = "paid"
    PAYMENT_RETURNED = "payment_returned"
    SETTLED = "settled"  # The issuer paid for redeemed notes.
    REVERSED = "reversed"
    SUSPENSE = "suspense"
    UNEXPLAINED = "unexplained"


class OrderKind(StrEnum):
    """
    Say what an order is for. All but a collection send money away.
    """

    PAY_OUT = "pay_out"
    SETTLEMENT = "settlement"
    RETURN = "return"
    COLLECTION = "collection"


class OrderState(StrEnum):
    """
    Say where an order stands. `REFUSED` and `RETURNED` are final.
    """

    ORDERED = "ordered"
    DONE = "done"
    REFUSED = "refused"
    RETURNED = "returned"


class SuspenseState(StrEnum):
    """
    Say where money stands that was nobody's. All but `OPEN` and `RETURNING` are final.
    """

    OPEN = "open"
    RETURNING = "returning"
    RETURNED = "returned"
    ASSIGNED = "assigned"
    TAKEN_BACK = "taken_back"


@dataclass(frozen=True, repr=False)
class BankOrder:
    """
    Carry one order as it is kept. `subject` is whose money it is; `block_id` is what its part of the file is called.
    """

    id: str
    batch_id: str
    position: int
    block_id: str
    kind: OrderKind
    subject: str
    party_id: str
    money: Money
    text: str
    due_on: str
    state: OrderState = OrderState.ORDERED
    reason: str = ""


@dataclass(frozen=True, repr=False)
class Batch:
    """
    Carry what one file is made of.
    """

    id: str
    kind: OrderKind
    due_on: str
    made_ms: int


@dataclass(frozen=True, repr=False)
class Suspended:
    """
    Carry money that is nobody's, why, and who sent it, where the bank said so.
    """

    id: str
    reason: str
    party_id: str | None
    money: Money
    state: SuspenseState = SuspenseState.OPEN
    holder: Holder | None = None


@dataclass(frozen=True, repr=False)
class BookedMovement:
    """
    Carry a movement as it is kept: `change_minor` is below zero where money left.
    """

    id: str
    statement_id: str
    digest: bytes
    change_minor: int
    end_to_end_id: str
    reference: str
    outcome: Outcome
    subject: str
    party_id: str | None = None


@dataclass(frozen=True, repr=False)
class BookedStatement:
    """
    Carry a statement as it is kept. `bank_name` is what the bank calls it; one that `is_late` was left out at first.
    It is of the day `closed_on`; `last_day` is the newest of those that were booked until then.
    """

    id: str
    bank_name: str
    digest: bytes
    opening_minor: int
    closing_minor: int
    currency: str
    last_day: str
    closed_on: str
    is_late: bool = False
