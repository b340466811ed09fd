"""
Keep how wallets are filled from accounts elsewhere: references, mandates and collections.

Every function works within the unit of work that it is given. Nothing here decides: the flows do.
"""

from __future__ import annotations

from dataclasses import dataclass

from handsel.bank.orders import Sequence
from handsel.pay.money import Money
from handsel.store.database import UnitOfWork
from handsel.store.engine import Row

COLLECTIONS_READ_MAX = 50_000

_COLLECTION = "SELECT id, wallet_id, mandate_id, amount_minor, currency, sequence FROM collections"


@dataclass(frozen=True, repr=False)
class MandateRow:
    """
    Carry a mandate as it is stored; the account is `party_id`'s.
    """

    id: str
    wallet_id: str
    party_id: str
    consent_version: str
    signed_at_ms: int
    ended_at_ms: int | None


@dataclass(frozen=True, repr=False)
class CollectionRow:
    """
    Carry what is to be collected; `sequence` is known once it is in a file.
    """

    id: str
    wallet_id: str
    mandate_id: str
    money: Money
    sequence: Sequence | None


def add_reference(uow: UnitOfWork, reference: str, *, wallet_id: str, now_ms: int) -> bool:
    """
    Write a new reference of a wallet. Return False where it is taken.
    """
    added = uow.execute(
        "INSERT INTO bank_references (reference, wallet_id, made_at_ms) VALUES (?, ?, ?)"
        " ON CONFLICT (reference) DO NOTHING",
        *(reference, wallet_id, now_ms),
    )
    return added == 1


def newest_reference(uow: UnitOfWork, wallet_id: str) -> str | None:
    """
    Return the reference that a wallet shows, or None.
    """
    row = uow.row("SELECT reference FROM bank_references WHERE wallet_id = ? ORDER BY number DESC LIMIT 1", wallet_id)
    return str(row[0]) if row else None


def count_references(uow: UnitOfWork, wallet_id: str) -> int:
    """
    Return how many references a wallet has had.
    """
    row = uow.row("SELECT COUNT(*) FROM bank_references WHERE wallet_id = ?", wallet_id)
    return int(row[0]) if row else 0


def wallet_of_reference(uow: UnitOfWork, reference: str) -> str | None:
    """
    Return the wallet that a reference is of, also one that it does not show any more, or None.
    """
    row = uow.row("SELECT wallet_id FROM bank_references WHERE reference = ?", reference)
    return str(row[0]) if row else None


def add_mandate(uow: UnitOfWork, mandate: MandateRow) -> None:
    """
    Write a new mandate.
    """
    uow.execute(
        "INSERT INTO mandates (id, wallet_id, party_id, consent_version, signed_at_ms) VALUES (?, ?, ?, ?, ?)",
        *(mandate.id, mandate.wallet_id, mandate.party_id, mandate.consent_version, mandate.signed_at_ms),
    )


def find_mandate(uow: UnitOfWork, mandate_id: str) -> MandateRow | None:
    """
    Return a mandate, or None.
    """
    row = uow.row(
        "SELECT id, wallet_id, party_id, consent_version, signed_at_ms, ended_at_ms FROM mandates WHERE id = ?",
        mandate_id,
    )
    return MandateRow(*row) if row else None


def mandate_in_force(uow: UnitOfWork, wallet_id: str) -> MandateRow | None:
    """
    Return a wallet's mandate that has not ended, or None.
    """
    row = uow.row(
        "SELECT id, wallet_id, party_id, consent_version, signed_at_ms, ended_at_ms FROM mandates"
        " WHERE wallet_id = ? AND ended_at_ms IS NULL",
        wallet_id,
    )
    return MandateRow(*row) if row else None


def end_mandate(uow: UnitOfWork, wallet_id: str, *, now_ms: int) -> None:
    """
    Write that a wallet's mandate has ended, if it has one, and drop what waits to be collected under it.
    """
    uow.execute("DELETE FROM collections WHERE wallet_id = ? AND sequence IS NULL", wallet_id)
    uow.execute("UPDATE mandates SET ended_at_ms = ? WHERE wallet_id = ? AND ended_at_ms IS NULL", now_ms, wallet_id)


def parties_of_wallet(uow: UnitOfWork, wallet_id: str) -> tuple[str, ...]:
    """
    Return the ids under which accounts of a wallet's owner are kept: that of the latest transfer first.
    """
    rows = uow.rows(
        "SELECT party_id FROM bank_entries WHERE subject = ? AND party_id IS NOT NULL ORDER BY number DESC", wallet_id
    )
    rows += uow.rows("SELECT party_id FROM mandates WHERE wallet_id = ? ORDER BY signed_at_ms DESC", wallet_id)
    return tuple(dict.fromkeys(str(party_id) for (party_id,) in rows))


def add_collection(uow: UnitOfWork, collection: CollectionRow, *, now_ms: int) -> None:
    """
    Write what is to be collected.
    """
    uow.execute(
        "INSERT INTO collections (id, wallet_id, mandate_id, amount_minor, currency, asked_at_ms)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        *(collection.id, collection.wallet_id, collection.mandate_id, collection.money.amount_minor),
        *(collection.money.currency, now_ms),
    )


def find_collection(uow: UnitOfWork, collection_id: str) -> CollectionRow | None:
    """
    Return what was to be collected, or None.
    """
    row = uow.row(f"{_COLLECTION} WHERE id = ?", collection_id)
    return _collection(row) if row else None


def waiting_collections(uow: UnitOfWork) -> tuple[CollectionRow, ...]:
    """
    Return what is in no file yet, the oldest first.
    """
    rows = uow.rows(f"{_COLLECTION} WHERE sequence IS NULL ORDER BY asked_at_ms, id LIMIT ?", COLLECTIONS_READ_MAX)
    return tuple(map(_collection, rows))


def collections_of_wallet(uow: UnitOfWork, wallet_id: str, *, limit: int) -> tuple[tuple[CollectionRow, str], ...]:
    """
    Return what was to be collected for a wallet, newest first, each with where it stands: an order's state, or waiting.
    """
    rows = uow.rows(
        "SELECT c.id, c.wallet_id, c.mandate_id, c.amount_minor, c.currency, c.sequence, COALESCE(o.state, 'waiting')"
        " FROM collections c LEFT JOIN bank_orders o ON o.id = c.id WHERE c.wallet_id = ?"
        " ORDER BY c.asked_at_ms DESC, c.id LIMIT ?",
        *(wallet_id, limit),
    )
    return tuple((_collection(row[:-1]), str(row[-1])) for row in rows)


def was_collected(uow: UnitOfWork, mandate_id: str) -> bool:
    """
    Return whether a collection under a mandate is at the bank or was paid.
    """
    row = uow.row(
        "SELECT 1 FROM collections c JOIN bank_orders o ON o.id = c.id WHERE c.mandate_id = ?"
        " AND o.state IN ('ordered', 'done') LIMIT 1",
        mandate_id,
    )
    return row is not None


def mark_sequence(uow: UnitOfWork, collection_id: str, sequence: Sequence) -> None:
    """
    Write that a collection is in a file, and which of its mandate it is.
    """
    uow.execute("UPDATE collections SET sequence = ? WHERE id = ?", sequence.value, collection_id)


def _collection(row: Row) -> CollectionRow:
    collection_id, wallet_id, mandate_id, amount_minor, currency, sequence = row
    money = Money(amount_minor, currency)
    return CollectionRow(collection_id, wallet_id, mandate_id, money, Sequence(sequence) if sequence else None)
