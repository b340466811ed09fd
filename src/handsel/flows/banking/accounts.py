"""
Name the accounts that a party has because it has a bank, and book movements between them.

What is at the bank stands on an account of the debit side: it grows when money comes.

    money comes              bank            → whoever it belongs to, or suspense
    money leaves             whoever it was  → bank
    nobody ordered it        unexplained     → bank
    a difference is borne    costs           → unexplained
    the books are opened     bank            → own_funds
"""

from __future__ import annotations

from handsel.errors import ensure
from handsel.pay.account import Account, Floor, Side
from handsel.pay.ledger import Done, Transfer, derive_id
from handsel.pay.money import Money
from handsel.store import ledger
from handsel.store.bank import BankTables


def at_bank(currency: str) -> Account:
    """
    Return the account of what is at the bank. A bank may let it be overdrawn.
    """
    return Account(f"bank:{currency}", currency, Floor.NONE, Side.DEBIT)


def suspense(currency: str) -> Account:
    """
    Return the account of money that came and is nobody's yet.
    """
    return Account(f"suspense:{currency}", currency, Floor.ZERO)


def unexplained(currency: str) -> Account:
    """
    Return the account of money that left and that nobody ordered.
    """
    return Account(f"unexplained:{currency}", currency, Floor.ZERO, Side.DEBIT)


def costs(currency: str) -> Account:
    """
    Return the account of what the party bears itself: a bank's fees.
    """
    return Account(f"costs:{currency}", currency, Floor.NONE, Side.DEBIT)


def own_funds(currency: str) -> Account:
    """
    Return the account of what was at the bank before the first statement.
    """
    return Account(f"own_funds:{currency}", currency, Floor.NONE)


def book(
    books: BankTables, step: str, request_id: str, money: Money, *, debit: Account, credit: Account, now_ms: int
) -> None:
    """
    Book one movement, once for each step of a request. An amount of zero is no movement.
    """
    if money.amount_minor == 0:
        return
    ledger.open_account(books.uow, debit, now_ms=now_ms)
    ledger.open_account(books.uow, credit, now_ms=now_ms)
    transfer = Transfer(derive_id(step, request_id), debit.id, credit.id, money, step)
    ensure(ledger.post(books.uow, transfer, now_ms=now_ms) == Done(), "what the bank has moved can be booked")


def balance_minor(books: BankTables, account: Account) -> int:
    """
    Return what is on an account, 0 where it was never opened.
    """
    state = ledger.account_state(books.uow, account.id)
    return state.balance_minor if state else 0
