"""
Say what a database has to be able to do, and hold the SQL from which it is built. Which one it is, is not known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Value = str | int | bytes | None
Row = tuple[Any, ...]


@dataclass(frozen=True)
class Migration:
    """
    Hold a step for which the two databases need different statements. Both leave the same tables.
    """

    sqlite: str
    postgresql: str


@dataclass(frozen=True)
class Schema:
    """
    Name one part of a database, and hold the SQL that built it step by step. Steps are added at the end, never changed.

    A step is SQL as SQLite has it, which `store.dialect` turns into PostgreSQL's, or a `Migration`.
    """

    name: str
    migrations: tuple[str | Migration, ...]


class Engine(Protocol):
    """
    Carry out statements in one connection. All errors that leave it are `StoreError` or `InvariantBroken`.

    Values in statements are marked with `?`.
    """

    @property
    def in_transaction(self) -> bool:
        """
        Return whether a transaction was begun and has not ended.
        """

    def begin(self) -> None:
        """
        Begin a transaction that no other can begin beside.
        """

    def commit(self) -> None:
        """
        Keep all that was done, on disk before this returns.
        """

    def rollback(self) -> None:
        """
        Undo all that was done.
        """

    def rows(self, sql: str, values: Sequence[Value]) -> list[Row]:
        """
        Execute one statement and return all its rows.
        """

    def execute(self, sql: str, values: Sequence[Value]) -> int:
        """
        Execute one statement and return how many rows it changed.
        """

    def rows_in(self, sql: str, values: Sequence[Value]) -> list[Row]:
        """
        Execute one statement, in which `IN (?)` stands for all values, and return all its rows.
        """

    def insert_many(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        """
        Insert all rows, each as it comes: whatever makes them does not ask the database anything meanwhile.
        """

    def update_many(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> int:
        """
        Update a row for each of `rows`, and return how many were there; the last of `columns` says which.
        """

    def foreign_changes(self) -> int:
        """
        Return what is another number whenever others may have changed the database.
        """

    def build(self, step: str | Migration) -> None:
        """
        Execute the statements of a step of a schema.
        """

    def truncate_log(self) -> None:
        """
        Let go of what was erased, as far as the database can.
        """

    def close(self) -> None:
        """
        Close the connection.
        """
