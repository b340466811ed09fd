"""
The three matchers are asked at the same time, each once.
"""

from __future__ import annotations

import threading

import pytest

from handsel.errors import PartyUnavailable
from handsel.flows.acquiring.ask_matchers import ask_matchers
from handsel.matching.message import PerMatcher


def test_each_answers_in_its_own_place_and_all_at_once() -> None:
    meeting = threading.Barrier(3)

    def ask(matcher: str) -> bytes:
        meeting.wait(timeout=10)
        return matcher.encode()

    assert ask_matchers(ask) == PerMatcher(b"a", b"b", b"c")


@pytest.mark.parametrize("dead", ["a", "b", "c"])
def test_one_that_fails_makes_the_whole_fail(dead: str) -> None:
    asked: list[str] = []

    def ask(matcher: str) -> bytes:
        asked.append(matcher)
        if matcher == dead:
            raise PartyUnavailable("no answer")
        return b""

    with pytest.raises(PartyUnavailable):
        ask_matchers(ask)
    assert sorted(asked) == ["a", "b", "c"]


def test_envelopes_are_not_shown() -> None:
    envelopes = PerMatcher(b"one", b"two", b"three")

    assert repr(envelopes) == "PerMatcher()"
    assert [envelopes.of(name) for name in "abc"] == [b"one", b"two", b"three"]
