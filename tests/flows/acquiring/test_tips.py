"""
Promise that a tip is the customer's: offered by the shop, bound with the amount, kept apart, and paid back with it.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from handsel.errors import BodyInvalid, IdReused
from handsel.flows.acquiring.capture_payment import capture_payment_intent
from handsel.flows.acquiring.request_payment import PaymentRequest, create_payment_intent
from handsel.flows.acquiring.show_action import current_action
from handsel.flows.acquiring.show_receipt import show_receipt
from handsel.ids import new_id
from handsel.order import HOLDS_S
from handsel.pay.decline import Declined, DeclineReason
from handsel.pay.money import Money
from handsel.pay.payment import PaymentIntent, PaymentStatus
from handsel.pay.tip import NO_TIPS, TipChoice, TipOffer
from tests.flows.acquiring.street import SHOP, TILL, ShownAtTill, Street

OFFER = TipOffer(percents=(5, 10))
AMOUNT, TIP = 200, 20


def ask(
    street: Street, offer: TipOffer | None = OFFER, *, payment_id: str = "", hold_s: int = 0, minor: int = AMOUNT
) -> PaymentIntent:
    request = PaymentRequest(payment_id or new_id(), Money(minor, "EUR"), hold_s=hold_s, tips=offer)
    return create_payment_intent(street.acquirer, SHOP, request, now_ms=street.now_ms)


def show(street: Street, payment: PaymentIntent, *, bound: int, told: int) -> ShownAtTill:
    """
    Show ann's palm for the amount and a tip of `bound`, and tell the acquirer of a tip of `told`.
    """
    total = replace(payment, amount=Money(payment.amount.amount_minor + bound, "EUR"))
    shown = street.show_to_reserve("ann", total) if payment.hold_s else street.show("ann", total)
    return replace(shown, sent=replace(shown.sent, tip_minor=told))


def pay(street: Street, payment: PaymentIntent, *, tip: int = TIP) -> PaymentIntent:
    shown = show(street, payment, bound=tip, told=tip)
    street.hand_over(shown, street.notes(shown, street.submit(shown)))
    return street.payment(payment.id)


def test_the_till_is_told_what_it_may_offer(street: Street) -> None:
    ask(street)

    action = current_action(street.acquirer, TILL, now_ms=street.now_ms)

    assert action is not None
    assert action.amount == Money(AMOUNT, "EUR")
    assert (action.tips, action.tip_minor_max) == ((TipChoice(10, 5), TipChoice(20, 10)), AMOUNT)


def test_a_tip_is_paid_and_kept_apart(street: Street) -> None:
    paid = pay(street, ask(street))

    assert (paid.amount, paid.tip, paid.received) == (Money(200, "EUR"), Money(20, "EUR"), Money(220, "EUR"))
    assert (street.wallet_minor(), street.shop_minor()) == (100_00 - 220, 220)
    receipt = show_receipt(street.acquirer, paid.receipt)
    assert (receipt.amount, receipt.tip) == (Money(220, "EUR"), Money(20, "EUR"))
    street.audit()


@pytest.mark.parametrize("tip", [0, 1, AMOUNT])
def test_any_tip_up_to_the_amount_may_be_given_and_none(street: Street, tip: int) -> None:
    assert pay(street, ask(street), tip=tip).received == Money(AMOUNT + tip, "EUR")


@pytest.mark.parametrize(("offer", "tip"), [(OFFER, AMOUNT + 1), (OFFER, -1), (NO_TIPS, 1)])
def test_a_tip_that_the_payment_does_not_allow_is_refused_before_anything_happens(
    street: Street, offer: TipOffer, tip: int
) -> None:
    payment = ask(street, offer)

    with pytest.raises(BodyInvalid, match="a tip on this payment is at most"):
        street.submit(show(street, payment, bound=tip, told=tip))

    assert street.payment(payment.id) == payment
    assert street.issuer.calls["charge"] == 0


@pytest.mark.parametrize(("bound", "told"), [(0, 20), (20, 0), (10, 20), (21, 20)])
def test_what_is_told_of_a_tip_is_what_was_bound(street: Street, bound: int, told: int) -> None:
    """
    The acquirer cannot read what was bound; it sees what the notes are to be worth, before anybody is debited.
    """
    payment = ask(street)
    shown = show(street, payment, bound=bound, told=told)

    with pytest.raises(BodyInvalid, match="not worth the amount of the payment and its tip"):
        street.submit(shown)

    assert street.payment(payment.id).status is PaymentStatus.REQUIRES_PALM
    assert street.available_minor() == 100_00


@pytest.mark.parametrize(("bound", "told"), [(0, 20), (20, 0)])
def test_a_reservation_of_another_total_is_given_back(street: Street, bound: int, told: int) -> None:
    payment = ask(street, hold_s=HOLDS_S[0])

    assert street.submit(show(street, payment, bound=bound, told=told)) == Declined(DeclineReason.VOIDED)

    assert street.available_minor() == 100_00


def test_the_same_charge_with_another_tip_is_another_charge(street: Street) -> None:
    payment = ask(street)
    shown = show(street, payment, bound=TIP, told=TIP)
    street.submit(shown)

    with pytest.raises(IdReused):
        street.submit(replace(shown, sent=replace(shown.sent, tip_minor=0)))


def test_a_declined_try_gives_no_tip(street: Street) -> None:
    payment = ask(street)
    total = replace(payment, amount=Money(220, "EUR"))
    nobody = street.show("nobody", total)
    street.submit(replace(nobody, sent=replace(nobody.sent, tip_minor=20)))

    assert pay(street, payment, tip=0).tip == Money(0, "EUR")


def test_amount_and_tip_may_be_paid_back(street: Street) -> None:
    paid = pay(street, ask(street))

    with pytest.raises(BodyInvalid, match=r"at most 2\.20 EUR"):
        street.ask_refund(paid, 221)
    assert street.ask_refund(paid).amount == Money(220, "EUR")


def test_the_merchants_tips_are_offered_unless_the_payment_says_otherwise(street: Street) -> None:
    street.acquirer = replace(street.acquirer, tips={SHOP.id: TipOffer(percents=(7,))})

    assert ask(street, None).tips == TipOffer(percents=(7,))
    assert ask(street, NO_TIPS).tips == NO_TIPS
    assert ask(street, OFFER).tips == OFFER


def test_a_request_that_is_repeated_after_the_settings_changed_is_the_same(street: Street) -> None:
    first = ask(street, None)
    street.acquirer = replace(street.acquirer, tips={SHOP.id: OFFER})

    assert ask(street, None, payment_id=first.id) == first
    with pytest.raises(IdReused):
        ask(street, OFFER, payment_id=first.id)


@pytest.mark.parametrize(
    ("minor", "named", "tip"),
    [(None, None, 20), (150, None, 20), (15, None, 15), (150, 0, 0), (200, 0, 0), (210, 10, 10)],
)
def test_a_capture_says_what_of_it_is_a_tip(street: Street, minor: int | None, named: int | None, tip: int) -> None:
    payment = ask(street, hold_s=HOLDS_S[0])
    street.submit(show(street, payment, bound=TIP, told=TIP))
    assert street.payment(payment.id).capturable == Money(220, "EUR")

    def capture(minor: int | None, named: int | None) -> PaymentIntent:
        return capture_payment_intent(
            street.acquirer, SHOP, payment.id, amount_minor=minor, tip_minor=named, now_ms=street.now_ms
        )

    captured = capture(minor, named)

    assert (captured.received, captured.tip) == (Money(220 if minor is None else minor, "EUR"), Money(tip, "EUR"))
    assert capture(minor, named) == captured
    if tip:
        with pytest.raises(IdReused):
            capture(captured.received.amount_minor - 1, tip - 1)
    assert street.wallet_minor() == 100_00 - captured.received.amount_minor
    street.audit()


@pytest.mark.parametrize(("minor", "named"), [(221, 20), (221, 0), (150, 21), (15, 16), (150, -1), (201, 0), (220, 19)])
def test_no_tip_is_added_at_the_capture_and_none_pays_for_anything_else(street: Street, minor: int, named: int) -> None:
    payment = ask(street, hold_s=HOLDS_S[0])
    street.submit(show(street, payment, bound=TIP, told=TIP))

    with pytest.raises(BodyInvalid):
        capture_payment_intent(
            street.acquirer, SHOP, payment.id, amount_minor=minor, tip_minor=named, now_ms=street.now_ms
        )

    assert street.payment(payment.id).status is PaymentStatus.REQUIRES_CAPTURE
