"""
Keep transfers as one would at first: each in a transaction of its own, which checks the funds and moves the balances.

The same rules as the ledger's, as far as they concern a transfer: an id is used once, no account goes below zero. The
tables have what that takes and nothing more, and every statement is as cheap as it can be, so that this is a fair
reference and not a straw man.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import psycopg

from handsel.pay.ledger import Transfer


class Naive(Protocol):
    """
    Post one transfer after another. Several threads may do it at once.
    """

    def post(self, transfer: Transfer) -> None:
        """
        Return once the transfer is on disk.
        """

    def close(self) -> None:
        """
        Let go of the database.
        """


class NaiveSqlite:
    """
    Write to SQLite, durable as the ledger is (write-ahead log, `synchronous=FULL`); callers take turns.
    """

    def __init__(self, directory: Path, accounts: Sequence[str], *, funds_minor: int) -> None:
        directory.mkdir(parents=True)
        self._connection = sqlite3.connect(
            directory / "naive.sqlite", isolation_level=None, check_same_thread=False, cached_statements=256
        )
        self._turn = threading.Lock()
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute(
            "CREATE TABLE accounts (id TEXT PRIMARY KEY, balance_minor INTEGER NOT NULL CHECK (balance_minor >= 0))"
        )
        self._connection.execute(
            "CREATE TABLE transfers (id BLOB PRIMARY KEY, debit TEXT NOT NULL, credit TEXT NOT NULL,"
            " amount_minor INTEGER NOT NULL)"
        )
        rows = [(account, funds_minor) for account in accounts]
        self._connection.execute("BEGIN")
        self._connection.executemany("INSERT INTO accounts VALUES (?, ?)", rows)
        self._connection.execute("COMMIT")

    def close(self) -> None:
        """
        Close the file.
        """
        self._connection.close()

    def post(self, transfer: Transfer) -> None:
        """
        Post a transfer.
        """
        amount_minor, execute = transfer.money.amount_minor, self._connection.execute
        with self._turn:
            execute("BEGIN IMMEDIATE")
            (balance_minor,) = execute("SELECT balance_minor FROM accounts WHERE id = ?", (transfer.debit,)).fetchone()
            if balance_minor < amount_minor:
                execute("ROLLBACK")
                return
            execute(
                "INSERT INTO transfers VALUES (?, ?, ?, ?)",
                (bytes.fromhex(transfer.id), transfer.debit, transfer.credit, amount_minor),
            )
            execute(
                "UPDATE accounts SET balance_minor = balance_minor - ? WHERE id = ?", (amount_minor, transfer.debit)
            )
            execute(
                "UPDATE accounts SET balance_minor = balance_minor + ? WHERE id = ?", (amount_minor, transfer.credit)
            )
            execute("COMMIT")


class NaivePostgresql:
    """
    Write to PostgreSQL, durable as the ledger is; each caller has a connection, and one statement is a transaction.
    """

    _POST = (
        "WITH spent AS (UPDATE naive_accounts SET balance_minor = balance_minor - %(minor)s"
        " WHERE id = %(debit)s AND balance_minor >= %(minor)s RETURNING id),"
        " earned AS (UPDATE naive_accounts SET balance_minor = balance_minor + %(minor)s"
        " WHERE id = %(credit)s AND EXISTS (SELECT 1 FROM spent) RETURNING id)"
        " INSERT INTO naive_transfers SELECT %(id)s, %(debit)s, %(credit)s, %(minor)s FROM spent, earned"
    )

    def __init__(self, url: str, accounts: Sequence[str], *, funds_minor: int) -> None:
        self._url = url
        self._callers = threading.local()
        self._connections: list[psycopg.Connection] = []
        connection = self._connection()
        connection.execute("DROP TABLE IF EXISTS naive_accounts, naive_transfers")
        connection.execute(
            "CREATE TABLE naive_accounts (id TEXT PRIMARY KEY, balance_minor BIGINT CHECK (balance_minor >= 0))"
        )
        connection.execute(
            "CREATE TABLE naive_transfers (id BYTEA PRIMARY KEY, debit TEXT, credit TEXT, amount_minor BIGINT)"
        )
        connection.execute(
            "INSERT INTO naive_accounts SELECT unnest(%s::text[]), %s::bigint", (list(accounts), funds_minor)
        )
        connection.execute("ANALYZE naive_accounts")

    def post(self, transfer: Transfer) -> None:
        """
        Post a transfer. Two that pay each other at once stop each other; the one that is stopped tries again.
        """
        values = {
            "id": bytes.fromhex(transfer.id),
            "debit": transfer.debit,
            "credit": transfer.credit,
            "minor": transfer.money.amount_minor,
        }
        while True:
            try:
                self._connection().execute(self._POST, values)
                return
            except psycopg.errors.DeadlockDetected:
                continue

    def close(self) -> None:
        """
        Close all connections.
        """
        for connection in self._connections:
            connection.close()

    def _connection(self) -> psycopg.Connection:
        found: psycopg.Connection | None = getattr(self._callers, "connection", None)
        if found is None:
            found = psycopg.connect(self._url, autocommit=True, prepare_threshold=1)
            self._callers.connection = found
            self._connections.append(found)
        return found
