"""
Stop the acquirer's machine at one of its commits: just before it is made, or just after.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from handsel.flows.acquiring.acquirer import Acquirer
from handsel.store.acquirer import AcquirerBooks, AcquirerDatabase, AcquirerTransaction
from handsel.store.database import UnitOfWork
from tests.flows.acquiring.near_issuer import Crash
from tests.flows.acquiring.street import Street


class CrashingStore(AcquirerDatabase):
    """
    Crash at the commit of that number, counted from 0.
    """

    def __init__(self, database: AcquirerDatabase, *, at: int, is_committed: bool) -> None:
        super().__init__(database._database)
        self._left = at
        self._is_committed = is_committed

    def unit_of_work(self) -> _CrashingTransaction:
        return _CrashingTransaction(self, self._database.unit_of_work())

    def commit(self, commit: Callable[[], None]) -> None:
        self._left -= 1
        if self._left >= 0 or self._is_committed:
            commit()
        if self._left < 0:
            raise Crash


class _CrashingTransaction(AcquirerTransaction):
    def __init__(self, store: CrashingStore, uow: UnitOfWork) -> None:
        super().__init__(uow)
        self._store = store

    def __enter__(self) -> _CrashingBooks:
        return _CrashingBooks(self._store, self._uow.__enter__())


class _CrashingBooks(AcquirerBooks):
    def __init__(self, store: CrashingStore, uow: UnitOfWork) -> None:
        super().__init__(uow)
        self._store = store

    def commit(self) -> None:
        self._store.commit(super().commit)


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
