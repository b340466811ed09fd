"""
Open the issuer's database, and keep its wallets, the consents given in them, and the codes that lead a palm to them.

Every function works within the unit of work that it is given. Nothing here decides: the flows do.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from handsel.order import Way
from handsel.store.asking import ASKING_SCHEMA
from handsel.store.bank_schema import BANK_SCHEMA
from handsel.store.database import Database, UnitOfWork
from handsel.store.heads_seen import HEADS_SEEN_SCHEMA
from handsel.store.issuer_note import watch_circulation
from handsel.store.issuer_schema import ISSUER_SCHEMA
from handsel.store.ledger_schema import LEDGER_SCHEMA
from handsel.store.tree_schema import TREE_SCHEMA

CONSENTS_READ_MAX = 100
SCHEMAS = (LEDGER_SCHEMA, ISSUER_SCHEMA, ASKING_SCHEMA, TREE_SCHEMA, BANK_SCHEMA, HEADS_SEEN_SCHEMA)


@dataclass(frozen=True, repr=False)
class WalletRow:
    """
    Carry a wallet as it is stored.
    """

    id: str
    currency: str
    opened_at_ms: int
    closed_at_ms: int | None

    @property
    def is_closed(self) -> bool:
        """
        Return whether the wallet was closed.
        """
        return self.closed_at_ms is not None


@dataclass(frozen=True, repr=False)
class ConsentRow:
    """
    Carry a consent: to which text and way, when it was given and, where it was, when it was withdrawn.
    """

    version: str
    given_at_ms: int
    withdrawn_at_ms: int | None
    way: str


@dataclass(frozen=True, repr=False)
class CodeRow:
    """
    Carry an enrolment code as it is stored.
    """

    wallet_id: str
    expires_at_ms: int
    used_at_ms: int | None
    wrong_attempts: int


def open_issuer_database(path: Path, *, url: str = "") -> Database:
    """
    Open the issuer's database: the file at `path`, made if there is none, or the PostgreSQL database at `url`.

    Raises `ConfigError`, `StoreError` and `StoreCorrupt`.
    """
    return Database.open(path, url=url, schemas=SCHEMAS, rules=(watch_circulation,))


def add_wallet(uow: UnitOfWork, wallet_id: str, *, key_digest: bytes, currency: str, now_ms: int) -> None:
    """
    Write a new wallet.
    """
    uow.execute(
        "INSERT INTO wallets (id, key_digest, currency, opened_at_ms) VALUES (?, ?, ?, ?)",
        *(wallet_id, key_digest, currency, now_ms),
    )


def find_wallet(uow: UnitOfWork, wallet_id: str) -> WalletRow | None:
    """
    Return a wallet, or None.
    """
    row = uow.row("SELECT id, currency, opened_at_ms, closed_at_ms FROM wallets WHERE id = ?", wallet_id)
    return WalletRow(*row) if row else None


def wallet_of_key(uow: UnitOfWork, key_digest: bytes) -> str | None:
    """
    Return the id of the wallet whose key has that SHA-256 digest, or None.
    """
    row = uow.row("SELECT id FROM wallets WHERE key_digest = ?", key_digest)
    return str(row[0]) if row else None


def mark_wallet_closed(uow: UnitOfWork, wallet_id: str, *, now_ms: int) -> None:
    """
    Close a wallet; the time of the first closing stands.
    """
    uow.execute("UPDATE wallets SET closed_at_ms = COALESCE(closed_at_ms, ?) WHERE id = ?", now_ms, wallet_id)


def forget_owner(uow: UnitOfWork, wallet_id: str) -> None:
    """
    Remove whatever leads from a person to a wallet: its key, its consents and its codes.
    """
    uow.execute("UPDATE wallets SET key_digest = NULL WHERE id = ?", wallet_id)
    uow.execute("DELETE FROM consents WHERE wallet_id = ?", wallet_id)
    uow.execute("DELETE FROM enrolment_codes WHERE wallet_id = ?", wallet_id)


def add_consent(uow: UnitOfWork, wallet_id: str, *, version: str, way: Way, now_ms: int) -> None:
    """
    Write that a consent to one way was given.
    """
    uow.execute(
        "INSERT INTO consents (wallet_id, version, way, given_at_ms) VALUES (?, ?, ?, ?)",
        *(wallet_id, version, str(way), now_ms),
    )


def withdraw_consent(uow: UnitOfWork, wallet_id: str, *, way: Way, now_ms: int) -> None:
    """
    Write that the consent to one way was withdrawn, if there is one in force.
    """
    uow.execute(
        "UPDATE consents SET withdrawn_at_ms = ? WHERE wallet_id = ? AND way = ? AND withdrawn_at_ms IS NULL",
        *(now_ms, wallet_id, str(way)),
    )


def consents_of(uow: UnitOfWork, wallet_id: str) -> tuple[ConsentRow, ...]:
    """
    Return the consents of a wallet, newest first.
    """
    rows = uow.rows(
        "SELECT version, given_at_ms, withdrawn_at_ms, way FROM consents WHERE wallet_id = ?"
        " ORDER BY number DESC LIMIT ?",
        *(wallet_id, CONSENTS_READ_MAX),
    )
    return tuple(ConsentRow(*row) for row in rows)


def consent_in_force(uow: UnitOfWork, wallet_id: str, *, way: Way) -> str | None:
    """
    Return the version of the consent to one way that is in force, or None.
    """
    row = uow.row(
        "SELECT version FROM consents WHERE wallet_id = ? AND way = ? AND withdrawn_at_ms IS NULL", wallet_id, str(way)
    )
    return str(row[0]) if row else None


def replace_code(uow: UnitOfWork, code: str, *, wallet_id: str, expires_at_ms: int) -> bool:
    """
    Write a wallet's new enrolment code in place of its old one. Return False where the code is another wallet's.
    """
    uow.execute("DELETE FROM enrolment_codes WHERE wallet_id = ?", wallet_id)
    added = uow.execute(
        "INSERT INTO enrolment_codes (code, wallet_id, expires_at_ms) VALUES (?, ?, ?) ON CONFLICT (code) DO NOTHING",
        *(code, wallet_id, expires_at_ms),
    )
    return added == 1


def find_code(uow: UnitOfWork, code: str) -> CodeRow | None:
    """
    Return an enrolment code, or None.
    """
    row = uow.row(
        "SELECT wallet_id, expires_at_ms, used_at_ms, wrong_attempts FROM enrolment_codes WHERE code = ?", code
    )
    return CodeRow(*row) if row else None


def mark_code_used(uow: UnitOfWork, code: str, *, now_ms: int) -> None:
    """
    Write that a code was used.
    """
    uow.execute("UPDATE enrolment_codes SET used_at_ms = ? WHERE code = ?", now_ms, code)


def count_wrong_code(uow: UnitOfWork, *, prefix: str, now_ms: int) -> None:
    """
    Count a wrong code for the issuer as a whole, and against the codes that begin with the same digits.
    """
    uow.execute("INSERT INTO wrong_codes (at_ms) VALUES (?)", now_ms)
    uow.execute(
        "UPDATE enrolment_codes SET wrong_attempts = wrong_attempts + 1 WHERE substr(code, 1, CAST(? AS INTEGER)) = ?",
        *(len(prefix), prefix),
    )


def wrong_codes_since(uow: UnitOfWork, since_ms: int) -> int:
    """
    Return how many wrong codes were tried after `since_ms`, and forget the older ones.
    """
    uow.execute("DELETE FROM wrong_codes WHERE at_ms <= ?", since_ms)
    row = uow.row("SELECT COUNT(*) FROM wrong_codes")
    return int(row[0]) if row else 0


def forget_codes(uow: UnitOfWork, *, expired_before_ms: int) -> None:
    """
    Remove codes that have been of no use for long.
    """
    uow.execute("DELETE FROM enrolment_codes WHERE expires_at_ms < ?", expired_before_ms)
