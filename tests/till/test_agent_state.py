"""
What the page is told holds what it shows, and nothing that it must not have.
"""

from __future__ import annotations

import msgspec

from handsel.till.action import EnrolmentAction
from handsel.till.agent_state import SCREEN_NAMES, AgentState, describe
from handsel.till.light import Light
from handsel.till.screen import Reading, Screen
from handsel.till.session import Session
from handsel.vision.quality import Reason
from tests.till.fakes import COFFEE

NOW_MS = 1_000
RECEIPTS_URL = "https://acquirer.example/receipts"


def described(session: Session) -> AgentState:
    """
    Return what the page is told of a session.
    """
    return describe(session, name="5e", light=Light.SKY, receipts_url=RECEIPTS_URL, is_online=True)


def test_every_screen_has_a_name_of_its_own() -> None:
    assert set(Screen.__args__) == set(SCREEN_NAMES)
    assert len(set(SCREEN_NAMES.values())) == len(SCREEN_NAMES)


def test_progress_and_hint_are_told() -> None:
    session = Session(screen=Reading(COFFEE, 1, 2, Reason.TOO_FAR, 3, NOW_MS), told=COFFEE)

    state = described(session)

    assert (state.good_frames, state.frames_needed, state.reason) == (1, 2, "too_far")
    assert state.hint == Reason.TOO_FAR.text
    assert (state.wants_frames, state.light) == (True, "sky")
    assert state.session == "5e"


def test_a_receipt_is_linked() -> None:
    state = described(Session().paid(COFFEE, receipt_code="a1-_B", now_ms=NOW_MS))

    assert (state.receipt_code, state.receipt_url) == ("a1-_B", f"{RECEIPTS_URL}/a1-_B")
    assert (state.wants_frames, state.light) == (False, None)


def test_the_page_is_told_neither_code_nor_id() -> None:
    enrolling = Session().begin_enrolment(EnrolmentAction("e0" * 16, NOW_MS, "12345678"))
    charging = Session().tell(COFFEE, now_ms=NOW_MS)

    for session in (enrolling, charging):
        content = msgspec.json.encode(described(session)).decode()
        assert "12345678" not in content
        assert "e0" * 16 not in content
        assert COFFEE.id not in content
