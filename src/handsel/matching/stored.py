"""
Read and write the rows of a gallery's database, each of them checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from handsel.errors import GalleryCorrupt
from handsel.matching.buckets import Buckets, Tally, bounds_of
from handsel.matching.entry import Entry
from handsel.matching.gallery_file import open_file, translated
from handsel.matching.kept import FIELDS, Kept, Shares, kept_of
from handsel.matching.message import ALIAS_BYTES
from handsel.matching.signed_order import SignedOrder

_MARKS = ", ".join("?" * len(FIELDS.split(", ")))


class Stored:
    """
    Hold the open database of one gallery, whose palms have `dims` coordinates. Not safe for several threads.
    """

    def __init__(self, directory: Path, *, dims: int) -> None:
        """
        Open the database, or make an empty one. Raises `ConfigError`, `GalleryCorrupt`, `StoreError`.
        """
        self._dims = dims
        self._connection = open_file(directory)
        self._tally = Tally()

    def close(self) -> None:
        """
        Close it.
        """
        self._connection.close()

    def find(self, enrolment_id: bytes) -> Kept | None:
        """
        Return the row of an enrolment. Raises `GalleryCorrupt`.
        """
        query = f"SELECT {FIELDS} FROM rows WHERE enrolment_id = ?"  # noqa: S608 - constant names
        found = self.select(query, enrolment_id)
        return self._checked(found[0]) if found else None

    def each(self, which: str) -> Iterator[Kept]:
        """
        Yield the rows for which a condition holds. Raises `GalleryCorrupt`.
        """
        with translated():
            for fields in self._connection.execute(f"SELECT {FIELDS} FROM rows WHERE {which}"):  # noqa: S608
                yield self._checked(fields)

    def write(self, kept: Kept) -> None:
        """
        Write a row, instead of the one that its enrolment had.
        """
        query = f"INSERT OR REPLACE INTO rows ({FIELDS}) VALUES ({_MARKS})"  # noqa: S608 - constant names
        self._connection.execute(query, kept.fields())
        self._tally.note(kept.enrolment_id)

    def stage(self, rows: Sequence[Kept]) -> None:
        """
        Write rows that are to be restored, and do not count yet.
        """
        query = f"INSERT OR REPLACE INTO restored ({FIELDS}) VALUES ({_MARKS})"  # noqa: S608 - constant names
        self._connection.executemany(query, (row.fields() for row in rows))

    def is_staged(self, enrolment_id: bytes) -> bool:
        """
        Return whether a row is to be restored.
        """
        return bool(self.select("SELECT 1 FROM restored WHERE enrolment_id = ?", enrolment_id))

    def note_all(self) -> None:
        """
        Note that any row may have changed.
        """
        self._tally.note_all()

    def buckets(self) -> Buckets:
        """
        Return the digests of all buckets of enrolments. Raises `StoreError`.
        """
        story = "SELECT enrolment_id, state, position FROM rows WHERE state > 1"
        query = f"{story} AND enrolment_id >= ? AND enrolment_id < ?"
        return self._tally.buckets(lambda first, end: self.select(query, first, end))

    def entry(self, enrolment_id: bytes) -> Entry | None:
        """
        Return what is known of an enrolment. Raises `StoreError`.
        """
        found = self._entries("enrolment_id = ?", enrolment_id)
        return found[0] if found else None

    def entries(self, bucket: int) -> list[Entry]:
        """
        Return what is known of every enrolment in a bucket. Raises `StoreError`.
        """
        return self._entries("enrolment_id >= ? AND enrolment_id < ?", *bounds_of(bucket))

    def _entries(self, which: str, *values: bytes) -> list[Entry]:
        fields = "enrolment_id, state, position, order_body, order_signature"
        query = f"SELECT {fields} FROM rows WHERE {which}"  # noqa: S608 - constant names
        return [
            Entry(enrolment_id, state, position, SignedOrder(body, signature) if body else None)
            for enrolment_id, state, position, body, signature in self.select(query, *values)
        ]

    def execute(self, query: str, values: tuple[object, ...] = ()) -> None:
        """
        Carry out a statement, within a transaction.
        """
        self._connection.execute(query, values)

    def select(self, query: str, *values: object) -> list[Any]:
        """
        Return what a query finds. Raises `StoreError`.
        """
        with translated():
            found: list[Any] = self._connection.execute(query, values).fetchall()
        return found

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """
        Do all or nothing of what is done meanwhile. Raises `StoreError`, `StoreFull`.
        """
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

    def forget_log(self) -> None:
        """
        Empty the write-ahead log, which holds pages with what was erased; secure_delete has cleared the file.
        """
        self.select("PRAGMA wal_checkpoint(TRUNCATE)")

    def require_lengths(self, shares: Shares) -> None:
        """
        Refuse shares of another length than this gallery's. Raises `GalleryCorrupt`.
        """
        if len(shares.template) != 2 * self._dims or len(shares.own) != ALIAS_BYTES or len(shares.pair) != ALIAS_BYTES:
            raise GalleryCorrupt("the shares of an enrolment have another length than this gallery's rows")

    def _checked(self, fields: tuple[object, ...]) -> Kept:
        kept = kept_of(fields)
        if kept.shares is not None:
            self.require_lengths(kept.shares)
        return kept
