"""
Refund by receipt: pay back to the wallet that paid, without a palm, because the customer has shown the receipt.

What shows it is the return code, which is in the receipt alone: the till told it to the customer, and no page, answer
or table of merchant or acquirer has it. So who holds a merchant's key, or its list of payments, cannot pay back what
nobody has brought back; and a slip of a finger does not pay a stranger. The money goes to the wallet that paid: of the
code follows the order id, by which the issuer finds it, and which is not kept here. An open dispute stands in for the
code: its receipt was presented to the acquirer itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from handsel.errors import BodyInvalid, HandselError, InvariantBroken, NotFound
from handsel.flows.acquiring.acquirer import Acquirer
from handsel.flows.acquiring.buy_notes import buy_notes
from handsel.flows.acquiring.ports import Credited, Unanswered, Voided
from handsel.flows.acquiring.request_payment import payment_of
from handsel.flows.acquiring.request_refund import RefundRequest, find_same, promise
from handsel.flows.acquiring.send_notes import send_notes
from handsel.flows.acquiring.settle_refund import conclude_refund
from handsel.notes.note import Note
from handsel.pay.decline import Declined, DeclineReason
from handsel.pay.merchant import Merchant
from handsel.pay.payment import PaymentIntent, PaymentStatus
from handsel.pay.refund import Refund, RefundAttempt, RefundWay
from handsel.return_code import find_order, read_return_code
from handsel.store.acquirer import AcquirerBooks


@dataclass(frozen=True, repr=False)
class ByReceipt:
    """
    Answer how a refund by receipt stands; canceled, it says why where that is known.
    """

    refund: Refund
    declined: DeclineReason | None


def refund_by_receipt(
    acquirer: Acquirer, merchant: Merchant, request: RefundRequest, *, return_code: str, now_ms: int
) -> ByReceipt:
    """
    Pay back to the wallet that paid, once, however often the same request comes.

    1. The payment is the merchant's, and the code is its receipt's; without a code, its receipt was presented in a
       dispute that is open. Either leads to the order id. Raises `NotFound` and `BodyInvalid`.
    2. Promise the refund, and write the one attempt, before anything is sent. What is left of the payment is counted as
       for every refund.
    3. Buy notes of the same sum.
    4. Send them to the issuer with the order id of the charge, under an id that is drawn for it and written nowhere.
       Lost answers are found out as for every refund.

    Whatever is interrupted is ended by `resolve_refunds`; a refund that comes to nothing is canceled. Raises
    `PartyUnavailable`, or what the issuer refused with, after nothing was credited.
    """
    # 1. and 2.
    with acquirer.store.unit_of_work() as books:
        payment = payment_of(books, merchant, request.payment_id)
        found = find_same(books, merchant, request, way=RefundWay.RECEIPT)
        if found is not None:
            return ByReceipt(found, books.refunds.declined_for(found.id))
        order_id = _order_of(books, payment, return_code)
        refund = promise(books, merchant, payment, request, way=RefundWay.RECEIPT, now_ms=now_ms)
        attempt = RefundAttempt(acquirer.new_id(), refund.id, refund.till_id, now_ms)
        books.refunds.add_attempt(attempt)
        books.refunds.save(refund.processing())
        books.commit()
    # 3.
    try:
        not_bought = buy_notes(acquirer, attempt.id, refund.amount, now_ms=now_ms)
    except HandselError:
        conclude_refund(acquirer, attempt.id, Voided(), now_ms=now_ms)
        raise
    # 4.
    if not_bought is None:
        refund_order_id, amount = acquirer.new_id(), refund.amount

        def send(notes: tuple[Note, ...]) -> Credited | Declined | Unanswered:
            return acquirer.issuer.refund_charge(refund_order_id, charge_order_id=order_id, amount=amount, notes=notes)

        send_notes(acquirer, attempt.id, send, now_ms=now_ms)
    else:
        conclude_refund(acquirer, attempt.id, Voided(), now_ms=now_ms)
    return _state(acquirer, refund.id)


def why_canceled(acquirer: Acquirer, refund: Refund) -> DeclineReason | None:
    """
    Return why a refund by receipt was declined, if it was. Of a palm the merchant is told no reason.
    """
    if refund.way is not RefundWay.RECEIPT:
        return None
    with acquirer.store.unit_of_work() as books:
        return books.refunds.declined_for(refund.id)


def payment_of_receipt(acquirer: Acquirer, merchant: Merchant, receipt_code: str) -> PaymentIntent:
    """
    Return the merchant's payment whose receipt has that code. Raises `NotFound`.
    """
    with acquirer.store.unit_of_work() as books:
        payment = books.payments.by_receipt(receipt_code)
    if payment is None or payment.merchant_id != merchant.id:
        raise NotFound("this shop has no payment with that receipt")
    return payment


def _order_of(books: AcquirerBooks, payment: PaymentIntent, typed: str) -> str:
    """
    Return the order id to which a return code, or the case that stands in for it, leads. Raises `BodyInvalid`.
    """
    dispute = None if typed.strip() else books.disputes.open_of(payment.id)
    if dispute is not None and dispute.order_id is not None:
        return dispute.order_id
    if payment.status is not PaymentStatus.SUCCEEDED:
        raise BodyInvalid("only a payment that has succeeded is refunded")
    charge = books.payments.live_charge(payment.id)
    if charge is None:
        raise InvariantBroken("a payment that has succeeded has a charge that paid it")
    if charge.return_digest is None:
        raise BodyInvalid("this payment was made before receipts had today's codes: pay it back to the palm")
    order_id = find_order(read_return_code(typed), charge_id=charge.id, digest=charge.return_digest)
    if order_id is None:
        raise BodyInvalid("this is not the return code of that payment's receipt: compare it with the receipt")
    return order_id


def _state(acquirer: Acquirer, refund_id: str) -> ByReceipt:
    with acquirer.store.unit_of_work() as books:
        refund = books.refunds.find(refund_id)
        if refund is None:
            raise NotFound("there is no refund of that id")
        return ByReceipt(refund, books.refunds.declined_for(refund_id))
