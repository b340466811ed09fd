"""
Which screen follows which, at both sides of every bound; and that no sequence of events breaks the rules.
"""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from handsel.errors import BodyInvalid, InvariantBroken
from handsel.till.action import ChargeAction, EnrolmentAction, TipChoice
from handsel.till.screen import (
    Declined,
    Enrolled,
    Idle,
    Paid,
    PutAside,
    Reading,
    Refunded,
    Showing,
    Trouble,
    Working,
)
from handsel.till.session import (
    ASKED_TOO_OFTEN,
    ATTEMPTS_MAX,
    CHARGE_FRAMES,
    DECLINE_PAUSE_MS,
    ENROLLED_MS,
    ENROLMENT_FRAMES,
    ENROLMENT_MS_MAX,
    FRAMES_MAX,
    NO_PALM_SHOWN,
    PAID_MS,
    READ_MS_MAX,
    REFUSED_MS,
    RETRYABLE_REASONS,
    TROUBLE_MS,
    VOIDED,
    WORK_MS_MAX,
    Session,
    action_of,
    frames_needed,
)
from handsel.vision.quality import Reason
from tests.till.fakes import CAKE, COFFEE, COFFEE_BACK

T = 1_000_000
ENROLMENT = EnrolmentAction("e0" * 16, T, "12345678")


def showing(action: ChargeAction = COFFEE) -> Session:
    """
    Return a session that shows what the acquirer told.
    """
    return Session().tell(action, now_ms=T)


def working() -> Session:
    """
    Return a session whose charge was sent at T.
    """
    return showing().saw(good=1, hint=None, now_ms=T).work(now_ms=T)


def test_a_new_session_is_idle_and_wants_nothing() -> None:
    session = Session()

    assert session.screen == Idle()
    assert session.tick(now_ms=T) is session
    assert not session.may_cancel
    assert not session.may_retry
    assert session.may_enrol


def test_what_is_told_is_shown() -> None:
    assert showing().screen == Showing(COFFEE)
    assert showing().tell(CAKE, now_ms=T).screen == Showing(CAKE)
    assert showing().tell(None, now_ms=T).screen == Idle()


def test_another_amount_for_the_same_payment_begins_anew() -> None:
    dearer = ChargeAction(COFFEE.id, 900, "EUR", COFFEE.merchant, COFFEE.description)

    session = showing().saw(good=1, hint=None, now_ms=T).tell(dearer, now_ms=T)

    assert session.screen == Showing(dearer)


def test_frames_are_counted() -> None:
    session = showing().saw(good=0, hint=Reason.NO_HAND, now_ms=T).saw(good=1, hint=None, now_ms=T + 5)

    assert session.screen == Reading(COFFEE, 1, CHARGE_FRAMES, None, frames=2, begun_ms=T)


def test_no_more_frames_count_than_are_needed() -> None:
    assert isinstance(showing().saw(good=CHARGE_FRAMES, hint=None, now_ms=T).screen, Reading)
    with pytest.raises(InvariantBroken):
        showing().saw(good=CHARGE_FRAMES + 1, hint=None, now_ms=T)


@pytest.mark.parametrize("session", [Session(), working()])
def test_no_frame_counts_while_none_is_wanted(session: Session) -> None:
    with pytest.raises(InvariantBroken):
        session.saw(good=1, hint=None, now_ms=T)
    with pytest.raises(InvariantBroken):
        session.work(now_ms=T)


def test_a_reading_is_given_up_after_so_much_time() -> None:
    session = showing().saw(good=1, hint=None, now_ms=T)

    assert isinstance(session.tick(now_ms=T + READ_MS_MAX - 1).screen, Reading)
    assert session.tick(now_ms=T + READ_MS_MAX).screen == Showing(COFFEE)


def test_a_reading_is_given_up_after_so_many_frames() -> None:
    session = showing()
    for _ in range(FRAMES_MAX - 1):
        session = session.saw(good=0, hint=Reason.TOO_FAR, now_ms=T)

    assert isinstance(session.tick(now_ms=T).screen, Reading)
    assert session.saw(good=0, hint=Reason.TOO_FAR, now_ms=T).tick(now_ms=T).screen == Showing(COFFEE)


def test_a_code_is_good_for_so_long_at_the_till() -> None:
    session = Session().begin_enrolment(ENROLMENT)

    assert session.tick(now_ms=T + ENROLMENT_MS_MAX - 1).screen == Showing(ENROLMENT)
    expired = session.tick(now_ms=T + ENROLMENT_MS_MAX)
    assert isinstance(expired.screen, Declined)
    assert (expired.screen.reason, expired.may_retry) == (NO_PALM_SHOWN, False)
    assert expired.tick(now_ms=T + ENROLMENT_MS_MAX + REFUSED_MS).screen == Idle()


def test_an_enrolment_takes_more_frames_than_a_charge() -> None:
    assert frames_needed(COFFEE) == frames_needed(COFFEE_BACK) == CHARGE_FRAMES
    assert frames_needed(ENROLMENT) == ENROLMENT_FRAMES > CHARGE_FRAMES


@pytest.mark.parametrize(
    ("session", "shown_ms"),
    [
        (working().paid(COFFEE, receipt_code="r", now_ms=T), PAID_MS),
        (showing().refunded(COFFEE_BACK, receipt_code="r", now_ms=T).tell(None, now_ms=T), PAID_MS),
        (Session().enrolled(ENROLMENT, now_ms=T), ENROLLED_MS),
    ],
)
def test_what_went_well_is_shown_for_a_while(session: Session, shown_ms: int) -> None:
    session = session.tell(None, now_ms=T)
    if not isinstance(session.screen, Idle):
        assert isinstance(session.tick(now_ms=T + shown_ms - 1).screen, Paid | Refunded | Enrolled)
    assert session.tick(now_ms=T + shown_ms).screen == Idle()


def test_the_next_payment_waits_until_the_receipt_was_seen() -> None:
    session = working().paid(COFFEE, receipt_code="r", now_ms=T).tell(CAKE, now_ms=T)

    assert isinstance(session.tick(now_ms=T + PAID_MS - 1).screen, Paid)
    assert session.tick(now_ms=T + PAID_MS).screen == Showing(CAKE)
    assert session.cancel(now_ms=T).screen == Showing(CAKE)


@pytest.mark.parametrize("reason", sorted(RETRYABLE_REASONS))
def test_a_palm_that_was_not_recognised_may_be_shown_again_after_a_pause(reason: str) -> None:
    session = working().declined(COFFEE, reason=reason, now_ms=T)

    assert isinstance(session.screen, Declined)
    assert session.screen.may_retry
    assert isinstance(session.tick(now_ms=T + DECLINE_PAUSE_MS - 1).screen, Declined)
    assert session.tick(now_ms=T + DECLINE_PAUSE_MS).screen == Showing(COFFEE)
    assert session.retry(now_ms=T).screen == Showing(COFFEE)


@pytest.mark.parametrize("reason", ["insufficient_funds", "palm_paused", "anything"])
def test_other_declines_stay_until_the_merchant_moves_on(reason: str) -> None:
    session = working().declined(COFFEE, reason=reason, now_ms=T)

    assert isinstance(session.tick(now_ms=T + 10**9).screen, Declined)
    assert isinstance(session.tell(None, now_ms=T + REFUSED_MS - 1).screen, Declined)
    assert session.tell(None, now_ms=T + REFUSED_MS).screen == Idle()


def test_attempts_are_counted_for_each_action_by_itself() -> None:
    session = showing()
    for tried in range(1, ATTEMPTS_MAX + 1):
        session = session.saw(good=1, hint=None, now_ms=T).work(now_ms=T)
        session = session.declined(COFFEE, reason="not_recognised", now_ms=T)
        assert session.may_retry == (tried < ATTEMPTS_MAX)
        session = session.tick(now_ms=T + DECLINE_PAUSE_MS)

    assert session.tell(CAKE, now_ms=T + REFUSED_MS).screen == Showing(CAKE)


def test_trouble_before_anything_was_sent_passes_by_itself() -> None:
    session = working().troubled(COFFEE, code="store_full", is_retryable=True, now_ms=T)

    assert isinstance(session.tick(now_ms=T + TROUBLE_MS - 1).screen, Trouble)
    assert session.tick(now_ms=T + TROUBLE_MS).screen == Showing(COFFEE)


def test_trouble_that_another_try_does_not_change_stays() -> None:
    session = working().troubled(COFFEE, code="body_invalid", is_retryable=False, now_ms=T)

    assert isinstance(session.tick(now_ms=T + 10**9).screen, Trouble)
    assert session.retry(now_ms=T).screen == Showing(COFFEE)
    assert session.cancel(now_ms=T).screen == PutAside(COFFEE)


def test_trouble_while_enrolling_goes_back_to_the_palm_and_keeps_the_code() -> None:
    session = Session().begin_enrolment(ENROLMENT).work(now_ms=T)
    session = session.troubled(ENROLMENT, code="party_unavailable", is_retryable=True, now_ms=T)

    assert session.tick(now_ms=T + TROUBLE_MS).screen == Showing(ENROLMENT)
    assert session.retry(now_ms=T).screen == Showing(ENROLMENT)


def test_a_till_that_must_wait_asks_for_no_palm_by_itself_and_counts_no_try() -> None:
    session = working()
    for _ in range(ATTEMPTS_MAX + 1):
        session = session.declined(COFFEE, reason=ASKED_TOO_OFTEN, now_ms=T)

    assert session.screen == Declined(COFFEE, ASKED_TOO_OFTEN, may_retry=False, until_ms=T + REFUSED_MS)
    assert session.tick(now_ms=T + 10 * REFUSED_MS).screen == session.screen
    assert session.tried == 0
    assert session.may_retry  # By a button, once the customer or the shop thinks that it has waited long enough.


def test_an_unknown_outcome_can_neither_be_cancelled_nor_tried_again() -> None:
    session = working().waits(COFFEE, code="party_unavailable", now_ms=T)

    assert session.cancel(now_ms=T) is session
    assert session.retry(now_ms=T) is session
    assert not session.may_cancel
    assert not session.may_retry
    assert not session.may_enrol


def test_an_unknown_outcome_never_leads_back_to_the_same_palm() -> None:
    session = working().waits(COFFEE, code="party_unavailable", now_ms=T)

    assert isinstance(session.tick(now_ms=T + WORK_MS_MAX - 1).screen, Trouble)
    assert isinstance(session.tick(now_ms=T + WORK_MS_MAX).screen, Working)
    assert session.tell(None, now_ms=T + WORK_MS_MAX).screen == Idle()
    assert session.tell(CAKE, now_ms=T + WORK_MS_MAX).screen == Showing(CAKE)


def test_an_outcome_that_comes_late_does_not_disturb_the_next_customer() -> None:
    session = working().tell(CAKE, now_ms=T + WORK_MS_MAX)
    session = session.paid(COFFEE, receipt_code="r", now_ms=T + WORK_MS_MAX)

    assert session.screen == Showing(CAKE)
    assert session.tell(COFFEE, now_ms=T + WORK_MS_MAX).screen == Idle()


def test_an_outcome_that_comes_late_to_an_idle_till_is_shown() -> None:
    session = working().tell(None, now_ms=T + WORK_MS_MAX)

    assert session.screen == Idle()
    assert isinstance(session.paid(COFFEE, receipt_code="r", now_ms=T).screen, Paid)


def test_why_a_charge_was_voided_says_more_than_that_it_was() -> None:
    waiting = working().waits(COFFEE, code="party_unavailable", now_ms=T)

    for session, code in ((waiting, "party_unavailable"), (working(), VOIDED)):
        screen = session.troubled(COFFEE, code=VOIDED, is_retryable=True, now_ms=T).screen
        assert isinstance(screen, Trouble)
        assert screen.code == code


def test_cancelled_is_cancelled_until_asked_again() -> None:
    session = showing().cancel(now_ms=T)

    assert session.screen == PutAside(COFFEE)
    assert session.tell(COFFEE, now_ms=T + 10**9).screen == PutAside(COFFEE)
    assert session.tell(CAKE, now_ms=T).screen == Showing(CAKE)
    assert session.tell(None, now_ms=T).screen == Idle()
    assert session.retry(now_ms=T).screen == Showing(COFFEE)


def test_one_action_at_a_time() -> None:
    for session in (showing(), working(), working().waits(COFFEE, code="x", now_ms=T)):
        assert not session.may_enrol
        with pytest.raises(InvariantBroken):
            session.begin_enrolment(ENROLMENT)
    again = Session().begin_enrolment(ENROLMENT).begin_enrolment(replace(ENROLMENT, id="e1" * 16))
    assert action_of(again.screen) != ENROLMENT


TIPPED = ChargeAction(
    "f1" * 16, 400, "EUR", "Corner Café", "Lunch", tips=(TipChoice(20, 5), TipChoice(40, 10)), tip_minor_max=400
)
TOLD = {"tell_coffee": COFFEE, "tell_cake": CAKE, "tell_lunch": TIPPED, "tell_none": None}
FRAMES = ("good", "bad", "work")
OUTCOMES = ("wait", "pay", "decline", "void", "fail")
BUTTONS = ("cancel", "retry", "enrol", "tip", "tick")
EVENTS = st.lists(
    st.tuples(st.sampled_from([*TOLD, *FRAMES, *OUTCOMES, *BUTTONS]), st.integers(0, 40_000)), max_size=40
)


def after_button(session: Session, event: str, now_ms: int) -> Session:
    """
    Return the session after a button, or after nothing but time.
    """
    if event == "cancel":
        return session.cancel(now_ms=now_ms)
    if event == "retry":
        return session.retry(now_ms=now_ms)
    if event == "tip" and session.told in (TIPPED, TIPPED.with_tip(20)):
        return session.choose_tip(20)
    if event == "enrol" and session.may_enrol:
        # As at the agent, every enrolment has an id of its own.
        return session.begin_enrolment(replace(ENROLMENT, id=f"{now_ms:032x}", begun_ms=now_ms))
    return session.tick(now_ms=now_ms)


def after_frame(session: Session, event: str, now_ms: int) -> Session:
    """
    Return the session after a frame, if one is wanted.
    """
    if not isinstance(session.screen, Showing | Reading):
        return session
    if event == "work":
        return session.work(now_ms=now_ms)
    return session.saw(good=int(event == "good"), hint=None, now_ms=now_ms)


def after_outcome(session: Session, event: str, now_ms: int) -> Session:
    """
    Return the session after an outcome of what is on the screen, if there can be one.
    """
    action = action_of(session.screen)
    if action is None or action.id not in session.unsettled:
        return session
    if event == "wait":
        return session.waits(action, code="party_unavailable", now_ms=now_ms)
    if event == "decline":
        return session.declined(action, reason="not_recognised", now_ms=now_ms)
    if event == "pay" and isinstance(action, ChargeAction):
        return session.paid(action, receipt_code="r", now_ms=now_ms)
    return session.troubled(action, code=VOIDED, is_retryable=event == "void", now_ms=now_ms)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(EVENTS)
@example([("enrol", 0), ("work", 40_000), ("void", 40_000), ("good", 40_000)])  # The code ran out behind a trouble.
def test_no_sequence_of_events_asks_for_a_palm_twice(events: list[tuple[str, int]]) -> None:
    session, now_ms = Session(), T
    for event, ms in events:
        now_ms += ms
        if event in TOLD:
            session = session.tell(TOLD[event], now_ms=now_ms)
        elif event in FRAMES:
            session = after_frame(session, event, now_ms)
        else:
            session = (after_outcome if event in OUTCOMES else after_button)(session, event, now_ms)

        action = action_of(session.screen)
        if isinstance(session.screen, Showing | Reading) and action is not None:
            assert action.id not in session.unsettled
            assert action.id != session.finished_id
        assert session.tick(now_ms=now_ms).tick(now_ms=now_ms) == session.tick(now_ms=now_ms)
        assert session.tried <= ATTEMPTS_MAX


def tip_of(session: Session) -> int:
    action = action_of(session.screen)
    assert isinstance(action, ChargeAction)
    return action.tip_minor


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(EVENTS)
@example([("tell_lunch", 0), ("tip", 0), ("work", 0), ("decline", 0), ("retry", 0)])
@example([("tell_lunch", 0), ("tip", 0), ("cancel", 0), ("retry", 0)])
@example([("tell_lunch", 0), ("tip", 0), ("tell_cake", 0), ("tell_lunch", 0)])
def test_no_sequence_of_events_gives_a_tip_that_was_not_chosen(events: list[tuple[str, int]]) -> None:
    """
    Kept in mind beside the session: a tip counts from its button to a cancel, or to another payment.
    """
    session, now_ms, chosen = Session(), T, 0
    for event, ms in events:
        now_ms += ms
        asks_for_lunch = isinstance(session.screen, Showing | Reading) and session.screen.action == session.told
        if event in TOLD:
            chosen = chosen if event == "tell_lunch" else 0
            session = session.tell(TOLD[event], now_ms=now_ms)
        elif event in FRAMES:
            session = after_frame(session, event, now_ms)
        elif event in OUTCOMES:
            session = after_outcome(session, event, now_ms)
        else:
            session = after_button(session, event, now_ms)
            if event == "tip" and asks_for_lunch and session.told == TIPPED.with_tip(20):
                chosen = 20
            if event == "cancel" and isinstance(session.screen, PutAside):
                chosen = 0

        action = action_of(session.screen)
        if isinstance(session.screen, Showing | Reading | Working) and isinstance(action, ChargeAction):
            assert action.tip_minor == (chosen if action.id == TIPPED.id else 0)


def test_who_does_nothing_gives_no_tip() -> None:
    session = showing(TIPPED)
    session = session.saw(good=1, hint=None, now_ms=T)

    assert tip_of(session.work(now_ms=T)) == 0


def test_a_tip_is_chosen_changed_and_taken_back() -> None:
    session = showing(TIPPED)
    for tip_minor in (20, 40, 400, 0):
        session = session.choose_tip(tip_minor)

        assert tip_of(session) == tip_minor
        assert session.tell(TIPPED, now_ms=T) == session


def test_what_was_read_for_another_sum_counts_no_more() -> None:
    session = showing(TIPPED).saw(good=1, hint=None, now_ms=T)

    assert session.choose_tip(20).screen == Showing(TIPPED.with_tip(20))


@pytest.mark.parametrize("tip_minor", [-1, 401])
def test_a_tip_is_bounded(tip_minor: int) -> None:
    with pytest.raises(BodyInvalid):
        showing(TIPPED).choose_tip(tip_minor)
    with pytest.raises(BodyInvalid):
        showing(COFFEE).choose_tip(1)


def test_an_acquirer_chooses_no_tip() -> None:
    """
    It may say so, once or again, and nobody listens.
    """
    presumed = TIPPED.with_tip(40)
    session = Session().tell(presumed, now_ms=T)

    assert tip_of(session) == 0
    assert tip_of(session.tell(presumed, now_ms=T)) == 0
    assert tip_of(session.choose_tip(20).tell(presumed, now_ms=T)) == 20


def test_a_tip_stays_over_another_try_and_goes_with_a_cancel() -> None:
    session = showing(TIPPED).choose_tip(20)
    tipped = TIPPED.with_tip(20)
    sent = session.saw(good=1, hint=None, now_ms=T).work(now_ms=T)
    again = sent.declined(tipped, reason="not_recognised", now_ms=T).retry(now_ms=T)
    assert again.screen == Showing(tipped)

    canceled = again.cancel(now_ms=T)

    assert canceled.screen == PutAside(TIPPED)
    assert tip_of(canceled.retry(now_ms=T)) == 0


def test_a_tip_goes_with_its_payment() -> None:
    other = replace_action(TIPPED, id="f2" * 16)
    session = showing(TIPPED).choose_tip(20)

    assert tip_of(session.tell(other, now_ms=T)) == 0
    assert tip_of(session.tell(replace_action(TIPPED, amount_minor=500), now_ms=T)) == 0


def test_once_a_palm_was_sent_no_tip_is_chosen() -> None:
    for session in (
        working(),
        showing(TIPPED).saw(good=1, hint=None, now_ms=T).work(now_ms=T),
        Session(),
        showing(TIPPED).cancel(now_ms=T),
        Session().tell(COFFEE_BACK, now_ms=T),
    ):
        assert session.choose_tip(20) is session


def replace_action(action: ChargeAction, **changes: object) -> ChargeAction:
    return msgspec.structs.replace(action, **changes)
