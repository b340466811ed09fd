"""
The clock: whole milliseconds since the epoch.
"""

from __future__ import annotations

import time

from handsel.clock import Clock, system_clock


def test_the_system_clock_tells_milliseconds_since_the_epoch() -> None:
    before_ms, now_ms, after_ms = time.time_ns() // 1_000_000, system_clock(), time.time_ns() // 1_000_000

    assert isinstance(now_ms, int)
    assert before_ms <= now_ms <= after_ms


def test_anything_that_returns_a_number_can_stand_for_the_clock() -> None:
    stopped: Clock = lambda: 1_700_000_000_000  # noqa: E731 – the type is what is tested

    assert stopped() == 1_700_000_000_000
