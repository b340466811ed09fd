"""
Take a dispute back, as whoever opened it: its id is known to nobody else but the shop and the acquirer.
"""

from __future__ import annotations

from handsel.errors import NotFound
from handsel.flows.acquiring.acquirer import Acquirer
from handsel.pay.dispute import Dispute, DisputeStatus


def withdraw_dispute(acquirer: Acquirer, dispute_id: str, *, now_ms: int) -> Dispute:
    """
    Take a case back, and return it as it stands then; one that has ended stays so. Raises `NotFound`.
    """
    with acquirer.store.unit_of_work() as books:
        dispute = books.disputes.find(dispute_id)
        if dispute is None:
            raise NotFound("there is no dispute of that id")
        if dispute.status is DisputeStatus.OPEN:
            dispute = dispute.ended(DisputeStatus.WITHDRAWN, now_ms=now_ms)
            books.disputes.save(dispute)
            books.commit()
        return dispute
