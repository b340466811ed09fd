"""
Keep a database in PostgreSQL, in one connection. `psycopg` and its exceptions stay here.

There is one writer at a time here too: whoever opens the database holds a lock on it until the connection ends, so that
what a process remembers of it is true. The server must keep what it says is committed, or nothing is opened.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice

import psycopg
from psycopg import errors
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.pq import TransactionStatus
from psycopg.types.numeric import Int8Dumper

from handsel.errors import ConfigError, InvariantBroken, StoreError, StoreFull, ensure
from handsel.store.dialect import built, marked
from handsel.store.engine import Migration, Row, Value
from handsel.store.sqlite import statements

CONNECT_TIMEOUT_S = 10
COPY_ROWS_MIN = 16  # Below, statements that are sent together are as fast.
IDLE_TIMEOUT_MS = 60_000  # A unit of work that was forgotten does not hold its rows for ever.
LOCK_WAIT_MS = 2_000
WRITER_LOCK = 0x68616E64  # "hand", beside the schema's name: parties may share a database, each in a schema.


class _WholeNumber(Loader):
    """
    Read a sum as the whole number that it is here: PostgreSQL adds up wide integers as `numeric`.
    """

    def load(self, data: Buffer) -> int:
        return int(bytes(data))


class PostgresqlEngine:
    """
    Carry out statements in a PostgreSQL database.
    """

    def __init__(self, url: str) -> None:
        """
        Connect. Raises `ConfigError` where the server does not keep what it says is committed, and `StoreError`.
        """
        self._url = url
        self._connections = 0
        self._types: dict[str, dict[str, str]] = {}
        self._marked: dict[str, bytes] = {}
        self._connection = self._connect()

    @property
    def in_transaction(self) -> bool:
        """
        Return whether a transaction was begun and has not ended, also one that can only be rolled back.
        """
        status = self._connection.info.transaction_status
        return not self._connection.closed and status in (TransactionStatus.INTRANS, TransactionStatus.INERROR)

    def begin(self) -> None:
        """
        Begin; where the connection was lost, make a new one first.
        """
        if self._connection.closed:
            self._connection = self._connect()
        self.execute("BEGIN", ())

    def commit(self) -> None:
        """
        Keep all that was done, on disk before this returns.
        """
        with _translated():
            status = self._connection.execute("COMMIT").statusmessage
        if status != "COMMIT":
            raise StoreError("the database did not do what it was asked; nothing was changed")

    def rollback(self) -> None:
        """
        Undo all that was done.
        """
        self.execute("ROLLBACK", ())

    def rows(self, sql: str, values: Sequence[Value]) -> list[Row]:
        """
        Execute one statement and return all its rows.
        """
        with _translated():
            return self._connection.execute(self._mark(sql), values).fetchall()

    def execute(self, sql: str, values: Sequence[Value]) -> int:
        """
        Execute one statement and return how many rows it changed.
        """
        with _translated():
            return self._connection.execute(self._mark(sql), values).rowcount

    def rows_in(self, sql: str, values: Sequence[Value]) -> list[Row]:
        """
        Execute one statement for all values, and return all rows.
        """
        with _translated():
            return self._connection.execute(self._mark(sql), (_listed(values),)).fetchall()

    def insert_many(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        """
        Insert all rows; many are copied in PostgreSQL's binary form, while the next ones are made.
        """
        names, coming = ", ".join(columns), iter(rows)
        begun = list(islice(coming, COPY_ROWS_MIN))
        if not begun:
            return  # `psycopg` would ask the server all the same.
        if len(begun) < COPY_ROWS_MIN:
            marks = ", ".join(["%s"] * len(columns))
            with _translated(), self._connection.cursor() as cursor:
                cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})".encode(), begun)  # noqa: S608
            return
        types = self._types_of(table)
        statement = f"COPY {table} ({names}) FROM STDIN (FORMAT BINARY)".encode()
        with _translated(), self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            copy.set_types([types[column] for column in columns])
            for row in chain(begun, coming):
                copy.write_row(row)

    def update_many(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> int:
        """
        Update a row for each of `rows` in one statement, and return how many were there.
        """
        types, key = self._types_of(table), columns[-1]
        changes = ", ".join(f"{column} = new.{column}" for column in columns[:-1])
        lists = ", ".join(f"%s::{types[column]}[]" for column in columns)
        names = ", ".join(columns)
        statement = (
            f"UPDATE {table} SET {changes} FROM unnest({lists}) AS new ({names})"  # noqa: S608
            f" WHERE {table}.{key} = new.{key}"
        )
        with _translated():
            values = [_listed(column) for column in zip(*rows, strict=True)]
            return self._connection.execute(statement.encode(), values).rowcount

    def foreign_changes(self) -> int:
        """
        Return how often there was a new connection: while one lasts, nobody else writes.
        """
        return self._connections

    def build(self, step: str | Migration) -> None:
        """
        Execute the statements of a step of a schema.
        """
        self._types.clear()
        for statement in statements(step if isinstance(step, str) else step.postgresql):
            with _translated():
                self._connection.execute(built(statement).encode())

    def truncate_log(self) -> None:
        """
        Have the server take back the room of what was erased. LIMITATIONS: it does not overwrite it.
        """
        self.execute("VACUUM (SKIP_LOCKED)", ())

    def close(self) -> None:
        """
        Close the connection, and let others write.
        """
        self._connection.close()

    def _connect(self) -> psycopg.Connection[Row]:
        with _translated():
            connection: psycopg.Connection[Row] = psycopg.connect(
                self._url, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S, application_name="handsel"
            )
        try:
            self._settle(connection)
        except BaseException:
            connection.close()
            raise
        self._connections += 1
        return connection

    def _settle(self, connection: psycopg.Connection[Row]) -> None:
        connection.adapters.register_dumper(int, Int8Dumper)
        connection.adapters.register_loader("numeric", _WholeNumber)
        with _translated():
            connection.execute("SET synchronous_commit = on")
            # A plan for any value reads a third of the ledger where the value says: what was written just now.
            connection.execute("SET plan_cache_mode = force_custom_plan")
            connection.execute(f"SET idle_in_transaction_session_timeout = {IDLE_TIMEOUT_MS}")
            (fsync,) = connection.execute("SHOW fsync").fetchone() or ("",)
        if fsync != "on":
            raise ConfigError("the PostgreSQL server does not keep what it says is committed: set fsync to on")
        self._lock(connection)

    def _lock(self, connection: psycopg.Connection[Row]) -> None:
        """
        Hold the database alone. Who was killed a moment ago holds it until the server has seen it: that is waited for.
        """
        with _translated():
            connection.execute(f"SET lock_timeout = {LOCK_WAIT_MS}")
        try:
            connection.execute("SELECT pg_advisory_lock(%s::int, hashtext(current_schema()))", (WRITER_LOCK,))
        except errors.LockNotAvailable:
            raise StoreError("another program holds the database; nothing was changed: ask again") from None
        with _translated():
            connection.execute("SET lock_timeout = 0")

    def _mark(self, statement: str) -> bytes:
        found = self._marked.get(statement)
        if found is None:
            found = self._marked[statement] = marked(statement).encode()
        return found

    def _types_of(self, table: str) -> dict[str, str]:
        if table not in self._types:
            found = self.rows(
                "SELECT column_name, udt_name FROM information_schema.columns"
                " WHERE table_schema = current_schema() AND table_name = ?",
                (table,),
            )
            ensure(bool(found), "a table has columns")
            self._types[table] = dict(found)
        return self._types[table]


def _listed(values: Sequence[Value]) -> str | list[Value]:
    """
    Return values as they are passed as one array: whole numbers as PostgreSQL writes them, which takes a tenth of the
    time that `psycopg` takes for a list.
    """
    return f"{{{','.join(map(str, values))}}}" if all(type(each) is int for each in values) else list(values)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OverflowError as exc:
        raise InvariantBroken("a number has more digits than a database holds") from exc
    except psycopg.Error as exc:
        raise _translate(exc) from None  # Its message names rows and, where no connection is made, the server.


def _translate(error: psycopg.Error) -> StoreError | InvariantBroken:
    if isinstance(error, errors.DiskFull):
        return StoreFull("no space is left for the database; nothing was changed: free some, then ask again")
    if isinstance(error, errors.IntegrityError | errors.NumericValueOutOfRange):
        return InvariantBroken("a rule of the database's schema does not hold")
    return StoreError("the database did not do what it was asked; nothing was changed")
