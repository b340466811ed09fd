"""
Keep what the till must not forget: charges that were sent and whose end is not known, with the secrets of their notes;
charges that have reserved, with what opens the issuer's reply; and receipts that are sealed and still to be brought.

One private file, replaced as a whole: a crash leaves the old one or the new one. A charge is written before it is sent;
where that fails, it is not sent. No palm, vector or share is ever written. Refunds and enrolments are not kept: the
till holds nothing that their end depends on, and acquirer and issuer bring them to it by themselves.
"""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import msgspec
from msgspec.structs import replace

from handsel.errors import ConfigError, StoreCorrupt, StoreError, StoreFull, ensure
from handsel.keys import read_private_file, replace_private_file
from handsel.notes.mint import NoteSecret
from handsel.return_code import nonce_of, note_serial, order_id_of
from handsel.till.acquirer import ReceiptBrought
from handsel.till.action import ChargeAction

ENTRIES_MAX = 256  # Charges without an end; a till that has so many asks for a person.
RESERVED_MAX = 256  # Captured or given back some day; of more the oldest are given up. Each has less than 1 KB.
RECEIPTS_MAX = 64  # Sealed, and not brought; of more the oldest are given up. Each has at most 24 KB.
# Since 2, a secret holds what unblinds its note; since 3, there are receipts; since 4, a charge has a return code, and
# what has reserved is kept; since 5, its order id follows from its own id as well.
VERSION = 5
VERSIONS_READ = (2, 3, 4, 5)
OTHER_CODES = 4  # Of these versions and before, a code leads to no order any more: no receipt is sealed with it.
DIRECTORY_MODE = 0o700


class ChargeEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Keep one charge: what it pays, and what its notes are finished with; `reply_secret` opens the issuer's reply.

    Of `return_code` follows by which id the issuer knows the charge. One of before has none, and one id for all.
    """

    charge_id: str
    action: ChargeAction
    begun_ms: int
    secrets: tuple[NoteSecret, ...]
    reply_secret: bytes = b""
    return_code: str = ""

    @property
    def order_id(self) -> str:
        """
        Return the id by which the issuer knows the charge.
        """
        return order_id_of(self.return_code, charge_id=self.charge_id) if self.return_code else self.charge_id

    def serial_at(self, index: int) -> bytes:
        """
        Return the serial of the note that is asked for in place `index`.
        """
        return note_serial(nonce_of(self.return_code), charge_id=self.charge_id, index=index)

    def __repr__(self) -> str:
        """
        Return nothing of the entry.
        """
        return "ChargeEntry()"


class ReceiptEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Keep one receipt that is sealed and still to be brought. Nobody can read it here any more.
    """

    charge_id: str
    brought: ReceiptBrought
    sealed_ms: int

    def __repr__(self) -> str:
        """
        Return nothing of the entry.
        """
        return "ReceiptEntry()"


class _JournalFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    entries: tuple[ChargeEntry, ...]
    receipts: tuple[ReceiptEntry, ...] = ()
    reserved: tuple[ChargeEntry, ...] = ()


class Journal:
    """
    Keep the open charges of one till in the file at `path`. Safe for several threads; one process at a time.
    """

    def __init__(
        self,
        path: Path,
        entries: tuple[ChargeEntry, ...],
        receipts: tuple[ReceiptEntry, ...] = (),
        reserved: tuple[ChargeEntry, ...] = (),
    ) -> None:
        self._path = path
        self._entries = entries
        self._receipts = receipts
        self._reserved = reserved
        self._lock = threading.Lock()

    @classmethod
    def open(cls, path: Path) -> Journal:
        """
        Read the journal at `path`, or begin one; its directory is made where it is missing.

        Raises `ConfigError` where file or directory are open to others, `StoreCorrupt` where it is not a journal.
        """
        _require_private_directory(path.parent)
        if not path.exists():
            return cls(path, ())
        raw = read_private_file(path)
        try:
            held = msgspec.json.decode(raw, type=_JournalFile)
        except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
            raise StoreCorrupt(
                f"{path.name} cannot be read: keep a copy, it holds customers' money, then move it"
            ) from exc
        if held.version not in VERSIONS_READ:
            raise StoreCorrupt(f"{path.name} is of another version of Handsel: start the version that wrote it")
        if held.version <= OTHER_CODES:
            return cls(path, _without_codes(held.entries), held.receipts, _without_codes(held.reserved))
        return cls(path, held.entries, held.receipts, held.reserved)

    def entries(self) -> tuple[ChargeEntry, ...]:
        """
        Return the open charges, oldest first.
        """
        with self._lock:
            return self._entries

    def add(self, entry: ChargeEntry) -> None:
        """
        Write one more open charge; when this returns it is on disk. Raises `StoreFull` and `StoreError`.
        """
        with self._lock:
            if len(self._entries) >= ENTRIES_MAX:
                raise StoreFull("too many charges of this till have no end: ask the acquirer about them")
            ensure(all(held.charge_id != entry.charge_id for held in self._entries), "a charge is begun once")
            self._replace(entries=(*self._entries, entry))

    def reserved(self) -> tuple[ChargeEntry, ...]:
        """
        Return the charges that have reserved, and of whose end nothing is known yet, oldest first.
        """
        with self._lock:
            return self._reserved

    def move_to_reserved(self, charge_id: str) -> None:
        """
        Keep an open charge as one that has reserved. Raises `StoreFull` and `StoreError`; then it is still open.
        """
        with self._lock:
            moved = tuple(held for held in self._entries if held.charge_id == charge_id)
            reserved = (*self._reserved, *moved)[-RESERVED_MAX:]
            self._replace(entries=_without(self._entries, charge_id), reserved=reserved)

    def close(self, charge_id: str, receipt: ReceiptEntry | None = None) -> None:
        """
        Forget a charge that has ended, open or reserved, and keep its receipt in the same moment.

        Raises `StoreFull` and `StoreError`; then the charge is still in the file.
        """
        with self._lock:
            entries, reserved = _without(self._entries, charge_id), _without(self._reserved, charge_id)
            receipts = self._receipts if receipt is None else (*self._receipts, receipt)
            self._replace(entries=entries, receipts=receipts[-RECEIPTS_MAX:], reserved=reserved)

    def receipts(self) -> tuple[ReceiptEntry, ...]:
        """
        Return the receipts that are still to be brought, oldest first.
        """
        with self._lock:
            return self._receipts

    def drop_receipt(self, charge_id: str) -> None:
        """
        Forget a receipt that was brought, or is given up. Raises `StoreFull` and `StoreError`; then it is still there.
        """
        with self._lock:
            self._replace(receipts=tuple(held for held in self._receipts if held.charge_id != charge_id))

    def _replace(
        self,
        *,
        entries: tuple[ChargeEntry, ...] | None = None,
        receipts: tuple[ReceiptEntry, ...] | None = None,
        reserved: tuple[ChargeEntry, ...] | None = None,
    ) -> None:
        # The caller holds `_lock`. What is None stays as it is.
        entries = self._entries if entries is None else entries
        receipts = self._receipts if receipts is None else receipts
        reserved = self._reserved if reserved is None else reserved
        _write(self._path, _JournalFile(VERSION, entries, receipts, reserved))
        self._entries, self._receipts, self._reserved = entries, receipts, reserved


def _without_codes(entries: tuple[ChargeEntry, ...]) -> tuple[ChargeEntry, ...]:
    return tuple(replace(held, return_code="") for held in entries)


def _without(entries: tuple[ChargeEntry, ...], charge_id: str) -> tuple[ChargeEntry, ...]:
    return tuple(held for held in entries if held.charge_id != charge_id)


def _write(path: Path, held: _JournalFile) -> None:
    """
    Put `held` into the file at `path`, all or nothing. Raises `StoreFull`, `StoreError`.
    """
    try:
        replace_private_file(path, msgspec.json.encode(held))
    except StoreFull as exc:
        raise StoreFull("the till's disk is full: free some space, nothing was sent") from exc
    except StoreError as exc:
        raise StoreError(f"the till's {exc}") from exc


def _require_private_directory(directory: Path) -> None:
    try:
        directory.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
        mode = stat.S_IMODE(directory.stat().st_mode)
    except OSError as exc:
        raise ConfigError(f"the directory of the till's journal cannot be made: {exc.strerror}") from exc
    if mode & 0o077:
        raise ConfigError(f"the directory {directory.name} is open to others (mode {mode:o}): run chmod 700 on it")
