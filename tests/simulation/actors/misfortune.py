"""
Let processes crash, disks fill up, clocks jump and networks fall apart, whatever anybody is doing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulation.process import Process
    from tests.simulation.world import World

ROUND_MS = 1_000
OUTAGE_MS_MAX = 40_000
LAST_CHANCE = 0.5
MOMENT_MS_MAX, MOMENT_STEP_MS = 10_000, 20


def strike(world: World) -> None:
    """
    Look at every process once a second, with the chances of the plan.
    """
    while True:
        world.schedule.sleep(ROUND_MS)
        if world.is_calm:
            continue
        for process in world.processes:
            if process.is_up:
                _strike(world, process)


def strike_last(world: World) -> None:
    """
    Strike once more, in the midst of whatever is under way. Then there is calm.
    """
    world.is_closing = True
    _wait_for_moment(world)
    world.is_closing = False
    for process in world.processes:
        if world.plan.clock_jump_per_s and world.rng.random() < LAST_CHANCE:
            process.jump()
        if world.plan.crash_per_s and world.rng.random() < LAST_CHANCE:
            process.crash()


def _wait_for_moment(world: World) -> None:
    """
    Wait, not for long, until something of one kind is under way: a capture, the check of a PIN, or anything.
    """
    wanted = world.rng.choice(("capture", "pin", "anything"))
    schedule = world.schedule
    until_ms = schedule.now_ms + MOMENT_MS_MAX
    while wanted != "anything" and schedule.now_ms < until_ms and world.broken is None:
        schedule.run_until(schedule.now_ms + MOMENT_STEP_MS)
        if wanted == "pin" and world.issuer.disk.rows("SELECT 1 FROM pin_checks LIMIT 1"):
            return
        ordered = "SELECT 1 FROM captures WHERE status = 'ordered' LIMIT 1"
        if wanted == "capture" and any(each.disk.rows(ordered) for each in world.acquirers):
            return


def _strike(world: World, process: Process) -> None:
    plan, rng, now_ms = world.plan, world.rng, world.schedule.now_ms
    if rng.random() < plan.disk_full_per_s:
        process.full_until_ms = now_ms + rng.uniform(500, 20_000)
        world.trace("disk full", process.name)
        world.count("disks_full")
    if rng.random() < plan.partition_per_s:
        process.away_until_ms = now_ms + rng.uniform(500, OUTAGE_MS_MAX)
        world.trace("away", process.name)
        world.count("partitions")
    if rng.random() < plan.clock_jump_per_s:
        process.jump()
    if rng.random() < plan.crash_per_s:
        long_ms = rng.uniform(5_000, OUTAGE_MS_MAX) if rng.random() < 0.2 else None
        process.crash(down_ms=long_ms)
