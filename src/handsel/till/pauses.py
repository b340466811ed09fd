"""
Say when something is tried again: each try that did not end it doubles the pause, up to a bound.
"""

from __future__ import annotations

from dataclasses import dataclass, field

DOUBLINGS_MAX = 20  # Of a number that is bounded anyway.


def pause_ms(tries: int, *, ms_min: int, ms_max: int) -> int:
    """
    Return how long to wait after a try that had so many before it.
    """
    return min(ms_min << min(tries, DOUBLINGS_MAX), ms_max)


@dataclass
class Pauses:
    """
    Remember, by id, when to try again, from `ms_min` to `ms_max` after the last try. After a restart all is due.
    """

    ms_min: int
    ms_max: int
    _next_ms: dict[str, int] = field(default_factory=dict)
    _tries: dict[str, int] = field(default_factory=dict)

    def is_due(self, name: str, *, now_ms: int) -> bool:
        """
        Return whether it is time to try: also where a clock that was set back puts it too far ahead.
        """
        return not now_ms < self._next_ms.get(name, now_ms) <= now_ms + self.ms_max

    def later(self, name: str, *, now_ms: int) -> None:
        """
        Try again after the next pause.
        """
        tries = self._tries.get(name, 0)
        self._tries[name] = tries + 1
        self._next_ms[name] = now_ms + pause_ms(tries, ms_min=self.ms_min, ms_max=self.ms_max)

    def forget(self, name: str) -> None:
        """
        Forget what has ended.
        """
        self._next_ms.pop(name, None)
        self._tries.pop(name, None)
