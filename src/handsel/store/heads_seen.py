"""
Keep what was seen of other parties' heads: of each the newest, and the one that contradicts it, if one ever did.

Every function works within the unit of work that it is given. Nothing here decides: the flows do.
"""

from __future__ import annotations

import msgspec

from handsel.errors import StoreCorrupt, ensure
from handsel.proof.head import SignedHead
from handsel.store.database import UnitOfWork
from handsel.store.engine import Schema

_TABLES = """
-- Heads are kept as they were signed, so that they convict without this database.
CREATE TABLE heads_seen (
    name TEXT PRIMARY KEY,
    head BLOB NOT NULL,
    heard_at_ms INTEGER NOT NULL,
    contradicting BLOB,
    contradicted_at_ms INTEGER,
    CHECK ((contradicting IS NULL) = (contradicted_at_ms IS NULL))
);
"""

HEADS_SEEN_SCHEMA = Schema("heads_seen", (_TABLES,))


class SeenHeads(msgspec.Struct, frozen=True):
    """
    Carry the newest head of a party that was seen, and when the party was heard last. `contradicting` is a head that it
    signed as well and that does not go with that one.
    """

    name: str
    head: SignedHead
    heard_at_ms: int
    contradicting: SignedHead | None = None
    contradicted_at_ms: int | None = None


def find_seen(uow: UnitOfWork, name: str) -> SeenHeads | None:
    """
    Return what was seen of a party, or None. Raises `StoreCorrupt`.
    """
    row = uow.row("SELECT head, heard_at_ms, contradicting, contradicted_at_ms FROM heads_seen WHERE name = ?", name)
    if row is None:
        return None
    return SeenHeads(name, _read(row[0]), row[1], None if row[2] is None else _read(row[2]), row[3])


def save_seen(uow: UnitOfWork, name: str, head: SignedHead, *, now_ms: int) -> None:
    """
    Keep the newest head of a party in place of the one before, unless that is contradicted.
    """
    changed = uow.execute(
        "INSERT INTO heads_seen (name, head, heard_at_ms) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET"
        " head = excluded.head, heard_at_ms = excluded.heard_at_ms WHERE heads_seen.contradicting IS NULL",
        *(name, msgspec.json.encode(head), now_ms),
    )
    ensure(changed == 1, "what contradicts a head is kept")


def save_contradiction(uow: UnitOfWork, name: str, contradicting: SignedHead, *, now_ms: int) -> None:
    """
    Keep a head that contradicts the newest one of a party: the first, and for good.
    """
    changed = uow.execute(
        "UPDATE heads_seen SET contradicting = ?, contradicted_at_ms = ? WHERE name = ? AND contradicting IS NULL",
        *(msgspec.json.encode(contradicting), now_ms, name),
    )
    ensure(changed == 1, "the first head that contradicts another is kept")


def _read(raw: bytes) -> SignedHead:
    try:
        return msgspec.json.decode(raw, type=SignedHead)
    except msgspec.MsgspecError as exc:
        raise StoreCorrupt("a head that was seen cannot be read: restore the database from its backup") from exc
