"""
Whatever breaks, whenever: a payment ends, once, without a person's help, and nobody is debited twice.
"""

from __future__ import annotations

import pytest

from handsel.errors import (
    AccessDenied,
    BodyInvalid,
    HandselError,
    IdReused,
    NotFound,
    PartyUnavailable,
    PeerUnavailable,
    StoreFull,
)
from handsel.till.acquirer import DeclinedAnswer, PendingAnswer, SignedAnswer
from handsel.till.session import TROUBLE_MS, WORK_MS_MAX
from handsel.till.settle import RESEND_MS_MAX
from tests.till.conftest import Till
from tests.till.fakes import AMOUNT_MINOR, CAKE, COFFEE, COFFEE_BACK, PowerCut, full_disk, lost, reading

ANN = 1
POINTS = ["charge.sent", "charge.answered", "notes.sent", "notes.answered"]


def asked(till: Till) -> None:
    """
    Let the merchant ask for a coffee, and the till hear of it.
    """
    till.acquirer.told = COFFEE
    till.agent.poll()


def paid_once(till: Till) -> None:
    """
    Check that one payment was made, handed over, and forgotten by the journal.
    """
    assert [AMOUNT_MINOR] == till.acquirer.debits_minor == till.acquirer.redeemed_minor
    assert till.journal.entries() == ()


@pytest.mark.parametrize("point", POINTS[1:])
def test_a_crash_after_the_charge_is_made_good_after_the_next_start(till: Till, point: str) -> None:
    asked(till)
    till.acquirer.breaks[point] = [PowerCut()]
    with pytest.raises(PowerCut):
        till.hold_out(ANN)

    till.start()

    assert till.poll_until("paid").merchant == "Corner Café"
    paid_once(till)


def test_a_crash_before_the_charge_was_sent_is_no_charge(till: Till) -> None:
    asked(till)
    till.acquirer.breaks["charge.sent"] = [PowerCut()]
    with pytest.raises(PowerCut):
        till.hold_out(ANN)

    till.start()

    assert len(till.journal.entries()) == 1
    till.poll_until("showing")
    assert till.journal.entries() == ()
    assert till.acquirer.debits_minor == []
    assert till.hold_out(ANN).screen == "paid"
    paid_once(till)


def test_after_a_start_no_palm_is_asked_for_before_the_last_charge_has_an_end(till: Till) -> None:
    asked(till)
    till.acquirer.breaks["charge.sent"] = [PowerCut()]
    with pytest.raises(PowerCut):
        till.hold_out(ANN)
    till.acquirer.breaks["charge_state"] = [lost()]
    till.acquirer.breaks["void"] = [lost()]
    till.start()
    assert till.agent.state().wants_frames is False
    for lost_before in ("charge_state", "void"):
        assert till.agent.poll().wants_frames is False
        assert till.acquirer.breaks[lost_before] == []
        assert len(till.journal.entries()) == 1
        till.clock.pass_ms(3_000)

    assert till.agent.poll().may_retry

    assert till.journal.entries() == ()
    till.clock.pass_ms(TROUBLE_MS)
    assert till.agent.poll().screen == "showing"


@pytest.mark.parametrize("point", POINTS)
def test_a_lost_answer_is_asked_for_again_with_the_same_id(till: Till, point: str) -> None:
    asked(till)
    till.acquirer.breaks[point] = [lost(), lost()]

    state = till.hold_out(ANN)

    assert (state.screen, state.code, state.may_retry) == ("trouble", "party_unavailable", False)
    assert "never charged twice" in state.message
    till.poll_until("paid", ms=300)
    assert len({request.charge_id for request in till.acquirer.charge_requests}) == 1
    paid_once(till)


@pytest.mark.parametrize("point", POINTS)
def test_a_lost_answer_and_a_crash_on_top_are_made_good(till: Till, point: str) -> None:
    asked(till)
    till.acquirer.breaks = {point: [lost()], "charge_state": [PowerCut()]}
    till.hold_out(ANN)
    till.clock.pass_ms(1_000)
    with pytest.raises(PowerCut):
        till.agent.poll()

    till.start()

    for _ in range(5):
        till.agent.poll()
        till.clock.pass_ms(20_000)
    if till.agent.poll().screen == "showing":
        till.hold_out(ANN)
    paid_once(till)


def test_while_the_outcome_is_unknown_no_frame_is_looked_at(till: Till) -> None:
    asked(till)
    till.acquirer.breaks["charge.answered"] = [lost()]
    till.hold_out(ANN)
    frames = till.reader.frames
    till.reader.sights = [reading(ANN)]

    assert till.show().screen == "trouble"
    assert till.cancel().screen == "trouble"
    assert till.retry().screen == "trouble"
    assert till.reader.frames == frames


def test_a_dead_acquirer_is_trouble_and_nothing_is_lost(till: Till) -> None:
    asked(till)
    till.acquirer.breaks["charge.sent"] = [lost() for _ in range(99)]
    till.acquirer.breaks["charge_state"] = [lost() for _ in range(99)]
    till.acquirer.breaks["action"] = [lost() for _ in range(99)]

    assert till.hold_out(ANN).screen == "trouble"

    for _ in range(90):
        till.clock.pass_ms(1_000)
        state = till.agent.poll()
    assert not state.is_online
    assert not state.wants_frames
    assert len(till.journal.entries()) == 1
    till.acquirer.breaks.clear()
    till.poll_until("showing")
    assert till.acquirer.charge_requests == []  # The palm of a minute ago is not sent any more.
    assert till.hold_out(ANN).screen == "paid"
    paid_once(till)


def test_a_palm_is_sent_again_only_while_it_is_fresh(till: Till) -> None:
    asked(till)
    till.acquirer.breaks["charge.sent"] = [lost()]
    till.hold_out(ANN)
    till.clock.pass_ms(RESEND_MS_MAX)

    till.agent.poll()

    assert till.acquirer.charge_requests == []
    assert till.journal.entries() == ()


def test_a_palm_is_sent_again_just_before_it_is_no_longer_fresh(till: Till) -> None:
    asked(till)
    till.acquirer.breaks["charge.sent"] = [lost()]
    till.hold_out(ANN)
    till.clock.pass_ms(RESEND_MS_MAX - 1)

    assert till.agent.poll().screen == "paid"
    paid_once(till)


def test_the_acquirer_is_not_asked_without_a_pause(till: Till) -> None:
    asked(till)
    till.acquirer.breaks["charge.sent"] = [lost() for _ in range(200)]
    till.acquirer.breaks["charge_state"] = [lost() for _ in range(200)]
    till.hold_out(ANN)
    for _ in range(120):  # A minute, asked for the state twice a second.
        till.clock.pass_ms(500)
        till.agent.poll()

    asked_for = 200 - len(till.acquirer.breaks["charge_state"])
    assert 5 <= asked_for <= 25


def test_a_pending_charge_is_waited_for(till: Till) -> None:
    till.acquirer.declines = ["pending"]
    asked(till)

    assert till.hold_out(ANN).screen == "working"

    till.clock.pass_ms(1_000)
    assert till.agent.poll().screen == "working"
    request = till.acquirer.charge_requests[0]
    order = till.keyring.open_order(request)
    assert isinstance(till.acquirer.charges[request.charge_id], PendingAnswer)
    till.acquirer.debits_minor.append(order.amount_minor)
    signatures = tuple(till.keyring.notes.sign(note) for note in order.notes)
    till.acquirer.charges[request.charge_id] = SignedAnswer(signatures)
    assert till.poll_until("paid").receipt_code
    paid_once(till)


def test_after_half_a_minute_the_till_serves_the_next_and_still_asks(till: Till) -> None:
    till.acquirer.declines = ["pending"]
    asked(till)
    till.hold_out(ANN)
    till.clock.pass_ms(WORK_MS_MAX - 1)
    till.acquirer.told = CAKE
    assert till.agent.poll().screen == "working"
    till.clock.pass_ms(1)
    assert till.agent.poll().description == "Cake"

    assert till.hold_out(ANN).screen == "paid"

    assert len(till.journal.entries()) == 1
    till.acquirer.charges[till.acquirer.charge_requests[0].charge_id] = DeclinedAnswer("voided")
    till.clock.pass_ms(60_000)
    till.agent.poll()
    assert till.journal.entries() == ()


def test_a_payment_with_an_open_charge_is_never_charged_again(till: Till) -> None:
    till.acquirer.declines = ["pending"]
    asked(till)
    till.hold_out(ANN)
    till.acquirer.told = COFFEE
    for _ in range(40):
        till.clock.pass_ms(5_000)
        till.agent.poll()
        till.reader.sights = [reading(ANN)]
        assert till.show().screen == "working"

    assert len(till.acquirer.charge_requests) == 1


@pytest.mark.parametrize("error", [PartyUnavailable("x"), PeerUnavailable("x"), StoreFull("the acquirer's disk")])
def test_a_dead_matcher_is_trouble_and_the_palm_may_be_shown_again(till: Till, error: HandselError) -> None:
    asked(till)
    till.acquirer.declines = ["voided"]
    till.acquirer.breaks["charge.answered"] = [error]

    state = till.hold_out(ANN)

    assert (state.screen, state.code) == ("trouble", error.code)
    till.clock.pass_ms(1_000)
    state = till.agent.poll()
    assert (state.code, state.may_retry) == (error.code, True)
    assert "Nothing was paid" in state.message
    till.clock.pass_ms(TROUBLE_MS)
    assert till.agent.poll().screen == "showing"
    assert till.hold_out(ANN).screen == "paid"
    paid_once(till)


@pytest.mark.parametrize("error", [BodyInvalid("x"), NotFound("x"), IdReused("x"), AccessDenied("x")])
def test_what_the_acquirer_refuses_is_trouble_and_is_forgotten(till: Till, error: HandselError) -> None:
    asked(till)
    till.acquirer.breaks["charge.sent"] = [error]

    state = till.hold_out(ANN)

    assert (state.screen, state.code) == ("trouble", error.code)
    assert till.journal.entries() == ()
    till.clock.pass_ms(60_000)
    assert till.agent.poll().screen == "trouble"
    till.acquirer.told = None
    assert till.agent.poll().screen == "idle"


def test_what_was_refused_is_never_carried_out_later(till: Till) -> None:
    asked(till)
    till.acquirer.breaks["charge.sent"] = [IdReused("another charge is under way")]
    till.hold_out(ANN)

    (charge_id,) = till.acquirer.charges
    assert till.acquirer.charges[charge_id] == DeclinedAnswer("voided")


def test_of_a_payment_that_nobody_knows_there_is_nothing_to_give_up(till: Till) -> None:
    asked(till)
    till.acquirer.breaks["charge.sent"] = [NotFound("no such payment")]
    till.acquirer.breaks["void"] = [NotFound("no such payment")]

    assert till.hold_out(ANN).screen == "trouble"
    assert till.journal.entries() == ()


def test_a_refusal_of_what_was_done_nevertheless_is_no_refusal(till: Till) -> None:
    asked(till)
    till.acquirer.breaks["charge.answered"] = [BodyInvalid("a gateway in between")]

    assert till.hold_out(ANN).screen == "paid"
    paid_once(till)


def test_signatures_that_do_not_verify_are_kept_for_a_person(till: Till) -> None:
    asked(till)
    till.acquirer.breaks["charge.answered"] = [lost()]
    till.hold_out(ANN)
    charge_id = till.acquirer.charge_requests[0].charge_id
    genuine = till.acquirer.charges[charge_id]
    assert isinstance(genuine, SignedAnswer)
    till.acquirer.charges[charge_id] = SignedAnswer(tuple(reversed(genuine.signatures)))
    till.clock.pass_ms(1_000)

    assert till.agent.poll().code == "signature_invalid"

    assert len(till.journal.entries()) == 1
    assert till.acquirer.redeemed_minor == []
    till.acquirer.charges[charge_id] = genuine
    till.poll_until("paid")
    paid_once(till)


def test_a_journal_that_cannot_be_tidied_hurts_nobody(till: Till) -> None:
    asked(till)
    till.reader.sights = [reading(ANN), reading(ANN, shot=1)]
    till.show()
    with full_disk():
        state = till.show()
    assert state.code == "store_full"

    till.clock.pass_ms(TROUBLE_MS)
    till.agent.poll()
    till.acquirer.breaks["notes.sent"] = [lost()]
    till.hold_out(ANN)
    till.clock.pass_ms(1_000)
    with full_disk():
        assert till.agent.poll().screen == "paid"
    assert len(till.journal.entries()) == 1

    till.start()
    till.clock.pass_ms(60_000)
    till.agent.poll()
    paid_once(till)


def test_a_lost_refund_is_asked_for_again_with_the_same_id(till: Till) -> None:
    till.acquirer.told = COFFEE_BACK
    till.agent.poll()
    till.acquirer.breaks["refund.answered"] = [lost(), lost()]

    assert till.hold_out(ANN).screen == "trouble"

    assert till.poll_until("refunded", ms=300).receipt_code == "receipt-refund"
    assert len({(request.attempt_id, request.order_id) for request in till.acquirer.refund_requests}) == 1


def test_a_refund_that_stays_unknown_is_left_to_the_acquirer(till: Till) -> None:
    till.acquirer.told = COFFEE_BACK
    till.agent.poll()
    till.acquirer.breaks["refund.answered"] = [lost() for _ in range(99)]
    till.hold_out(ANN)
    till.clock.pass_ms(RESEND_MS_MAX)

    state = till.agent.poll()

    assert state.code == "never_known"
    assert "Look in your wallet" in state.message
    sent = len(till.acquirer.refund_requests)
    till.clock.pass_ms(60_000)
    assert till.agent.poll().screen == "idle"
    assert len(till.acquirer.refund_requests) == sent


def test_a_lost_enrolment_is_asked_for_again_with_the_same_id(till: Till) -> None:
    till.agent.begin_enrolment("12345678")
    till.acquirer.breaks["enrolment.answered"] = [lost()]

    assert till.hold_out(ANN).screen == "trouble"

    till.poll_until("enrolled", ms=300)
    assert len({(request.enrolment_id, request.order_id) for request in till.acquirer.enrolment_requests}) == 1


def test_an_enrolment_that_stays_unknown_sends_the_customer_to_the_wallet(till: Till) -> None:
    till.agent.begin_enrolment("12345678")
    till.acquirer.breaks["enrolment.answered"] = [lost() for _ in range(99)]
    till.hold_out(ANN)
    till.clock.pass_ms(RESEND_MS_MAX)

    state = till.agent.poll()

    assert (state.screen, state.code) == ("trouble", "never_known")
    assert "Look in your wallet" in state.message
    till.clock.pass_ms(TROUBLE_MS)
    assert till.agent.poll().screen == "idle"


def test_a_refused_enrolment_is_not_sent_again(till: Till) -> None:
    till.agent.begin_enrolment("12345678")
    till.acquirer.breaks["enrolment.sent"] = [BodyInvalid("x")]

    assert till.hold_out(ANN).code == "body_invalid"

    till.clock.pass_ms(60_000)
    till.agent.poll()
    assert till.acquirer.enrolment_requests == []


def test_losing_the_acquirer_is_logged_once(till: Till) -> None:
    till.acquirer.breaks["action"] = [lost() for _ in range(5)]
    for _ in range(5):
        assert not till.agent.poll().is_online

    assert till.agent.poll().is_online
    assert till.log.getvalue().count("acquirer.lost") == 1
