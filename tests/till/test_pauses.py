"""
Promise that what does not work is tried less and less often, but for ever, whatever the clock does.
"""

from __future__ import annotations

import pytest

from handsel.till.pauses import Pauses


def test_the_pause_doubles_up_to_a_bound() -> None:
    pauses, now_ms, waited = Pauses(1_000, 5_000), 0, []
    for _ in range(40):
        pauses.later("a", now_ms=now_ms)
        wait_ms = next(ms for ms in range(1, 5_001) if pauses.is_due("a", now_ms=now_ms + ms))
        waited.append(wait_ms)
        now_ms += wait_ms

    assert waited == [1_000, 2_000, 4_000, *[5_000] * 37]


def test_what_was_never_tried_and_what_was_forgotten_is_due() -> None:
    pauses = Pauses(1_000, 5_000)
    pauses.later("a", now_ms=7)
    assert (pauses.is_due("a", now_ms=7), pauses.is_due("b", now_ms=7)) == (False, True)

    pauses.forget("a")
    pauses.forget("c")

    assert pauses.is_due("a", now_ms=7)


@pytest.mark.parametrize(
    ("moved_ms", "is_due"), [(0, False), (999, False), (1_000, True), (-4_000, False), (-4_001, True)]
)
def test_a_clock_that_was_set_back_does_not_stop_it(moved_ms: int, is_due: bool) -> None:
    pauses = Pauses(1_000, 5_000)
    pauses.later("a", now_ms=1_000_000)

    assert pauses.is_due("a", now_ms=1_000_000 + moved_ms) is is_due
