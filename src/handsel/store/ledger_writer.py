"""
Group the steps of many callers into few transactions: one writer takes whatever is waiting, and answers everybody.

A commit costs a flush to disk, however much it holds. The more callers wait, the more of them share one; whoever comes
alone does not wait for others. Nothing is answered before it is on disk.
"""

from __future__ import annotations

import gc
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager

from handsel.clock import Clock
from handsel.errors import BodyInvalid, InvariantBroken, StoreError
from handsel.pay.batch import Known
from handsel.pay.ledger import Linked, Outcome, Step
from handsel.store.database import Database, UnitOfWork
from handsel.store.ledger_batch import Remembered, carry_out, steps_of
from handsel.store.ledger_known import load_known

CALL_ITEMS_MAX = 8192
BATCH_ITEMS_MAX = 32_768  # About half a second.
WAITING_ITEMS_MAX = 65_536
WAIT_S_MAX = 15.0  # For room, and for an answer after that: as long as a unit of work waits for its turn.
REMEMBERED_MAX = 200_000  # Accounts, about 100 MB.

Items = Sequence[Step | Linked]
Outcomes = list[tuple[Outcome, ...]]
Call = tuple[Items, Future[Outcomes]]


class LedgerWriter:
    """
    Carry out the steps of many callers in a thread of its own. Units of work beside it take turns with its batches.
    """

    def __init__(self, database: Database, *, clock: Clock, waiting_items_max: int = WAITING_ITEMS_MAX) -> None:
        self._database = database
        self._clock = clock
        self._waiting_items_max = waiting_items_max
        self._waiting: deque[Call] = deque()
        self._items = 0
        self._is_closed = False
        self._changed = threading.Condition()
        self._remembered: Remembered = {}
        self._version: tuple[int, int] | None = None
        self._are_repeated = False  # Ids, in the last batch.
        self._thread = threading.Thread(target=self._write, name="ledger-writer", daemon=True)
        self._thread.start()

    def submit(self, items: Items) -> Outcomes:
        """
        Carry out all items in order, and return the outcomes of each once they are on disk.

        They happen one by one, and share nothing but the way: what is to happen whole or not at all is `Linked`. An id
        that was used for something else is refused with `ID_REUSED`. Raises `StoreError` where too much is waiting or
        the database fails: then the same items can be submitted again, with the same ids. Raises `BodyInvalid`.
        """
        if not 0 < len(items) <= CALL_ITEMS_MAX:
            raise BodyInvalid(f"1 to {CALL_ITEMS_MAX} items are submitted at once")
        answer: Future[Outcomes] = Future()
        with self._changed:
            if not self._changed.wait_for(lambda: self._has_room(len(items)), timeout=WAIT_S_MAX):
                raise StoreError("the ledger is busy: ask again")
            if self._is_closed:
                raise StoreError("the ledger is closed")
            self._waiting.append((items, answer))
            self._items += len(items)
            self._changed.notify_all()
        return answer.result()

    def close(self) -> None:
        """
        Carry out what is waiting, and stop. The database stays open.
        """
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._thread.join()

    def _has_room(self, count: int) -> bool:
        return self._is_closed or self._items == 0 or self._items + count <= self._waiting_items_max

    def _write(self) -> None:
        while calls := self._take():
            try:
                self._answer(calls)
            except BaseException as exc:  # A defect, too, has to reach whoever waits.
                self._forget()
                if len(calls) == 1:
                    calls[0][1].set_exception(exc)
                else:
                    self._answer_each(calls)

    def _answer_each(self, calls: list[Call]) -> None:
        """
        Carry out calls one by one, after they failed together: what fails for one is not to fail for the others.
        """
        for call in calls:
            try:
                self._answer([call])
            except BaseException as exc:
                self._forget()
                call[1].set_exception(exc)

    def _take(self) -> list[Call]:
        """
        Wait for something to do, and return whatever is waiting, as far as it fits; nothing when it is time to stop.
        """
        with self._changed:
            self._changed.wait_for(lambda: bool(self._waiting) or self._is_closed)
            calls: list[Call] = []
            count = 0
            while self._waiting and (not calls or count + len(self._waiting[0][0]) <= BATCH_ITEMS_MAX):
                call = self._waiting.popleft()
                count += len(call[0])
                calls.append(call)
            self._items -= count
            self._changed.notify_all()
        return calls

    def _answer(self, calls: list[Call]) -> None:
        items = calls[0][0] if len(calls) == 1 else [item for each, _ in calls for item in each]
        with _collector_paused():
            outcomes = self._carry_out(items)
        first = 0
        for each, answer in calls:
            answer.set_result(outcomes[first : first + len(each)])
            first += len(each)

    def _carry_out(self, items: Items) -> Outcomes:
        """
        Carry out items as if no id had been used before, which hardly ever is so, and with the ids looked up where one
        was. If none stands there twice, each gets a row, and the table of all ids refuses what was used.
        """
        ids = [step.id for step in steps_of(items)]
        if not self._are_repeated and len(set(ids)) == len(ids):
            try:
                with self._database.unit_of_work() as uow:
                    return self._carried_out(uow, items, known={})
            except InvariantBroken:
                self._forget()
        with self._database.unit_of_work() as uow:
            known = load_known(uow, ids)
            self._are_repeated = bool(known)
            return self._carried_out(uow, items, known=known)

    def _carried_out(self, uow: UnitOfWork, items: Items, *, known: dict[str, Known]) -> Outcomes:
        if uow.version() != self._version or len(self._remembered) > REMEMBERED_MAX:
            self._forget()
        outcomes = carry_out(uow, items, now_ms=self._clock(), remembered=self._remembered, known=known)
        uow.commit()
        self._version = uow.version()
        return outcomes

    def _forget(self) -> None:
        """
        Have accounts loaded again: somebody else has changed them, or what was written is not kept.
        """
        self._remembered.clear()
        self._version = None


@contextmanager
def _collector_paused() -> Iterator[None]:
    """
    Keep the garbage collector from looking at a batch again and again: it is many values, and none in a circle.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
