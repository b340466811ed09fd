"""
Ask for a payment, look at it, and give it up: what a merchant does.
"""

from __future__ import annotations

from dataclasses import dataclass

from handsel.errors import BodyInvalid, IdReused, NotFound
from handsel.flows.acquiring.acquirer import Acquirer
from handsel.flows.acquiring.settle_charge import settle_charge
from handsel.flows.acquiring.sign_in import choose_till
from handsel.notes.denomination import AMOUNT_MINOR_MAX
from handsel.pay.merchant import Merchant
from handsel.pay.money import Money
from handsel.pay.payment import ChargeStatus, PaymentIntent, PaymentStatus
from handsel.store.acquirer import AcquirerBooks


@dataclass(frozen=True, repr=False)
class PaymentRequest:
    """
    Say what a merchant wants to be paid. The first till of the merchant shows it unless one is named.
    """

    id: str
    amount: Money
    description: str = ""
    till_name: str | None = None


def create_payment_intent(
    acquirer: Acquirer, merchant: Merchant, request: PaymentRequest, *, now_ms: int
) -> PaymentIntent:
    """
    Keep a payment that is to be made, once, however often the same request comes.

    Raises `IdReused` where the id stands for another payment, `NotFound` where there is no such till, and `BodyInvalid`
    for an amount for which no notes are made, or that is more than this venue takes by palm: no till hears of it.
    """
    with acquirer.store.unit_of_work() as books:
        till = choose_till(books, merchant, name=request.till_name)
        if request.amount.amount_minor > AMOUNT_MINOR_MAX:
            raise BodyInvalid(f"an amount is at most {Money(AMOUNT_MINOR_MAX, request.amount.currency)}")
        wanted = PaymentIntent(request.id, merchant.id, till.id, request.amount, request.description, now_ms)
        found = books.payments.find(wanted.id)
        if found is not None:
            if not found.asks_the_same(wanted):
                raise IdReused("that id stands for another payment: make a new one")
            return found
        most = acquirer.palm_minor_max.get(merchant.id, AMOUNT_MINOR_MAX)
        if request.amount.amount_minor > most:
            raise BodyInvalid(
                f"this shop takes at most {Money(most, request.amount.currency)} by palm: take this payment another way"
            )
        books.payments.add(wanted)
        books.commit()
        return wanted


def cancel_payment_intent(acquirer: Acquirer, merchant: Merchant, payment_id: str) -> PaymentIntent:
    """
    Give a payment up for ever, if that is still possible, and return it as it stands then.

    An open payment is canceled at once. Where a palm has been shown already, the issuer is asked to void the charge: it
    does, or it has approved before; exactly one of the two happens. Whoever calls must look at the status: `processing`
    and `succeeded` say that the payment was not canceled.
    """
    with acquirer.store.unit_of_work() as books:
        payment = payment_of(books, merchant, payment_id)
        live = books.payments.live_charge(payment.id)
        if payment.status is PaymentStatus.REQUIRES_PALM:
            return _cancel(books, payment)
    if live is not None and live.status is ChargeStatus.SUBMITTED:
        settle_charge(acquirer, live.id)
    with acquirer.store.unit_of_work() as books:
        payment = payment_of(books, merchant, payment_id)
        return _cancel(books, payment) if payment.status is PaymentStatus.REQUIRES_PALM else payment


def find_payment_intent(acquirer: Acquirer, merchant: Merchant, payment_id: str) -> PaymentIntent:
    """
    Return a merchant's payment. Raises `NotFound`.
    """
    with acquirer.store.unit_of_work() as books:
        return payment_of(books, merchant, payment_id)


def count_declined_tries(acquirer: Acquirer, payment: PaymentIntent) -> int:
    """
    Return how often a palm was held out for a payment and declined. The reasons are none of the merchant's business.
    """
    with acquirer.store.unit_of_work() as books:
        return books.payments.count_declined(payment.id)


def list_payment_intents(
    acquirer: Acquirer, merchant: Merchant, *, limit: int, starting_after: str | None = None
) -> tuple[PaymentIntent, ...]:
    """
    Return a merchant's payments, newest first, page by page. Raises `BodyInvalid` and `NotFound`.
    """
    if not 0 < limit <= acquirer.bounds.list_max:
        raise BodyInvalid(f"a page has 1 to {acquirer.bounds.list_max} payments")
    with acquirer.store.unit_of_work() as books:
        if starting_after is not None:
            payment_of(books, merchant, starting_after)
        return books.payments.newest(merchant.id, limit=limit, starting_after=starting_after)


def payment_of(books: AcquirerBooks, merchant: Merchant, payment_id: str) -> PaymentIntent:
    """
    Return the payment of that id if it is the merchant's. Raises `NotFound`.
    """
    payment = books.payments.find(payment_id)
    if payment is None or payment.merchant_id != merchant.id:
        raise NotFound("there is no payment of that id")
    return payment


def _cancel(books: AcquirerBooks, payment: PaymentIntent) -> PaymentIntent:
    canceled = payment.canceled()
    books.payments.save(canceled)
    books.commit()
    return canceled
