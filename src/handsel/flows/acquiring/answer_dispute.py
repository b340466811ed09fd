"""
Answer a dispute, as its shop: by paying back, or by saying no.
"""

from __future__ import annotations

from handsel.errors import NotFound
from handsel.flows.acquiring.acquirer import Acquirer
from handsel.pay.dispute import Dispute, DisputeStatus
from handsel.pay.merchant import Merchant
from handsel.store.acquirer import AcquirerBooks


def answer_by_refund(books: AcquirerBooks, payment_id: str, *, now_ms: int) -> None:
    """
    End the open case about a payment, of which something has just been paid back, where there is one.

    Whoever holds that to be too little can open another.
    """
    dispute = books.disputes.open_of(payment_id)
    if dispute is not None:
        books.disputes.save(dispute.ended(DisputeStatus.REFUNDED, now_ms=now_ms))


def refuse_dispute(acquirer: Acquirer, merchant: Merchant, dispute_id: str, *, now_ms: int) -> Dispute:
    """
    Say no to a case, and return it as it stands then; one that has ended stays so. Raises `NotFound`.
    """
    with acquirer.store.unit_of_work() as books:
        dispute = books.disputes.find(dispute_id)
        if dispute is None or dispute.merchant_id != merchant.id:
            raise NotFound("there is no dispute of that id")
        if dispute.status is DisputeStatus.OPEN:
            dispute = dispute.ended(DisputeStatus.REFUSED, now_ms=now_ms)
            books.disputes.save(dispute)
            books.commit()
        return dispute
