"""
Promise how often somebody may ask with palms, and what stops who asks in vain: at both sides of every bound.
"""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handsel.errors import InvariantBroken
from handsel.pay.asking import DAY_MS, MINUTE_MS, Asking, AskingLimits

T = 1_800_000_000_000
LIMITS = AskingLimits(
    per_minute_max=1000,
    per_day_max=100_000,
    wrong_in_a_row_max=3,
    wrong_max=5,
    wrong_of=10,
    lock_ms_min=1000,
    lock_ms_max=8000,
    forget_ms=DAY_MS,
)


def begun(asking: Asking, *, now_ms: int = T, limits: AskingLimits = LIMITS) -> Asking:
    """
    Begin an ask that may begin.
    """
    after = asking.begin(limits, now_ms=now_ms)
    assert after is not None
    return after


def right(asking: Asking, *, now_ms: int = T) -> Asking:
    return begun(asking, now_ms=now_ms).recognised(LIMITS, asked_ms=now_ms)


def locked(*, now_ms: int = T) -> Asking:
    """
    Ask in vain until the first lock.
    """
    asking = Asking()
    for _ in range(LIMITS.wrong_in_a_row_max):
        asking = begun(asking, now_ms=now_ms)
    return asking


def lock_ms(asking: Asking, *, now_ms: int) -> int:
    return asking.locked_until_ms - now_ms


def test_a_minute_has_room_for_so_many_and_not_one_more() -> None:
    limits = replace(LIMITS, per_minute_max=2)
    asking = right(right(Asking()))

    assert asking.begin(limits, now_ms=T + MINUTE_MS - 1) is None
    assert asking.begin(limits, now_ms=T + MINUTE_MS) is not None


def test_a_day_has_room_for_so_many_and_not_one_more() -> None:
    limits = replace(LIMITS, per_minute_max=1, per_day_max=2)
    asking = right(right(Asking()), now_ms=T + MINUTE_MS)

    assert asking.begin(limits, now_ms=T + DAY_MS - 1) is None
    assert asking.begin(limits, now_ms=T + DAY_MS) is not None


def test_wrong_asks_in_a_row_lock_for_a_while() -> None:
    asking = Asking()
    for _ in range(LIMITS.wrong_in_a_row_max - 1):
        asking = begun(asking)
    assert asking.locked_until_ms == 0

    asking = begun(asking)

    assert asking.begin(LIMITS, now_ms=T + 999) is None
    assert asking.begin(LIMITS, now_ms=T + 1000) is not None


def test_the_lock_doubles_up_to_the_longest() -> None:
    asking, now_ms, locks = locked(), T, []
    for _ in range(5):
        locks.append(lock_ms(asking, now_ms=now_ms))
        now_ms = asking.locked_until_ms
        asking = begun(asking, now_ms=now_ms)

    assert locks == [1000, 2000, 4000, 8000, 8000]


def test_one_right_ask_undoes_the_lock_and_all_before_it() -> None:
    asking = begun(locked(), now_ms=T + 1000)

    asking = asking.recognised(LIMITS, asked_ms=T + 1000)

    assert (asking.locked_until_ms, asking.locks) == (0, 0)
    for _ in range(LIMITS.wrong_in_a_row_max - 1):
        asking = begun(asking, now_ms=T + 1000)
    assert asking.locked_until_ms == 0
    assert lock_ms(begun(asking, now_ms=T + 1000), now_ms=T + 1000) == 1000


def test_an_ask_without_a_word_about_the_palm_changes_nothing() -> None:
    asking = begun(locked(), now_ms=T + 1000)
    assert lock_ms(asking, now_ms=T + 1000) == 2000

    asking = asking.taken_back(LIMITS, asked_ms=T + 1000)

    assert asking.locked_until_ms <= T + 1000
    assert lock_ms(begun(asking, now_ms=T + 1001), now_ms=T + 1001) == 2000


def test_asks_at_once_are_wrong_until_they_are_known_to_be_right() -> None:
    asking = locked()
    assert asking.begin(LIMITS, now_ms=T) is None

    for _ in range(LIMITS.wrong_in_a_row_max):
        asking = asking.taken_back(LIMITS, asked_ms=T)

    assert (asking.recent, asking.locked_until_ms, asking.locks) == ("", 0, 0)


def test_an_old_ask_does_not_undo_the_lock_of_a_newer_one() -> None:
    asking = Asking()
    for late_ms in range(LIMITS.wrong_in_a_row_max + 1):
        asking = begun(asking, now_ms=max(T + late_ms, asking.locked_until_ms))
    until_ms = asking.locked_until_ms

    assert asking.taken_back(LIMITS, asked_ms=T).locked_until_ms == until_ms


def test_a_right_ask_between_does_not_help_who_is_mostly_wrong() -> None:
    asking, now_ms, wrong = Asking(), T, 0
    for _ in range(20):
        for _ in range(LIMITS.wrong_in_a_row_max - 1):
            now_ms = max(now_ms, asking.locked_until_ms)
            asking, wrong = begun(asking, now_ms=now_ms), wrong + 1
        now_ms = max(now_ms, asking.locked_until_ms)
        asking = right(asking, now_ms=now_ms)

    assert asking.recent.count("x") > LIMITS.wrong_max
    assert lock_ms(begun(asking, now_ms=now_ms), now_ms=now_ms) == LIMITS.lock_ms_max


def test_right_asks_are_never_locked_however_many_were_wrong() -> None:
    asking = replace(Asking(), recent="x" * 8 + "oo", locks=5, asked_ms=T)

    for _ in range(LIMITS.wrong_of):
        asking = right(asking)

    assert (asking.recent, asking.locked_until_ms, asking.locks) == ("o" * 10, 0, 0)


def test_what_is_long_ago_is_forgotten_and_no_sooner() -> None:
    asking = locked()

    still = begun(asking, now_ms=T + LIMITS.forget_ms - 1)
    new = begun(asking, now_ms=T + LIMITS.forget_ms)

    assert lock_ms(still, now_ms=T + LIMITS.forget_ms - 1) == 2000
    assert (new.recent, new.locks, new.locked_until_ms <= T + LIMITS.forget_ms) == ("x", 0, True)


def test_no_more_is_remembered_than_is_needed() -> None:
    asking = Asking()
    for _ in range(3 * LIMITS.wrong_of):
        asking = right(asking)

    assert len(asking.recent) == LIMITS.wrong_of
    assert {field.name for field in fields(Asking)} == {
        *("minute_from_ms", "minute_asked", "day_from_ms", "day_asked"),
        *("recent", "asked_ms", "locks", "locked_until_ms"),
    }


def test_a_clock_that_was_set_back_locks_nobody_for_years() -> None:
    year_ms = 365 * DAY_MS
    asking = replace(locked(now_ms=T + year_ms), minute_asked=10**6, day_asked=10**6)

    assert asking.begin(LIMITS, now_ms=T) is not None


def test_two_that_come_in_the_wrong_order_are_counted_all_the_same() -> None:
    asking = begun(begun(Asking(), now_ms=T), now_ms=T - 5)

    assert (asking.recent, asking.minute_asked) == ("xx", 2)
    assert begun(asking, now_ms=T - 5).begin(LIMITS, now_ms=T - 10) is None


def test_who_only_asks_in_vain_asks_once_in_each_longest_lock() -> None:
    asking, now_ms, asked = Asking(), T, 0
    while now_ms < T + DAY_MS:
        asking, asked = begun(asking, now_ms=now_ms), asked + 1
        now_ms = max(now_ms, asking.locked_until_ms)

    shorter = 3  # Locks of 1, 2 and 4 seconds.
    assert asked <= LIMITS.wrong_in_a_row_max + shorter + DAY_MS // LIMITS.lock_ms_max


@given(st.lists(st.tuples(st.sampled_from(["right", "nothing", "wrong"]), st.integers(0, 3000)), max_size=60))
def test_no_order_of_things_lets_more_wrong_asks_follow_one_another(steps: list[tuple[str, int]]) -> None:
    """
    The oracle: between two locks, or beside a right ask, never more wrong ones than the limit.
    """
    asking, now_ms, in_a_row = Asking(), T, 0
    for kind, pause_ms in steps:
        now_ms += pause_ms
        after = asking.begin(LIMITS, now_ms=now_ms)
        if after is None:
            continue
        assert in_a_row < LIMITS.wrong_in_a_row_max or now_ms >= asking.locked_until_ms
        asking = after
        if kind == "right":
            asking, in_a_row = asking.recognised(LIMITS, asked_ms=now_ms), 0
        elif kind == "nothing":
            asking = asking.taken_back(LIMITS, asked_ms=now_ms)
        else:
            in_a_row += 1
            is_locked = asking.begin(LIMITS, now_ms=now_ms) is None
            assert is_locked or in_a_row < LIMITS.wrong_in_a_row_max


@pytest.mark.parametrize(
    "change",
    [
        {"per_minute_max": 0},
        {"per_day_max": LIMITS.per_minute_max - 1},
        {"wrong_in_a_row_max": 0},
        {"wrong_in_a_row_max": LIMITS.wrong_of + 1},
        {"wrong_max": 0},
        {"wrong_max": LIMITS.wrong_of},
        {"lock_ms_min": 0},
        {"lock_ms_max": LIMITS.lock_ms_min - 1},
        {"forget_ms": LIMITS.lock_ms_max},
    ],
)
def test_limits_that_limit_nothing_or_everything_are_refused(change: dict[str, int]) -> None:
    with pytest.raises(InvariantBroken):
        replace(LIMITS, **change)
