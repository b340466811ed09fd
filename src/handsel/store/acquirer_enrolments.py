"""
Keep which enrolments the acquirer has carried, and how each ended. There is nothing else to know about one here.
"""

from __future__ import annotations

from handsel.pay.carried_enrolment import CarriedEnrolment, EnrolmentStatus
from handsel.pay.decline import DeclineReason
from handsel.store.database import UnitOfWork


class EnrolmentTable:
    """
    Keep enrolments within one unit of work.
    """

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    def save(self, enrolment: CarriedEnrolment) -> None:
        """
        Keep an enrolment, or what became of it.
        """
        self._uow.execute(
            "INSERT INTO enrolments (id, till_id, started_ms, status, reason) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET started_ms = excluded.started_ms, status = excluded.status,"
            " reason = excluded.reason",
            *(enrolment.id, enrolment.till_id, enrolment.started_ms, enrolment.status.value),
            enrolment.reason.value if enrolment.reason else None,
        )

    def find(self, enrolment_id: str) -> CarriedEnrolment | None:
        """
        Return the enrolment of that id.
        """
        row = self._uow.row("SELECT id, till_id, started_ms, status, reason FROM enrolments WHERE id = ?", enrolment_id)
        if row is None:
            return None
        found_id, till_id, started_ms, status, reason = row
        why = DeclineReason(reason) if reason else None
        return CarriedEnrolment(found_id, till_id, started_ms, EnrolmentStatus(status), why)
