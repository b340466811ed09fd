"""
Open a party's own database, and do work in it in units that happen whole or not at all.

SQLite, in one file of mode 0600 in a directory of mode 0700. There is one writer at a time. What is stored is said by
the schemas of other modules; this one knows files, transactions and errors. `sqlite3` and its exceptions stay here.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from handsel.errors import ConfigError, InvariantBroken, StoreCorrupt, StoreError, StoreFull, ensure

BUSY_TIMEOUT_S = 5.0  # How long another program may hold the file, as a backup or a shell does.
IN_MAX = 8192  # Of SQLite's 32,766 variables of one statement.
CACHE_KIB = 64 * 1024  # Holds what a batch changes, so that nothing is written before its commit.
CHECKPOINT_PAGES = 8192  # Of 4 KiB, of the log, before they are brought into the file: the same page many times, once.
WRITER_WAIT_S = 15.0  # How long a unit of work waits for those before it.

Value = str | int | bytes | None
Row = tuple[Any, ...]


@dataclass(frozen=True)
class Schema:
    """
    Name one part of a database, and hold the SQL that built it step by step. Steps are added at the end, never changed.
    """

    name: str
    migrations: tuple[str, ...]


class Database:
    """
    Hold one open database. Several threads may use it; their units of work follow one another.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._writer = threading.Lock()
        self.commits = 0  # Since it was opened.

    @classmethod
    def open(cls, path: Path, *, schemas: tuple[Schema, ...]) -> Database:
        """
        Open the database at `path`, made if there is none, and bring it to the present schemas.

        Raises `ConfigError` where others may read it, `StoreCorrupt` where it is not a database of these schemas.
        """
        ensure(bool(schemas), "a database has at least one schema")
        _make_private(path)
        with _translated():
            connection = sqlite3.connect(
                path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False, cached_statements=256
            )
        try:
            _configure(connection)
            _migrate(connection, schemas)
        except BaseException:
            connection.close()
            raise
        return cls(connection)

    def unit_of_work(self) -> UnitOfWork:
        """
        Return a unit of work: `with database.unit_of_work() as uow: …; uow.commit()`. Not committing rolls back.
        """
        return UnitOfWork(self)

    def truncate_log(self) -> None:
        """
        Bring all that was committed into the file itself, and empty the write-ahead log.

        Until then the log holds what was erased from the file. While another program reads, it stays as it is.
        """
        with self._writer, _translated():
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """
        Close the file. No unit of work can begin after that.
        """
        with self._writer:
            self._connection.close()


class UnitOfWork:
    """
    Do several things in the database as one. Units do not nest: one that is begun within another waits in vain.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection = database._connection
        self._writer = database._writer
        self._checks: dict[str, Callable[[], None]] = {}

    def __enter__(self) -> UnitOfWork:
        """
        Wait for the turn, and begin. Raises `StoreError` where the turn does not come.
        """
        if not self._writer.acquire(timeout=WRITER_WAIT_S):
            raise StoreError("the database is busy: ask again")
        try:
            with _translated():
                self._connection.execute("BEGIN IMMEDIATE")
        except BaseException:
            self._writer.release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """
        Undo whatever was not committed.
        """
        try:
            with _translated():
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
        finally:
            self._writer.release()

    def rows(self, sql: str, *values: Value) -> list[Row]:
        """
        Execute one statement and return all its rows. The statement bounds their number.
        """
        with _translated():
            return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, *values: Value) -> Row | None:
        """
        Execute one statement and return its first row, or None.
        """
        found = self.rows(sql, *values)
        return found[0] if found else None

    def execute(self, sql: str, *values: Value) -> int:
        """
        Execute one statement and return how many rows it changed.
        """
        with _translated():
            return self._connection.execute(sql, values).rowcount

    def rows_in(self, sql: str, values: Sequence[Value]) -> list[Row]:
        """
        Execute one statement, in which `IN (?)` stands for the values, and return all its rows.
        """
        found: list[Row] = []
        for first in range(0, len(values), IN_MAX):
            part = list(values[first : first + IN_MAX])
            # A few lengths, so that a statement is compiled once; what stands there twice is found once.
            part += part[-1:] * (_length_of_in(len(part)) - len(part))
            found += self.rows(sql.replace("IN (?)", f"IN ({','.join('?' * len(part))})"), *part)
        return found

    def insert_many(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """
        Insert all rows.
        """
        if rows:
            sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608
            with _translated():
                self._connection.executemany(sql, rows)

    def update_many(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """
        Update a row for each of `rows`; the last of `columns` says which.
        """
        if rows:
            changes = ", ".join(f"{column} = ?" for column in columns[:-1])
            with _translated():
                changed = self._connection.executemany(
                    f"UPDATE {table} SET {changes} WHERE {columns[-1]} = ?",  # noqa: S608
                    rows,
                ).rowcount
            ensure(changed == len(rows), "what is to be changed is there")

    def version(self) -> tuple[int, int]:
        """
        Return what is another value whenever the database was changed, but by this unit.
        """
        row = self.row("PRAGMA data_version")
        return (self._database.commits, int(row[0]) if row else 0)

    def check_named(self, name: str) -> Callable[[], None] | None:
        """
        Return the check of that name that is to be made at the commit, if there is one.
        """
        return self._checks.get(name)

    def check_at_commit(self, name: str, check: Callable[[], None]) -> None:
        """
        Have `check` made before the commit. If it raises, nothing is committed.
        """
        self._checks[name] = check

    def commit(self) -> None:
        """
        Make all checks, then keep all that was done, on disk before this returns.
        """
        with _translated():
            ensure(self._connection.in_transaction, "a unit of work is committed once")
        for check in self._checks.values():
            check()
        with _translated():
            self._connection.execute("COMMIT")
        self._database.commits += 1


def _length_of_in(count: int) -> int:
    length = 1
    while length < count:
        length *= 2
    return length


def _make_private(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _refuse_open_to_others(path.parent, name="the directory of the database", command="chmod 700")
        # SQLite gives its WAL and shared-memory files the mode of the database file, so that is made first.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600))
        _refuse_open_to_others(path, name=path.name, command="chmod 600")
    except OSError as exc:
        raise ConfigError(f"{path.name} cannot be opened: {exc.strerror}") from exc


def _refuse_open_to_others(path: Path, *, name: str, command: str) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise ConfigError(f"{name} is open to others (mode {mode:o}): run {command} on it")


def _configure(connection: sqlite3.Connection) -> None:
    with _translated():
        # The first read tells whether this is a database at all.
        connection.execute("SELECT COUNT(*) FROM sqlite_schema").fetchone()
        (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")  # What is erased is overwritten in the file, not just unlinked.
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    ensure(mode == "wal", "the database keeps a write-ahead log")


def _migrate(connection: sqlite3.Connection, schemas: tuple[Schema, ...]) -> None:
    with _translated():
        connection.execute(
            "CREATE TABLE IF NOT EXISTS schema_versions (name TEXT PRIMARY KEY, version INTEGER NOT NULL)"
        )
        found: dict[str, int] = dict(connection.execute("SELECT name, version FROM schema_versions").fetchall())
    if found and not set(found) <= {schema.name for schema in schemas}:
        raise StoreCorrupt("the database belongs to another party: check the path in the configuration")
    for schema in schemas:
        version = found.get(schema.name, 0)
        if version > len(schema.migrations):
            raise StoreCorrupt("the database was written by a newer version of Handsel: run that version")
        for number in range(version + 1, len(schema.migrations) + 1):
            _apply(connection, schema, number)


def _apply(connection: sqlite3.Connection, schema: Schema, number: int) -> None:
    try:
        with _translated():
            connection.create_function("unhex", 1, _unhex, deterministic=True)  # SQLite has it since 3.41.
            connection.execute("BEGIN IMMEDIATE")
            for statement in _statements(schema.migrations[number - 1]):
                connection.execute(statement)
            connection.execute("INSERT OR REPLACE INTO schema_versions VALUES (?, ?)", (schema.name, number))
            connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _unhex(text: str | None) -> bytes | None:
    return None if text is None else bytes.fromhex(text)


def _statements(script: str) -> Iterator[str]:
    # A trigger holds semicolons of its own, so a statement ends where SQLite says that it is complete.
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    ensure(not statement.strip(), "every statement of a migration ends with a semicolon")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as exc:
        raise _translate(exc) from exc
    except OverflowError as exc:
        raise InvariantBroken("a number has more digits than a database holds") from exc


def _translate(error: sqlite3.Error) -> StoreError | InvariantBroken:
    # The low byte is the primary result code: https://sqlite.org/rescode.html
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_MISUSE) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return StoreFull("no space is left for the database; nothing was changed: free some, then ask again")
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return StoreCorrupt("the file is not a sound Handsel database: restore it from its backup")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreError("another program holds the database; nothing was changed: ask again")
    if code == sqlite3.SQLITE_CONSTRAINT:
        return InvariantBroken("a rule of the database's schema does not hold")
    return StoreError("the database did not do what it was asked; nothing was changed")
