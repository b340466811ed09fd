"""
Keep what the till must not forget: charges that were sent and whose end is not known, with the secrets of their notes.

One private file, replaced as a whole: a crash leaves the old one or the new one. A charge is written before it is sent;
where that fails, it is not sent. No palm, vector or share is ever written. Refunds and enrolments are not kept: the
till holds nothing that their end depends on, and acquirer and issuer bring them to it by themselves.
"""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import msgspec

from handsel.errors import ConfigError, StoreCorrupt, StoreError, StoreFull, ensure
from handsel.keys import read_private_file, replace_private_file
from handsel.notes.mint import NoteSecret
from handsel.till.action import ChargeAction

ENTRIES_MAX = 256  # Charges without an end; a till that has so many asks for a person.
VERSION = 2  # Since 2, a secret holds what unblinds its note.
DIRECTORY_MODE = 0o700


class ChargeEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Keep one charge: what it pays, and what its notes are finished with.
    """

    charge_id: str
    action: ChargeAction
    begun_ms: int
    secrets: tuple[NoteSecret, ...]

    def __repr__(self) -> str:
        """
        Return nothing of the entry.
        """
        return "ChargeEntry()"


class _JournalFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    entries: tuple[ChargeEntry, ...]


class Journal:
    """
    Keep the open charges of one till in the file at `path`. Safe for several threads; one process at a time.
    """

    def __init__(self, path: Path, entries: tuple[ChargeEntry, ...]) -> None:
        self._path = path
        self._entries = entries
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
        if held.version != VERSION:
            raise StoreCorrupt(f"{path.name} is of another version of Handsel: start the version that wrote it")
        return cls(path, held.entries)

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
            entries = (*self._entries, entry)
            _replace(self._path, entries)
            self._entries = entries

    def close(self, charge_id: str) -> None:
        """
        Forget a charge that has ended. Raises `StoreFull` and `StoreError`; then it is still in the file.
        """
        with self._lock:
            entries = tuple(held for held in self._entries if held.charge_id != charge_id)
            _replace(self._path, entries)
            self._entries = entries


def _replace(path: Path, entries: tuple[ChargeEntry, ...]) -> None:
    """
    Put `entries` into the file at `path`, all or nothing. Raises `StoreFull`, `StoreError`.
    """
    try:
        replace_private_file(path, msgspec.json.encode(_JournalFile(VERSION, entries)))
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
