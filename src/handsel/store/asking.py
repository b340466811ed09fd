"""
Keep how often, and how often in vain, a till has asked its acquirer with palms, or an acquirer the issuer.

There is one row for each who asks, and none that says anything of a palm, a wallet or a person. There must never be.
"""

from __future__ import annotations

from handsel.pay.asking import Asking
from handsel.store.database import UnitOfWork
from handsel.store.engine import Schema

_TABLES = """
CREATE TABLE asking (
    who TEXT PRIMARY KEY,
    minute_from_ms INTEGER NOT NULL,
    minute_asked INTEGER NOT NULL,
    day_from_ms INTEGER NOT NULL,
    day_asked INTEGER NOT NULL,
    recent TEXT NOT NULL,
    asked_ms INTEGER NOT NULL,
    locks INTEGER NOT NULL,
    locked_until_ms INTEGER NOT NULL
);
"""

ASKING_SCHEMA = Schema("asking", (_TABLES,))


def find_asking(uow: UnitOfWork, who: str) -> Asking:
    """
    Return what is known of who asks: nothing, at first.
    """
    row = uow.row(
        "SELECT minute_from_ms, minute_asked, day_from_ms, day_asked, recent, asked_ms, locks, locked_until_ms"
        " FROM asking WHERE who = ?",
        who,
    )
    return Asking(*row) if row else Asking()


def save_asking(uow: UnitOfWork, who: str, asking: Asking) -> None:
    """
    Keep what is known of who asks, in place of what was.
    """
    uow.execute(
        "INSERT INTO asking (who, minute_from_ms, minute_asked, day_from_ms, day_asked, recent, asked_ms, locks,"
        " locked_until_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (who) DO UPDATE SET"
        " minute_from_ms = excluded.minute_from_ms, minute_asked = excluded.minute_asked,"
        " day_from_ms = excluded.day_from_ms, day_asked = excluded.day_asked, recent = excluded.recent,"
        " asked_ms = excluded.asked_ms, locks = excluded.locks, locked_until_ms = excluded.locked_until_ms",
        *(who, asking.minute_from_ms, asking.minute_asked, asking.day_from_ms, asking.day_asked),
        *(asking.recent, asking.asked_ms, asking.locks, asking.locked_until_ms),
    )
