"""
Keep a small ledger for tests: a source, a wallet and the middle account, and each step as one unit of work.
"""

from __future__ import annotations

from pathlib import Path

from handsel.ids import new_id
from handsel.pay.account import Account, notes_in_circulation, sandbox_funds, wallet_account
from handsel.pay.ledger import Capture, Outcome, Release, Transfer
from handsel.pay.money import Money
from handsel.store import ledger
from handsel.store.database import Database
from handsel.store.ledger_schema import LEDGER_SCHEMA

FUNDS = sandbox_funds("EUR")
WALLET = wallet_account("a", currency="EUR")
NOTES = notes_in_circulation("EUR")
EXPIRES_AT_MS = 1000


def open_ledger(directory: Path) -> Database:
    database = Database.open(directory / "ledger.sqlite", schemas=(LEDGER_SCHEMA,))
    with database.unit_of_work() as uow:
        for account in (FUNDS, WALLET, NOTES):
            ledger.open_account(uow, account, now_ms=0)
        uow.commit()
    return database


def move(minor: int, *, debit: Account = FUNDS, credit: Account = WALLET, transfer_id: str | None = None) -> Transfer:
    return Transfer(transfer_id or new_id(), debit.id, credit.id, Money(minor, "EUR"), "payment")


def post(database: Database, transfer: Transfer) -> Outcome:
    with database.unit_of_work() as uow:
        outcome = ledger.post(uow, transfer, now_ms=0)
        uow.commit()
    return outcome


def reserve(database: Database, transfer: Transfer) -> Outcome:
    with database.unit_of_work() as uow:
        outcome = ledger.reserve(uow, transfer, expires_at_ms=EXPIRES_AT_MS, now_ms=0)
        uow.commit()
    return outcome


def capture(database: Database, wanted: Capture, *, now_ms: int = 0) -> Outcome:
    with database.unit_of_work() as uow:
        outcome = ledger.capture(uow, wanted, now_ms=now_ms)
        uow.commit()
    return outcome


def release(database: Database, wanted: Release) -> Outcome:
    with database.unit_of_work() as uow:
        outcome = ledger.release(uow, wanted, now_ms=0)
        uow.commit()
    return outcome


def expire(database: Database, now_ms: int) -> tuple[str, ...]:
    with database.unit_of_work() as uow:
        expired = ledger.expire(uow, now_ms=now_ms)
        uow.commit()
    return expired


def standing(database: Database, account: Account) -> tuple[int, int]:
    """
    Return an account's balance and what of it is available.
    """
    with database.unit_of_work() as uow:
        ledger.audit(uow)
        state = ledger.account_state(uow, account.id)
    assert state is not None
    return state.balance_minor, state.available_minor
