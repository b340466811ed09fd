"""
Promise that an issuer and an acquirer that join their databases find no identifier of a charge in both.

Amounts and times stand in both, and are not looked at.
"""

from __future__ import annotations

import pytest

from handsel.errors import BodyInvalid
from handsel.flows.acquiring.answer_dispute import refuse_dispute
from handsel.flows.acquiring.capture_payment import capture_payment_intent
from handsel.flows.acquiring.carry_receipt import REPLY_MS_MAX, forget_replies
from handsel.flows.acquiring.finish_charge import finish_charges
from handsel.flows.acquiring.open_dispute import ORDER_MS_MAX, forget_orders, open_dispute
from handsel.flows.acquiring.refund_by_receipt import refund_by_receipt
from handsel.flows.acquiring.request_payment import cancel_payment_intent
from handsel.flows.acquiring.request_refund import RefundRequest
from handsel.ids import new_id
from handsel.order import HOLDS_S
from handsel.pay.decline import Declined, DeclineReason
from handsel.pay.ledger import derive_id
from handsel.pay.payment import CancelReason, Pending
from handsel.pay.refund import RefundStatus
from handsel.receipt import PayersReceipt
from handsel.till.seal_receipt import reply_key_of
from tests.flows.acquiring.near_issuer import Line
from tests.flows.acquiring.street import SHOP, Street
from tests.flows.acquiring.test_receipts import SECRET, PaidAtTill, bring, deposit, pay
from tests.joins import Found, joined, kept_in

DISPUTES, REFUNDED = "disputed", "refunded"


def joins(street: Street) -> Found:
    return joined(street.issuer.issuer.database, street.database.database)


def live_a_day(street: Street) -> dict[str, PaidAtTill]:
    """
    Let everything happen that happens to charges, and return two that were paid.
    """
    deposit(street)
    paid = pay(street)
    bring(street, paid)
    declined = street.submit(street.show("nobody", street.ask()))
    assert declined == Declined(DeclineReason.NOT_RECOGNISED)
    street.issuer.line = {"charge": Line.CUT, "void": Line.LOST}
    assert street.submit(street.show("ann", street.ask(), reply_key=reply_key_of(SECRET))) == Pending()
    street.issuer.line = {"charge": Line.LOST, "void": Line.LOST}
    assert street.submit(street.show("ann", street.ask())) == Pending()
    street.issuer.line = {}
    street.resolve()  # One is approved, one void.
    street.now_ms += street.acquirer.bounds.unresolved_ms_min
    assert finish_charges(street.acquirer, now_ms=street.now_ms) == 1
    captured, released, left = (street.reserve("ann", 450, hold_s=HOLDS_S[0]) for _ in range(3))
    capture_payment_intent(street.acquirer, SHOP, captured.id, amount_minor=320, now_ms=street.now_ms)
    cancel_payment_intent(street.acquirer, SHOP, released.id, now_ms=street.now_ms)
    street.now_ms += 1000 * HOLDS_S[0]
    street.resolve()
    assert street.payment(left.id).cancel_reason is CancelReason.EXPIRED
    disputed, refunded = pay(street), pay(street)
    for each in (disputed, refunded):
        bring(street, each)
    street.redeem()
    give(street, refunded)
    street.redeem()
    street.audit()
    return {DISPUTES: disputed, REFUNDED: refunded}


def give(street: Street, at_till: PaidAtTill) -> None:
    request, code = RefundRequest(new_id(), at_till.payment.id, 100), at_till.entry.return_code
    given = refund_by_receipt(street.acquirer, SHOP, request, return_code=code, now_ms=street.now_ms)
    assert given.refund.status is RefundStatus.SUCCEEDED


def dispute(street: Street, at_till: PaidAtTill) -> str:
    assert at_till.paid.papers is not None
    signed = at_till.paid.papers.signed
    receipt = PayersReceipt(signed.statement, signed.signature, at_till.entry.return_code)
    opened = open_dispute(street.acquirer, new_id(), receipt, now_ms=street.now_ms)
    assert opened.dispute is not None
    return opened.dispute.id


def test_when_all_has_ended_nothing_joins_the_two(street: Street) -> None:
    paid = live_a_day(street)
    case = dispute(street, paid[DISPUTES])
    refuse_dispute(street.acquirer, SHOP, case, now_ms=street.now_ms)
    street.now_ms += REPLY_MS_MAX
    assert forget_replies(street.acquirer, now_ms=street.now_ms) == 1  # Of the charge that its till has left behind.

    charge_ids = [value for value, columns in kept_in(street.database.database).items() if "charges.id" in columns]
    assert len(charge_ids) == 2 * 9  # As text and as bytes.
    assert joins(street) == {}


def test_what_is_under_way_is_found_and_so_is_an_open_case(street: Street) -> None:
    """
    So that the walk would find what were forgotten to be forgotten.
    """
    assert joins(street) == {}
    reserved = street.reserve("ann", 450)
    assert joins(street)["charges.order_id"] >= {"charges.id"}
    cancel_payment_intent(street.acquirer, SHOP, reserved.id, now_ms=street.now_ms)
    assert joins(street) == {}

    at_till = pay(street)
    assert set(joins(street)) == {"charges.reply"}
    bring(street, at_till)
    case = dispute(street, at_till)
    assert "disputes.order_id" in joins(street)
    refuse_dispute(street.acquirer, SHOP, case, now_ms=street.now_ms)
    street.redeem()
    assert joins(street) == {}


def test_a_case_that_nobody_answers_is_forgotten_as_to_where_it_leads_and_its_receipt_leads_there_again(
    street: Street,
) -> None:
    at_till = pay(street)
    bring(street, at_till)
    case = dispute(street, at_till)
    street.redeem()
    street.now_ms += ORDER_MS_MAX - 1
    assert forget_orders(street.acquirer, now_ms=street.now_ms) == 0

    street.now_ms += 1
    assert forget_orders(street.acquirer, now_ms=street.now_ms) == 1
    assert joins(street) == {}
    request = RefundRequest(new_id(), at_till.payment.id, 100)
    with pytest.raises(BodyInvalid, match="return code"):
        refund_by_receipt(street.acquirer, SHOP, request, return_code="", now_ms=street.now_ms)

    assert dispute(street, at_till) == case
    given = refund_by_receipt(street.acquirer, SHOP, request, return_code="", now_ms=street.now_ms)
    assert given.refund.status is RefundStatus.SUCCEEDED


def test_the_end_of_a_reservation_is_not_one_number_at_both(street: Street) -> None:
    """
    The issuer's is to the millisecond; the acquirer's is the next whole second, so that it gives nothing back too soon.
    """
    street.now_ms += 321
    reserved_until_ms = street.reserve().reserved_until_ms

    with street.issuer.issuer.database.unit_of_work() as uow:
        ((until_ms,),) = uow.rows("SELECT until_ms FROM holds")

    assert reserved_until_ms == until_ms + 679


@pytest.mark.parametrize("how", ["within a text", "hashed", "hashed, within a text"])
def test_an_order_id_that_is_written_elsewhere_is_found(street: Street, how: str) -> None:
    at_till = pay(street)
    bring(street, at_till)
    order_id = at_till.entry.order_id
    digest = derive_id("charge", order_id)
    text = f"Coffee {order_id if how == 'within a text' else digest}"
    with street.database.unit_of_work() as books:
        if how == "hashed":
            books.payments._uow.execute("UPDATE merchants SET key_hash = ?", bytes.fromhex(digest))
        else:
            books.payments._uow.execute("UPDATE payments SET description = ?", text)
        books.commit()

    found = joins(street)

    assert found["charges.id"] >= {"merchants.key_hash" if how == "hashed" else "payments.description"}
