"""
Order payments at the bank: keep what is wanted, reserve its sum, and have it written as one file.

1. What a file is made of is written down first, with the ids by which the bank and its statement name each payment, and
   the sum of each is reserved. That happens whole or not at all.
2. The file follows from what was written down, and is the same each time: a bank that gets it twice pays once.
3. What the bank states ends each order (`explain_payment`).

A reservation has no end of its own: only the bank can say that a payment was not made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from handsel.bank.booking import BankOrder, Batch, OrderKind
from handsel.bank.iban import Iban
from handsel.errors import BodyInvalid, ensure
from handsel.flows.banking.accounts import at_bank
from handsel.ids import ID_BYTES
from handsel.pay.account import Account
from handsel.pay.ledger import MOMENT_MS_MAX, Done, Reservation, Transfer, derive_id
from handsel.pay.money import Money
from handsel.pay.pay_out import reserving_id
from handsel.store import ledger
from handsel.store.bank import BankTables
from handsel.store.ledger_batch import carry_out

DUE_DAYS_MAX = 60


@dataclass(frozen=True, repr=False)
class WantedPayment:
    """
    Say whom to pay, from which account, and whose money it is.
    """

    subject: str
    party_id: str
    money: Money
    text: str
    debit: Account


@dataclass(frozen=True)
class NothingDue:
    """
    Answer that there is nothing to order.
    """


def batch_id_of(kind: OrderKind, *, due_on: date, by: Iban) -> str:
    """
    Return the id of the file of a kind for a day: asking again for that day asks for the same file.
    """
    content = "\0".join(("handsel/v1/bank-batch", kind.value, due_on.isoformat(), by.text)).encode()
    return hashlib.sha256(content).digest()[:ID_BYTES].hex()


def require_due(due_on: date, *, now_ms: int, days_min: int = 0) -> None:
    """
    Refuse a day that is too near, or so far off that it is a slip. Raises `BodyInvalid`.
    """
    today = datetime.fromtimestamp(now_ms / 1000, tz=UTC).date()
    if not days_min <= (due_on - today).days <= DUE_DAYS_MAX:
        raise BodyInvalid(f"this file is due {days_min} to {DUE_DAYS_MAX} days from now")


def order_payments(
    books: BankTables, batch: Batch, wanted: Sequence[WantedPayment], *, block_id: str, now_ms: int
) -> tuple[BankOrder, ...]:
    """
    Keep what one file pays, and reserve it. Its subjects are each named once.
    """
    orders = tuple(
        BankOrder(
            id=derive_id(f"order:{each.subject}", batch.id),
            batch_id=batch.id,
            position=position,
            block_id=block_id,
            kind=batch.kind,
            subject=each.subject,
            party_id=each.party_id,
            money=each.money,
            text=each.text,
            due_on=batch.due_on,
        )
        for position, each in enumerate(wanted)
    )
    for currency in {each.money.currency for each in wanted}:
        ledger.open_account(books.uow, at_bank(currency), now_ms=now_ms)
    steps = [
        Reservation(
            Transfer(
                reservation_id(order), each.debit.id, at_bank(order.money.currency).id, order.money, batch.kind.value
            ),
            MOMENT_MS_MAX,
        )
        for order, each in zip(orders, wanted, strict=True)
    ]
    outcomes = carry_out(books.uow, steps, now_ms=now_ms)
    ensure(all(outcome == (Done(),) for outcome in outcomes), "what is ordered at the bank is covered")
    books.add_batch(batch, orders, now_ms=now_ms)
    return orders


def reservation_id(order: BankOrder) -> str:
    """
    Return the id under which the sum of an order is reserved.
    """
    return reserving_id(order.id)
