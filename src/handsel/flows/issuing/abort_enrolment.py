"""
Abort an enrolment that will not be completed: the palm is dropped here, and the matchers are ordered to drop theirs.
"""

from __future__ import annotations

from handsel.flows.issuing.issuer import Issuer
from handsel.flows.issuing.matcher_order import write_orders
from handsel.pay.decline import DeclineReason
from handsel.store import issuer_palm as palms
from handsel.store.database import UnitOfWork


def abort_enrolment(issuer: Issuer, uow: UnitOfWork, enrolment_id: str, reason: DeclineReason, *, now_ms: int) -> None:
    """
    Abort a pending enrolment, within the unit of work of another flow.
    """
    palms.end_enrolment(uow, enrolment_id, reason=reason.value)
    palms.remove_palm(uow, enrolment_id)
    write_orders(issuer, uow, "abort", enrolment_id, position=0, now_ms=now_ms)


def expire_enrolments(issuer: Issuer) -> int:
    """
    Abort the enrolments that were begun and never completed, and return how many. The wiring's loop calls this.
    """
    now_ms = issuer.clock()
    with issuer.database.unit_of_work() as uow:
        due = palms.enrolments_due(uow, now_ms=now_ms)
        for enrolment_id in due:
            abort_enrolment(issuer, uow, enrolment_id, DeclineReason.VOIDED, now_ms=now_ms)
        uow.commit()
    return len(due)
