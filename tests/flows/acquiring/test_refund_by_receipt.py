"""
Promise that the receipt pays back to who paid, that without it nothing is paid, and that it ends whatever breaks.
"""

from __future__ import annotations

import secrets

import pytest

from handsel.errors import BodyInvalid, IdReused, NotFound, PartyUnavailable
from handsel.flows.acquiring.acquirer import Acquirer
from handsel.flows.acquiring.refund_by_receipt import (
    ByReceipt,
    payment_of_receipt,
    refund_by_receipt,
    why_canceled,
)
from handsel.flows.acquiring.request_refund import RefundRequest, create_refund, list_refunds
from handsel.flows.issuing.close_wallet import close_wallet
from handsel.flows.issuing.erase_palm import erase_palm
from handsel.flows.issuing.show_wallet import show_wallet
from handsel.ids import new_id
from handsel.pay.decline import DeclineReason
from handsel.pay.merchant import Merchant
from handsel.pay.payment import PaymentIntent
from handsel.pay.refund import RefundStatus
from handsel.return_code import draw_return_code, return_digest_of
from tests.flows.acquiring.near_issuer import Crash, Line
from tests.flows.acquiring.street import SHOP, Street, at_once


def code_of(street: Street, payment: PaymentIntent) -> str:
    return street.codes[payment.id]


def give(
    street: Street,
    payment: PaymentIntent,
    minor: int | None = None,
    *,
    code: str | None = None,
    refund_id: str | None = None,
    acquirer: Acquirer | None = None,
) -> ByReceipt:
    request = RefundRequest(refund_id or new_id(), payment.id, minor)
    shown = code_of(street, payment) if code is None else code
    return refund_by_receipt(acquirer or street.acquirer, SHOP, request, return_code=shown, now_ms=street.now_ms)


def test_the_receipt_pays_back_though_the_palm_is_erased(street: Street) -> None:
    payment, _ = street.pay(), street.pay()
    palm = show_wallet(street.issuer.issuer, street.wallets["ann"]).palms[0].palm_id
    erase_palm(street.issuer.issuer, street.wallets["ann"], palm_id=palm)

    outcome = give(street, payment)

    assert (outcome.refund.status, outcome.declined) == (RefundStatus.SUCCEEDED, None)
    assert street.wallet_minor() == 100_00 - 4_50
    street.audit()


def test_it_is_typed_as_people_type(street: Street) -> None:
    payment, _ = street.pay(), street.pay()
    code = code_of(street, payment)
    typed = f" {code[:4].upper()}-{code[4:8]} {code[8:]} "

    assert give(street, payment, code=typed).refund.status is RefundStatus.SUCCEEDED


def test_without_the_receipts_own_code_nothing_is_paid_back(street: Street) -> None:
    """
    Not with another receipt's, not with what the merchant's own list has, not with none.
    """
    payment, other = street.pay(), street.pay()
    for code in (code_of(street, other), payment.id, payment.receipt, "", "x", "ä"):
        with pytest.raises(BodyInvalid, match="return code"):
            give(street, payment, code=code)

    assert list_refunds(street.acquirer, SHOP, payment.id) == ()
    assert street.issuer.calls["refund_charge"] == 0
    with pytest.raises(BodyInvalid, match="succeeded"):
        give(street, street.ask(), code="abcdefghij234567abcd")


def test_another_merchant_pays_nothing_back_with_it(street: Street) -> None:
    payment = street.pay()
    bakery = Merchant("bakery", "Bakery")
    request = RefundRequest(new_id(), payment.id)

    with pytest.raises(NotFound):
        refund_by_receipt(street.acquirer, bakery, request, return_code=code_of(street, payment), now_ms=street.now_ms)
    with pytest.raises(NotFound):
        payment_of_receipt(street.acquirer, bakery, payment.receipt)
    assert payment_of_receipt(street.acquirer, SHOP, payment.receipt) == payment


@pytest.mark.sqlite
def test_a_payment_of_before_the_codes_is_paid_back_to_the_palm_alone(street: Street) -> None:
    payment, _ = street.pay(), street.pay()
    with street.database.unit_of_work() as books:
        books.payments._uow.execute("UPDATE charges SET return_digest = NULL")
        books.commit()

    for code in ("", code_of(street, payment), "abcdefghij234567"):
        with pytest.raises(BodyInvalid, match="to the palm"):
            give(street, payment, code=code)
    refund = street.ask_refund(payment)
    street.submit_refund(street.show_for_refund("ann", refund))
    assert street.refund(refund.id).status is RefundStatus.SUCCEEDED


def test_a_code_that_leads_to_no_charge_credits_nobody(street: Street) -> None:
    """
    As of a till that has given the customer another code than it has ordered with.
    """
    payment, _ = street.pay(), street.pay()
    other = draw_return_code(secrets.token_bytes)
    with street.database.unit_of_work() as books:
        charge = books.payments.live_charge(payment.id)
        assert charge is not None
        digest = return_digest_of(other, charge_id=charge.id)
        books.payments._uow.execute("UPDATE charges SET return_digest = ? WHERE id = ?", digest, charge.id)
        books.commit()

    outcome = give(street, payment, code=other)

    assert (outcome.refund.status, outcome.declined) == (RefundStatus.CANCELED, DeclineReason.NOT_CHARGED)
    street.audit()


def test_the_same_request_pays_back_once(street: Street) -> None:
    payment, _ = street.pay(), street.pay()
    refund_id = new_id()
    outcomes = [give(street, payment, 100, refund_id=refund_id) for _ in range(2)]

    assert outcomes[0] == outcomes[1]
    assert street.wallet_minor() == 100_00 - 9_00 + 1_00
    with pytest.raises(IdReused):
        give(street, payment, 200, refund_id=refund_id)
    with pytest.raises(IdReused):
        create_refund(street.acquirer, SHOP, RefundRequest(refund_id, payment.id, 100), now_ms=street.now_ms)


def test_palms_and_receipts_together_pay_back_no_more_than_was_paid(street: Street) -> None:
    payment, _ = street.pay(), street.pay()
    refund = street.ask_refund(payment, 300)
    street.submit_refund(street.show_for_refund("ann", refund))

    with pytest.raises(BodyInvalid, match=r"at most 1\.50"):
        give(street, payment, 151)
    assert give(street, payment).refund.amount.amount_minor == 150
    assert street.wallet_minor() == 100_00 - 4_50
    street.audit()


def test_of_refunds_at_once_no_more_is_paid_back_than_was_paid(street: Street) -> None:
    payment, _ = street.pay(), street.pay()
    street.redeem()

    def try_to() -> bool:
        try:
            return give(street, payment, 200).refund.status is RefundStatus.SUCCEEDED
        except BodyInvalid:
            return False

    assert sorted(at_once(try_to, try_to, try_to, try_to)) == [False, False, True, True]
    assert street.wallet_minor() == 100_00 - 9_00 + 4_00
    street.audit()


def test_a_closed_wallet_is_a_clear_decline(street: Street) -> None:
    payment, _ = street.pay(), street.pay()
    close_wallet(street.issuer.issuer, street.wallets["ann"])

    outcome = give(street, payment)

    assert (outcome.refund.status, outcome.declined) == (RefundStatus.CANCELED, DeclineReason.WALLET_CLOSED)
    assert why_canceled(street.acquirer, outcome.refund) is DeclineReason.WALLET_CLOSED
    assert give(street, payment, refund_id=outcome.refund.id) == outcome
    street.audit()


def test_no_till_is_shown_a_refund_by_receipt(street: Street) -> None:
    payment, _ = street.pay(), street.pay()
    street.redeem()
    street.issuer.line["refund_charge"] = Line.CUT
    street.issuer.line["redeem"] = Line.REFUSED
    pending = give(street, payment)

    assert pending.refund.status is RefundStatus.PROCESSING
    with street.database.unit_of_work() as books:
        assert books.refunds.newest_open(pending.refund.till_id, since_ms=0) is None
    street.issuer.line.clear()
    street.resolve()
    assert street.refund(pending.refund.id).status is RefundStatus.SUCCEEDED
    street.audit()


@pytest.mark.parametrize("line", list(Line))
def test_whatever_the_line_does_the_money_is_at_one_place(street: Street, line: Line) -> None:
    payment, _ = street.pay(), street.pay()
    street.issuer.line["refund_charge"] = line
    refund_id = new_id()
    try:
        give(street, payment, refund_id=refund_id)
    except PartyUnavailable:
        assert line is Line.REFUSED
    street.issuer.line.clear()
    street.resolve()

    credited = line is Line.CUT
    expected = RefundStatus.SUCCEEDED if credited else RefundStatus.CANCELED
    assert street.refund(refund_id).status is expected
    assert street.wallet_minor() == 100_00 - 9_00 + 4_50 * credited
    street.redeem()
    street.audit()


@pytest.mark.parametrize("point", ["buy_notes", "refund_charge"])
@pytest.mark.parametrize("is_done", [False, True])
def test_a_crash_anywhere_ends_with_all_or_nothing(street: Street, point: str, is_done: bool) -> None:
    payment, _ = street.pay(), street.pay()
    refund_id = new_id()
    setattr(street.issuer, "crash_after" if is_done else "crash_before", point)
    with pytest.raises(Crash):
        give(street, payment, refund_id=refund_id)
    street.restart()
    street.resolve()
    street.resolve()

    credited = point == "refund_charge" and is_done
    assert street.refund(refund_id).status is (RefundStatus.SUCCEEDED if credited else RefundStatus.CANCELED)
    assert street.wallet_minor() == 100_00 - 9_00 + 4_50 * credited
    street.redeem()
    street.audit()
