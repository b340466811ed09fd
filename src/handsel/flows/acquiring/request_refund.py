"""
Ask for a refund, look at it, and give it up: what a merchant does.
"""

from __future__ import annotations

from dataclasses import dataclass

from handsel.errors import BodyInvalid, IdReused, NotFound
from handsel.flows.acquiring.accounts import merchant_account
from handsel.flows.acquiring.acquirer import Acquirer
from handsel.flows.acquiring.request_payment import payment_of
from handsel.flows.acquiring.sign_in import choose_till
from handsel.pay.merchant import Merchant
from handsel.pay.money import Money, sum_money
from handsel.pay.payment import PaymentIntent, PaymentStatus
from handsel.pay.refund import Refund, RefundStatus, RefundWay
from handsel.store.acquirer import AcquirerBooks


@dataclass(frozen=True, repr=False)
class RefundRequest:
    """
    Say what a merchant wants to pay back: all that is left of the payment unless an amount is named.

    The till at which the payment was made shows it unless another of the merchant's is named.
    """

    id: str
    payment_id: str
    amount_minor: int | None = None
    till_name: str | None = None


def create_refund(acquirer: Acquirer, merchant: Merchant, request: RefundRequest, *, now_ms: int) -> Refund:
    """
    Keep a refund that is to be made, once, however often the same request comes.

    What is promised back is never more than was paid: open refunds count, canceled ones do not. Nor is it more than the
    merchant has here, after what was paid out. Raises `NotFound`, `IdReused`, and `BodyInvalid` where the payment is
    not paid or less of it is left.
    """
    with acquirer.store.unit_of_work() as books:
        payment = payment_of(books, merchant, request.payment_id)
        found = find_same(books, merchant, request)
        if found is not None:
            return found
        refund = promise(books, merchant, payment, request, now_ms=now_ms)
        books.commit()
        return refund


def cancel_refund(acquirer: Acquirer, merchant: Merchant, refund_id: str) -> Refund:
    """
    Give an open refund up for ever, and return it as it stands then. Raises `NotFound`.

    Where a palm has been shown already it is not canceled; whoever calls must look at the status.
    """
    with acquirer.store.unit_of_work() as books:
        refund = _refund_of(books, merchant, refund_id)
        if refund.status is not RefundStatus.REQUIRES_PALM:
            return refund
        canceled = refund.canceled()
        books.refunds.save(canceled)
        books.commit()
        return canceled


def find_refund(acquirer: Acquirer, merchant: Merchant, refund_id: str) -> Refund:
    """
    Return a merchant's refund. Raises `NotFound`.
    """
    with acquirer.store.unit_of_work() as books:
        return _refund_of(books, merchant, refund_id)


def list_refunds(acquirer: Acquirer, merchant: Merchant, payment_id: str) -> tuple[Refund, ...]:
    """
    Return the refunds of a merchant's payment, the oldest first. Raises `NotFound`.
    """
    with acquirer.store.unit_of_work() as books:
        return books.refunds.of_payment(payment_of(books, merchant, payment_id).id)


def refundable_minor(books: AcquirerBooks, payment: PaymentIntent) -> int:
    """
    Return how much of a payment has not been promised back.
    """
    promised = (refund for refund in books.refunds.of_payment(payment.id) if refund.status is not RefundStatus.CANCELED)
    total = sum_money((refund.amount for refund in promised), currency=payment.amount.currency)
    return payment.received.amount_minor - total.amount_minor


def _require_covered(books: AcquirerBooks, merchant: Merchant, amount_minor: int, *, currency: str) -> None:
    # What was paid out is not here any more: a refund of it is covered by what came in since.
    free_minor = books.available_minor(merchant_account(merchant.id, currency=currency).id)
    free_minor -= books.pay_outs.open_refunds_minor(merchant.id, currency=currency)
    if amount_minor > free_minor:
        raise BodyInvalid("what was paid was paid out to you already: take payments to cover it, then pay it back")


def _refund_of(books: AcquirerBooks, merchant: Merchant, refund_id: str) -> Refund:
    refund = books.refunds.find(refund_id)
    if refund is None or refund.merchant_id != merchant.id:
        raise NotFound("there is no refund of that id")
    return refund


def find_same(
    books: AcquirerBooks, merchant: Merchant, request: RefundRequest, *, way: RefundWay = RefundWay.PALM
) -> Refund | None:
    """
    Return the refund of that id, or None where it is new. Raises `IdReused` where it stands for another.
    """
    found = books.refunds.find(request.id)
    if found is None:
        return None
    amounts = (None, found.amount.amount_minor)
    is_same = (found.payment_id, found.merchant_id, found.way) == (request.payment_id, merchant.id, way)
    if not is_same or request.amount_minor not in amounts:
        raise IdReused("that id stands for another refund: make a new one")
    return found


def promise(
    books: AcquirerBooks,
    merchant: Merchant,
    payment: PaymentIntent,
    request: RefundRequest,
    *,
    way: RefundWay = RefundWay.PALM,
    now_ms: int,
) -> Refund:
    """
    Write a new refund, of no more than is left of the payment. Raises `BodyInvalid` and `NotFound`.
    """
    if payment.status is not PaymentStatus.SUCCEEDED:
        raise BodyInvalid("only a payment that has succeeded is refunded")
    left_minor = refundable_minor(books, payment)
    amount_minor = left_minor if request.amount_minor is None else request.amount_minor
    if not 0 < amount_minor <= left_minor:
        left = Money(left_minor, payment.amount.currency)
        raise BodyInvalid(f"pay back more than 0 and at most {left}")
    _require_covered(books, merchant, amount_minor, currency=payment.amount.currency)
    till_id = choose_till(books, merchant, name=request.till_name).id if request.till_name else payment.till_id
    amount = Money(amount_minor, payment.amount.currency)
    refund = Refund(request.id, payment.id, merchant.id, till_id, amount, now_ms, way=way)
    books.refunds.add(refund)
    return refund
