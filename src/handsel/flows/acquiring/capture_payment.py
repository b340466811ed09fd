"""
Capture what a payment has reserved, in full or in part: what a merchant does when it knows the final sum.
"""

from __future__ import annotations

from handsel.errors import BodyInvalid, IdReused, PartyUnavailable
from handsel.flows.acquiring.acquirer import Acquirer
from handsel.flows.acquiring.mint_notes import prepare_papers
from handsel.flows.acquiring.request_payment import find_payment_intent, payment_of
from handsel.flows.acquiring.settle_capture import charge_and_payment, settle_capture
from handsel.pay.capture import CaptureOrder
from handsel.pay.merchant import Merchant
from handsel.pay.money import Money
from handsel.pay.payment import PaymentIntent, PaymentStatus


def capture_payment_intent(
    acquirer: Acquirer, merchant: Merchant, payment_id: str, *, amount_minor: int | None = None, now_ms: int
) -> PaymentIntent:
    """
    Take `amount_minor` of what is reserved, all unless it is named, once; the rest is given back to the customer.

    1. What was captured before, or is being captured, is returned as it stands; with another amount `IdReused` is
       raised.
    2. Write how much, and the secrets of the notes. From now on nothing else can be captured, and nothing canceled.
    3. Ask the issuer. If it does not answer, the payment is `processing`, and `resolve_captures` asks again.

    Whoever calls must look at the status: a capture that comes too late finds the payment `canceled`. Raises
    `NotFound`, and `BodyInvalid` where nothing is reserved, or less.
    """
    # 1.
    with acquirer.store.unit_of_work() as books:
        payment = payment_of(books, merchant, payment_id)
        wanted = _wanted(payment, amount_minor)
        charge = books.payments.live_charge(payment_id)
    if charge is None or payment.status is PaymentStatus.SUCCEEDED:
        return payment
    # 2.
    if payment.status is PaymentStatus.REQUIRES_CAPTURE:
        papers = prepare_papers(acquirer, Money(wanted, payment.amount.currency), now_ms=now_ms)
        _order(acquirer, CaptureOrder(charge.id, papers, now_ms), amount_minor=wanted)
    # 3.
    try:
        settled = settle_capture(acquirer, charge.id, now_ms=now_ms)
    except PartyUnavailable:
        settled = find_payment_intent(acquirer, merchant, payment_id)
    _wanted(settled, amount_minor)  # Somebody else may have been quicker, with another amount.
    return settled


def _wanted(payment: PaymentIntent, amount_minor: int | None) -> int:
    """
    Return how much is to be captured. Raises `BodyInvalid`, and `IdReused` where another amount was captured.
    """
    if payment.reserved_until_ms is None:
        raise BodyInvalid("only what is reserved is captured: this payment has reserved nothing")
    wanted = payment.amount.amount_minor if amount_minor is None else amount_minor
    if not 0 < wanted <= payment.amount.amount_minor:
        raise BodyInvalid(f"capture more than 0 and at most {payment.amount}")
    if payment.captured_minor not in (None, wanted):
        raise IdReused("this payment was captured with another amount: look at it")
    return wanted


def _order(acquirer: Acquirer, capture: CaptureOrder, *, amount_minor: int) -> None:
    with acquirer.store.unit_of_work() as books:
        _, payment = charge_and_payment(books, capture.charge_id)
        if payment.status is not PaymentStatus.REQUIRES_CAPTURE:
            return
        books.captures.add(capture)
        books.payments.save(payment.capturing(amount_minor=amount_minor))
        books.commit()
