"""
Tasks wait, are woken, and die with their process, in an order that the seed decides.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import pytest

from tests.simulation.schedule import Schedule, Task, TimedOut, Turn


@dataclass
class Owner:
    """
    Own tasks, and nothing else.
    """

    epoch: int = 0


@pytest.fixture
def schedule() -> Schedule:
    return Schedule(random.Random(1), now_ms=0)  # noqa: S311


def test_tasks_take_turns(schedule: Schedule) -> None:
    seen: list[tuple[str, float]] = []

    def count(name: str, pause_ms: float) -> None:
        for _ in range(2):
            schedule.sleep(pause_ms)
            seen.append((name, schedule.now_ms))

    schedule.start(Owner(), lambda: count("slow", 30))
    schedule.start(Owner(), lambda: count("quick", 20))
    schedule.run_until(100)

    assert seen == [("quick", 20), ("slow", 30), ("quick", 40), ("slow", 60)]
    assert schedule.now_ms == 100


def test_a_task_dies_with_its_owner_and_lets_go_of_what_it_holds(schedule: Schedule) -> None:
    owner, seen = Owner(), list[str]()

    def act() -> None:
        try:
            schedule.sleep(10)
            seen.append("went on")
        finally:
            seen.append("let go")

    schedule.start(owner, act)
    schedule.run_until(5)
    owner.epoch += 1
    schedule.run_until(20)

    assert seen == ["let go"]


def test_at_the_end_all_tasks_let_go_of_what_they_hold(schedule: Schedule) -> None:
    seen = list[str]()

    def act(name: str) -> None:
        try:
            schedule.sleep(10)
        finally:
            seen.append(name)

    schedule.start(Owner(), lambda: act("one"))
    schedule.start(Owner(), lambda: act("other"))
    schedule.run_until(5)
    schedule.end()

    assert sorted(seen) == ["one", "other"]


def test_what_is_woken_in_time_has_its_answer_and_what_comes_later_is_dropped(schedule: Schedule) -> None:
    waiting: list[tuple[Task, int]] = []
    seen: list[object] = []

    def ask() -> None:
        for _ in range(2):
            waiting.append((schedule.current(), schedule.current().wait))
            try:
                seen.append(schedule.wait(10))
            except TimedOut:
                seen.append("timed out")

    schedule.start(Owner(), ask)
    schedule.run_until(1)
    schedule.wake(*waiting[0], "answer")
    schedule.wake(*waiting[0], "again", delay_ms=1)
    schedule.run_until(100)

    assert seen == ["answer", "timed out"]


def test_a_turn_is_waited_for_as_long_as_is_said(schedule: Schedule) -> None:
    turn, seen = Turn(schedule), list[bool]()

    def hold() -> None:
        turn.acquire()
        schedule.sleep(500)
        turn.release()

    schedule.start(Owner(), hold)
    schedule.run_until(1)
    schedule.start(Owner(), lambda: seen.append(turn.acquire(timeout=0.1)))
    schedule.start(Owner(), lambda: seen.append(turn.acquire(timeout=2.0)))
    schedule.run_until(1_000)

    assert seen == [False, True]
