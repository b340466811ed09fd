"""
Keep one matcher's rows on disk: its shares of enrolled palms, and what became of each enrolment.

1. A row goes pending → active → erased and never back, so two copies of its story always have a later one.
2. A change is on disk (SQLite, WAL, synchronous=FULL) before anybody is told; then the arrays in memory are exchanged
   for new ones. A query goes on with those it began with.
3. An erased row keeps its id and loses its shares: they are overwritten in the file and in its log.
4. Every row carries a checksum. One that does not fit stops the matcher at its start: no answer beats a wrong one.

The directory is for its owner alone and for one process at a time.

LIMITATIONS
All shares are held in memory too, and a change copies the arrays. Nothing here encrypts the file.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handsel.errors import ConfigError, GalleriesDiffer, GalleryCorrupt, GalleryFull, IdReused, NotFound
from handsel.ids import ID_BYTES
from handsel.matching.entry import ACTIVE, ERASED, PENDING, Entry
from handsel.matching.gallery_file import open_file, translated
from handsel.matching.message import ALIAS_BYTES
from handsel.matching.rows import Row, Rows

PENDING_S_MAX = 3600  # An enrolment that its issuer has not committed by then is dropped.
_FIELDS = "enrolment_id, state, position, kept_at_ms, template, own, pair, checksum"


@dataclass(frozen=True, repr=False)
class Shares:
    """
    Hold one matcher's shares of one palm (D words of 16 bits, little-endian) and of its alias (16 bytes each).
    """

    template: bytes
    own: bytes
    pair: bytes


@dataclass(frozen=True, repr=False)
class _Kept:
    """
    Hold one row as it is on disk. The shares are empty once it is erased.
    """

    enrolment_id: bytes
    state: int
    position: int | None
    kept_at_ms: int
    shares: Shares | None

    def checksum(self) -> bytes:
        shares = self.shares or Shares(b"", b"", b"")
        story = f"{self.state}/{self.position}/{self.kept_at_ms}/{len(shares.template)}/".encode()
        content = self.enrolment_id + story + shares.template + shares.own + shares.pair
        return hashlib.sha256(b"handsel/v1/gallery-row\0" + content).digest()

    def fields(self) -> tuple[object, ...]:
        story = (self.enrolment_id, self.state, self.position, self.kept_at_ms)
        if self.shares is None:
            return (*story, None, None, None, self.checksum())
        return (*story, self.shares.template, self.shares.own, self.shares.pair, self.checksum())


class Gallery:
    """
    Keep the rows of one matcher in its directory. Safe for several threads.
    """

    def __init__(self, directory: Path, *, dims: int, palms_max: int) -> None:
        """
        Open the gallery, or make an empty one, and read all its rows.

        Raises `ConfigError` where the directory is open to others or in use, or holds more than `palms_max` palms, and
        `GalleryCorrupt` where a row is damaged.
        """
        self._dims, self._palms_max = dims, palms_max
        self._lock = threading.Lock()
        self._connection = open_file(directory)
        try:
            self._rows = self._read_active()
            if self._rows.count > palms_max:
                raise ConfigError(
                    f"the gallery holds {self._rows.count} palms and palms_max is {palms_max}: plan the gallery anew "
                    "with `handsel capacity`, and write its threshold and palms_max into the settings of all parties"
                )
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """
        Close the file.
        """
        with self._lock:
            self._connection.close()

    def rows(self) -> Rows:
        """
        Return the active rows as they are now; what is returned never changes.
        """
        with self._lock:
            return self._rows

    def entries(self) -> tuple[Entry, ...]:
        """
        Return the state and position of every enrolment that this matcher knows.
        """
        with self._lock:
            found = self._select("SELECT enrolment_id, state, position FROM rows ORDER BY enrolment_id")
            return tuple(Entry(*fields) for fields in found)

    def require_enrollable(self, enrolment_id: bytes, shares: Shares) -> None:
        """
        Refuse an enrolment that has come to its end, or that was begun with other shares. Raises `IdReused`.
        """
        with self._lock:
            self._require_enrollable(enrolment_id, shares)

    def keep_pending(self, enrolments: Iterable[tuple[bytes, Shares]], *, now_ms: int) -> None:
        """
        Keep the shares of new enrolments until the issuer commits them; those kept already stay as they are.

        Raises `IdReused`, `StoreFull`, `StoreError`; then nothing was changed.
        """
        with self._lock, self._transaction():
            for enrolment_id, shares in enrolments:
                self._require_lengths(shares)
                if self._require_enrollable(enrolment_id, shares) is None:
                    self._write(_Kept(enrolment_id, PENDING, None, now_ms, shares))

    def commit(self, enrolment_id: bytes, *, position: int) -> None:
        """
        Make a pending row active, at `position`; one that is active there already stays so.

        Raises `NotFound` where no such row waits, `IdReused` where it, or another one, has another position,
        `GalleryFull` where one more is too many, as while an erasure has not come here yet.
        """
        with self._lock:
            kept = self._find(enrolment_id)
            if kept is None or kept.state == ERASED:
                raise NotFound("no pending enrolment has that id")
            if kept.state == ACTIVE:
                if kept.position != position:
                    raise IdReused("the enrolment was committed before, at another position")
                return
            if self._rows.count >= self._palms_max:
                raise GalleryFull("the gallery holds as many palms as it may: erase one first")
            with self._transaction():
                active = self._activate(kept, position)
            self._rows = self._rows.with_row(active)

    def abort(self, enrolment_id: bytes, *, now_ms: int) -> None:
        """
        End an enrolment that was never committed, whether or not it has come here yet.

        Raises `NotFound` where it is active.
        """
        with self._lock:
            kept = self._find(enrolment_id)
            if kept is not None and kept.state == ACTIVE:
                raise NotFound("no pending enrolment has that id")
            self._erase_all([enrolment_id], now_ms=now_ms)

    def erase(self, enrolment_id: bytes, *, now_ms: int) -> None:
        """
        Overwrite the shares of an enrolment, in whatever state it is, and keep only that it was erased.
        """
        with self._lock:
            self._erase_all([enrolment_id], now_ms=now_ms)

    def advance(self, entries: Iterable[Entry], *, now_ms: int) -> None:
        """
        Bring rows to a later state that they have reached at a peer.

        Raises `GalleriesDiffer` where a row is active there and has never been here, or its position is taken.
        """
        with self._lock:
            found = [(entry, self._find(entry.enrolment_id)) for entry in entries]
            later = [(entry, kept) for entry, kept in found if kept is None or entry.state > kept.state]
            if erased := [entry.enrolment_id for entry, _ in later if entry.state == ERASED]:
                self._erase_all(erased, now_ms=now_ms)
            if activated := [(entry, kept) for entry, kept in later if entry.state == ACTIVE]:
                with self._transaction():
                    for entry, kept in activated:
                        self._advance_active(entry, kept)
                self._rows = self._read_active()

    def drop_expired(self, *, now_ms: int) -> None:
        """
        Drop the pending rows that are too old.

        To be called only when all three matchers have just been seen to hold the same active rows: else one that a peer
        holds as committed could be dropped here.
        """
        oldest_ms = now_ms - PENDING_S_MAX * 1000
        with self._lock:
            if self._select("SELECT 1 FROM rows WHERE state = 1 AND kept_at_ms < ? LIMIT 1", oldest_ms):
                with self._transaction():
                    self._connection.execute("DELETE FROM rows WHERE state = 1 AND kept_at_ms < ?", (oldest_ms,))
                self._forget_log()

    def _require_lengths(self, shares: Shares) -> None:
        if len(shares.template) != 2 * self._dims or len(shares.own) != ALIAS_BYTES or len(shares.pair) != ALIAS_BYTES:
            raise GalleryCorrupt("the shares of an enrolment have another length than this gallery's rows")

    def _require_enrollable(self, enrolment_id: bytes, shares: Shares) -> _Kept | None:
        kept = self._find(enrolment_id)
        if kept is not None and (kept.state != PENDING or kept.shares != shares):
            raise IdReused("that enrolment id was used before: begin a new enrolment")
        return kept

    def _find(self, enrolment_id: bytes) -> _Kept | None:
        query = f"SELECT {_FIELDS} FROM rows WHERE enrolment_id = ?"  # noqa: S608 - constant names
        found = self._select(query, enrolment_id)
        return self._checked(found[0]) if found else None

    def _read_active(self) -> Rows:
        """
        Return the active rows, having checked every row that there is.
        """
        count = self._select("SELECT count(*) FROM rows WHERE state = 2")[0][0]
        active = (_row(kept) for kept in self._each() if kept.state == ACTIVE)
        return Rows.build(active, count=count, dims=self._dims)

    def _each(self) -> Iterator[_Kept]:
        # In two queries, each of which walks an index: to sort all rows would spill shares into a temporary file.
        for which in ("position IS NOT NULL ORDER BY position", "position IS NULL"):
            with translated():
                for fields in self._connection.execute(f"SELECT {_FIELDS} FROM rows WHERE {which}"):  # noqa: S608
                    yield self._checked(fields)

    def _checked(self, fields: tuple[object, ...]) -> _Kept:
        kept = _kept(fields)
        if kept.checksum() != fields[-1]:
            raise GalleryCorrupt("a row of the gallery does not fit its checksum: restore the file from its backup")
        if kept.shares is not None:
            self._require_lengths(kept.shares)
        return kept

    def _write(self, kept: _Kept) -> None:
        marks = ", ".join("?" * len(kept.fields()))
        query = f"INSERT OR REPLACE INTO rows ({_FIELDS}) VALUES ({marks})"  # noqa: S608 - constant names
        self._connection.execute(query, kept.fields())

    def _activate(self, kept: _Kept, position: int) -> Row:
        if self._select("SELECT 1 FROM rows WHERE position = ?", position):
            raise IdReused("another enrolment has that position")
        active = _Kept(kept.enrolment_id, ACTIVE, position, kept.kept_at_ms, kept.shares)
        self._write(active)
        return _row(active)

    def _advance_active(self, entry: Entry, kept: _Kept | None) -> None:
        if kept is None or entry.position is None:
            raise GalleriesDiffer(
                "a peer holds an enrolment that never came here: restore this gallery or erase it there"
            )
        try:
            self._activate(kept, entry.position)
        except IdReused as exc:
            raise GalleriesDiffer("a peer holds another row at a position that is taken here") from exc

    def _erase_all(self, enrolment_ids: list[bytes], *, now_ms: int) -> None:
        kept = [(enrolment_id, self._find(enrolment_id)) for enrolment_id in enrolment_ids]
        alive = [(enrolment_id, row) for enrolment_id, row in kept if row is None or row.state != ERASED]
        with self._transaction():
            for enrolment_id, row in alive:
                self._write(_Kept(enrolment_id, ERASED, None, row.kept_at_ms if row else now_ms, None))
        for enrolment_id, row in alive:
            if row is not None and row.state == ACTIVE:
                self._rows = self._rows.without_row(enrolment_id)
        self._forget_log()  # Also where nothing was left to erase: an earlier time may have failed just before this.

    def _forget_log(self) -> None:
        # The write-ahead log still holds pages with what was erased: empty it. secure_delete has cleared the file.
        self._select("PRAGMA wal_checkpoint(TRUNCATE)")

    def _select(self, query: str, *values: object) -> list[Any]:
        with translated():
            found: list[Any] = self._connection.execute(query, values).fetchall()
        return found

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            with translated():
                self._connection.execute("BEGIN IMMEDIATE")
            with translated():
                yield
                self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise


def _kept(fields: tuple[object, ...]) -> _Kept:
    match fields:
        case (bytes(enrolment_id), int(state), int() | None as position, int(kept_at_ms), template, own, pair, bytes()):
            pass
        case _:
            raise GalleryCorrupt("a row of the gallery does not have its form: restore the file from its backup")
    if len(enrolment_id) != ID_BYTES or state not in (PENDING, ACTIVE, ERASED):
        raise GalleryCorrupt("a row of the gallery does not have its form: restore the file from its backup")
    match (template, own, pair):
        case (bytes(), bytes(), bytes()):
            return _Kept(enrolment_id, state, position, kept_at_ms, Shares(template, own, pair))
        case (None, None, None):
            return _Kept(enrolment_id, state, position, kept_at_ms, None)
    raise GalleryCorrupt("a row of the gallery has lost a part of its shares: restore the file from its backup")


def _row(kept: _Kept) -> Row:
    if kept.shares is None or kept.position is None:
        raise GalleryCorrupt("an active row of the gallery has no shares: restore the file from its backup")
    return Row(kept.enrolment_id, kept.position, kept.shares.template, kept.shares.own, kept.shares.pair)
