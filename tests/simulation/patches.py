"""
Put something in the place of something else for a while, and put everything back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class Patches:
    """
    Remember what stood where.
    """

    def __init__(self) -> None:
        self._before: list[tuple[object, str, object]] = []

    def put(self, place: object, name: str, value: object) -> None:
        """
        Put `value` in the place of `place.name`, which must exist.
        """
        self._before.append((place, name, vars(place)[name]))
        setattr(place, name, value)

    def undo(self) -> None:
        """
        Put everything back, the last first.
        """
        while self._before:
            setattr(*self._before.pop())


@contextmanager
def patched() -> Iterator[Patches]:
    """
    Lend patches that are undone in the end.
    """
    patches = Patches()
    try:
        yield patches
    finally:
        patches.undo()
