"""
Say what a movement is that belongs to a direct debit: it was collected, or it came back.
"""

from __future__ import annotations

from handsel.bank.booking import BankOrder, Difference, OrderKind, OrderState, Outcome
from handsel.bank.statement import Movement
from handsel.flows.banking.explain_payment import Explained, Explanation, explain_block
from handsel.flows.issuing.fill_wallet import fill_or_suspend, take_back
from handsel.store import issuer_bank
from handsel.store.bank import BankTables

# Why a debit comes back after which there is nothing more to collect: the account is wrong, closed or blocked, there is
# no mandate, or its owner has died. Source: EPC173-14.
MANDATE_ENDING = frozenset({"AC01", "AC04", "AC06", "AC13", "AG01", "MD01", "MD07"})


def explain_collection(books: BankTables, movement: Movement, *, now_ms: int) -> Explanation | None:
    """
    Book a movement that belongs to a collection, or say why it does not fit; None where it is none of ours.

    1. Money that came fills the wallet, one by one or as the sum of a block.
    2. Money that left under the name of a collection is that collection, which came back: `take_back`.
    """
    order = books.find_order(movement.end_to_end_id)
    if order is None and movement.is_credit and movement.block_id:
        return _whole_block(books, movement, now_ms=now_ms)
    if order is None or order.kind is not OrderKind.COLLECTION:
        return None
    if order.money != movement.money:
        return Difference.AMOUNT_DIFFERS
    if not movement.is_credit:
        return _came_back(books, order, movement, now_ms=now_ms)
    if order.state is OrderState.DONE:
        return Difference.DUPLICATE_ENTRY
    if order.state is not OrderState.ORDERED:
        return Difference.ORDER_ENDED
    _collected(books, order, now_ms=now_ms)
    return Explained(Outcome.COLLECTED, order.subject)


def refuse_collection(books: BankTables, order: BankOrder, *, reason: str, now_ms: int) -> None:
    """
    Keep that the bank has refused to collect: nothing was booked, and nothing is.
    """
    books.end_order(order, OrderState.REFUSED, reason=reason, now_ms=now_ms)
    _end_mandate(books, order, reason, now_ms=now_ms)


def _whole_block(books: BankTables, movement: Movement, *, now_ms: int) -> Explanation | None:
    orders = books.orders_of_block(movement.block_id)
    if not orders or orders[0].kind is not OrderKind.COLLECTION:
        return None
    return explain_block(
        orders, movement, end=lambda order: _collected(books, order, now_ms=now_ms), outcome=Outcome.COLLECTED
    )


def _collected(books: BankTables, order: BankOrder, *, now_ms: int) -> None:
    books.end_order(order, OrderState.DONE, now_ms=now_ms)
    fill_or_suspend(
        books,
        order.subject,
        order.money,
        step="direct_debit",
        request_id=order.id,
        party_id=order.party_id,
        now_ms=now_ms,
    )


def _came_back(books: BankTables, order: BankOrder, movement: Movement, *, now_ms: int) -> Explanation:
    if order.state is OrderState.ORDERED:
        return Difference.REVERSAL_UNMATCHED
    if order.state is not OrderState.DONE:
        return Difference.ORDER_ENDED
    books.end_order(order, OrderState.RETURNED, reason=movement.return_code, now_ms=now_ms)
    take_back(books, order.subject, order.money, step="returned_debit", request_id=order.id, now_ms=now_ms)
    _end_mandate(books, order, movement.return_code, now_ms=now_ms)
    return Explained(Outcome.COLLECTION_RETURNED, order.subject)


def _end_mandate(books: BankTables, order: BankOrder, reason: str, *, now_ms: int) -> None:
    collection = issuer_bank.find_collection(books.uow, order.id)
    mandate = issuer_bank.mandate_in_force(books.uow, order.subject)
    is_its = collection is not None and mandate is not None and collection.mandate_id == mandate.id
    if is_its and reason in MANDATE_ENDING:
        issuer_bank.end_mandate(books.uow, order.subject, now_ms=now_ms)
