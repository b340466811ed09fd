"""
Say what a movement is that belongs to a payment which was ordered: it was made, or it came back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from handsel.bank.booking import BankOrder, Difference, OrderKind, OrderState, Outcome
from handsel.bank.statement import Movement
from handsel.errors import ensure
from handsel.flows.banking.accounts import at_bank
from handsel.flows.banking.order_payments import reservation_id
from handsel.pay.ledger import Capture, Done, Release, Transfer, derive_id
from handsel.pay.pay_out import paid_id
from handsel.store import ledger
from handsel.store.bank import BankTables


@dataclass(frozen=True, repr=False)
class Explained:
    """
    Answer what a movement was taken for, and whose it is. A sender's account is kept where it may have to be paid back.
    """

    outcome: Outcome
    subject: str
    keeps_party: bool = False


Explanation = Explained | Difference
Explain = Callable[[BankTables, Movement, str, int], Explanation]
Ended = Callable[[BankTables, BankOrder, int], None]


def explain_payment(books: BankTables, movement: Movement, *, ended: Ended, now_ms: int) -> Explanation | None:
    """
    Book a movement that belongs to a payment that we ordered, or say why it does not fit; None where it is no such.

    1. Money that left is looked for by the name that we gave the payment, then by that of its block, of which a bank
       may state one sum.
    2. Money that came and bears the name of a payment is that payment, which came back.

    `ended` is told of every order that has ended.
    """
    order = books.find_order(movement.end_to_end_id)
    if order is None and not movement.is_credit and movement.block_id:
        return _whole_block(books, movement, ended=ended, now_ms=now_ms)
    if order is None or order.kind is OrderKind.COLLECTION:
        return None
    if order.money != movement.money:
        return Difference.AMOUNT_DIFFERS
    if movement.is_credit:
        return _came_back(books, order, movement, ended=ended, now_ms=now_ms)
    if order.state is OrderState.DONE:
        return Difference.DUPLICATE_ENTRY
    if order.state is not OrderState.ORDERED:
        return Difference.ORDER_ENDED
    _made(books, order, ended=ended, now_ms=now_ms)
    return Explained(Outcome.PAID, order.subject)


def refuse_order(books: BankTables, order: BankOrder, *, reason: str, ended: Ended, now_ms: int) -> None:
    """
    Give back what was reserved for a payment that the bank has refused before it moved anything.
    """
    held = reservation_id(order)
    released = ledger.release(books.uow, Release(derive_id("release", held), held), now_ms=now_ms)
    ensure(released == Done(), "what was reserved for an order can be given back")
    _end(books, order, OrderState.REFUSED, reason, ended=ended, now_ms=now_ms)


def _whole_block(books: BankTables, movement: Movement, *, ended: Ended, now_ms: int) -> Explanation | None:
    orders = books.orders_of_block(movement.block_id)
    if not orders or orders[0].kind is OrderKind.COLLECTION:
        return None
    return explain_block(
        orders, movement, end=lambda order: _made(books, order, ended=ended, now_ms=now_ms), outcome=Outcome.PAID
    )


def explain_block(
    orders: Sequence[BankOrder], movement: Movement, *, end: Callable[[BankOrder], None], outcome: Outcome
) -> Explanation:
    """
    Explain a movement that is the sum of a whole block of orders: those that have not ended are ended, all or none.
    """
    left = [order for order in orders if order.state is OrderState.ORDERED]
    if not left:
        return Difference.DUPLICATE_ENTRY
    if sum(order.money.amount_minor for order in left) != movement.money.amount_minor:
        return Difference.AMOUNT_DIFFERS
    for order in left:
        end(order)
    return Explained(outcome, left[0].batch_id)


def _made(books: BankTables, order: BankOrder, *, ended: Ended, now_ms: int) -> None:
    held = reservation_id(order)
    captured = ledger.capture(books.uow, Capture(paid_id(order.id), held, order.money), now_ms=now_ms)
    ensure(captured == Done(), "what was reserved for an order can be paid")
    _end(books, order, OrderState.DONE, "", ended=ended, now_ms=now_ms)


def _came_back(books: BankTables, order: BankOrder, movement: Movement, *, ended: Ended, now_ms: int) -> Explanation:
    if order.state is not OrderState.DONE:
        return Difference.ORDER_ENDED if order.state is not OrderState.ORDERED else Difference.REVERSAL_UNMATCHED
    reserved = ledger.pending_of(books.uow, reservation_id(order))
    ensure(reserved is not None, "an order that was paid was reserved")
    if reserved is not None:
        back = Transfer(
            derive_id("came_back", order.id),
            at_bank(order.money.currency).id,
            reserved.transfer.debit,
            order.money,
            f"{order.kind.value}_returned",
        )
        ensure(ledger.post(books.uow, back, now_ms=now_ms) == Done(), "what came back can be booked")
    _end(books, order, OrderState.RETURNED, movement.return_code, ended=ended, now_ms=now_ms)
    return Explained(Outcome.PAYMENT_RETURNED, order.subject)


def _end(books: BankTables, order: BankOrder, state: OrderState, reason: str, *, ended: Ended, now_ms: int) -> None:
    books.end_order(order, state, reason=reason, now_ms=now_ms)
    ended(books, replace(order, state=state, reason=reason), now_ms)
