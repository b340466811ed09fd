"""
Keep what a process has on disk: SQLite's own engine in memory, and a till's journal. Both outlive a crash.

A commit is on disk or is not, and the process may end just before it or just after: SQLite's own promise is not what is
tested here. What the tables hold is watched by triggers that the real code does not know of.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

from handsel.errors import StoreFull
from handsel.store.engine import Row, Value
from handsel.store.sqlite import SqliteEngine, _translate

Seen = tuple[Row, ...]


class Disk:
    """
    Hold one database in memory, and what was changed in it since it was looked at last.

    `watch` are SQL statements that make temporary triggers, which insert into the temporary table `seen`.
    """

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None, cached_statements=512)
        self.connection.execute("PRAGMA foreign_keys = ON")
        self.connection.execute("PRAGMA temp_store = MEMORY")
        self.connection.execute("CREATE TEMP TABLE seen (what TEXT, a, b, c, d, e, f)")
        self.is_watched = False

    def watch(self, triggers: Sequence[str]) -> None:
        if not self.is_watched:
            for statement in triggers:
                self.connection.execute(statement)
            self.connection.execute("DELETE FROM seen")
        self.is_watched = True

    def take_seen(self) -> Seen:
        found = self.connection.execute("SELECT what, a, b, c, d, e, f FROM seen ORDER BY rowid").fetchall()
        if found:
            self.connection.execute("DELETE FROM seen")
        return tuple(found)

    def rows(self, sql: str, *values: Value) -> list[Row]:
        """
        Read, past all of the real code.
        """
        return self.connection.execute(sql, values).fetchall()


def trigger(table: str, event: str, what: str, *columns: str) -> str:
    """
    Return a trigger that notes up to six expressions of a changed row.
    """
    values = ", ".join((*columns, *("NULL",) * (6 - len(columns))))
    name = f"see_{table}_{event.lower()}"
    insert = f"INSERT INTO seen VALUES ('{what}', {values})"  # noqa: S608
    return f"CREATE TEMP TRIGGER {name} AFTER {event} ON main.{table} BEGIN {insert}; END"


class DiskEngine(SqliteEngine):
    """
    Carry out statements on a disk of which a process may crash, and which may be full.

    `before` and `after` are called at each commit, and may end the process.
    """

    def __init__(
        self, disk: Disk, *, is_full: Callable[[], bool], before: Callable[[], None], after: Callable[[], None]
    ) -> None:
        self._connection = disk.connection
        self._is_full = is_full
        self._before = before
        self._after = after

    def commit(self) -> None:
        self._before()
        if self._is_full() and self._connection.total_changes != self._changes:
            raise StoreFull("no space is left for the database; nothing was changed: free some, then ask again")
        try:
            self._connection.execute("COMMIT")
        except sqlite3.Error as exc:
            raise _translate(exc) from exc
        self._after()

    def begin(self) -> None:
        self._connection.execute("BEGIN")  # Nobody else has this disk, and nothing of it can fail.
        self._changes = self._connection.total_changes

    def rollback(self) -> None:
        self._connection.execute("ROLLBACK")

    def rows(self, sql: str, values: Sequence[Value]) -> list[Row]:
        try:
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.Error as exc:  # As the real one does, a tenth faster.
            raise _translate(exc) from exc

    def execute(self, sql: str, values: Sequence[Value]) -> int:
        try:
            return self._connection.execute(sql, values).rowcount
        except sqlite3.Error as exc:
            raise _translate(exc) from exc

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def foreign_changes(self) -> int:
        return 0

    def close(self) -> None:
        return None


def replace_file(path: Path, content: bytes) -> None:
    """
    Replace a file as a whole, without waiting for a real disk.
    """
    is_new = not path.exists()
    path.write_bytes(content)
    if is_new:
        path.chmod(0o600)
