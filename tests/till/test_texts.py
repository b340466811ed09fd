"""
Whatever can happen at a till, the customer reads what it was.
"""

from __future__ import annotations

import pytest

from handsel.order import Way
from handsel.pay.decline import DeclineReason
from handsel.till.action import ChargeAction, EnrolmentAction, RefundAction
from handsel.till.hint import TillHint
from handsel.till.screen import (
    Declined,
    Enrolled,
    Idle,
    Paid,
    PutAside,
    Reading,
    Refunded,
    Reserved,
    Screen,
    Showing,
    Trouble,
    Working,
)
from handsel.till.session import (
    ATTACK_HINT,
    ATTEMPTS_USED_UP,
    CARD_LOCKED,
    CARD_UNKNOWN,
    NO_PALM_SHOWN,
    RETRYABLE_REASONS,
)
from handsel.till.texts import DECLINED, DECLINES, REFUND_DECLINED, REFUND_DECLINES, hint_text, screen_text
from handsel.vision.quality import Reason
from tests.till.fakes import COFFEE, COFFEE_BACK, DEPOSIT

ENROLMENT = EnrolmentAction("e", 0, "12345678")
SCREENS: list[Screen] = [
    Idle(),
    Showing(COFFEE),
    Reading(COFFEE, 1, 2, None, 1, 0),
    Working(COFFEE, 0),
    Paid(COFFEE, "r", 0),
    Showing(DEPOSIT),
    Reserved(DEPOSIT, 0),
    Refunded(COFFEE_BACK, "r", 0),
    Enrolled(ENROLMENT, 0),
    Enrolled(EnrolmentAction("e", 0, "12345678", Way.HELD_KEY), 0),
    Trouble(EnrolmentAction("e", 0, "12345678", Way.HELD_KEY), "never_known", False, False, 0),
    Declined(COFFEE, "not_recognised", True, 0),
    Trouble(COFFEE, "party_unavailable", True, True, 0),
    PutAside(COFFEE),
]


def test_every_reason_of_the_issuer_has_a_text_and_there_is_none_without_one() -> None:
    own = {NO_PALM_SHOWN, ATTEMPTS_USED_UP, ATTACK_HINT, CARD_UNKNOWN, CARD_LOCKED}

    assert {reason.value for reason in DeclineReason} | own == set(DECLINES)
    assert set(DECLINES) > RETRYABLE_REASONS


@pytest.mark.parametrize("reason", list(DeclineReason))
def test_every_reason_has_a_text_that_is_a_sentence(reason: DeclineReason) -> None:
    text = DECLINES[reason]

    assert text[0].isupper()
    assert text.endswith(".")
    assert text != DECLINED


@pytest.mark.parametrize("hint", [*Reason, *TillHint])
def test_every_hint_has_a_text(hint: Reason | TillHint) -> None:
    assert hint_text(hint).endswith((".", "?"))


def test_a_good_frame_has_no_hint() -> None:
    assert hint_text(None) == ""


@pytest.mark.parametrize("screen", SCREENS)
def test_every_screen_says_something_and_nothing_secret(screen: Screen) -> None:
    for is_online in (True, False):
        text = screen_text(screen, is_online=is_online)

        assert text.endswith(".")
        assert "12345678" not in text
        assert COFFEE.id not in text


def test_there_is_a_sample_of_every_screen() -> None:
    assert {type(screen) for screen in SCREENS} == set(Screen.__args__)


def test_a_reason_that_nobody_knows_is_a_plain_decline() -> None:
    assert screen_text(Declined(COFFEE, "<script>", True, 0), is_online=True) == DECLINED


@pytest.mark.parametrize("reason", [*DECLINES, "<script>"])
def test_who_is_to_be_paid_back_is_not_told_to_pay(reason: str) -> None:
    said = screen_text(Declined(COFFEE_BACK, reason, True, 0), is_online=True)

    assert said == REFUND_DECLINES.get(reason, REFUND_DECLINED)
    assert "pay another way" not in said


@pytest.mark.parametrize(("action", "said"), [(COFFEE, "Nothing was paid."), (COFFEE_BACK, "Nothing was paid back.")])
def test_what_was_put_aside_did_not_happen(action: ChargeAction | RefundAction, said: str) -> None:
    assert screen_text(PutAside(action), is_online=True) == said


@pytest.mark.parametrize("code", ["party_unavailable", "store_full", "body_invalid", "invariant_broken", "<b>"])
def test_trouble_says_whether_something_was_paid(code: str) -> None:
    still_asking = screen_text(Trouble(COFFEE, code, True, True, 0), is_online=True)
    over = screen_text(Trouble(COFFEE, code, True, False, 0), is_online=True)

    assert "never charged twice" in still_asking
    assert "Nothing was paid" not in still_asking
    assert "Nothing was paid" in over
    assert "<b>" not in still_asking + over


def test_an_idle_till_says_when_it_is_cut_off() -> None:
    assert screen_text(Idle(), is_online=True) != screen_text(Idle(), is_online=False)
