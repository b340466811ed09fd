"""
Keep a database in one SQLite file of mode 0600, in a directory of mode 0700. `sqlite3` and its exceptions stay here.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from handsel.errors import ConfigError, InvariantBroken, StoreCorrupt, StoreError, StoreFull, ensure
from handsel.store.engine import Migration, Row, Value

BUSY_TIMEOUT_S = 5.0  # How long another program may hold the file, as a backup or a shell does.
IN_MAX = 8192  # Of SQLite's 32,766 variables of one statement.
# Holds what a batch changes, so that nothing is written before its commit: a page of 4 KiB for each of its random ids.
CACHE_KIB = 128 * 1024
CHECKPOINT_PAGES = 32_768  # Of the log, before they are brought into the file: the same page many times, once.


class SqliteEngine:
    """
    Carry out statements in an SQLite file.
    """

    def __init__(self, path: Path) -> None:
        """
        Open the file, made if there is none. Raises `ConfigError` where others may read it, and `StoreCorrupt`.
        """
        _make_private(path)
        with _translated():
            self._connection = sqlite3.connect(
                path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False, cached_statements=256
            )
        try:
            _configure(self._connection)
        except BaseException:
            self._connection.close()
            raise

    @property
    def in_transaction(self) -> bool:
        """
        Return whether a transaction was begun and has not ended. A closed file has none.
        """
        with _translated():
            return self._connection.in_transaction

    def begin(self) -> None:
        """
        Begin, and keep other programs from writing.
        """
        with _translated():
            self._connection.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """
        Keep all that was done, on disk before this returns.
        """
        with _translated():
            self._connection.execute("COMMIT")

    def rollback(self) -> None:
        """
        Undo all that was done.
        """
        with _translated():
            self._connection.execute("ROLLBACK")

    def rows(self, sql: str, values: Sequence[Value]) -> list[Row]:
        """
        Execute one statement and return all its rows.
        """
        with _translated():
            return self._connection.execute(sql, values).fetchall()

    def execute(self, sql: str, values: Sequence[Value]) -> int:
        """
        Execute one statement and return how many rows it changed.
        """
        with _translated():
            return self._connection.execute(sql, values).rowcount

    def rows_in(self, sql: str, values: Sequence[Value]) -> list[Row]:
        """
        Execute one statement for every `IN_MAX` values, and return all rows.
        """
        found: list[Row] = []
        for first in range(0, len(values), IN_MAX):
            part = list(values[first : first + IN_MAX])
            # A few lengths, so that a statement is compiled once; what stands there twice is found once.
            part += part[-1:] * (_length_of_in(len(part)) - len(part))
            found += self.rows(sql.replace("IN (?)", f"IN ({','.join('?' * len(part))})"), part)
        return found

    def insert_many(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        """
        Insert all rows.
        """
        sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608
        with _translated():
            self._connection.executemany(sql, rows)

    def update_many(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> int:
        """
        Update a row for each of `rows`, and return how many were there.
        """
        changes = ", ".join(f"{column} = ?" for column in columns[:-1])
        sql = f"UPDATE {table} SET {changes} WHERE {columns[-1]} = ?"  # noqa: S608
        with _translated():
            return self._connection.executemany(sql, rows).rowcount

    def foreign_changes(self) -> int:
        """
        Return SQLite's own count of what other connections have changed.
        """
        return int(self.rows("PRAGMA data_version", ())[0][0])

    def build(self, step: str | Migration) -> None:
        """
        Execute the statements of a step of a schema.
        """
        with _translated():
            self._connection.create_function("unhex", 1, _unhex, deterministic=True)  # SQLite has it since 3.41.
            for statement in statements(step if isinstance(step, str) else step.sqlite):
                self._connection.execute(statement)

    def truncate_log(self) -> None:
        """
        Bring all that was committed into the file itself, and empty the write-ahead log.
        """
        with _translated():
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """
        Close the file.
        """
        self._connection.close()


def statements(script: str) -> Iterator[str]:
    """
    Return the statements of a script. A trigger holds semicolons of its own, so SQLite says where a statement ends.
    """
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    ensure(not statement.strip(), "every statement of a migration ends with a semicolon")


def _unhex(text: str | None) -> bytes | None:
    return None if text is None else bytes.fromhex(text)


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
