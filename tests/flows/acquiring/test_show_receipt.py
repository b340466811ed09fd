"""
A receipt is for whoever has its code, and a balance for the merchant.
"""

from __future__ import annotations

import pytest

from handsel.errors import NotFound
from handsel.flows.acquiring.show_receipt import merchant_balance, show_receipt
from handsel.ids import new_id
from handsel.pay.money import Money
from tests.flows.acquiring.street import SHOP, Street


def test_a_receipt_is_found_by_its_code_only(street: Street) -> None:
    payment = street.pay("ann", 450)

    assert show_receipt(street.acquirer, payment.receipt).amount == Money(450, "EUR")
    for code in (new_id(), "", payment.id):
        with pytest.raises(NotFound):
            show_receipt(street.acquirer, code)


def test_two_payments_have_codes_that_say_nothing_of_each_other(street: Street) -> None:
    codes = {street.pay("ann", 1).receipt for _ in range(3)}

    assert len(codes) == 3 and all(len(bytes.fromhex(code)) == 16 for code in codes)


def test_only_a_refund_that_was_carried_out_is_on_the_receipt(street: Street) -> None:
    payment = street.pay("ann", 450)
    refund = street.ask_refund(payment, 200)
    assert show_receipt(street.acquirer, payment.receipt).refunded == Money(0, "EUR")

    street.submit_refund(street.show_for_refund("ann", refund))

    assert show_receipt(street.acquirer, payment.receipt).refunded == Money(200, "EUR")


def test_a_merchant_without_payments_is_owed_nothing(street: Street) -> None:
    assert merchant_balance(street.acquirer, SHOP) == ()
    street.pay("ann", 450)
    assert merchant_balance(street.acquirer, SHOP) == (Money(450, "EUR"),)
