"""
Do the same for each of several things that are due, so that one that fails does not hold up those behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from handsel.errors import HandselError

T = TypeVar("T")


def for_each(due: Iterable[str], act: Callable[[str], T]) -> tuple[T, ...]:
    """
    Return what `act` returns for each id. All are tried; the first failure, if any, is raised when that is done.
    """
    done: list[T] = []
    failures: list[HandselError] = []
    for request_id in due:
        try:
            done.append(act(request_id))
        except HandselError as exc:
            failures.append(exc)
    if failures:
        raise failures[0]
    return tuple(done)
