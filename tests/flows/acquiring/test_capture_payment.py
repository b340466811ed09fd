"""
Promise that what was reserved is captured once or given back, and that shop, wallet and payment agree which it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from handsel.errors import BodyInvalid, IdReused, NotFound, PartyUnavailable
from handsel.flows.acquiring.acquirer import Acquirer
from handsel.flows.acquiring.capture_payment import capture_payment_intent
from handsel.flows.acquiring.carry_charge import charge_state, give_up_charge, submit_charge
from handsel.flows.acquiring.request_payment import PaymentRequest, cancel_payment_intent, create_payment_intent
from handsel.flows.acquiring.settle_capture import expire_reservations, resolve_captures
from handsel.flows.acquiring.show_receipt import show_receipt
from handsel.flows.issuing.void_charge import expire_charges
from handsel.order import HOLDS_S
from handsel.pay.decline import Declined, DeclineReason
from handsel.pay.merchant import Merchant
from handsel.pay.money import Money
from handsel.pay.payment import CancelReason, ChargeState, Paid, PaymentIntent, PaymentStatus, Reserved
from tests.flows.acquiring.crashing_store import crash_at_call, crash_at_commit
from tests.flows.acquiring.near_issuer import Line
from tests.flows.acquiring.street import NOW_MS, SHOP, TILL, Street, at_once

HOUR_S = HOLDS_S[0]
COMMITS_MAX = 6


def capture(street: Street, payment: PaymentIntent, minor: int | None = None) -> PaymentIntent:
    return capture_payment_intent(street.acquirer, SHOP, payment.id, amount_minor=minor, now_ms=street.now_ms)


def cancel(street: Street, payment: PaymentIntent) -> PaymentIntent:
    return cancel_payment_intent(street.acquirer, SHOP, payment.id, now_ms=street.now_ms)


def agreed(street: Street, payment: PaymentIntent) -> PaymentStatus:
    """
    Return the final state of a payment on which wallet, shop, notes and both ledgers agree.
    """
    found = street.payment(payment.id)
    received = found.received.amount_minor
    assert street.wallet_minor() == street.available_minor() == 100_00 - received
    assert street.shop_minor() == received
    street.audit()
    return found.status


def test_a_reservation_pays_nobody_and_waits(street: Street) -> None:
    payment = street.reserve()

    assert (payment.status, payment.capturable, payment.received) == (
        PaymentStatus.REQUIRES_CAPTURE,
        Money(450, "EUR"),
        Money(0, "EUR"),
    )
    assert payment.reserved_until_ms == NOW_MS + HOUR_S * 1000
    assert (street.wallet_minor(), street.available_minor(), street.shop_minor()) == (100_00, 95_50, 0)
    street.audit()


@pytest.mark.parametrize(("minor", "paid"), [(None, 450), (450, 450), (320, 320), (1, 1)])
def test_a_part_is_captured_and_the_receipt_has_the_final_sum(street: Street, minor: int | None, paid: int) -> None:
    captured = capture(street, street.reserve(), minor)

    assert captured.received == Money(paid, "EUR")
    assert agreed(street, captured) is PaymentStatus.SUCCEEDED
    assert show_receipt(street.acquirer, captured.receipt).amount == Money(paid, "EUR")
    assert street.redeem() > 0
    street.audit()


def test_a_capture_is_done_once_and_another_amount_is_refused(street: Street) -> None:
    payment = street.reserve()
    captured = capture(street, payment, 320)

    assert capture(street, payment, 320) == captured
    for other in (319, 450, None):
        with pytest.raises(IdReused):
            capture(street, payment, other)
    assert street.issuer.calls["capture"] == 1
    assert agreed(street, payment) is PaymentStatus.SUCCEEDED


@pytest.mark.parametrize("minor", [0, -1, 451])
def test_more_than_is_reserved_is_not_captured(street: Street, minor: int) -> None:
    payment = street.reserve()

    with pytest.raises(BodyInvalid, match=r"at most 4\.50 EUR"):
        capture(street, payment, minor)

    assert street.payment(payment.id) == payment
    assert street.issuer.calls["capture"] == 0


def test_what_reserves_nothing_is_not_captured(street: Street) -> None:
    stranger = Merchant("other-shop", "Other")
    reserved = street.reserve()

    for payment in (street.ask(), street.ask(hold_s=HOUR_S), street.pay()):
        with pytest.raises(BodyInvalid):
            capture(street, payment)
    with pytest.raises(NotFound):
        capture_payment_intent(street.acquirer, stranger, reserved.id, now_ms=street.now_ms)


def test_what_is_captured_is_all_that_can_be_paid_back(street: Street) -> None:
    captured = capture(street, street.reserve(), 320)

    with pytest.raises(BodyInvalid, match=r"at most 3\.20 EUR"):
        street.ask_refund(captured, 321)
    assert street.ask_refund(captured).amount == Money(320, "EUR")


def test_a_reservation_that_is_canceled_is_free_at_once(street: Street) -> None:
    payment = street.reserve()

    canceled = cancel(street, payment)

    assert canceled.cancel_reason is CancelReason.REQUESTED
    assert agreed(street, payment) is PaymentStatus.CANCELED
    assert cancel(street, payment) == capture(street, payment) == canceled


def test_while_the_issuer_is_away_nothing_is_canceled_and_it_is_said(street: Street) -> None:
    payment = street.reserve()
    street.issuer.line["give_back"] = Line.CUT

    with pytest.raises(PartyUnavailable):
        cancel(street, payment)

    assert street.payment(payment.id).status is PaymentStatus.REQUIRES_CAPTURE
    street.issuer.line.clear()
    assert capture(street, payment).cancel_reason is CancelReason.GIVEN_BACK
    assert agreed(street, payment) is PaymentStatus.CANCELED


@pytest.mark.parametrize("line", list(Line))
def test_a_capture_whose_answer_is_lost_ends_without_a_person(street: Street, line: Line) -> None:
    payment = street.reserve()
    street.issuer.line["capture"] = line

    assert capture(street, payment, 320).status is PaymentStatus.PROCESSING
    assert cancel(street, payment).status is PaymentStatus.PROCESSING
    street.issuer.line.clear()
    street.resolve()

    assert street.payment(payment.id).received == Money(320, "EUR")
    assert agreed(street, payment) is PaymentStatus.SUCCEEDED


def test_a_capture_whose_answer_is_lost_may_be_asked_for_again(street: Street) -> None:
    payment = street.reserve()
    street.issuer.line["capture"] = Line.CUT
    capture(street, payment, 320)
    street.issuer.line.clear()

    assert capture(street, payment, 320).status is PaymentStatus.SUCCEEDED
    assert agreed(street, payment) is PaymentStatus.SUCCEEDED


@pytest.mark.parametrize("is_committed", [False, True])
@pytest.mark.parametrize("minor", [320, 450])
def test_after_a_crash_at_any_commit_of_a_capture_all_agree(street: Street, minor: int, is_committed: bool) -> None:
    payment = street.reserve(minor=450)

    def act(acquirer: Acquirer) -> object:
        return capture_payment_intent(acquirer, SHOP, payment.id, amount_minor=minor, now_ms=street.now_ms)

    crashes = 0
    for at in range(COMMITS_MAX):
        if not crash_at_commit(street, act, at=at, is_committed=is_committed):
            break
        crashes += 1
    street.resolve()

    assert crashes > 0
    assert capture(street, payment, minor).received == Money(minor, "EUR")
    assert agreed(street, payment) is PaymentStatus.SUCCEEDED


@pytest.mark.parametrize("moment", ["crash_before", "crash_after"])
@pytest.mark.parametrize("call", ["capture", "give_back"])
def test_after_a_crash_around_the_issuers_answer_all_agree(street: Street, call: str, moment: str) -> None:
    payment = street.reserve()
    setattr(street.issuer, moment, call)
    act = capture_payment_intent if call == "capture" else cancel_payment_intent
    crash_at_call(street, lambda acquirer: act(acquirer, SHOP, payment.id, now_ms=street.now_ms))

    street.now_ms += HOUR_S * 1000
    expire_charges(street.issuer.issuer)
    street.resolve()

    was_captured = (call, moment) == ("capture", "crash_after")
    assert agreed(street, payment) is (PaymentStatus.SUCCEEDED if was_captured else PaymentStatus.CANCELED)
    if not was_captured:
        assert street.payment(payment.id).cancel_reason is CancelReason.EXPIRED


@pytest.mark.parametrize("is_committed", [False, True])
def test_after_a_crash_at_the_commit_of_a_cancel_all_agree(street: Street, is_committed: bool) -> None:
    payment = street.reserve()

    def act(acquirer: Acquirer) -> object:
        return cancel_payment_intent(acquirer, SHOP, payment.id, now_ms=street.now_ms)

    assert crash_at_commit(street, act, at=0, is_committed=is_committed)

    assert cancel(street, payment).status is PaymentStatus.CANCELED
    assert agreed(street, payment) is PaymentStatus.CANCELED


def test_capture_and_cancel_in_the_same_moment_agree(street: Street) -> None:
    for _ in range(4):
        payment, before = street.reserve(minor=100), street.wallet_minor()

        ended = at_once(partial(capture, street, payment, 50), partial(cancel, street, payment))

        found = street.payment(payment.id)
        is_paid = found.status is PaymentStatus.SUCCEEDED
        assert is_paid or found.status is PaymentStatus.CANCELED
        assert {each.status for each in ended} <= {found.status, PaymentStatus.PROCESSING}
        assert street.wallet_minor() == street.available_minor() == before - (50 if is_paid else 0)
        street.audit()


def test_two_captures_in_the_same_moment_pay_once(street: Street) -> None:
    payment = street.reserve()
    act = partial(capture, street, payment, 320)

    at_once(act, act)

    assert agreed(street, payment) is PaymentStatus.SUCCEEDED
    assert street.payment(payment.id).received == Money(320, "EUR")


def test_two_captures_of_other_amounts_in_the_same_moment_pay_one_of_them(street: Street) -> None:
    payment = street.reserve()

    def act(minor: int) -> int:
        try:
            return capture(street, payment, minor).received.amount_minor
        except IdReused:
            return 0

    paid = at_once(lambda: act(320), lambda: act(200))

    assert agreed(street, payment) is PaymentStatus.SUCCEEDED
    assert sorted(paid) == [0, street.payment(payment.id).received.amount_minor]


def test_a_capture_that_comes_too_late_cancels_and_says_why(street: Street) -> None:
    payment = street.reserve()
    street.now_ms += HOUR_S * 1000

    late = capture(street, payment)

    assert (late.status, late.cancel_reason) == (PaymentStatus.CANCELED, CancelReason.EXPIRED)
    assert agreed(street, payment) is PaymentStatus.CANCELED
    assert capture(street, payment) == late


def test_a_reservation_that_nobody_captured_ends_without_a_person(street: Street) -> None:
    payment = street.reserve()
    street.now_ms += HOUR_S * 1000 - 1
    assert expire_reservations(street.acquirer, now_ms=street.now_ms) == 0
    street.now_ms += 1

    assert expire_reservations(street.acquirer, now_ms=street.now_ms) == 1

    assert street.payment(payment.id).cancel_reason is CancelReason.EXPIRED
    assert agreed(street, payment) is PaymentStatus.CANCELED
    assert (expire_reservations(street.acquirer, now_ms=street.now_ms), expire_charges(street.issuer.issuer)) == (0, 0)


def test_an_expiry_while_the_issuer_is_away_is_repeated_and_a_capture_under_way_is_not_expired(street: Street) -> None:
    waiting, capturing = street.reserve(minor=100), street.reserve(minor=200)
    street.issuer.line["capture"] = Line.CUT
    capture(street, capturing)
    street.issuer.line["give_back"] = Line.LOST
    street.now_ms += HOUR_S * 1000

    with pytest.raises(PartyUnavailable):
        expire_reservations(street.acquirer, now_ms=street.now_ms)
    street.issuer.line.clear()
    street.resolve()

    assert street.payment(waiting.id).status is PaymentStatus.CANCELED
    assert street.payment(capturing.id).received == Money(200, "EUR")
    assert (street.wallet_minor(), street.shop_minor()) == (98_00, 2_00)
    street.audit()


def test_notes_of_keys_that_have_ended_are_asked_for_anew(street: Street) -> None:
    payment = street.reserve()
    street.issuer.line["capture"] = Line.LOST
    capture(street, payment, 320)
    street.issuer.line.clear()
    ordered = _ordered(street, payment)
    asked: list[bytes] = []
    street.issuer.on_answer = lambda name: asked.append(_ordered(street, payment))
    street.issuer.declines = [DeclineReason.NOTE_KEY_EXPIRED]

    assert capture(street, payment, 320).status is PaymentStatus.SUCCEEDED

    assert len(asked) == 1
    assert asked[0] not in (b"", ordered)
    assert _ordered(street, payment) == b""
    assert agreed(street, payment) is PaymentStatus.SUCCEEDED


def test_an_issuer_whose_keys_have_always_ended_is_asked_again_later(street: Street) -> None:
    payment = street.reserve()
    street.issuer.declines = [DeclineReason.NOTE_KEY_EXPIRED] * 2

    assert capture(street, payment, 320).status is PaymentStatus.PROCESSING
    street.resolve()

    assert agreed(street, payment) is PaymentStatus.SUCCEEDED


@pytest.mark.parametrize("line", [Line.LOST, Line.CUT])
def test_a_reservation_whose_answer_is_lost_is_found_out(street: Street, line: Line) -> None:
    """
    Where it did not arrive it is voided, and where it did, it is reserved.
    """
    payment = street.ask(hold_s=HOUR_S)
    shown = street.show_to_reserve("ann", payment)
    street.issuer.line["charge"] = line

    state = street.submit(shown)

    if line is Line.CUT:
        assert state == Reserved()
        assert street.payment(payment.id).status is PaymentStatus.REQUIRES_CAPTURE
        assert capture(street, payment).status is PaymentStatus.SUCCEEDED
    else:
        assert state == Declined(DeclineReason.VOIDED)
        assert street.payment(payment.id).status is PaymentStatus.REQUIRES_PALM
        cancel(street, payment)
    agreed(street, payment)


@pytest.mark.parametrize("is_committed", [False, True])
@pytest.mark.parametrize("at", [0, 1])
def test_after_a_crash_at_any_commit_while_reserving_all_agree(street: Street, at: int, is_committed: bool) -> None:
    payment = street.ask(hold_s=HOUR_S)
    shown = street.show_to_reserve("ann", payment)

    def act(acquirer: Acquirer) -> object:
        return submit_charge(acquirer, TILL, shown.sent, now_ms=street.now_ms)

    assert crash_at_commit(street, act, at=at, is_committed=is_committed)
    street.resolve()
    state = street.submit(shown)

    # What crashed after the first commit may never have reached the issuer: then it was voided.
    assert isinstance(state, Reserved) or state == Declined(DeclineReason.VOIDED)
    assert cancel(street, payment).status is PaymentStatus.CANCELED
    assert agreed(street, payment) is PaymentStatus.CANCELED


def test_to_its_till_it_reserves_until_it_is_captured_however_it_is_asked(street: Street) -> None:
    payment = street.ask(hold_s=HOUR_S)
    shown = street.show_to_reserve("ann", payment)
    reserved = street.submit(shown)
    charge_id = shown.sent.charge_id

    def given_up() -> ChargeState:
        return give_up_charge(street.acquirer, TILL, charge_id, payment_id=payment.id, now_ms=street.now_ms)

    assert (
        street.submit(shown) == charge_state(street.acquirer, TILL, charge_id) == given_up() == reserved == Reserved()
    )
    receipt = capture(street, payment, 320).receipt
    for told in (street.submit(shown), charge_state(street.acquirer, TILL, charge_id), given_up()):
        assert isinstance(told, Paid)
        assert told.receipt_code == receipt


def test_a_reservation_is_not_paid_with_notes_of_a_till(street: Street) -> None:
    """
    Not while it waits, not while it is captured, and not afterwards.
    """
    other = street.ask()
    shown_for_other = street.show("ann", other)
    notes = street.notes(shown_for_other, street.submit(shown_for_other))
    payment = street.ask(hold_s=HOUR_S)
    shown = street.show_to_reserve("ann", payment)

    def is_refused() -> bool:
        with pytest.raises(BodyInvalid):
            street.hand_over(shown, notes)
        return True

    street.submit(shown)
    assert is_refused()
    street.issuer.line["capture"] = Line.LOST
    capture(street, payment, 320)
    assert is_refused()
    street.issuer.line.clear()
    capture(street, payment, 320)
    assert is_refused()
    assert isinstance(street.hand_over(shown_for_other, notes), Paid)
    assert street.shop_minor() == 320 + 450


@pytest.mark.parametrize("minor", [449, 451])
def test_what_a_till_reserved_and_the_shop_did_not_ask_for_is_given_back(street: Street, minor: int) -> None:
    payment = street.ask(450, hold_s=HOUR_S)
    shown = street.show_to_reserve("ann", payment, minor=minor)

    assert street.submit(shown) == Declined(DeclineReason.VOIDED)

    assert street.payment(payment.id).status is PaymentStatus.REQUIRES_PALM
    assert street.available_minor() == 100_00


def test_giving_back_what_was_not_asked_for_is_repeated_until_it_is_done(street: Street) -> None:
    payment = street.ask(450, hold_s=HOUR_S)
    shown = street.show_to_reserve("ann", payment, minor=449)
    street.issuer.line["give_back"] = Line.LOST

    with pytest.raises(PartyUnavailable):
        street.submit(shown)
    street.issuer.line.clear()
    street.resolve()

    assert street.payment(payment.id).status is PaymentStatus.REQUIRES_PALM
    assert street.available_minor() == 100_00


def test_what_is_to_be_reserved_is_not_paid_at_once_nor_the_other_way_round(street: Street) -> None:
    """
    What a till says to the issuer is sealed; but the issuer is told what it may be asked for.
    """
    to_reserve, to_pay = street.ask(hold_s=HOUR_S), street.ask()
    paid_at_once = street.show("ann", replace(to_reserve, hold_s=0))

    with pytest.raises(BodyInvalid, match="only reserves"):
        street.submit(paid_at_once)
    for shown in (
        replace(paid_at_once, sent=replace(paid_at_once.sent, secrets=())),
        street.show_to_reserve("ann", to_pay),
    ):
        with pytest.raises(BodyInvalid, match="other notes"):
            street.submit(shown)

    for payment in (to_reserve, to_pay):
        assert street.payment(payment.id).status is PaymentStatus.REQUIRES_PALM
    assert street.available_minor() == 100_00


def test_reserving_and_canceling_in_the_same_moment_agree(street: Street) -> None:
    for _ in range(4):
        payment = street.ask(100, hold_s=HOUR_S)
        shown = street.show_to_reserve("ann", payment)

        acts: tuple[Callable[[], object], ...] = (partial(street.submit, shown), partial(cancel, street, payment))
        at_once(*acts)

        assert cancel(street, payment).status is PaymentStatus.CANCELED
        assert agreed(street, payment) is PaymentStatus.CANCELED


def test_a_reservation_counts_as_a_palm_that_was_recognised(street: Street) -> None:
    """
    Otherwise a till at which everybody reserves would lock itself.
    """
    street.acquirer = replace(street.acquirer, asking=replace(street.acquirer.asking, wrong_in_a_row_max=2))
    for _ in range(4):
        street.reserve(minor=100)


def test_for_how_long_is_part_of_what_was_asked_for(street: Street) -> None:
    payment = street.ask(hold_s=HOUR_S)
    for hold_s in (0, HOLDS_S[1]):
        request = PaymentRequest(payment.id, payment.amount, payment.description, hold_s=hold_s)
        with pytest.raises(IdReused):
            create_payment_intent(street.acquirer, SHOP, request, now_ms=street.now_ms)


def _ordered(street: Street, payment: PaymentIntent) -> bytes:
    with street.database.unit_of_work() as books:
        live = books.payments.live_charge(payment.id)
        ordered = books.captures.find(live.id) if live else None
    assert ordered is not None
    return ordered.secrets


def lead_to_another(street: Street) -> PaymentIntent:
    """
    Return a payment that leads to a reservation which was captured for another: its till, the acquirer and the issuer
    would have to be wrong at once.
    """
    first, again = street.reserve(), street.reserve()
    with street.database.unit_of_work() as books:
        charge = books.payments.live_charge(first.id)
    assert charge is not None
    capture(street, first, 320)
    sql = "UPDATE charges SET order_id = ? WHERE payment_id = ?"
    with street.database.unit_of_work() as books:
        books.payments._uow.execute(sql, charge.order, again.id)
        books.commit()
    return again


def test_a_reservation_that_was_captured_for_another_holds_up_no_other(street: Street) -> None:
    stuck = lead_to_another(street)
    street.now_ms += 1
    honest = street.reserve()
    street.acquirer = replace(street.acquirer, bounds=replace(street.acquirer.bounds, resolve_batch_max=1))
    street.now_ms += 1000 * HOLDS_S[0] + 1000

    expire_reservations(street.acquirer, now_ms=street.now_ms)

    assert street.payment(honest.id).status is PaymentStatus.CANCELED
    assert street.payment(stuck.id).status is PaymentStatus.REQUIRES_CAPTURE


def test_a_capture_that_is_refused_for_ever_holds_up_no_other(street: Street) -> None:
    stuck, honest = lead_to_another(street), street.reserve()
    with pytest.raises(IdReused):
        capture(street, stuck, 100)
    street.now_ms += 1
    street.issuer.line = {"capture": Line.CUT}
    assert capture(street, honest, 200).status is PaymentStatus.PROCESSING
    street.issuer.line = {}
    street.acquirer = replace(street.acquirer, bounds=replace(street.acquirer.bounds, resolve_batch_max=1))
    street.now_ms += street.acquirer.bounds.unresolved_ms_min

    assert resolve_captures(street.acquirer, now_ms=street.now_ms) == 1

    assert street.payment(honest.id).status is PaymentStatus.SUCCEEDED
    assert street.shop_minor() == 320 + 200
