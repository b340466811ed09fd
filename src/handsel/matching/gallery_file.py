"""
Open the SQLite file of a gallery: for its owner alone, for one process at a time, and safe against a power cut.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from handsel.errors import ConfigError, GalleryCorrupt, StoreError, StoreFull

LOCK_WAIT_S = 3.0  # For the process before to let go of the file.
FILE_NAME = "gallery.sqlite"
_VERSION = 6
_FIRST_VERSION = 2  # 1 held templates at another scale, and all in this file.
_SETTINGS = (
    "locking_mode=EXCLUSIVE",  # One process at a time.
    "journal_mode=WAL",
    "synchronous=FULL",  # On disk before anybody is told.
    "secure_delete=ON",  # What is deleted is overwritten.
    "temp_store=MEMORY",  # No share in a temporary file.
)
_SCHEMA = """
CREATE TABLE rows (
    enrolment_id BLOB PRIMARY KEY,
    state INTEGER NOT NULL,
    position INTEGER,
    kept_at_ms INTEGER NOT NULL,
    sealed INTEGER NOT NULL,
    template BLOB,
    own BLOB,
    pair BLOB,
    checksum BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX rows_by_position ON rows (position) WHERE position IS NOT NULL;
CREATE INDEX rows_pending ON rows (kept_at_ms) WHERE state = 1;
CREATE INDEX rows_not_sealed ON rows (position) WHERE sealed = 0;
CREATE INDEX rows_sealed ON rows (state) WHERE sealed <> 0;
CREATE TABLE blocks (
    number INTEGER PRIMARY KEY,
    ids BLOB NOT NULL,
    positions BLOB NOT NULL,
    digest BLOB NOT NULL
) STRICT;
CREATE TABLE generation (number INTEGER NOT NULL) STRICT;
INSERT INTO generation VALUES (0);
CREATE TABLE renewals (count INTEGER NOT NULL, chain BLOB NOT NULL, since_ms INTEGER NOT NULL, seed BLOB) STRICT;
INSERT INTO renewals VALUES (0, x'', 0, NULL);
CREATE TABLE not_renewed (enrolment_id BLOB PRIMARY KEY) STRICT;
"""
# What makes a file of the version before into one of this version.
_STEPS = {
    3: """
ALTER TABLE rows ADD COLUMN order_body BLOB;
ALTER TABLE rows ADD COLUMN order_signature BLOB;
""",
    4: """
CREATE TABLE orders (kind TEXT PRIMARY KEY, at_ms INTEGER NOT NULL, body BLOB NOT NULL, signature BLOB NOT NULL) STRICT;
""",
    5: """
ALTER TABLE orders ADD COLUMN due INTEGER NOT NULL DEFAULT 0;
CREATE TABLE restored (
    enrolment_id BLOB PRIMARY KEY,
    state INTEGER NOT NULL,
    position INTEGER,
    kept_at_ms INTEGER NOT NULL,
    sealed INTEGER NOT NULL,
    order_body BLOB,
    order_signature BLOB,
    template BLOB,
    own BLOB,
    pair BLOB,
    checksum BLOB NOT NULL
) STRICT;
""",
    6: """
CREATE TABLE vouchers (
    enrolment_id BLOB PRIMARY KEY,
    after_digest BLOB NOT NULL,
    after_half BLOB NOT NULL,
    before_digest BLOB NOT NULL,
    before_half BLOB NOT NULL
) STRICT;
CREATE TABLE renewed_vouchers (
    chain BLOB NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    positions BLOB NOT NULL,
    after_digests BLOB NOT NULL,
    after_half BLOB NOT NULL,
    before_digests BLOB NOT NULL,
    before_half BLOB NOT NULL,
    PRIMARY KEY (chain, first)
) STRICT;
-- For what an earlier version has kept nobody has vouched: it is long ago, and renewed after the next query.
UPDATE renewals SET since_ms = 1 WHERE EXISTS (SELECT 1 FROM rows WHERE state = 2);
""",
}


@contextmanager
def translated() -> Iterator[None]:
    """
    Turn what SQLite raises into Handsel's own errors.
    """
    try:
        yield
    except sqlite3.Error as exc:
        code = getattr(exc, "sqlite_errorcode", 0) & 0xFF  # The primary code, without its extension.
        if code == sqlite3.SQLITE_FULL:
            raise StoreFull("the matcher's disk is full; nothing was changed: make room, then repeat") from exc
        if code == sqlite3.SQLITE_BUSY:
            raise ConfigError("another process works in this matcher's directory: stop it first") from exc
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise GalleryCorrupt("the gallery's file is damaged: restore it from its backup") from exc
        raise StoreError("the gallery's file cannot be used; nothing was changed") from exc


def open_file(directory: Path) -> sqlite3.Connection:
    """
    Return a connection to the gallery in `directory`, which is made where there is none.

    Raises `ConfigError`, `GalleryCorrupt`, `StoreError`.
    """
    path = _private_file(directory)
    with translated():
        connection = sqlite3.connect(path, timeout=LOCK_WAIT_S, isolation_level=None, check_same_thread=False)
    try:
        with translated():
            for setting in _SETTINGS:
                connection.execute(f"PRAGMA {setting}").fetchall()
            _prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version and not _FIRST_VERSION <= version <= _VERSION:
        raise ConfigError("the gallery was written by another version of Handsel")
    script = "" if version else _SCHEMA
    if version != _VERSION:
        script += "".join(step for number, step in _STEPS.items() if number > version)
        script += f"PRAGMA user_version = {_VERSION};"
    # Also where nothing is to be done, this takes the lock, which is then held until the end.
    connection.executescript(f"BEGIN IMMEDIATE; {script} COMMIT;")


def _private_file(directory: Path) -> Path:
    """
    Return the path of the file, made with mode 0600 in a directory of mode 0700. SQLite gives its log the same mode.
    """
    path = directory / FILE_NAME
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for place in (directory, path):
            if place.exists() and stat.S_IMODE(place.stat().st_mode) & 0o077:
                raise ConfigError(f"{place.name} is open to others: take their permissions away (chmod go-rwx)")
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as exc:
        raise ConfigError(f"the matcher's directory cannot be used: {exc.strerror}") from exc
    return path
