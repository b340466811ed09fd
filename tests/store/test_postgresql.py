"""
Promise what is PostgreSQL's own: one process at a time, nothing that is not kept, no address in an error.
"""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from handsel.errors import StoreCorrupt, StoreError
from handsel.store.database import Database
from handsel.store.engine import Schema
from handsel.store.postgresql import PostgresqlEngine
from tests.postgresql import TestServer

LETTERS = Schema("letters", ("CREATE TABLE letters (number INTEGER PRIMARY KEY, body BLOB NOT NULL);",))


def open_letters(server: TestServer, path: Path, *steps: str) -> Database:
    return Database.on(server.engine_at(path), schemas=(Schema("letters", (*LETTERS.migrations, *steps)),))


def write(opened: Database, number: int) -> None:
    with opened.unit_of_work() as uow:
        uow.execute("INSERT INTO letters VALUES (?, ?)", number, b"x")
        uow.commit()


def numbers(opened: Database) -> list[int]:
    with opened.unit_of_work() as uow:
        return [number for (number,) in uow.rows("SELECT number FROM letters ORDER BY number")]


def test_a_second_process_is_refused_until_the_first_has_ended(postgresql: TestServer, tmp_path: Path) -> None:
    first = open_letters(postgresql, tmp_path)

    with pytest.raises(StoreError, match="another program"):
        open_letters(postgresql, tmp_path)

    write(first, 1)
    first.close()
    second = open_letters(postgresql, tmp_path)
    assert numbers(second) == [1]
    second.close()


def test_commits_wait_for_the_disk(postgresql: TestServer, tmp_path: Path) -> None:
    opened = open_letters(postgresql, tmp_path)

    with opened.unit_of_work() as uow:
        assert uow.row("SHOW synchronous_commit") == ("on",)
        assert uow.row("SHOW fsync") == ("on",)
    opened.close()


def test_a_filled_database_is_brought_forward_and_a_step_that_fails_leaves_it(
    postgresql: TestServer, tmp_path: Path
) -> None:
    opened = open_letters(postgresql, tmp_path)
    write(opened, 1)
    opened.close()
    stamp = "ALTER TABLE letters ADD COLUMN stamp TEXT DEFAULT 'none';"
    with pytest.raises(StoreError):
        open_letters(postgresql, tmp_path, f"{stamp}\nINSERT INTO nowhere VALUES (1);")

    moved = open_letters(postgresql, tmp_path, stamp, "UPDATE letters SET stamp = 'blue';")

    with moved.unit_of_work() as uow:
        assert uow.rows("SELECT number, stamp FROM letters") == [(1, "blue")]
    moved.close()
    with pytest.raises(StoreCorrupt, match="newer version"):
        open_letters(postgresql, tmp_path)


def test_a_lost_connection_is_made_anew_and_what_was_remembered_is_not_trusted(
    postgresql: TestServer, tmp_path: Path
) -> None:
    opened = open_letters(postgresql, tmp_path)
    write(opened, 1)
    with opened.unit_of_work() as uow:
        before = uow.version()
        (process_id,) = uow.row("SELECT pg_backend_pid()") or (0,)
    with psycopg.connect(postgresql.url_at(tmp_path), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", (process_id,))

    with pytest.raises(StoreError):
        write(opened, 2)
    write(opened, 3)

    assert numbers(opened) == [1, 3]
    with opened.unit_of_work() as uow:
        assert uow.version()[1] != before[1]
    opened.close()


def test_an_error_does_not_say_where_the_database_is() -> None:
    with pytest.raises(StoreError) as caught:
        PostgresqlEngine("postgresql://nobody:hidden@127.0.0.1:1/nowhere")

    assert "hidden" not in str(caught.value)
    assert caught.value.__cause__ is None
