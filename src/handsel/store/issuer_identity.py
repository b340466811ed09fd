"""
Keep what says who a person is, apart from everything else and sealed, so that it can be destroyed at any time.

Each kind of it (a name, a bank account, a mandate) is a row with a random key of its own, which is kept wrapped by the
*master key* from a file. To shred a row is to destroy its wrapped key: the row stays, and nobody can read it again. No
other table holds a name; they hold the random id of a wallet, or of somebody elsewhere who has paid into one, which
means nobody once its rows here are shredded. That is the *owner* of a row.

Why a row is kept is its *basis*: `service` is needed as long as the wallet is open, and goes with it; `law` has to be
kept for five years after that, and goes then (Regulation (EU) 2024/1624 Art. 77).
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from handsel.errors import BodyInvalid, ConfigError, StoreCorrupt, ensure
from handsel.keys import read_private_file, write_private_file
from handsel.store.database import UnitOfWork
from handsel.store.engine import Value

KEY_BYTES = 32  # AES-256
NONCE_BYTES = 12  # Of AES-GCM; random, and each key seals one row once.
CONTENT_BYTES_MAX = 4096
RETENTION_MS = 5 * 366 * 24 * 3600 * 1000  # Five years, and not a day less.
SHRED_BATCH_MAX = 100
_KIND = re.compile(r"[a-z][a-z_]{0,39}")


class Basis(StrEnum):
    """
    Say why something is kept.
    """

    SERVICE = "service"
    LAW = "law"


@dataclass(frozen=True, repr=False)
class IdentityRow:
    """
    Carry one kind of personal data, open; `purge_at_ms` is when it is shredded, None while the wallet is open.
    """

    kind: str
    content: str
    basis: Basis
    written_at_ms: int
    purge_at_ms: int | None


@dataclass(frozen=True)
class KeptRow:
    """
    Say that one kind of personal data is kept, and until when; None: while the wallet is open.
    """

    kind: str
    basis: Basis
    purge_at_ms: int | None


class Identities:
    """
    Seal and open personal data. It is a class in order to hold the master key, and to show it to nobody.
    """

    def __init__(self, master: bytes) -> None:
        ensure(len(master) == KEY_BYTES, "a master key has 32 bytes")
        self._master = AESGCM(master)

    def put(
        self,
        uow: UnitOfWork,
        owner_id: str,
        *,
        kind: str,
        content: str,
        basis: Basis,
        now_ms: int,
        purge_at_ms: int | None = None,
    ) -> None:
        """
        Keep one kind of personal data of an owner, in place of what was kept under it. Raises `BodyInvalid`.

        `purge_at_ms` is a day of its own on which it goes; without one, it goes as its basis says.
        """
        raw = content.encode()
        if not _KIND.fullmatch(kind) or not 0 < len(raw) <= CONTENT_BYTES_MAX:
            raise BodyInvalid(f"personal data has a kind, in lower case, and 1 to {CONTENT_BYTES_MAX} bytes")
        key = AESGCM.generate_key(bit_length=8 * KEY_BYTES)
        place = _place(owner_id, kind)
        uow.execute("DELETE FROM identities WHERE owner_id = ? AND kind = ?", owner_id, kind)
        uow.execute(
            "INSERT INTO identities (owner_id, kind, basis, sealed, wrapped_key, written_at_ms, purge_at_ms)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            *(owner_id, kind, basis.value, _seal(AESGCM(key), raw, place), _seal(self._master, key, place)),
            *(now_ms, purge_at_ms),
        )

    def get(self, uow: UnitOfWork, owner_id: str) -> tuple[IdentityRow, ...]:
        """
        Return all personal data of an owner that was not shredded. Raises `StoreCorrupt` where some does not open.
        """
        rows = uow.rows(
            "SELECT kind, basis, sealed, wrapped_key, written_at_ms, purge_at_ms FROM identities"
            " WHERE owner_id = ? AND wrapped_key IS NOT NULL ORDER BY kind",
            owner_id,
        )
        return tuple(
            IdentityRow(kind, self._open(owner_id, kind, sealed, wrapped), Basis(basis), written_at_ms, purge_at_ms)
            for kind, basis, sealed, wrapped, written_at_ms, purge_at_ms in rows
        )

    def contents(self, uow: UnitOfWork, owner_ids: Sequence[str], *, kind: str) -> dict[str, str]:
        """
        Return one kind of personal data of many owners, but for those of whom there is none or it was shredded.

        Raises `StoreCorrupt` where some does not open.
        """
        rows = uow.rows_in(
            "SELECT owner_id, kind, sealed, wrapped_key FROM identities WHERE owner_id IN (?)"
            " AND wrapped_key IS NOT NULL",
            owner_ids,
        )
        return {owner_id: self._open(owner_id, kind, *sealed) for owner_id, found, *sealed in rows if found == kind}

    def _open(self, owner_id: str, kind: str, sealed: bytes, wrapped: bytes) -> str:
        place = _place(owner_id, kind)
        try:
            key = _unseal(self._master, wrapped, place)
            return _unseal(AESGCM(key), sealed, place).decode()
        except (InvalidTag, ValueError) as exc:
            raise StoreCorrupt("personal data does not open: is this the identities.key it was sealed with?") from exc


def kept_of(uow: UnitOfWork, *owner_ids: str) -> tuple[KeptRow, ...]:
    """
    Return what personal data of owners is kept, and until when, without opening it: what is the same, once.
    """
    rows = uow.rows_in(
        "SELECT kind, basis, purge_at_ms FROM identities WHERE owner_id IN (?) AND wrapped_key IS NOT NULL", owner_ids
    )
    return tuple(KeptRow(kind, Basis(basis), purge_at_ms) for kind, basis, purge_at_ms in sorted(set(rows), key=str))


def was_put(uow: UnitOfWork, owner_id: str, *, kind: str) -> bool:
    """
    Return whether one kind of personal data of an owner was ever kept, also where it is shredded.
    """
    return uow.row("SELECT 1 FROM identities WHERE owner_id = ? AND kind = ?", owner_id, kind) is not None


def keep_by_law(uow: UnitOfWork, owner_id: str) -> None:
    """
    Write that the law has kept what was kept for the service alone: its owner has turned out to be a customer.
    """
    uow.execute("UPDATE identities SET basis = 'law' WHERE owner_id = ? AND wrapped_key IS NOT NULL", owner_id)


def shred(uow: UnitOfWork, owner_id: str, *, kind: str, now_ms: int) -> None:
    """
    Shred one kind of personal data that is no longer needed. Raises `BodyInvalid` where the law has it kept.
    """
    if any(row.kind == kind and row.basis is Basis.LAW for row in kept_of(uow, owner_id)):
        raise BodyInvalid("the law has this kept until its day: it goes by itself then")
    _shred(uow, "owner_id = ? AND kind = ?", owner_id, kind, now_ms=now_ms)


def end_service(uow: UnitOfWork, owner_id: str, *, ended_at_ms: int, now_ms: int) -> None:
    """
    Shred at once what was kept for the service alone, and say when the rest goes: `RETENTION_MS` after the end.

    Doing it again changes nothing: the first date stands.
    """
    _shred(uow, "owner_id = ? AND basis = 'service'", owner_id, now_ms=now_ms)
    uow.execute(
        "UPDATE identities SET purge_at_ms = ? WHERE owner_id = ? AND wrapped_key IS NOT NULL AND purge_at_ms IS NULL",
        *(ended_at_ms + RETENTION_MS, owner_id),
    )


def shred_due(uow: UnitOfWork, *, now_ms: int) -> int:
    """
    Shred what need not be kept any longer, at most `SHRED_BATCH_MAX` rows; return how many.
    """
    due = uow.rows(
        "SELECT owner_id, kind FROM identities WHERE wrapped_key IS NOT NULL AND purge_at_ms <= ?"
        " ORDER BY purge_at_ms LIMIT ?",
        *(now_ms, SHRED_BATCH_MAX),
    )
    for owner_id, kind in due:
        _shred(uow, "owner_id = ? AND kind = ?", owner_id, kind, now_ms=now_ms)
    return len(due)


def open_master_key(path: Path, *, is_new: bool) -> bytes:
    """
    Read the master key; where `is_new`, because nothing was ever sealed, it is made. Raises `ConfigError`.
    """
    if is_new and not path.exists():
        write_private_file(path, AESGCM.generate_key(bit_length=8 * KEY_BYTES))
    master = read_private_file(path)
    if len(master) != KEY_BYTES:
        raise ConfigError(f"{path.name} is not a master key: restore it from its backup")
    return master


def has_identities(uow: UnitOfWork) -> bool:
    """
    Return whether there is personal data that can be read.
    """
    return uow.row("SELECT 1 FROM identities WHERE wrapped_key IS NOT NULL LIMIT 1") is not None


def _shred(uow: UnitOfWork, which: str, *values: Value, now_ms: int) -> None:
    uow.execute(
        f"UPDATE identities SET wrapped_key = NULL, shredded_at_ms = ? WHERE {which} AND wrapped_key IS NOT NULL",  # noqa: S608
        now_ms,
        *values,
    )


def _place(owner_id: str, kind: str) -> bytes:
    # What is sealed for one wallet does not open in the row of another.
    return f"handsel/v1/identity\0{owner_id}\0{kind}".encode()


def _seal(key: AESGCM, content: bytes, place: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + key.encrypt(nonce, content, place)


def _unseal(key: AESGCM, sealed: bytes, place: bytes) -> bytes:
    return key.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place)
