"""
Carry calls from one process to another: in time, late, twice, or not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from handsel.errors import HandselError, InvariantBroken
from handsel.web.errors import STATUS
from handsel.web.party_link import SERVER_FAILED
from tests.simulation.plan import Fate
from tests.simulation.process import Process
from tests.simulation.schedule import Killed, TimedOut

if TYPE_CHECKING:
    from tests.simulation.world import World

T = TypeVar("T")

CONNECT_MS = 2_000.0
LATE_MS_MAX = 60_000.0
SECOND_MS_MAX = 3_000.0  # How much later the same request arrives once more.


class Unreachable(Exception):
    """
    Say that nothing was sent.
    """


class Lost(Exception):
    """
    Say that a request may have been carried out, and that its answer is not known.
    """


@dataclass(frozen=True)
class Refusal:
    """
    Carry an error that was answered with.
    """

    error: HandselError

    @property
    def is_certain(self) -> bool:
        """
        Say whether the status is below 500.
        """
        return STATUS[type(self.error)] < SERVER_FAILED


class Network:
    """
    Join processes.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.stragglers: list[Callable[[], None]] = []  # Late requests that have not arrived.

    def ask(
        self, caller: Process, callee: Process, act: Callable[[], T], *, name: str, timeout_ms: float
    ) -> T | Refusal:
        """
        Have `callee` do something, and return its answer. Raises `Unreachable`, `Lost`.
        """
        world, schedule = self.world, self.world.schedule
        fate = world.plan.fate(world.rng)
        if fate is not Fate.GOOD:
            world.trace(fate.value, caller.name, callee.name, name)
            world.count(fate.value)
        there_ms = self._latency_ms()
        if caller.is_away() or callee.is_away():
            schedule.sleep(CONNECT_MS)
            raise Unreachable
        if fate is Fate.REFUSED or not callee.is_up:
            schedule.sleep(there_ms)
            raise Unreachable
        if fate is Fate.LATE:
            self._deliver_late(callee, act, name)
        if fate in (Fate.LOST, Fate.LATE):
            schedule.sleep(timeout_ms)
            raise Lost
        task = schedule.current()
        wait = task.wait

        def answer(value: object) -> None:
            schedule.wake(task, wait, value, delay_ms=self._latency_ms())

        is_heard = fate is not Fate.CUT and not (fate is Fate.DOUBLED and world.rng.random() < 0.5)
        self._deliver(callee, act, name, answer if is_heard else lambda _: None, delay_ms=there_ms)
        if fate is Fate.DOUBLED:
            self._deliver(callee, act, name, answer, delay_ms=there_ms + SECOND_MS_MAX * world.rng.random() ** 2)
        try:
            found = schedule.wait(timeout_ms)
        except TimedOut:
            raise Lost from None
        caller.may_crash(world.plan.crash_at_answer)
        if isinstance(found, Lost):
            raise found
        return found  # type: ignore[no-any-return]

    def deliver_stragglers(self) -> None:
        """
        Let all that is late arrive now.
        """
        for arrive in list(self.stragglers):
            arrive()

    def _deliver_late(self, callee: Process, act: Callable[[], object], name: str) -> None:
        def arrive() -> None:
            if arrive in self.stragglers:
                self.stragglers.remove(arrive)
                self._deliver(callee, act, name, lambda _: None, delay_ms=self._latency_ms())

        self.stragglers.append(arrive)
        self.world.schedule.later(self.world.rng.uniform(0, LATE_MS_MAX), arrive)

    def _deliver(
        self, callee: Process, act: Callable[[], object], name: str, answer: Callable[[Any], None], *, delay_ms: float
    ) -> None:
        """
        Have a task of `callee` do it, and answer.
        """
        schedule = self.world.schedule

        def serve() -> None:
            try:
                value: object = act()
            except InvariantBroken as exc:
                self.world.violated(f"{callee.name}: {name}: {exc}")
                return
            except HandselError as exc:
                value = Refusal(exc)
            except Killed:
                answer(Lost())
                raise
            except Exception as exc:
                self.world.violated(f"{callee.name}: {name}: {type(exc).__name__}: {exc}")
                return
            answer(value)

        def arrive() -> None:
            if callee.is_up:
                schedule.begin(callee, serve)
            else:
                answer(Lost())

        schedule.later(delay_ms, arrive)

    def _latency_ms(self) -> float:
        return 1.0 + self.world.rng.expovariate(1 / 8.0)
