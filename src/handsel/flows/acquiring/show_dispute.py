"""
Show a dispute to whoever has its id, and a shop those about its payments.
"""

from __future__ import annotations

from dataclasses import dataclass

from handsel.errors import NotFound
from handsel.flows.acquiring.acquirer import Acquirer
from handsel.pay.dispute import Dispute
from handsel.pay.merchant import Merchant
from handsel.pay.payment import PaymentIntent
from handsel.store.acquirer import AcquirerBooks


@dataclass(frozen=True, repr=False)
class DisputedPayment:
    """
    Show a case and the payment that it is about: the shop's own, with an amount and a time.
    """

    dispute: Dispute
    payment: PaymentIntent


def show_dispute(acquirer: Acquirer, dispute_id: str) -> DisputedPayment:
    """
    Return the case of that id, which is 128 bits. Raises `NotFound`.
    """
    with acquirer.store.unit_of_work() as books:
        dispute = books.disputes.find(dispute_id)
        if dispute is None:
            raise NotFound("there is no dispute of that id")
        return _with_payment(books, dispute)


def list_disputes(acquirer: Acquirer, merchant: Merchant) -> tuple[DisputedPayment, ...]:
    """
    Return a merchant's cases: the open ones first, then the newest.
    """
    with acquirer.store.unit_of_work() as books:
        found = books.disputes.newest(merchant.id, limit=acquirer.bounds.list_max)
        return tuple(_with_payment(books, dispute) for dispute in found)


def disputes_of(acquirer: Acquirer, payment: PaymentIntent) -> tuple[Dispute, ...]:
    """
    Return the cases about a payment, the oldest first.
    """
    with acquirer.store.unit_of_work() as books:
        return books.disputes.of_payment(payment.id, limit=acquirer.bounds.disputes_max)


def _with_payment(books: AcquirerBooks, dispute: Dispute) -> DisputedPayment:
    payment = books.payments.find(dispute.payment_id)
    if payment is None:
        raise NotFound("there is no payment of that id")
    return DisputedPayment(dispute, payment)
