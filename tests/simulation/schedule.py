"""
Run tasks of many processes in one thread, in an order that one seed decides: a clock, a queue of events, and tasks.

A task is a greenlet: ordinary code, which stops where it waits and goes on later. Nothing here knows what tasks do.
"""

from __future__ import annotations

import contextlib
import heapq
import random
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol, TypeVar

from greenlet import getcurrent, greenlet

T = TypeVar("T")


class Killed(BaseException):
    """
    End a task between two instructions: its process has crashed.
    """


class TimedOut(Exception):
    """
    Say that what a task waited for did not come in time.
    """


class Owner(Protocol):
    """
    Own tasks. When `epoch` grows, all tasks that were begun before it die where they wait.
    """

    epoch: int


class Task:
    """
    Hold one task of an owner. `wait` counts how often it has waited: a wake-up for an earlier wait comes too late.
    """

    def __init__(self, owner: Owner, act: Callable[[], object], hub: greenlet) -> None:
        self.owner = owner
        self.epoch = owner.epoch
        self.wait = 0
        self.read_ms: int | None = None  # From its owner's clock, last.
        self.about = ""  # The id of what it is to do, where nobody that it asks is told.
        self.greenlet = greenlet(self._run, hub)
        self.greenlet.task = self
        self._act = act

    def _run(self) -> None:
        try:
            self._act()
        except Killed:
            return


class Schedule:
    """
    Hold the true time, in milliseconds, and all that is to happen. What is due at once happens in random order.
    """

    def __init__(self, rng: random.Random, *, now_ms: int) -> None:
        self.now_ms = float(now_ms)
        self._rng = rng
        self._queue: list[tuple[float, float, int, Callable[[], None]]] = []
        self._pushed = 0

    def later(self, delay_ms: float, act: Callable[[], None]) -> None:
        """
        Do something after a while, outside of any task.
        """
        self._pushed += 1
        heapq.heappush(self._queue, (self.now_ms + delay_ms, self._rng.random(), self._pushed, act))

    def start(self, owner: Owner, act: Callable[[], object], *, delay_ms: float = 0) -> None:
        """
        Begin a task after a while, unless its owner has crashed by then.
        """
        epoch = owner.epoch

        def begin() -> None:
            if owner.epoch == epoch:
                self._resume(Task(owner, act, getcurrent()), None)

        self.later(delay_ms, begin)

    def begin(self, owner: Owner, act: Callable[[], object]) -> None:
        """
        Begin a task here and now. To be called outside of any task.
        """
        self._resume(Task(owner, act, getcurrent()), None)

    def sleep(self, ms: float) -> None:
        """
        Let the current task wait, and others go on. Raises `Killed` where its process crashes meanwhile.
        """
        task = self.current()
        self._wake_later(ms, task, task.wait, None)
        self._pause(task)

    def wait(self, ms: float) -> Any:
        """
        Let the current task wait for `wake`, and return what it is given. Raises `TimedOut`.
        """
        task = self.current()
        self._wake_later(ms, task, task.wait, TimedOut())
        found = self._pause(task)
        if isinstance(found, TimedOut):
            raise found
        return found

    def wake(self, task: Task, wait: int, value: object, *, delay_ms: float = 0) -> None:
        """
        Let a task that is in that wait go on with `value`.
        """
        self._wake_later(delay_ms, task, wait, value)

    def wait_quietly(self, ms: float) -> None:
        """
        Let the current task wait for `wake`, for so long at most.
        """
        with contextlib.suppress(TimedOut):
            self.wait(ms)

    def in_task(self) -> bool:
        """
        Say whether a task runs now, which alone can wait.
        """
        return hasattr(getcurrent(), "task")

    def current(self) -> Task:
        """
        Return the task that runs now.
        """
        task: Task = getcurrent().task
        return task

    def run_until(self, at_ms: float) -> None:
        """
        Let all happen that is due until then.
        """
        queue = self._queue
        self.run_while(lambda: queue[0][0] <= at_ms)
        self.now_ms = max(self.now_ms, at_ms)

    def run_while(self, condition: Callable[[], bool]) -> None:
        """
        Let one thing after another happen as long as `condition` holds.
        """
        queue = self._queue
        while queue and condition():
            at_ms, _, _, act = heapq.heappop(queue)
            self.now_ms = max(self.now_ms, at_ms)
            act()

    def end(self) -> None:
        """
        Let every task die where it waits. What a task holds is not freed before that, nor what leads to it.
        """
        for _, _, _, act in list(self._queue):
            task: Task | None = act.args[0] if isinstance(act, partial) else None
            if task is not None and not task.greenlet.dead:
                task.greenlet.throw(Killed)
        self._queue.clear()

    def _wake_later(self, ms: float, task: Task, wait: int, value: object) -> None:
        self.later(ms, partial(self._wake, task, wait, value))

    def _wake(self, task: Task, wait: int, value: object) -> None:
        if task.wait == wait and not task.greenlet.dead:
            self._resume(task, value)

    def _resume(self, task: Task, value: object) -> None:
        task.wait += 1
        if task.epoch != task.owner.epoch:
            task.greenlet.throw(Killed)
        else:
            task.greenlet.switch(value) if task.wait > 1 else task.greenlet.switch()  # The first one begins it.

    def _pause(self, task: Task) -> Any:
        hub = task.greenlet.parent
        return hub.switch() if hub is not None else None


class Turn:
    """
    Be a lock whose waiting is simulated. It stands where the real code has a `threading.Lock` that it holds for long.
    """

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self.is_held = False

    def acquire(self, timeout: float = 3600.0) -> bool:
        until_ms = self._schedule.now_ms + timeout * 1000
        while self.is_held:
            if self._schedule.now_ms >= until_ms:
                return False
            self._schedule.sleep(20)
        self.is_held = True
        return True

    def release(self) -> None:
        self.is_held = False

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()
