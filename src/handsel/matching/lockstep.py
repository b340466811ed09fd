"""
Drive the dialogues of all three matchers in one thread: for tests and measurements, without a socket.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from time import perf_counter
from typing import Generic, TypeVar

from handsel.errors import InvariantBroken
from handsel.matching.dialogue import Dialogue, Receive, Send
from handsel.matching.message import Octets

T = TypeVar("T")


class Lockstep(Generic[T]):
    """
    Run dialogues by name until all have returned; then `results` holds what they did.

    `work_s` is the time that each spent on its own work, and `sent_bytes` what each sent.
    """

    def __init__(self, dialogues: Mapping[str, Dialogue[T]]) -> None:
        self._dialogues = dict(dialogues)
        self._boxes: dict[tuple[str, str], deque[bytearray]] = {}
        self._asked: dict[str, Send | Receive | None] = dict.fromkeys(dialogues)
        self.results: dict[str, T] = {}
        self.work_s: dict[str, float] = dict.fromkeys(dialogues, 0.0)
        self.sent_bytes: dict[str, int] = dict.fromkeys(dialogues, 0)

    def run(self) -> Mapping[str, T]:
        """
        Return the results by name. Raises `InvariantBroken` where all wait for each other.
        """
        for name in self._dialogues:
            self._resume(name, None)
        while len(self.results) < len(self._dialogues):
            waiting = [name for name in self._dialogues if name not in self.results]
            if sum(self._advance(name) for name in waiting) == 0:
                raise InvariantBroken("all parties wait for a message that nobody sends")
        return self.results

    def _advance(self, name: str) -> bool:
        asked = self._asked[name]
        if isinstance(asked, Send):
            self._box(name, asked.to).append(bytearray(asked.payload))
            self.sent_bytes[name] += len(asked.payload)
            self._resume(name, b"")
            return True
        if isinstance(asked, Receive) and self._box(asked.sender, name):
            self._resume(name, self._box(asked.sender, name).popleft())
            return True
        return False

    def _box(self, sender: str, to: str) -> deque[bytearray]:
        return self._boxes.setdefault((sender, to), deque())

    def _resume(self, name: str, payload: Octets | None) -> None:
        dialogue, start = self._dialogues[name], perf_counter()
        try:
            self._asked[name] = next(dialogue) if payload is None else dialogue.send(payload)
        except StopIteration as stop:
            self.results[name] = stop.value
        self.work_s[name] += perf_counter() - start
