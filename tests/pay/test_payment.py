"""
A payment and its charges go from state to state as drawn, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from handsel.errors import BodyInvalid, InvariantBroken
from handsel.ids import new_id
from handsel.pay.decline import Declined, DeclineReason
from handsel.pay.money import Money
from handsel.pay.payment import (
    DESCRIPTION_CHARS_MAX,
    Approved,
    CancelReason,
    Charge,
    ChargeStatus,
    Paid,
    PaymentIntent,
    PaymentStatus,
    Pending,
    Reserved,
    state_of_charge,
)

OPEN = PaymentIntent(new_id(), "shop", "shop/till", Money(450, "EUR"), "Tea", 1)
TO_RESERVE = PaymentIntent(new_id(), "shop", "shop/till", Money(450, "EUR"), "Tea", 1, hold_s=3_600)
RESERVED = TO_RESERVE.processing().reserved(until_ms=9)
PAYMENTS = {
    PaymentStatus.REQUIRES_PALM: OPEN,
    PaymentStatus.PROCESSING: OPEN.processing(),
    PaymentStatus.REQUIRES_CAPTURE: RESERVED,
    PaymentStatus.SUCCEEDED: OPEN.processing().succeeded(receipt_code="r", now_ms=2),
    PaymentStatus.CANCELED: OPEN.canceled(),
}
PAYMENT_STEPS: dict[tuple[PaymentStatus, PaymentStatus], Callable[[PaymentIntent], PaymentIntent]] = {
    (PaymentStatus.REQUIRES_PALM, PaymentStatus.PROCESSING): PaymentIntent.processing,
    (PaymentStatus.PROCESSING, PaymentStatus.REQUIRES_PALM): PaymentIntent.open_again,
    (PaymentStatus.PROCESSING, PaymentStatus.SUCCEEDED): lambda payment: payment.succeeded(receipt_code="r", now_ms=2),
    (PaymentStatus.REQUIRES_PALM, PaymentStatus.CANCELED): PaymentIntent.canceled,
    (PaymentStatus.REQUIRES_CAPTURE, PaymentStatus.PROCESSING): lambda payment: payment.capturing(amount_minor=300),
    (PaymentStatus.REQUIRES_CAPTURE, PaymentStatus.CANCELED): lambda payment: payment.given_back(CancelReason.EXPIRED),
}

SUBMITTED = Charge(new_id(), OPEN.id, "shop/till", 1, order_id=new_id())
CHARGES = {
    ChargeStatus.SUBMITTED: SUBMITTED,
    ChargeStatus.APPROVED: SUBMITTED.approved((b"s",)),
    ChargeStatus.PAID: SUBMITTED.approved((b"s",)).paid(),
    ChargeStatus.DECLINED: SUBMITTED.declined(DeclineReason.OVER_LIMIT),
    ChargeStatus.VOIDED: SUBMITTED.voided(),
}
CHARGE_STEPS: dict[tuple[ChargeStatus, ChargeStatus], Callable[[Charge], Charge]] = {
    (ChargeStatus.SUBMITTED, ChargeStatus.APPROVED): lambda charge: charge.approved((b"s",)),
    (ChargeStatus.SUBMITTED, ChargeStatus.DECLINED): lambda charge: charge.declined(DeclineReason.OVER_LIMIT),
    (ChargeStatus.SUBMITTED, ChargeStatus.VOIDED): Charge.voided,
    (ChargeStatus.APPROVED, ChargeStatus.PAID): Charge.paid,
}


@pytest.mark.parametrize(("step", "status"), [(step, status) for step in PAYMENT_STEPS for status in PAYMENTS])
def test_a_payment_takes_only_the_steps_that_are_drawn(
    step: tuple[PaymentStatus, PaymentStatus], status: PaymentStatus
) -> None:
    before, after = step

    if status is before:
        assert PAYMENT_STEPS[step](PAYMENTS[status]).status is after
    else:
        with pytest.raises(InvariantBroken):
            PAYMENT_STEPS[step](PAYMENTS[status])


@pytest.mark.parametrize(("step", "status"), [(step, status) for step in CHARGE_STEPS for status in CHARGES])
def test_a_charge_takes_only_the_steps_that_are_drawn(
    step: tuple[ChargeStatus, ChargeStatus], status: ChargeStatus
) -> None:
    before, after = step

    if status is before:
        assert CHARGE_STEPS[step](CHARGES[status]).status is after
    else:
        with pytest.raises(InvariantBroken):
            CHARGE_STEPS[step](CHARGES[status])


def test_a_till_is_told_where_its_charge_stands() -> None:
    paid = PAYMENTS[PaymentStatus.SUCCEEDED]

    told = {status: state_of_charge(charge, paid) for status, charge in CHARGES.items()}

    assert told == {
        ChargeStatus.SUBMITTED: Pending(),
        ChargeStatus.APPROVED: Approved((b"s",)),
        ChargeStatus.PAID: Paid("r"),
        ChargeStatus.DECLINED: Declined(DeclineReason.OVER_LIMIT),
        ChargeStatus.VOIDED: Declined(DeclineReason.VOIDED),
    }


def test_a_paid_charge_keeps_no_signatures() -> None:
    assert CHARGES[ChargeStatus.PAID].signatures == ()


def test_a_payment_without_a_receipt_has_no_code() -> None:
    assert PAYMENTS[PaymentStatus.SUCCEEDED].receipt == "r"
    with pytest.raises(InvariantBroken):
        _ = OPEN.receipt


def test_a_payment_refuses_nonsense() -> None:
    longest = replace(OPEN, description="x" * DESCRIPTION_CHARS_MAX)

    assert longest.description
    for description in ("x" * (DESCRIPTION_CHARS_MAX + 1), "two\nlines", "\x1b[2J"):
        with pytest.raises(BodyInvalid):
            replace(OPEN, description=description)
    with pytest.raises(BodyInvalid):
        replace(OPEN, id="short")
    with pytest.raises(BodyInvalid):
        replace(OPEN, amount=Money(0, "EUR"))
    with pytest.raises(BodyInvalid):
        Charge("short", OPEN.id, "shop/till", 1)


def test_what_is_asked_is_compared_and_not_what_became_of_it() -> None:
    assert OPEN.asks_the_same(replace(OPEN.processing(), created_ms=9))
    assert not OPEN.asks_the_same(replace(OPEN, amount=Money(451, "EUR")))


def test_nothing_of_a_charge_is_shown() -> None:
    for value in (OPEN, SUBMITTED, Approved((b"secret",)), Paid("secret")):
        assert "secret" not in repr(value) and OPEN.id not in repr(value)


def test_only_a_payment_that_reserves_is_reserved() -> None:
    assert RESERVED.capturable == TO_RESERVE.amount
    with pytest.raises(InvariantBroken):
        OPEN.processing().reserved(until_ms=9)


@pytest.mark.parametrize(("minor", "is_taken"), [(0, False), (1, True), (450, True), (451, False)])
def test_what_is_captured_is_something_and_no_more_than_is_reserved(minor: int, is_taken: bool) -> None:
    if not is_taken:
        with pytest.raises(InvariantBroken):
            RESERVED.capturing(amount_minor=minor)
        return

    captured = RESERVED.capturing(amount_minor=minor).succeeded(receipt_code="r", now_ms=3)

    assert (captured.received, captured.capturable) == (Money(minor, "EUR"), Money(0, "EUR"))


@pytest.mark.parametrize(
    ("minor", "tip", "is_taken"),
    [
        (500, 50, True),
        (450, 0, True),
        (300, 50, True),
        (50, 50, True),
        (451, 0, False),
        (300, 51, False),
        (49, 50, False),
    ],
)
def test_a_tip_is_taken_as_one_or_left_out_and_never_more_of_it(minor: int, tip: int, is_taken: bool) -> None:
    tipped = TO_RESERVE.processing().reserved(until_ms=9, tip_minor=50)
    if not is_taken:
        with pytest.raises(InvariantBroken):
            tipped.capturing(amount_minor=minor, tip_minor=tip)
        return

    captured = tipped.capturing(amount_minor=minor, tip_minor=tip)

    assert (captured.captured_minor, captured.tip) == (minor, Money(tip, "EUR"))


def test_a_capture_under_way_is_neither_opened_again_nor_reserved_twice_and_may_come_to_nothing() -> None:
    capturing = RESERVED.capturing(amount_minor=300)

    with pytest.raises(InvariantBroken):
        capturing.open_again()
    canceled = capturing.given_back(CancelReason.GIVEN_BACK)

    assert (canceled.status, canceled.captured_minor, canceled.received) == ("canceled", None, Money(0, "EUR"))
    with pytest.raises(InvariantBroken):
        OPEN.processing().given_back(CancelReason.GIVEN_BACK)


def test_nothing_is_received_until_a_payment_has_succeeded() -> None:
    received = {status: payment.received.amount_minor for status, payment in PAYMENTS.items()}

    assert {status for status, minor in received.items() if minor} == {PaymentStatus.SUCCEEDED}


def test_the_till_is_told_that_it_is_reserved_until_it_is_captured_or_given_back() -> None:
    charge = Charge(new_id(), TO_RESERVE.id, "shop/till", 1, order_id=new_id()).approved(())
    captured = RESERVED.capturing(amount_minor=300).succeeded(receipt_code="r", now_ms=3)

    assert (
        state_of_charge(charge, RESERVED) == state_of_charge(charge, RESERVED.capturing(amount_minor=300)) == Reserved()
    )
    assert state_of_charge(charge.paid(), captured) == Paid("r")
    given_back = state_of_charge(charge.given_back(), RESERVED.given_back(CancelReason.EXPIRED))
    assert given_back == Declined(DeclineReason.VOIDED)


def test_only_what_reserves_is_given_back() -> None:
    with pytest.raises(InvariantBroken):
        CHARGES[ChargeStatus.APPROVED].given_back()


@pytest.mark.parametrize("hold_s", [-1, 1, 3_599])
def test_an_odd_time_is_refused(hold_s: int) -> None:
    with pytest.raises(BodyInvalid):
        replace(TO_RESERVE, hold_s=hold_s)
