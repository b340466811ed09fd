"""
Promise that a unit of work happens whole or not at all, in a file that nobody else can read.
"""

from __future__ import annotations

import sqlite3
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from handsel.errors import ConfigError, InvariantBroken, StoreCorrupt, StoreError, StoreFull
from handsel.store import database, sqlite
from handsel.store.database import Database
from handsel.store.engine import Schema

LETTERS = Schema("letters", ("CREATE TABLE letters (number INTEGER PRIMARY KEY, body BLOB NOT NULL);",))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """
    Where the database is to be, in a directory that does not exist yet.
    """
    return tmp_path / "party" / "party.sqlite"


@pytest.fixture
def letters(path: Path) -> Iterator[Database]:
    """
    An open database with one table.
    """
    opened = Database.open(path, schemas=(LETTERS,))
    yield opened
    opened.close()


def write(opened: Database, number: int, body: bytes = b"x") -> None:
    with opened.unit_of_work() as uow:
        uow.execute("INSERT INTO letters VALUES (?, ?)", number, body)
        uow.commit()


def count(opened: Database) -> int:
    with opened.unit_of_work() as uow:
        row = uow.row("SELECT COUNT(*) FROM letters")
    assert row is not None
    return int(row[0])


def test_all_files_are_the_owners_alone_from_the_start(letters: Database, path: Path) -> None:
    write(letters, 1)

    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == {"party.sqlite": 0o600, "party.sqlite-wal": 0o600, "party.sqlite-shm": 0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_directory_or_file_that_is_open_to_others_is_refused(path: Path) -> None:
    path.parent.mkdir(mode=0o755)
    path.parent.chmod(0o755)
    with pytest.raises(ConfigError, match="chmod 700"):
        Database.open(path, schemas=(LETTERS,))

    path.parent.chmod(0o700)
    path.touch()
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        Database.open(path, schemas=(LETTERS,))


def test_every_commit_is_on_disk_before_it_returns(letters: Database) -> None:
    with letters.unit_of_work() as uow:
        assert uow.row("PRAGMA journal_mode") == ("wal",)
        assert uow.row("PRAGMA synchronous") == (2,)  # FULL, https://sqlite.org/pragma.html#pragma_synchronous
        assert uow.row("PRAGMA foreign_keys") == (1,)
        assert uow.row("PRAGMA secure_delete") == (1,)  # What is erased is overwritten.


def test_what_is_committed_is_found_by_the_next_who_opens(letters: Database, path: Path) -> None:
    write(letters, 1)
    letters.close()

    again = Database.open(path, schemas=(LETTERS,))

    assert count(again) == 1
    again.close()


def test_what_is_not_committed_is_undone(letters: Database) -> None:
    with letters.unit_of_work() as uow:
        uow.execute("INSERT INTO letters VALUES (1, x'00')")
    with pytest.raises(KeyError), letters.unit_of_work() as uow:
        uow.execute("INSERT INTO letters VALUES (1, x'00')")
        raise KeyError

    assert count(letters) == 0


def test_a_unit_is_committed_once(letters: Database) -> None:
    with pytest.raises(InvariantBroken), letters.unit_of_work() as uow:
        uow.commit()
        uow.commit()


def test_a_check_that_fails_keeps_the_commit_from_happening(letters: Database) -> None:
    def refuse() -> None:
        raise InvariantBroken("a rule")

    with pytest.raises(InvariantBroken), letters.unit_of_work() as uow:
        uow.execute("INSERT INTO letters VALUES (1, x'00')")
        uow.check_at_commit("rule", refuse)
        uow.commit()

    assert count(letters) == 0


def test_a_full_disk_changes_nothing_and_is_over_when_there_is_space(letters: Database) -> None:
    with letters.unit_of_work() as uow:
        uow.execute("PRAGMA max_page_count = 8")
    with pytest.raises(StoreFull), letters.unit_of_work() as uow:
        uow.execute("INSERT INTO letters VALUES (1, x'00')")
        uow.execute("INSERT INTO letters VALUES (2, ?)", bytes(100_000))
        uow.commit()

    assert count(letters) == 0

    with letters.unit_of_work() as uow:
        uow.execute("PRAGMA max_page_count = 1000")
    write(letters, 2, bytes(100_000))
    assert count(letters) == 1


def test_a_file_that_is_not_a_database_is_refused(path: Path) -> None:
    path.parent.mkdir(mode=0o700)
    path.write_bytes(b"To whom it may concern: this is a letter. " * 100)
    path.chmod(0o600)

    with pytest.raises(StoreCorrupt):
        Database.open(path, schemas=(LETTERS,))


def test_the_database_of_another_party_is_refused(letters: Database, path: Path) -> None:
    letters.close()

    with pytest.raises(StoreCorrupt, match="another party"):
        Database.open(path, schemas=(Schema("parcels", ("CREATE TABLE parcels (number INTEGER);",)),))


def test_a_database_of_a_newer_version_is_refused(letters: Database, path: Path) -> None:
    letters.close()
    newer = Schema("letters", (*LETTERS.migrations, "ALTER TABLE letters ADD COLUMN stamp TEXT;"))
    Database.open(path, schemas=(newer,)).close()

    with pytest.raises(StoreCorrupt, match="newer version"):
        Database.open(path, schemas=(LETTERS,))


def test_a_filled_database_is_brought_forward_step_by_step(letters: Database, path: Path) -> None:
    write(letters, 1)
    letters.close()
    steps = ("ALTER TABLE letters ADD COLUMN stamp TEXT DEFAULT 'none';", "UPDATE letters SET stamp = 'blue';")

    moved = Database.open(path, schemas=(Schema("letters", (*LETTERS.migrations, *steps)),))

    with moved.unit_of_work() as uow:
        assert uow.rows("SELECT number, stamp FROM letters") == [(1, "blue")]
    moved.close()


def test_a_step_that_fails_leaves_the_version_before_it(letters: Database, path: Path) -> None:
    letters.close()
    broken = "ALTER TABLE letters ADD COLUMN stamp TEXT; INSERT INTO nowhere VALUES (1);"
    with pytest.raises(StoreError):
        Database.open(path, schemas=(Schema("letters", (*LETTERS.migrations, broken)),))

    again = Database.open(path, schemas=(LETTERS,))

    with again.unit_of_work() as uow:
        assert [column[1] for column in uow.rows("PRAGMA table_info(letters)")] == ["number", "body"]
    again.close()


def test_a_file_held_by_another_program_is_an_error_to_ask_again(
    letters: Database, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_S", 0.01)
    impatient = Database.open(path, schemas=(LETTERS,))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreError, match="ask again"), impatient.unit_of_work():
        pass

    other.execute("ROLLBACK")
    other.close()
    write(impatient, 1)
    impatient.close()


def test_who_waits_too_long_for_the_turn_is_told(letters: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "WRITER_WAIT_S", 0.01)

    with letters.unit_of_work(), pytest.raises(StoreError, match="ask again"), letters.unit_of_work():
        pass


def test_a_broken_rule_of_the_schema_is_a_defect(letters: Database) -> None:
    write(letters, 1)

    with pytest.raises(InvariantBroken):
        write(letters, 1)


def test_units_of_several_threads_follow_one_another(letters: Database) -> None:
    with letters.unit_of_work() as uow:
        uow.execute("INSERT INTO letters VALUES (0, 0)")
        uow.commit()

    def add() -> None:
        for _ in range(50):
            with letters.unit_of_work() as uow:
                row = uow.row("SELECT body FROM letters WHERE number = 0")
                assert row is not None
                uow.execute("UPDATE letters SET body = ? WHERE number = 0", row[0] + 1)
                uow.commit()

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with letters.unit_of_work() as uow:
        assert uow.row("SELECT body FROM letters WHERE number = 0") == (200,)


def test_what_was_deleted_is_in_no_file_once_the_log_is_truncated(tmp_path: Path) -> None:
    """
    SQLite overwrites what is deleted in its file; its write-ahead log keeps it until it is emptied.
    """
    secret = b"a letter that nobody is to read"
    database = Database.open(tmp_path / "own" / "party.sqlite", schemas=(LETTERS,))
    with database.unit_of_work() as uow:
        uow.execute("INSERT INTO letters VALUES (1, ?)", secret)
        uow.commit()
    with database.unit_of_work() as uow:
        uow.execute("DELETE FROM letters")
        uow.commit()
    files = list((tmp_path / "own").iterdir())
    before = any(secret in file.read_bytes() for file in files)

    database.truncate_log()

    assert before
    assert not any(secret in file.read_bytes() for file in files)
    database.close()
