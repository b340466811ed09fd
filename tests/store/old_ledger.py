"""
Fill a ledger as the first version of its schema had it, with the statements that wrote it then.
"""

from __future__ import annotations

from pathlib import Path

from handsel.store.database import Database, UnitOfWork
from handsel.store.engine import Schema
from handsel.store.ledger_schema import LEDGER_SCHEMA

FIRST = Schema(LEDGER_SCHEMA.name, LEDGER_SCHEMA.migrations[:1])
PAID, REFUSED, CAPTURED, CAPTURE, HELD, RELEASED, RELEASE = (f"{place:032x}" for place in range(1, 8))
EXPIRES_AT_MS = 10_000


def fill_old_ledger(path: Path) -> None:
    """
    A source gave 500 to a wallet, in 100 parts; 70 were reserved and 50 of them captured, 20 reserved and released, and
    30 are reserved still. A payment of 9999 was refused.
    """
    database = Database.open(path, schemas=(FIRST,))
    with database.unit_of_work() as uow:
        for name, floor, values in (
            ("sandbox_funds:EUR", "none", (0, 500, 0, 0)),
            ("wallet:a", "zero", (500, 50, 0, 30)),
            ("notes_in_circulation:EUR", "zero", (50, 0, 30, 0)),
        ):
            uow.execute("INSERT INTO accounts VALUES (?, 'EUR', ?, 1, NULL, ?, ?, ?, ?)", name, floor, *values)
        insert = "INSERT INTO transfers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        for place in range(100):
            transfer_id = PAID if place == 0 else f"{1000 + place:032x}"
            source, wallet = "sandbox_funds:EUR", "wallet:a"
            uow.execute(insert, transfer_id, "post", source, wallet, 5, "EUR", "top_up", None, "done", 100 + place)
            for account, minor, left in ((source, -5, -5 * (place + 1)), (wallet, 5, 5 * (place + 1))):
                _enter(uow, (transfer_id, account, minor, "top_up", left, 100 + place))
        pair = ("wallet:a", "notes_in_circulation:EUR")
        uow.execute(insert, REFUSED, "post", *pair, 9999, "EUR", "payment", None, "insufficient_funds", 300)
        for reservation, minor, state in ((CAPTURED, 70, "captured"), (HELD, 30, "held"), (RELEASED, 20, "released")):
            uow.execute(insert, reservation, "reserve", *pair, minor, "EUR", "payment", None, "done", 400)
            uow.execute("INSERT INTO pending VALUES (?, ?, ?)", reservation, state, EXPIRES_AT_MS)
        uow.execute(insert, CAPTURE, "capture", None, None, 50, "EUR", None, CAPTURED, "done", 500)
        _enter(uow, (CAPTURE, "wallet:a", -50, "payment", 450, 500))
        _enter(uow, (CAPTURE, "notes_in_circulation:EUR", 50, "payment", 50, 500))
        uow.execute(insert, RELEASE, "release", None, None, None, None, None, RELEASED, "done", 500)
        uow.commit()
    database.close()


def _enter(uow: UnitOfWork, entry: tuple[str, str, int, str, int, int]) -> None:
    transfer_id, account, minor, code, left, at_ms = entry
    uow.execute(
        "INSERT INTO entries (transfer_id, account_id, amount_minor, currency, code, balance_after_minor, at_ms)"
        " VALUES (?, ?, ?, 'EUR', ?, ?, ?)",
        *(transfer_id, account, minor, code, left, at_ms),
    )
