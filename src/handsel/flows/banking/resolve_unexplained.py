"""
Bear what left and that nobody can explain, such as a bank's fee: a person has looked at it.
"""

from __future__ import annotations

from handsel.errors import NotFound
from handsel.flows.banking.accounts import book, costs, unexplained
from handsel.ids import require_id
from handsel.pay.money import Money
from handsel.store.bank import BankTables


def write_off(books: BankTables, entry_id: str, *, currency: str, now_ms: int) -> Money:
    """
    Book an unexplained movement as a cost, once, and return its amount. Raises `NotFound` where it is none.
    """
    found = books.find_difference(require_id(entry_id))
    if found is None or found[1] > 0:
        raise NotFound("no money that left waits for an explanation under that id")
    money = Money(-found[1], currency)
    debit, credit = costs(currency), unexplained(currency)
    book(books, "write_off", entry_id, money, debit=debit, credit=credit, now_ms=now_ms)
    books.settle_difference(entry_id, now_ms=now_ms)
    return money
