"""
Play three dialogues of which one may cheat: the others go on when one gives up, and who said what is kept.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np

from handsel.errors import HandselError
from handsel.matching.dialogue import Dialogue, Receive, Send
from handsel.matching.kernels import Bits
from handsel.matching.masks import Masks
from handsel.matching.ring import Words

T = TypeVar("T")


@dataclass(frozen=True)
class Said(Send):
    """
    Hold a message as it was when it was sent: the array behind it may change afterwards.
    """

    payload: bytes


Change = Callable[[int, Said], bytes]


@dataclass
class Outcome(Generic[T]):
    """
    Hold what each returned or raised, by name. Who waits for one that gave up has done neither.
    """

    answers: dict[str, T] = field(default_factory=dict)
    raised: dict[str, HandselError] = field(default_factory=dict)


def play(dialogues: Mapping[str, Dialogue[T]], *, last: str = "") -> Outcome[T]:
    """
    Run the dialogues until nobody can go on. The one that is named `last` waits until the others can do nothing more.
    """
    outcome: Outcome[T] = Outcome()
    boxes: dict[tuple[str, str], deque[bytes]] = {(one, other): deque() for one in dialogues for other in dialogues}
    names = sorted(dialogues, key=lambda name: name == last)
    asked: dict[str, Send | Receive | None] = {}
    for name in names:
        asked[name] = _resume(name, dialogues[name], None, outcome)
    while moved := next((name for name in names if _can_move(name, asked[name], boxes)), None):
        step = asked[moved]
        if isinstance(step, Send):
            boxes[moved, step.to].append(bytes(step.payload))
            asked[moved] = _resume(moved, dialogues[moved], b"", outcome)
        elif isinstance(step, Receive):
            asked[moved] = _resume(moved, dialogues[moved], boxes[step.sender, moved].popleft(), outcome)
    return outcome


def changing(dialogue: Dialogue[T], change: Change) -> Dialogue[T]:
    """
    Pass a dialogue on, but send what `change` makes of each message and its number.
    """
    number, asked = 0, next(dialogue)
    try:
        while True:
            if isinstance(asked, Send):
                message = Said(asked.to, bytes(asked.payload))
                asked, number = Send(asked.to, change(number, message)), number + 1
            asked = dialogue.send((yield asked))
    except StopIteration as stop:
        result: T = stop.value
        return result


def messages(dialogues: Mapping[str, Dialogue[T]]) -> dict[str, list[Said]]:
    """
    Return what each sends in an honest run, in order.
    """
    sent: dict[str, list[Said]] = {name: [] for name in dialogues}

    def note(name: str) -> Change:
        def change(_: int, message: Said) -> bytes:
            sent[name].append(message)
            return message.payload

        return change

    outcome = play({name: changing(one, note(name)) for name, one in dialogues.items()})
    assert outcome.answers.keys() == dialogues.keys()
    return sent


def _can_move(name: str, step: Send | Receive | None, boxes: Mapping[tuple[str, str], deque[bytes]]) -> bool:
    return isinstance(step, Send) or (isinstance(step, Receive) and bool(boxes[step.sender, name]))


def _resume(name: str, dialogue: Dialogue[T], payload: bytes | None, outcome: Outcome[T]) -> Send | Receive | None:
    try:
        return next(dialogue) if payload is None else dialogue.send(payload)
    except StopIteration as stop:
        outcome.answers[name] = stop.value
    except HandselError as exc:
        outcome.raised[name] = exc
    return None


@dataclass(frozen=True)
class Lying(Masks):
    """
    Follow the steps, but for some of what is masked: both what is sent and what is kept are other than they should be.

    `sums` are added to the words that this matcher masks, by their place; `ands` are XORed to the words of its ANDs, by
    the number of the AND and their place.
    """

    sums: Mapping[int, int] = field(default_factory=dict)
    ands: Mapping[tuple[int, int], int] = field(default_factory=dict)
    _masked: list[int] = field(default_factory=lambda: [0, 0])

    def words(self, count: int) -> tuple[Words, Words]:
        """
        Return the masks of so many sums, with the lie in them.
        """
        plus, minus = super().words(count)
        for at, lie in self.sums.items():
            if 0 <= at - self._masked[0] < count:
                plus[at - self._masked[0] :][:1] += np.array([lie % (1 << 16)], np.uint16)
        self._masked[0] += count
        return plus, minus

    def bits(self, count: int) -> tuple[Bits, Bits]:
        """
        Return the masks of one AND, with the lie in them.
        """
        one, other = super().bits(count)
        for (number, at), lie in self.ands.items():
            if number == self._masked[1]:
                one[at] ^= np.uint64(lie)
        self._masked[1] += 1
        return one, other


def lie(
    masks: Mapping[str, Masks],
    cheater: str,
    *,
    sums: Mapping[int, int] | None = None,
    ands: Mapping[tuple[int, int], int] | None = None,
) -> dict[str, Masks]:
    """
    Return the masks of the three, of whom one lies.
    """
    mine = masks[cheater]
    return {**masks, cheater: Lying(mine.after, mine.before, sums=sums or {}, ands=ands or {})}
