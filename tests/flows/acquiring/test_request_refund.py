"""
A merchant promises back what was paid, and never more.
"""

from __future__ import annotations

import pytest

from handsel.errors import BodyInvalid, IdReused, NotFound
from handsel.flows.acquiring.request_refund import (
    RefundRequest,
    cancel_refund,
    create_refund,
    find_refund,
    list_refunds,
)
from handsel.flows.acquiring.sign_in import register_till
from handsel.ids import new_id
from handsel.pay.merchant import Merchant, Till
from handsel.pay.money import Money
from handsel.pay.refund import RefundStatus
from tests.flows.acquiring.street import SHOP, Street, at_once

OTHER_SHOP = Merchant("bakery", "Bakery")


def test_a_refund_waits_at_the_till_of_its_payment(street: Street) -> None:
    payment = street.pay("ann", 450)

    refund = street.ask_refund(payment, 200)

    assert (refund.status, refund.amount) == (RefundStatus.REQUIRES_PALM, Money(200, "EUR"))
    assert refund.till_id == payment.till_id
    assert street.refund(refund.id) == refund
    assert list_refunds(street.acquirer, SHOP, payment.id) == (refund,)


def test_another_till_can_be_named(street: Street) -> None:
    register_till(street.acquirer, Till("corner-cafe", "till-2"), token="o" * 64)
    payment = street.pay()

    request = RefundRequest(new_id(), payment.id, 100, till_name="till-2")
    assert create_refund(street.acquirer, SHOP, request, now_ms=street.now_ms).till_id == "corner-cafe/till-2"
    unknown = RefundRequest(new_id(), payment.id, till_name="till-9")
    with pytest.raises(NotFound):
        create_refund(street.acquirer, SHOP, unknown, now_ms=street.now_ms)


def test_without_an_amount_all_that_is_left_is_refunded(street: Street) -> None:
    payment = street.pay("ann", 450)
    street.ask_refund(payment, 200)

    assert street.ask_refund(payment).amount == Money(250, "EUR")


@pytest.mark.parametrize("minor", [0, -1, 251])
def test_no_more_than_is_left_is_refunded(street: Street, minor: int) -> None:
    payment = street.pay("ann", 450)
    street.ask_refund(payment, 200)

    with pytest.raises(BodyInvalid):
        street.ask_refund(payment, minor)


def test_what_was_refunded_in_full_is_not_refunded_again(street: Street) -> None:
    payment = street.pay("ann", 450)
    street.ask_refund(payment, 450)

    with pytest.raises(BodyInvalid):
        street.ask_refund(payment)


def test_a_canceled_refund_can_be_asked_for_again(street: Street) -> None:
    payment = street.pay("ann", 450)
    refund = street.ask_refund(payment)

    assert cancel_refund(street.acquirer, SHOP, refund.id).status is RefundStatus.CANCELED
    assert cancel_refund(street.acquirer, SHOP, refund.id).status is RefundStatus.CANCELED
    assert street.ask_refund(payment).amount == Money(450, "EUR")


def test_refunds_from_many_threads_promise_no_more_than_was_paid(street: Street) -> None:
    payment = street.pay("ann", 450)

    def ask() -> int:
        try:
            return street.ask_refund(payment, 200).amount.amount_minor
        except BodyInvalid:
            return 0

    assert sum(at_once(*(ask for _ in range(4)))) == 400


def test_only_what_was_paid_is_refunded(street: Street) -> None:
    payment = street.ask()

    with pytest.raises(BodyInvalid):
        street.ask_refund(payment)


def test_the_same_request_again_is_the_same_refund(street: Street) -> None:
    payment = street.pay("ann", 450)
    request = RefundRequest(new_id(), payment.id)
    first = create_refund(street.acquirer, SHOP, request, now_ms=street.now_ms)

    assert create_refund(street.acquirer, SHOP, request, now_ms=street.now_ms + 1) == first


def test_a_refund_id_stands_for_one_request(street: Street) -> None:
    payment, other = street.pay("ann", 450), street.pay("ann", 450)
    request = RefundRequest(new_id(), payment.id, 200)
    create_refund(street.acquirer, SHOP, request, now_ms=street.now_ms)

    for changed in (RefundRequest(request.id, other.id, 200), RefundRequest(request.id, payment.id, 201)):
        with pytest.raises(IdReused):
            create_refund(street.acquirer, SHOP, changed, now_ms=street.now_ms)


def test_another_merchants_payments_and_refunds_do_not_exist(street: Street) -> None:
    payment = street.pay()
    refund = street.ask_refund(payment)

    with pytest.raises(NotFound):
        create_refund(street.acquirer, OTHER_SHOP, RefundRequest(new_id(), payment.id), now_ms=street.now_ms)
    for look in (find_refund, cancel_refund):
        with pytest.raises(NotFound):
            look(street.acquirer, OTHER_SHOP, refund.id)
    with pytest.raises(NotFound):
        list_refunds(street.acquirer, OTHER_SHOP, payment.id)
