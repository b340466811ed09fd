"""
Put money that came from a bank into a wallet, or take it out again when the bank takes it back.

A wallet never goes below zero: what cannot be taken back stands on a receivable of its own, and what comes next pays
that first.
"""

from __future__ import annotations

from handsel.bank.booking import Difference, Suspended
from handsel.flows.banking.accounts import at_bank, balance_minor, book, suspense
from handsel.pay.account import Account, Floor, Side, wallet_account
from handsel.pay.money import Money
from handsel.store import issuer as wallets
from handsel.store import ledger
from handsel.store.bank import BankTables


def receivable(wallet_id: str, *, currency: str) -> Account:
    """
    Return the account of what a wallet's owner owes: what the bank took back, and the wallet no longer had.
    """
    return Account(f"receivable:{wallet_id}", currency, Floor.ZERO, Side.DEBIT)


def takes_money(books: BankTables, wallet_id: str) -> bool:
    """
    Return whether there is such a wallet, and it is open.
    """
    wallet = wallets.find_wallet(books.uow, wallet_id)
    return wallet is not None and not wallet.is_closed


def fill_wallet(
    books: BankTables, wallet_id: str, money: Money, *, step: str, request_id: str, source: Account, now_ms: int
) -> None:
    """
    Move money from `source` into an open wallet, once for each step of a request; what its owner owes is paid first.
    """
    owed = receivable(wallet_id, currency=money.currency)
    first = Money(min(balance_minor(books, owed), money.amount_minor), money.currency)
    rest = Money(money.amount_minor - first.amount_minor, money.currency)
    book(books, f"{step}_owed", request_id, first, debit=source, credit=owed, now_ms=now_ms)
    account = wallet_account(wallet_id, currency=money.currency)
    book(books, step, request_id, rest, debit=source, credit=account, now_ms=now_ms)


def fill_or_suspend(
    books: BankTables,
    wallet_id: str,
    money: Money,
    *,
    step: str,
    request_id: str,
    party_id: str | None,
    now_ms: int,
) -> None:
    """
    Move what came to the bank into a wallet or, where that is closed, to what is nobody's and is paid back.
    """
    bank = at_bank(money.currency)
    if takes_money(books, wallet_id):
        fill_wallet(books, wallet_id, money, step=step, request_id=request_id, source=bank, now_ms=now_ms)
        return
    book(books, "suspense", request_id, money, debit=bank, credit=suspense(money.currency), now_ms=now_ms)
    books.suspend(Suspended(request_id, Difference.WALLET_CLOSED.value, party_id, money), now_ms=now_ms)


def take_back(books: BankTables, wallet_id: str, money: Money, *, step: str, request_id: str, now_ms: int) -> None:
    """
    Book that the bank has taken money back: from the wallet as far as it goes, the rest is owed by its owner.
    """
    account = wallet_account(wallet_id, currency=money.currency)
    state = ledger.account_state(books.uow, account.id)
    there = state.available_minor if state and not state.is_closed else 0
    first = Money(min(max(there, 0), money.amount_minor), money.currency)
    rest = Money(money.amount_minor - first.amount_minor, money.currency)
    bank, owed = at_bank(money.currency), receivable(wallet_id, currency=money.currency)
    book(books, step, request_id, first, debit=account, credit=bank, now_ms=now_ms)
    book(books, f"{step}_owed", request_id, rest, debit=owed, credit=bank, now_ms=now_ms)
