"""
Open a party's own database, and do work in it in units that happen whole or not at all.

There is one writer at a time. What is stored is said by the schemas of other modules, and where by an engine: a file of
SQLite, or PostgreSQL. This module knows turns, transactions, checks and steps of schemas.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType

from handsel.errors import StoreCorrupt, StoreError, ensure
from handsel.store.engine import Engine, Row, Schema, Value
from handsel.store.postgresql import PostgresqlEngine
from handsel.store.sqlite import SqliteEngine

WRITER_WAIT_S = 15.0  # How long a unit of work waits for those before it.
LEDGER_CHECK = "ledger"  # The name of the check that is made whenever the ledger was written to.


Rule = Callable[["UnitOfWork"], None]


class Database:
    """
    Hold one open database. Several threads may use it; their units of work follow one another.
    """

    def __init__(self, engine: Engine, *, rules: tuple[Rule, ...] = ()) -> None:
        self._engine = engine
        self.rules = rules
        self._writer = threading.Lock()
        self.commits = 0  # Since it was opened.

    @classmethod
    def open(cls, path: Path, *, schemas: tuple[Schema, ...], rules: tuple[Rule, ...] = (), url: str = "") -> Database:
        """
        Open the file at `path`, made if there is none, or the PostgreSQL database at `url`, with the present schemas.

        Raises `ConfigError` where others may read it, `StoreCorrupt` where it is not a database of these schemas, and
        `StoreError` where PostgreSQL does not answer or another process has it open.
        """
        return cls.on(PostgresqlEngine(url) if url else SqliteEngine(path), schemas=schemas, rules=rules)

    @classmethod
    def on(cls, engine: Engine, *, schemas: tuple[Schema, ...], rules: tuple[Rule, ...] = ()) -> Database:
        """
        Bring what an engine holds to the present schemas. Raises `StoreCorrupt` where it holds something else.

        `rules` are what has to hold whenever the ledger was written to: each adds its checks to the unit of work.
        """
        try:
            ensure(bool(schemas), "a database has at least one schema")
            _migrate(engine, schemas)
        except BaseException:
            engine.close()
            raise
        return cls(engine, rules=rules)

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
        with self._writer:
            self._engine.truncate_log()

    def close(self) -> None:
        """
        Close the file. No unit of work can begin after that.
        """
        with self._writer:
            self._engine.close()


class UnitOfWork:
    """
    Do several things in the database as one. Units do not nest: one that is begun within another waits in vain.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._engine = database._engine
        self._writer = database._writer
        self._checks: dict[str, Callable[[], None]] = {}

    def __enter__(self) -> UnitOfWork:
        """
        Wait for the turn, and begin. Raises `StoreError` where the turn does not come.
        """
        if not self._writer.acquire(timeout=WRITER_WAIT_S):
            raise StoreError("the database is busy: ask again")
        try:
            self._engine.begin()
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
            if self._engine.in_transaction:
                self._engine.rollback()
        finally:
            self._writer.release()

    def rows(self, sql: str, *values: Value) -> list[Row]:
        """
        Execute one statement and return all its rows. The statement bounds their number.
        """
        return self._engine.rows(sql, values)

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
        return self._engine.execute(sql, values)

    def rows_in(self, sql: str, values: Sequence[Value]) -> list[Row]:
        """
        Execute one statement, in which `IN (?)` stands for the values, and return all its rows.
        """
        return self._engine.rows_in(sql, values) if values else []

    def insert_many(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        """
        Insert all rows, each as it comes: whatever makes them does not ask this unit of work anything meanwhile.
        """
        self._engine.insert_many(table, columns, rows)

    def update_many(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """
        Update a row for each of `rows`; the last of `columns` says which.
        """
        if rows:
            changed = self._engine.update_many(table, columns, rows)
            ensure(changed == len(rows), "what is to be changed is there")

    def version(self) -> tuple[int, int]:
        """
        Return what is another value whenever the database was changed, but by this unit.
        """
        return (self._database.commits, self._engine.foreign_changes())

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
        ensure(self._engine.in_transaction, "a unit of work is committed once")
        if LEDGER_CHECK in self._checks:
            for rule in self._database.rules:
                rule(self)
        for check in self._checks.values():
            check()
        self._engine.commit()
        self._database.commits += 1

    def commit_aside(self) -> None:
        """
        Keep all that was done where it is nothing of the ledger: what others remember of that stays true.
        """
        ensure(LEDGER_CHECK not in self._checks, "what was written to the ledger is checked")
        ensure(self._engine.in_transaction, "a unit of work is committed once")
        self._engine.commit()


def _migrate(engine: Engine, schemas: tuple[Schema, ...]) -> None:
    engine.execute("CREATE TABLE IF NOT EXISTS schema_versions (name TEXT PRIMARY KEY, version INTEGER NOT NULL)", ())
    found: dict[str, int] = dict(engine.rows("SELECT name, version FROM schema_versions", ()))
    if found and not set(found) <= {schema.name for schema in schemas}:
        raise StoreCorrupt("the database belongs to another party: check the path in the configuration")
    for schema in schemas:
        version = found.get(schema.name, 0)
        if version > len(schema.migrations):
            raise StoreCorrupt("the database was written by a newer version of Handsel: run that version")
        for number in range(version + 1, len(schema.migrations) + 1):
            _apply(engine, schema, number)


def _apply(engine: Engine, schema: Schema, number: int) -> None:
    try:
        engine.begin()
        engine.build(schema.migrations[number - 1])
        engine.execute(
            "INSERT INTO schema_versions VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET version = excluded.version",
            (schema.name, number),
        )
        engine.commit()
    finally:
        if engine.in_transaction:
            engine.rollback()
