"""
Book a bank's answer to a file: what it refused is not paid, and what was reserved for it is free again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from handsel.bank.booking import BankOrder, OrderState
from handsel.bank.orders import ORDERS_MAX
from handsel.bank.read_status import Refusal
from handsel.store.bank import BankTables

Refuse = Callable[[BankTables, BankOrder, str, int], None]


@dataclass(frozen=True)
class Refused:
    """
    Answer how many orders were refused now; how many had ended before, and how many refusals name nothing of ours.
    """

    refused: int
    ended_before: int
    unknown: int


def book_status(books: BankTables, refusals: Sequence[Refusal], *, refuse: Refuse, now_ms: int) -> Refused:
    """
    Refuse each order that the bank has refused, once; one that has ended otherwise is left as it is.
    """
    refused = ended_before = unknown = 0
    for refusal in refusals:
        orders = _named(books, refusal)
        unknown += not orders
        for order in orders:
            if order.state is not OrderState.ORDERED:
                ended_before += 1
                continue
            refuse(books, order, refusal.reason, now_ms)
            refused += 1
    return Refused(refused, ended_before, unknown)


def _named(books: BankTables, refusal: Refusal) -> tuple[BankOrder, ...]:
    if refusal.batch_id:
        return books.orders_of(refusal.batch_id)[:ORDERS_MAX]
    if refusal.block_id:
        return books.orders_of_block(refusal.block_id)
    order = books.find_order(refusal.order_id)
    return (order,) if order else ()
