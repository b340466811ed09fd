"""
Pay merchants out: one file of credit transfers for all to whom enough is due.

1. A pay-out contains every payment since the last, less every refund, but for payments of which a refund is under way;
   its amount is their sum. A merchant that refunds what it was paid out already waits until that has ended.
2. The sums are reserved and all is written down, whole or not at all; the file follows from what is written down.
3. What the bank states says whether a pay-out was made (`book_statement`). One that was not frees what it contained.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from handsel.bank.booking import BankOrder, Batch, OrderKind, OrderState
from handsel.bank.orders import ORDERS_MAX, OwnAccount, block_id
from handsel.errors import NotFound
from handsel.flows.acquiring.accounts import merchant_account
from handsel.flows.acquiring.acquirer import Acquirer
from handsel.flows.banking.order_payments import (
    NothingDue,
    WantedPayment,
    batch_id_of,
    order_payments,
    require_due,
)
from handsel.flows.banking.transfer_file import TransferFile, transfer_file
from handsel.pay.merchant import Merchant
from handsel.pay.money import EURO, Money
from handsel.store.acquirer import AcquirerBooks, AcquirerDatabase
from handsel.store.acquirer_pay_outs import PayOutItem

TEXT = "Pay-out of your payments"
SHOWN_MAX = 100  # Pay-outs on a page.


@dataclass(frozen=True, repr=False)
class PayOut:
    """
    Show a pay-out to its merchant: ordered, done, refused or returned, with the bank's reason.
    """

    id: str
    money: Money
    due_on: str
    state: OrderState
    reason: str


@dataclass(frozen=True, repr=False)
class PayOutContents:
    """
    Show what a pay-out contains.
    """

    pay_out: PayOut
    items: tuple[PayOutItem, ...]


def order_pay_outs(
    store: AcquirerDatabase, *, by: OwnAccount, due_on: date, amount_minor_min: int, now_ms: int
) -> TransferFile | NothingDue:
    """
    Return the file that pays out, on a day, all merchants to whom `amount_minor_min` or more is due.

    Asking again for that day returns the same file. Raises `BodyInvalid` for a day too far off.
    """
    batch_id = batch_id_of(OrderKind.PAY_OUT, due_on=due_on, by=by.holder.iban)
    with store.unit_of_work() as books:
        batch = books.bank.find_batch(batch_id)
        if batch is None:
            require_due(due_on, now_ms=now_ms)
            batch = Batch(batch_id, OrderKind.PAY_OUT, due_on.isoformat(), now_ms)
            if not _order(books, batch, amount_minor_min=amount_minor_min, now_ms=now_ms):
                return NothingDue()
            books.commit()
    with store.unit_of_work() as books:
        return transfer_file(books.bank, batch, by=by)


def list_pay_outs(acquirer: Acquirer, merchant: Merchant) -> tuple[PayOut, ...]:
    """
    Return a merchant's pay-outs, newest first.
    """
    with acquirer.store.unit_of_work() as books:
        found = books.bank.orders_for(merchant.id, limit=SHOWN_MAX)
    return tuple(map(_shown, found))


def show_pay_out(acquirer: Acquirer, merchant: Merchant, pay_out_id: str) -> PayOutContents:
    """
    Return a merchant's pay-out, with what it contains. Raises `NotFound`.
    """
    with acquirer.store.unit_of_work() as books:
        order = books.bank.find_order(pay_out_id)
        if order is None or order.subject != merchant.id:
            raise NotFound("there is no pay-out of that id")
        return PayOutContents(_shown(order), books.pay_outs.items_of(order.id))


def _order(books: AcquirerBooks, batch: Batch, *, amount_minor_min: int, now_ms: int) -> bool:
    due = books.pay_outs.due(currency=EURO, amount_minor_min=amount_minor_min, limit=ORDERS_MAX)
    wanted = [
        WantedPayment(
            *(each.merchant_id, each.party_id, Money(each.amount_minor, EURO), TEXT),
            merchant_account(each.merchant_id, currency=EURO),
        )
        for each in due
    ]
    if not wanted:
        return False
    order_payments(books.bank, batch, wanted, block_id=block_id(batch.id, 0), now_ms=now_ms)
    books.pay_outs.add_items(batch.id, currency=EURO)
    return True


def _shown(order: BankOrder) -> PayOut:
    return PayOut(order.id, order.money, order.due_on, order.state, order.reason)
