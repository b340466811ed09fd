"""
The till's promises to whoever holds out a hand: asked once, charged at most once, told what happened, and not kept.
"""

from __future__ import annotations

import dataclasses
import gc
import subprocess
import sys
import threading
import weakref
from pathlib import Path

import msgspec
import numpy as np
import pytest

from handsel.config import AttackHintSetting
from handsel.errors import BodyInvalid, EnvelopeInvalid, InvariantBroken
from handsel.matching.template import quantise
from handsel.order import bind, till_digest
from handsel.till.action import ChargeAction, TipChoice, ToldAction
from handsel.till.agent_state import AgentState
from handsel.till.session import ATTEMPTS_MAX, CHARGE_FRAMES, DECLINE_PAUSE_MS, ENROLMENT_FRAMES, PAID_MS, TROUBLE_MS
from handsel.vision.embedding import Probe
from handsel.vision.quality import Reason
from handsel.vision.read_palm import PalmReading, merge_probes
from handsel.vision.sight import Sight
from tests.till.conftest import RECEIPTS_URL, Till
from tests.till.fakes import (
    AMOUNT_MINOR,
    CAKE,
    COFFEE,
    COFFEE_BACK,
    DEPOSIT,
    FakeAcquirer,
    Keyring,
    full_disk,
    joined_views,
    lost,
    picture,
    reading,
)

ANN, BEN = 1, 2
CODE = "12345678"


def asked(till: Till) -> None:
    """
    Let the merchant ask for a coffee, and the till hear of it.
    """
    till.acquirer.told = COFFEE
    assert till.agent.poll().screen == "showing"


def test_the_till_shows_what_the_acquirer_told_and_nothing_else(till: Till) -> None:
    assert till.agent.poll().screen == "idle"
    till.acquirer.told = COFFEE

    state = till.agent.poll()

    assert (state.screen, state.kind, state.amount_minor, state.currency) == ("showing", "charge", 450, "EUR")
    assert (state.merchant, state.description) == ("Corner Café", "Coffee and cake")
    assert state.wants_frames


def test_a_hand_pays(till: Till) -> None:
    asked(till)

    state = till.hold_out(ANN)

    assert state.screen == "paid"
    assert state.receipt_url == f"{RECEIPTS_URL}/{state.receipt_code}#{state.return_code}"
    assert [AMOUNT_MINOR] == till.acquirer.debits_minor == till.acquirer.redeemed_minor
    assert till.journal.entries() == ()


def test_a_charge_takes_just_as_many_good_frames_as_it_says(till: Till) -> None:
    asked(till)
    for shot in range(CHARGE_FRAMES - 1):
        till.reader.sights = [reading(ANN, shot=shot)]
        state = till.show()

        assert (state.screen, state.good_frames, state.frames_needed) == ("reading", shot + 1, CHARGE_FRAMES)
        assert till.acquirer.charge_requests == []
    till.reader.sights = [reading(ANN, shot=9)]

    assert till.show().screen == "paid"


def test_after_a_while_the_till_is_there_for_the_next(till: Till) -> None:
    asked(till)
    till.hold_out(ANN)
    till.clock.pass_ms(PAID_MS - 1)

    assert till.agent.state().screen == "paid"

    till.clock.pass_ms(1)

    assert till.agent.state().screen == "idle"


def test_a_payment_that_the_acquirer_still_tells_of_is_not_shown_again(till: Till) -> None:
    asked(till)
    till.hold_out(ANN)
    till.acquirer.told = COFFEE
    till.clock.pass_ms(PAID_MS)

    assert till.agent.poll().screen == "idle"
    assert not till.show().wants_frames


def test_a_frame_is_not_even_decoded_while_nothing_is_asked(till: Till) -> None:
    till.reader.sights = [reading(ANN)]

    assert till.show().screen == "idle"
    assert till.reader.frames == 0


def test_a_frame_taken_for_what_was_shown_before_does_not_count(till: Till) -> None:
    asked(till)
    before = till.agent.state().session
    till.acquirer.told = CAKE
    till.agent.poll()
    till.reader.sights = [reading(ANN)]

    state = till.agent.see(picture(), session=before, light=None)

    assert (state.screen, till.reader.frames) == ("showing", 0)


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_of_vision_becomes_a_hint(till: Till, reason: Reason) -> None:
    asked(till)
    till.reader.sights = [reason]

    state = till.show()

    assert (state.screen, state.reason, state.hint) == ("reading", reason.value, reason.text)


@pytest.mark.parametrize("content", [b"", b"hello", picture()[:200], b"\xff\xd8\xff" + bytes(50)])
def test_an_unreadable_frame_is_a_hint(till: Till, content: bytes) -> None:
    asked(till)

    state = till.agent.see(content, session=till.agent.state().session, light=None)

    assert (state.screen, state.reason) == ("reading", "unreadable")
    assert state.hint
    assert till.hold_out(ANN).screen == "paid"


def test_a_bad_frame_between_two_good_ones_costs_nothing(till: Till) -> None:
    asked(till)
    till.reader.sights = [reading(ANN), Reason.BLURRED, reading(ANN, shot=1)]

    assert [till.show().screen for _ in range(3)] == ["reading", "reading", "paid"]


def test_both_pictures_of_one_palm_are_sent_as_one(till: Till) -> None:
    asked(till)
    both = (reading(ANN, shot=1, quality=0.9), reading(ANN, shot=2, quality=0.3))
    till.reader.sights = list(both)
    till.show()
    till.show()

    queries = till.keyring.open_queries(till.acquirer.charge_requests[0].queries)
    assert (joined_views(tuple(query.shares for query in queries)) == quantise(merge_probes(both).views)).all()


@pytest.mark.parametrize("told", [COFFEE, COFFEE_BACK])
def test_whoever_took_a_hand_away_again_does_not_pay(till: Till, told: ToldAction) -> None:
    till.acquirer.told = told
    till.agent.poll()
    gone, last = reading(ANN, quality=0.9), reading(BEN, quality=0.3)
    till.reader.sights = [gone, last]
    till.show()
    till.show()

    request = till.acquirer.charge_requests[0] if told == COFFEE else till.acquirer.refund_requests[0]
    queries = till.keyring.open_queries(request.queries)
    assert (joined_views(tuple(query.shares for query in queries)) == quantise(last.probe.views)).all()


def test_what_is_sealed_for_a_charge_is_bound_to_it(till: Till) -> None:
    asked(till)
    till.hold_out(ANN)

    request = till.acquirer.charge_requests[0]
    order = till.keyring.open_order(request)
    queries = till.keyring.open_queries(request.queries)
    assert (order.order_id, order.amount_minor, order.currency) == (request.order_id, AMOUNT_MINOR, "EUR")
    assert request.charge_id not in (request.order_id, request.payment_intent)
    assert {query.binding for query in queries} == {bind(order)}
    assert len({query.query_id for query in queries}) == 1
    assert request.payment_intent == COFFEE.id


def test_the_issuer_learns_no_till(till: Till) -> None:
    asked(till)
    till.hold_out(ANN)
    till.clock.pass_ms(PAID_MS)
    till.acquirer.told = CAKE
    till.agent.poll()
    till.hold_out(ANN)

    first, second = (till.keyring.open_order(request) for request in till.acquirer.charge_requests)
    key = till.keyring.till.public().sign
    assert first.till_digest != second.till_digest
    assert key not in first.till_digest + second.till_digest
    assert till_digest(key, bytes(16)) not in (first.till_digest, second.till_digest)


def test_a_declined_palm_may_be_shown_again_under_a_new_id(till: Till) -> None:
    till.acquirer.declines = ["not_recognised"]
    asked(till)

    state = till.hold_out(BEN)

    assert (state.screen, state.reason, state.may_retry) == ("declined", "not_recognised", True)
    assert till.show().screen == "declined"
    till.clock.pass_ms(DECLINE_PAUSE_MS)
    assert till.agent.poll().screen == "showing"
    assert till.hold_out(ANN).screen == "paid"
    first, second = till.acquirer.charge_requests
    assert first.charge_id != second.charge_id
    assert first.payment_intent == second.payment_intent
    assert till.acquirer.debits_minor == [AMOUNT_MINOR]


def test_a_palm_is_tried_so_often_and_no_oftener(till: Till) -> None:
    till.acquirer.declines = ["not_recognised"] * 9
    asked(till)
    for _ in range(ATTEMPTS_MAX - 1):
        assert till.hold_out(BEN).may_retry
        till.clock.pass_ms(DECLINE_PAUSE_MS)
        till.agent.poll()

    assert not till.hold_out(BEN).may_retry

    till.clock.pass_ms(60_000)
    till.agent.poll()
    assert till.retry().screen == "declined"
    till.acquirer.told = None
    till.agent.poll()
    till.acquirer.told = COFFEE
    assert till.agent.poll().reason == "attempts_used_up"
    assert len(till.acquirer.charge_requests) == ATTEMPTS_MAX


def test_no_money_is_final_until_somebody_asks_again(till: Till) -> None:
    till.acquirer.declines = ["insufficient_funds"]
    asked(till)

    assert till.hold_out(ANN).screen == "declined"

    till.clock.pass_ms(60_000)
    assert till.agent.poll().screen == "declined"
    assert till.retry().screen == "showing"
    assert till.hold_out(ANN).screen == "paid"


def test_a_refund_is_credited(till: Till) -> None:
    till.acquirer.told = COFFEE_BACK
    till.agent.poll()

    state = till.hold_out(ANN)

    assert (state.screen, state.kind, state.receipt_code) == ("refunded", "refund", "receipt-refund")
    request = till.acquirer.refund_requests[0]
    assert request.refund == COFFEE_BACK.id != request.attempt_id != request.order_id
    assert len(till.keyring.open_queries(request.queries)) == 3
    assert till.acquirer.debits_minor == []


def test_a_declined_refund_may_be_tried_again(till: Till) -> None:
    till.acquirer.declines = ["not_recognised"]
    till.acquirer.told = COFFEE_BACK
    till.agent.poll()

    assert till.hold_out(BEN).may_retry

    till.clock.pass_ms(DECLINE_PAUSE_MS)
    till.agent.poll()
    assert till.hold_out(ANN).screen == "refunded"
    assert len({request.attempt_id for request in till.acquirer.refund_requests}) == 2


def test_a_palm_is_enrolled_with_the_right_code(till: Till) -> None:
    state = till.agent.begin_enrolment(" 1234 5678 ")

    assert (state.screen, state.kind, state.frames_needed) == ("showing", "enrolment", ENROLMENT_FRAMES)
    assert till.hold_out(ANN).screen == "enrolled"
    request = till.acquirer.enrolment_requests[0]
    templates = till.keyring.open_templates(request.templates)
    assert {template.enrolment_id for template in templates} == {request.order_id}
    assert len({template.query.binding for template in templates}) == 1


def test_a_wrong_code_is_declined_and_may_be_typed_again(till: Till) -> None:
    till.agent.begin_enrolment("87654321")

    state = till.hold_out(ANN)

    assert (state.screen, state.reason) == ("declined", "wrong_code")
    assert state.may_enrol
    till.agent.begin_enrolment(CODE)
    assert till.hold_out(ANN).screen == "enrolled"


@pytest.mark.parametrize("code", ["", "   ", "1" * 33, "12'; --", "१२३"])
def test_what_is_no_code_is_refused_at_once(till: Till, code: str) -> None:
    with pytest.raises(BodyInvalid):
        till.agent.begin_enrolment(code)

    assert till.agent.state().screen == "idle"


def test_two_hands_are_not_enrolled_as_one(till: Till) -> None:
    till.agent.begin_enrolment(CODE)
    till.reader.sights = [reading(ANN), reading(ANN, shot=1), reading(BEN)]
    till.show()
    till.show()

    state = till.show()

    assert (state.reason, state.good_frames) == ("other_hand", 1)
    assert till.acquirer.enrolment_requests == []


def test_an_enrolment_waits_for_the_payment_that_is_shown(till: Till) -> None:
    asked(till)

    with pytest.raises(BodyInvalid):
        till.agent.begin_enrolment(CODE)

    till.cancel()
    assert till.agent.begin_enrolment(CODE).kind == "enrolment"


def test_a_payment_waits_for_the_enrolment_that_is_shown(till: Till) -> None:
    till.agent.begin_enrolment(CODE)
    till.acquirer.told = COFFEE

    assert till.agent.poll().kind == "enrolment"

    till.cancel()
    assert till.agent.state().kind == "charge"


def test_cancelling_drops_what_was_read_and_is_no_payment(till: Till) -> None:
    asked(till)
    till.reader.sights = [reading(ANN)]
    till.show()

    assert till.cancel().screen == "put_aside"

    till.reader.sights = [reading(ANN), reading(ANN, shot=1)]
    till.agent.poll()
    assert till.show().screen == "put_aside"
    assert till.acquirer.charge_requests == []
    assert till.retry().good_frames == 0


def test_cancelling_while_a_frame_is_read_wins(till: Till) -> None:
    asked(till)
    till.reader.sights = [reading(ANN, shot=shot) for shot in range(CHARGE_FRAMES)]
    for _ in range(CHARGE_FRAMES - 1):
        till.show()
    till.reader.on_read = lambda: assert_screen(till.cancel().screen, "put_aside")

    assert till.show().screen == "put_aside"
    assert till.acquirer.charge_requests == []


def assert_screen(actual: str, expected: str) -> None:
    """
    Check a screen in a place where no statement can stand.
    """
    assert expected == actual


def held_out_copy(till: Till) -> AgentState:
    """
    Hold out something as regular as a print, for as many frames as a charge takes.
    """
    even, places = np.full((32, 32), 128, np.uint8), np.linspace(4, 28, 42, dtype=np.float32).reshape(21, 2)
    for shot in range(CHARGE_FRAMES):
        sight = Sight(9.0, 0.3, np.full(3, 0.2), even, places)
        till.reader.sights = [dataclasses.replace(reading(ANN, shot=shot), sight=sight)]
        state = till.show(shot)
    return state


def test_what_looks_like_a_copy_is_asked_for_once_more_and_nothing_of_it_is_written(till: Till) -> None:
    asked(till)

    first = held_out_copy(till)
    log = till.log.getvalue()
    second = held_out_copy(till)

    assert (first.screen, first.reason, first.good_frames) == ("reading", "once_more", 0)
    assert "hint" not in log and "once_more" not in log
    assert second.screen == "paid"


def test_a_till_that_refuses_sends_nothing_of_what_looks_like_a_copy_twice(keyring: Keyring, tmp_path: Path) -> None:
    till = Till(keyring, tmp_path, FakeAcquirer(keyring), attack_hint=AttackHintSetting.REFUSE)
    asked(till)

    held_out_copy(till)
    state = held_out_copy(till)

    assert (state.screen, state.reason) == ("declined", "attack_hint")
    assert till.acquirer.debits_minor == [] and till.journal.entries() == ()


def test_many_frames_at_once_make_one_charge(till: Till) -> None:
    asked(till)
    till.reader.sights = [reading(ANN, shot=shot) for shot in range(200)]
    session = till.agent.state().session
    gate = threading.Barrier(8)

    def page() -> None:
        gate.wait(10)
        for number in range(10):
            till.agent.see(picture(number), session=session, light=None)

    threads = [threading.Thread(target=page) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert till.agent.state().screen == "paid"
    assert till.acquirer.debits_minor == [AMOUNT_MINOR]
    assert len(till.acquirer.charge_requests) == 1


def test_a_frame_that_comes_while_a_charge_is_sent_is_dropped(till: Till) -> None:
    asked(till)
    screens: list[str] = []
    till.acquirer.on_charge = lambda: screens.append(till.show().screen)

    assert till.hold_out(ANN).screen == "paid"
    assert screens == ["working"]
    assert till.reader.frames == CHARGE_FRAMES


def test_the_state_can_be_asked_for_while_a_charge_is_sent(till: Till) -> None:
    asked(till)
    seen: list[tuple[str, bool, bool]] = []

    def look() -> None:
        state = till.cancel()
        seen.append((state.screen, state.may_cancel, state.wants_frames))

    till.acquirer.on_charge = look

    assert till.hold_out(ANN).screen == "paid"
    assert seen == [("working", False, False)]


def test_nothing_is_sent_when_the_journal_cannot_be_written(till: Till) -> None:
    asked(till)
    with full_disk():
        state = till.hold_out(ANN)

    assert (state.screen, state.code, state.may_retry) == ("trouble", "store_full", True)
    assert till.acquirer.charge_requests == []
    till.clock.pass_ms(TROUBLE_MS)
    assert till.agent.poll().screen == "showing"
    assert till.hold_out(ANN).screen == "paid"


def test_an_amount_without_note_keys_is_trouble_and_nothing_is_sent(till: Till) -> None:
    till.acquirer.told = ChargeAction("d0" * 16, 8, "EUR", "Corner Café", "")
    till.agent.poll()

    state = till.hold_out(ANN)

    assert (state.screen, state.code) == ("trouble", "body_invalid")
    assert till.acquirer.charge_requests == []


def test_a_model_of_another_length_is_not_sealed(till: Till) -> None:
    asked(till)
    short = PalmReading(Probe(np.eye(3, 32, dtype=np.float32), "another model"), quality=0.9)
    till.reader.sights = [short] * CHARGE_FRAMES
    state = [till.show() for _ in range(CHARGE_FRAMES)][-1]

    assert (state.screen, state.code) == ("trouble", InvariantBroken.code)
    assert till.acquirer.charge_requests == []


def test_vectors_are_gone_before_anything_is_sent(till: Till) -> None:
    asked(till)
    till.reader.sights = [reading(ANN, shot=shot) for shot in range(CHARGE_FRAMES)]
    probes = [weakref.ref(sight.probe) for sight in till.reader.sights if not isinstance(sight, Reason)]
    alive: list[int] = []

    def count() -> None:
        gc.collect()
        alive.append(sum(probe() is not None for probe in probes))

    till.acquirer.on_charge = count
    for number in range(CHARGE_FRAMES):
        till.show(number)

    assert alive == [0]


def test_nothing_of_the_palm_or_of_ids_is_written(till: Till) -> None:
    written: list[bytes] = []
    till.acquirer.on_charge = lambda: written.append((till.directory / "journal.json").read_bytes())
    asked(till)
    till.hold_out(ANN)

    request = till.acquirer.charge_requests[0]
    queries = till.keyring.open_queries(request.queries)
    held = written[0] + till.log.getvalue().encode()
    for query in queries:
        assert query.shares[:16] not in held
        assert query.shares[:16].hex().encode() not in held
    assert b"queries" not in held
    assert request.charge_id not in till.log.getvalue()
    assert COFFEE.id not in till.log.getvalue()
    assert "receipt" not in till.log.getvalue()


def test_no_repr_tells_of_a_palm_a_code_or_a_secret(till: Till) -> None:
    texts: list[str] = []
    till.agent.begin_enrolment(CODE)
    texts.append(repr(till.agent._session))
    till.hold_out(ANN)
    till.clock.pass_ms(60_000)
    asked(till)
    till.acquirer.on_charge = lambda: texts.extend(repr(value) for value in (till.journal.entries(), till.agent._open))
    till.hold_out(ANN)
    texts += [repr(till.acquirer.charge_requests), repr(till.acquirer.enrolment_requests), repr(reading(ANN))]

    for text in texts:
        assert CODE not in text
        assert "array" not in text
        assert "\\x" not in text


def test_the_acquirer_cannot_open_what_it_carries(till: Till) -> None:
    asked(till)
    till.hold_out(ANN)
    request = till.acquirer.charge_requests[0]
    stranger = type(till.keyring)(
        till.keyring.till, dict.fromkeys("abc", till.keyring.till), till.keyring.till, till.keyring.notes
    )

    with pytest.raises(EnvelopeInvalid):
        stranger.open_order(request)
    with pytest.raises(EnvelopeInvalid):
        stranger.open_queries(request.queries)


@pytest.mark.parametrize("code", ["../../evil?x=<b>", "", "a b", "x" * 65])
def test_a_receipt_code_that_is_none_makes_no_link(till: Till, code: str) -> None:
    asked(till)
    till.acquirer.receipt_code = code

    state = till.hold_out(ANN)

    assert (state.screen, state.receipt_code, state.receipt_url) == ("paid", "", "")


def test_the_till_loads_no_ledger_and_no_database() -> None:
    program = """
import sys
import handsel.till.agent, handsel.till.client
never = ("handsel.pay", "handsel.store", "handsel.flows", "handsel.web", "sqlite3", "psycopg")
print([name for name in sys.modules if name.startswith(never)])
"""
    root = Path(__file__).resolve().parents[2]

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=root)

    assert done.stdout.strip() == "[]"


def test_a_hand_reserves_without_notes_and_nothing_is_paid(till: Till) -> None:
    till.acquirer.told = DEPOSIT
    asked_for = till.agent.poll()

    state = till.hold_out(ANN)

    assert (asked_for.is_reservation, asked_for.amount_minor) == (True, AMOUNT_MINOR)
    assert "Up to this amount will be reserved" in asked_for.message
    assert (state.screen, state.is_reservation, state.receipt_code) == ("reserved", True, "")
    order = till.keyring.open_order(till.acquirer.charge_requests[0])
    assert (order.notes, order.hold_s, order.amount_minor) == ((), 3_600, AMOUNT_MINOR)
    queries = till.keyring.open_queries(till.acquirer.charge_requests[0].queries)
    assert {query.binding for query in queries} == {bind(order)}
    assert (till.acquirer.debits_minor, till.acquirer.reserved_minor) == ([], [AMOUNT_MINOR])
    assert till.journal.entries() == ()
    assert [kept.order_id for kept in till.journal.reserved()] == [order.order_id]
    till.clock.pass_ms(PAID_MS)
    assert till.agent.poll().screen == "idle"


def test_a_reservation_whose_answer_is_lost_is_asked_for_and_not_made_again(till: Till) -> None:
    till.acquirer.told = DEPOSIT
    till.agent.poll()
    till.acquirer.breaks["charge.answered"] = [lost()]
    till.hold_out(ANN)
    till.start()

    till.poll_until("idle")

    assert till.acquirer.reserved_minor == [AMOUNT_MINOR]
    assert till.journal.entries() == ()
    assert len(till.journal.reserved()) == 1


def test_what_was_captured_before_its_till_heard_that_it_reserves_is_shown_as_reserved(till: Till) -> None:
    till.acquirer.told = DEPOSIT
    till.agent.poll()
    till.acquirer.breaks["charge.answered"] = [lost()]
    till.hold_out(ANN)
    (charge_id,) = till.acquirer.charges
    till.acquirer.capture(charge_id, 300)

    state = till.poll_until("reserved")

    assert (state.receipt_code, state.return_code, state.amount_minor) == ("", "", AMOUNT_MINOR)
    assert [kept.charge_id for kept in till.journal.reserved()] == [charge_id]


def test_a_cancel_that_comes_late_does_not_cancel_the_next_payment(till: Till) -> None:
    """
    While it was on its way the shop asked for something else.
    """
    asked(till)
    pressed_on = till.agent.state().session
    till.acquirer.told = CAKE
    till.agent.poll()

    state = till.agent.cancel(session=pressed_on)

    assert (state.screen, state.description) == ("showing", CAKE.description)
    assert till.cancel().screen == "put_aside"


def test_a_retry_that_comes_late_is_no_retry(till: Till) -> None:
    asked(till)
    till.cancel()
    pressed_on = till.agent.state().session
    till.acquirer.told = CAKE
    till.agent.poll()
    till.cancel()

    assert till.agent.retry(session=pressed_on).screen == "put_aside"
    assert till.retry().screen == "showing"


def test_done_that_comes_late_does_not_cancel_what_is_asked_next(till: Till) -> None:
    asked(till)
    assert till.hold_out(ANN).screen == "paid"
    pressed_on = till.agent.state().session
    till.acquirer.told = CAKE
    till.clock.pass_ms(PAID_MS)
    till.agent.poll()

    assert till.agent.cancel(session=pressed_on).screen == "showing"


def lunch(till: Till) -> AgentState:
    """
    Let the merchant ask for a lunch of 3.84, with tips; its notes and those of the tips have keys here.
    """
    tips = (TipChoice(64, 17), TipChoice(128, 33))
    till.acquirer.told = ChargeAction("f1" * 16, 384, "EUR", "Corner Café", "Lunch", tips=tips, tip_minor_max=384)
    return till.agent.poll()


def test_a_tip_is_shown_bound_and_paid_with_the_amount(till: Till) -> None:
    offered = lunch(till)
    assert (offered.amount_minor, offered.tip_minor, offered.tip_minor_max) == (384, 0, 384)
    assert [(choice.amount_minor, choice.percent) for choice in offered.tips] == [(64, 17), (128, 33)]

    chosen = till.agent.choose_tip(64, session=offered.session)
    assert (chosen.screen, chosen.amount_minor, chosen.tip_minor) == ("showing", 448, 64)
    state = till.hold_out(ANN)

    assert (state.screen, state.amount_minor, state.tip_minor, state.tips) == ("paid", 448, 64, ())
    (request,) = till.acquirer.charge_requests
    order = till.keyring.open_order(request)
    assert (request.tip_minor, order.amount_minor) == (64, 448)
    assert {query.binding for query in till.keyring.open_queries(request.queries)} == {bind(order)}
    assert [448] == till.acquirer.debits_minor == till.acquirer.redeemed_minor


def test_a_frame_that_was_taken_before_the_tip_was_chosen_pays_nothing(till: Till) -> None:
    before = lunch(till)
    till.agent.choose_tip(64, session=before.session)
    till.reader.sights = [reading(ANN, shot=shot) for shot in range(CHARGE_FRAMES)]

    for shot in range(CHARGE_FRAMES):
        till.agent.see(picture(shot), session=before.session, light=None)

    assert till.acquirer.charge_requests == []
    assert till.reader.frames == 0


def test_a_tip_that_comes_late_is_not_added_to_the_next_payment(till: Till) -> None:
    pressed_on = lunch(till).session
    assert isinstance(till.acquirer.told, ChargeAction)
    till.acquirer.told = msgspec.structs.replace(till.acquirer.told, id="f2" * 16)
    till.agent.poll()

    assert till.agent.choose_tip(64, session=pressed_on).tip_minor == 0


def test_a_tip_that_is_not_allowed_is_refused_and_changes_nothing(till: Till) -> None:
    offered = lunch(till)
    for tip_minor in (-1, 385):
        with pytest.raises(BodyInvalid):
            till.agent.choose_tip(tip_minor, session=offered.session)

    assert till.agent.state() == offered


def test_after_a_restart_the_tip_of_what_was_sent_is_still_shown(till: Till) -> None:
    offered = lunch(till)
    till.agent.choose_tip(64, session=offered.session)
    till.acquirer.breaks["notes.sent"] = [lost()]
    till.hold_out(ANN)
    till.start()

    state = till.poll_until("paid")

    assert (state.amount_minor, state.tip_minor) == (448, 64)
    assert till.acquirer.redeemed_minor == [448]
