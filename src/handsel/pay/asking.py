"""
Say whether one more palm may be asked with: by a till at its acquirer, by an acquirer at the issuer.

Who is told again and again whether a palm is enrolled could find one that nobody has shown, and then change it little
by little until it is somebody's. So it is counted how often somebody asks, and how often in vain. What is counted is
who asks, a till or an acquirer. The module knows no palm, no wallet and no person, and must never know one.

An ask counts as wrong from its beginning, until it is known to be something else. So many at once gain nothing, and one
that a crash cuts off stays wrong.

LIMITATIONS: A minute and a day begin with their first ask, so that up to twice as many fit into a minute that is
measured otherwise. Who has a palm that pays can ask with it between wrong ones; the share of wrong ones bounds that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from handsel.errors import ensure

MINUTE_MS = 60 * 1000
DAY_MS = 24 * 60 * MINUTE_MS
DOUBLINGS_MAX = 30  # More than lead from a millisecond to the longest lock that a setting can name.

WRONG = "x"
RIGHT = "o"


@dataclass(frozen=True)
class AskingLimits:
    """
    Bound how often one party asks, and how often in vain.

    A lock follows `wrong_in_a_row_max` wrong asks in a row, and more than `wrong_max` among the last `wrong_of`. It
    takes `lock_ms_min`, then twice as long with each further wrong ask, up to `lock_ms_max`. Who has not asked for
    `forget_ms` begins anew.
    """

    per_minute_max: int
    per_day_max: int
    wrong_in_a_row_max: int
    wrong_max: int
    wrong_of: int
    lock_ms_min: int
    lock_ms_max: int
    forget_ms: int

    def __post_init__(self) -> None:
        """
        Refuse limits that let nothing through, or that could never lock. Raises `InvariantBroken`.
        """
        ensure(0 < self.per_minute_max <= self.per_day_max, "a day has room for what a minute has")
        ensure(0 < self.wrong_in_a_row_max <= self.wrong_of, "as many asks are remembered as may be wrong in a row")
        ensure(0 < self.wrong_max < self.wrong_of, "some, and not all, of the last asks may be wrong")
        ensure(0 < self.lock_ms_min <= self.lock_ms_max < self.forget_ms, "no lock outlasts what is remembered")


@dataclass(frozen=True)
class Asking:
    """
    Hold what is known of how one party has asked. `recent` is how the last asks ended, the newest at its end.
    """

    minute_from_ms: int = 0
    minute_asked: int = 0
    day_from_ms: int = 0
    day_asked: int = 0
    recent: str = ""
    asked_ms: int = 0
    locks: int = 0
    locked_until_ms: int = 0

    def begin(self, limits: AskingLimits, *, now_ms: int) -> Asking | None:
        """
        Return what is known once one more ask has begun, or None where none may begin at `now_ms`.
        """
        if 0 < self.locked_until_ms - now_ms <= 2 * limits.lock_ms_max:  # Longer: the clock was set back.
            return None
        known = self if _is_within(self.asked_ms, now_ms, limits.forget_ms) else replace(self, recent="", locks=0)
        counted = known._counted(now_ms)
        if counted.minute_asked > limits.per_minute_max or counted.day_asked > limits.per_day_max:
            return None
        begun = replace(counted, recent=(known.recent + WRONG)[-limits.wrong_of :], asked_ms=now_ms)
        return begun._locked(limits, now_ms=now_ms) if begun._is_often_wrong(limits) else begun

    def recognised(self, limits: AskingLimits, *, asked_ms: int) -> Asking:
        """
        Return what is known once the ask that began at `asked_ms` has found its palm: it undoes a lock.

        Where too many of the last asks are wrong all the same, only the lock of this very ask is undone.
        """
        known = replace(self, recent=(_without_one(self.recent) + RIGHT)[-limits.wrong_of :])
        return (
            known._released(asked_ms) if known._is_often_wrong(limits) else replace(known, locks=0, locked_until_ms=0)
        )

    def taken_back(self, limits: AskingLimits, *, asked_ms: int) -> Asking:
        """
        Return what is known once the ask that began at `asked_ms` has ended without a word about the palm.
        """
        known = replace(self, recent=_without_one(self.recent))
        if known._is_often_wrong(limits) or known.locked_until_ms <= known.asked_ms:
            return known._released(asked_ms)
        return replace(known, locks=max(known.locks - 1, 0), locked_until_ms=0)

    def _counted(self, now_ms: int) -> Asking:
        minute = (self.minute_from_ms, self.minute_asked)
        day = (self.day_from_ms, self.day_asked)
        minute_from_ms, minute_asked = minute if _is_within(self.minute_from_ms, now_ms, MINUTE_MS) else (now_ms, 0)
        day_from_ms, day_asked = day if _is_within(self.day_from_ms, now_ms, DAY_MS) else (now_ms, 0)
        return replace(
            self,
            minute_from_ms=minute_from_ms,
            minute_asked=minute_asked + 1,
            day_from_ms=day_from_ms,
            day_asked=day_asked + 1,
        )

    def _is_often_wrong(self, limits: AskingLimits) -> bool:
        in_a_row = len(self.recent) - len(self.recent.rstrip(WRONG))
        return in_a_row >= limits.wrong_in_a_row_max or self.recent.count(WRONG) > limits.wrong_max

    def _locked(self, limits: AskingLimits, *, now_ms: int) -> Asking:
        lock_ms = min(limits.lock_ms_min << min(self.locks, DOUBLINGS_MAX), limits.lock_ms_max)
        return replace(self, locks=self.locks + 1, locked_until_ms=now_ms + lock_ms)

    def _released(self, asked_ms: int) -> Asking:
        # While a lock holds no ask begins, so that a lock is always that of the last one.
        if asked_ms != self.asked_ms or self.locked_until_ms <= asked_ms:
            return self
        return replace(self, locks=max(self.locks - 1, 0), locked_until_ms=0)


def _is_within(from_ms: int, now_ms: int, span_ms: int) -> bool:
    # Two that come at once may be counted in another order than that of their times.
    return abs(now_ms - from_ms) < span_ms


def _without_one(recent: str) -> str:
    before, found, after = recent.rpartition(WRONG)
    return before + after if found else recent
