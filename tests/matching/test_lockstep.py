"""
Promises of the runner that needs no socket.
"""

from __future__ import annotations

import pytest

from handsel.errors import InvariantBroken
from handsel.matching.dialogue import Dialogue, Receive, Send
from handsel.matching.lockstep import Lockstep


def _greet(other: str) -> Dialogue[bytes]:
    yield Send(other, b"hello ")
    yield Send(other, b"you")
    first = yield Receive(other)
    second = yield Receive(other)
    return bytes(first) + bytes(second)


def _wait(other: str) -> Dialogue[bytes]:
    return bytes((yield Receive(other)))


def test_messages_arrive_in_order() -> None:
    run = Lockstep({"a": _greet("b"), "b": _greet("a")})

    assert run.run() == {"a": b"hello you", "b": b"hello you"}
    assert run.sent_bytes == {"a": 9, "b": 9}


def test_parties_that_wait_for_each_other_are_a_defect() -> None:
    with pytest.raises(InvariantBroken):
        Lockstep({"a": _wait("b"), "b": _wait("a")}).run()
