"""
What fails does not hold up what comes after it, and is not forgotten either.
"""

from __future__ import annotations

import pytest

from handsel.errors import NotFound, PartyUnavailable
from handsel.flows.acquiring.for_each import for_each


def test_all_are_done_in_order() -> None:
    assert for_each(["1", "2"], str.encode) == (b"1", b"2")
    assert for_each([], str.encode) == ()


def test_those_after_a_failure_are_done_and_the_first_failure_is_raised() -> None:
    done: list[str] = []

    def act(request_id: str) -> None:
        if request_id == "1":
            raise PartyUnavailable("no answer")
        if request_id == "2":
            raise NotFound("nothing there")
        done.append(request_id)

    with pytest.raises(PartyUnavailable):
        for_each(["0", "1", "2", "3"], act)
    assert done == ["0", "3"]
