"""
Stop the acquirer's machine at one of its commits: just before it is made, or just after.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import TracebackType

import pytest

from handsel.flows.acquiring.acquirer import Acquirer
from handsel.store.acquirer import AcquirerDatabase, AcquirerTables, AcquirerTransaction
from tests.flows.acquiring.near_issuer import Crash
from tests.flows.acquiring.street import Street


class CrashingStore:
    """
    Crash at the commit of that number, counted from 0.
    """

    def __init__(self, database: AcquirerDatabase, *, at: int, is_committed: bool) -> None:
        self._database = database
        self._left = at
        self._is_committed = is_committed

    def unit_of_work(self) -> _CrashingTransaction:
        return _CrashingTransaction(self, self._database.unit_of_work())

    def commit(self, books: AcquirerTables) -> None:
        self._left -= 1
        if self._left >= 0 or self._is_committed:
            books.commit()
        if self._left < 0:
            raise Crash


class _CrashingTransaction:
    def __init__(self, store: CrashingStore, transaction: AcquirerTransaction) -> None:
        self._store = store
        self._transaction = transaction

    def __enter__(self) -> _CrashingBooks:
        return _CrashingBooks(self._store, self._transaction.__enter__())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._transaction.__exit__(kind, error, trace)


class _CrashingBooks(AcquirerTables):
    def __init__(self, store: CrashingStore, books: AcquirerTables) -> None:
        super().__init__(books._uow)
        self._store = store
        self._books = books

    def commit(self) -> None:
        self._store.commit(self._books)


def crash_at_commit(street: Street, act: Callable[[Acquirer], object], *, at: int, is_committed: bool) -> bool:
    """
    Let `act` crash at one of its commits, and start the acquirer again. Return False where it has fewer commits.
    """
    store = CrashingStore(street.database, at=at, is_committed=is_committed)
    try:
        act(replace(street.acquirer, store=store))
    except Crash:
        street.restart()
        return True
    return False


def crash_at_call(street: Street, act: Callable[[Acquirer], object]) -> None:
    """
    Let `act` crash at the call that the line is set to crash at, and start the acquirer again.
    """
    with pytest.raises(Crash):
        act(street.acquirer)
    street.restart()
