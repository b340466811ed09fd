"""
Capture what a payment has reserved, in full or in part: what a merchant does when it knows the final sum.
"""

from __future__ import annotations

from dataclasses import dataclass

from handsel.errors import BodyInvalid, IdReused, PartyUnavailable
from handsel.flows.acquiring.acquirer import Acquirer
from handsel.flows.acquiring.mint_notes import prepare_papers
from handsel.flows.acquiring.request_payment import find_payment_intent, payment_of
from handsel.flows.acquiring.settle_capture import charge_and_payment, settle_capture
from handsel.pay.capture import CaptureOrder
from handsel.pay.merchant import Merchant
from handsel.pay.money import Money
from handsel.pay.payment import Charge, PaymentIntent, PaymentStatus


def capture_payment_intent(
    acquirer: Acquirer,
    merchant: Merchant,
    payment_id: str,
    *,
    amount_minor: int | None = None,
    tip_minor: int | None = None,
    now_ms: int,
) -> PaymentIntent:
    """
    Take `amount_minor` of what is reserved, all unless it is named, once; the rest is given back to the customer.

    `tip_minor` of it is a tip: what was given at the till, unless less is named. A tip is the customer's: none is added
    here, and none that is left out pays for anything else. So without its tip, no more is taken than was asked for.

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
        if payment.reserved_until_ms is None:
            raise BodyInvalid("only what is reserved is captured: this payment has reserved nothing")
        charge = books.payments.live_charge(payment_id)
    if charge is None:
        return payment  # It was given back.
    wanted = _wanted(payment, charge, amount_minor, tip_minor)
    if payment.status is PaymentStatus.SUCCEEDED:
        return payment
    # 2.
    if payment.status is PaymentStatus.REQUIRES_CAPTURE:
        papers = prepare_papers(acquirer, Money(wanted.amount_minor, payment.amount.currency), now_ms=now_ms)
        _order(acquirer, CaptureOrder(charge.id, papers, now_ms), wanted)
    # 3.
    try:
        settled = settle_capture(acquirer, charge.id, now_ms=now_ms)
    except PartyUnavailable:
        settled = find_payment_intent(acquirer, merchant, payment_id)
    _wanted(settled, charge, amount_minor, tip_minor)  # Somebody else may have been quicker, with another amount.
    return settled


@dataclass(frozen=True)
class _Wanted:
    amount_minor: int
    tip_minor: int


def _wanted(payment: PaymentIntent, charge: Charge, amount_minor: int | None, tip_minor: int | None) -> _Wanted:
    """
    Return how much is to be captured. Raises `BodyInvalid`, and `IdReused` where another amount was captured.
    """
    reserved = Money(payment.amount.amount_minor + charge.tip_minor, payment.amount.currency)
    amount = reserved.amount_minor if amount_minor is None else amount_minor
    tip = max(0, min(charge.tip_minor, amount)) if tip_minor is None else tip_minor
    if not 0 <= tip <= charge.tip_minor:
        raise BodyInvalid("capture no more of a tip than the customer gave, and none where none was given")
    if amount <= 0 or not tip <= amount <= payment.amount.amount_minor + tip:
        with_tip = f", or {reserved} with the tip" if charge.tip_minor else ""
        raise BodyInvalid(f"capture more than 0, the tip included, and at most {payment.amount}{with_tip}")
    if payment.captured_minor is not None and (payment.captured_minor, payment.tip_minor) != (amount, tip):
        raise IdReused("this payment was captured with another amount: look at it")
    return _Wanted(amount, tip)


def _order(acquirer: Acquirer, capture: CaptureOrder, wanted: _Wanted) -> None:
    with acquirer.store.unit_of_work() as books:
        _, payment = charge_and_payment(books, capture.charge_id)
        if payment.status is not PaymentStatus.REQUIRES_CAPTURE:
            return
        books.captures.add(capture)
        books.payments.save(payment.capturing(amount_minor=wanted.amount_minor, tip_minor=wanted.tip_minor))
        books.commit()
