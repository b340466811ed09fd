"""
Be one process of a party: it has a clock of its own, a disk, chores, and it can crash and start again at any time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from handsel.errors import HandselError, InvariantBroken
from tests.simulation.schedule import Killed

if TYPE_CHECKING:
    from tests.simulation.world import World

JUMP_MS_MAX = 90_000.0
RESTART_MS_MIN, RESTART_MS_MAX = 200, 5_000  # The supervisor starts a process again within five seconds.


class Process:
    """
    Hold a process. What `boot` builds is gone after a crash; what is on its disk is not.
    """

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.epoch = 0
        self.is_up = False
        self.skew_ms = 0.0
        self._latest_ms = 0
        self.full_until_ms = 0.0
        self.away_until_ms = 0.0  # Until then nobody reaches it, and it reaches nobody.

    def clock(self) -> int:
        """
        Return the time, and remember what was read in this task.
        """
        read_ms = self._time_ms()
        if self.world.schedule.in_task():
            self.world.schedule.current().read_ms = read_ms
        return read_ms

    def read_ms(self) -> int:
        """
        Return what the current task has read from the clock last: a commit is judged by the time that it knew.
        """
        found = self.world.schedule.current().read_ms if self.world.schedule.in_task() else None
        return self._time_ms() if found is None else found

    def latest_ms(self) -> int:
        """
        Return the latest time that this process's clock has ever shown.
        """
        self._latest_ms = max(self._latest_ms, self._time_ms())
        return self._latest_ms

    def random_bytes(self, length: int) -> bytes:
        return self.world.rng.randbytes(length)

    def is_full(self) -> bool:
        return self.world.schedule.now_ms < self.full_until_ms

    def jump(self) -> None:
        """
        Set the clock to another time.
        """
        self.set_clock(self.world.rng.uniform(-JUMP_MS_MAX, JUMP_MS_MAX))
        self.world.count("clock_jumps")

    def set_clock(self, skew_ms: float) -> None:
        self.latest_ms()
        self.skew_ms = skew_ms
        self.world.trace("clock", self.name, round(self.skew_ms))

    def is_away(self) -> bool:
        return self.world.schedule.now_ms < self.away_until_ms

    def start(self) -> None:
        """
        Start on what is on disk.
        """
        self.is_up = True
        self.world.trace("start", self.name)
        self.boot()

    def crash(self, *, down_ms: float | None = None) -> None:
        """
        End here and now, and start again later. Tasks die where they wait.
        """
        if not self.is_up:
            return
        self.epoch += 1
        self.is_up = False
        self.lose()
        self.world.trace("crash", self.name)
        self.world.count("crashes")
        pause = self.world.rng.uniform(RESTART_MS_MIN, RESTART_MS_MAX) if down_ms is None else down_ms
        self.world.schedule.later(pause, self.start)

    def may_crash(self, chance: float) -> None:
        """
        Crash within one of this process's own tasks, with that chance.
        """
        if chance and self.world.rng.random() < chance:
            self.crash()
            raise Killed

    def repeat(self, interval_ms: float, act: Callable[[], object]) -> None:
        """
        Do the same again and again, as `wiring.serve` does with a chore. What fails is tried again.
        """
        schedule = self.world.schedule

        def chore() -> None:
            schedule.sleep(self.world.rng.uniform(0, interval_ms))
            while True:
                self.guarded(act)
                schedule.sleep(interval_ms)

        schedule.start(self, chore)

    def guarded(self, act: Callable[[], object]) -> None:
        """
        Do something of which only a defect may be heard.
        """
        try:
            act()
        except InvariantBroken as exc:
            self.world.violated(f"{self.name}: {exc}")
        except HandselError as exc:
            self.world.trace("failed", self.name, exc.code)
        except Exception as exc:
            self.world.violated(f"{self.name}: {type(exc).__name__}: {exc}")

    def lose(self) -> None:
        """
        Lose more than what was in memory, perhaps.
        """

    def _time_ms(self) -> int:
        return int(self.world.schedule.now_ms + self.skew_ms)

    def boot(self) -> None:
        """
        Build what runs, from what is on disk.
        """
