"""
Keep disputes by their ids, for ever.
"""

from __future__ import annotations

from handsel.errors import ensure
from handsel.pay.dispute import Dispute, DisputeStatus, Finding
from handsel.store.database import UnitOfWork
from handsel.store.engine import Row

_DISPUTE = "SELECT id, payment_id, merchant_id, finding, opened_ms, status, ended_ms, order_id FROM disputes"


class DisputeTable:
    """
    Keep disputes within one unit of work.
    """

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    def add(self, dispute: Dispute) -> None:
        """
        Keep a new case.
        """
        self._uow.execute(
            "INSERT INTO disputes (id, payment_id, merchant_id, finding, opened_ms, status, order_id)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            *(dispute.id, dispute.payment_id, dispute.merchant_id, dispute.finding.value, dispute.opened_ms),
            *(dispute.status.value, dispute.order_id),
        )

    def save(self, dispute: Dispute) -> None:
        """
        Keep how a case ended, or which order id its receipt has led to.
        """
        changed = self._uow.execute(
            "UPDATE disputes SET status = ?, ended_ms = ?, order_id = ? WHERE id = ? AND status = 'open'",
            *(dispute.status.value, dispute.ended_ms, dispute.order_id, dispute.id),
        )
        ensure(changed == 1, "a case ends once")

    def drop_old_orders(self, *, until_ms: int) -> int:
        """
        Forget the order ids of cases opened at `until_ms` or before, and return of how many.
        """
        return self._uow.execute(
            "UPDATE disputes SET order_id = NULL WHERE order_id IS NOT NULL AND opened_ms <= ?", until_ms
        )

    def find(self, dispute_id: str) -> Dispute | None:
        """
        Return the case of that id.
        """
        return _dispute_or_none(self._uow.row(f"{_DISPUTE} WHERE id = ?", dispute_id))

    def open_of(self, payment_id: str) -> Dispute | None:
        """
        Return the open case about a payment.
        """
        return _dispute_or_none(self._uow.row(f"{_DISPUTE} WHERE payment_id = ? AND status = 'open'", payment_id))

    def of_payment(self, payment_id: str, *, limit: int) -> tuple[Dispute, ...]:
        """
        Return the cases about a payment, the oldest first.
        """
        rows = self._uow.rows(f"{_DISPUTE} WHERE payment_id = ? ORDER BY number LIMIT ?", payment_id, limit)
        return tuple(_dispute(row) for row in rows)

    def newest(self, merchant_id: str, *, limit: int) -> tuple[Dispute, ...]:
        """
        Return a merchant's cases: the open ones first, then the newest.
        """
        rows = self._uow.rows(
            f"{_DISPUTE} WHERE merchant_id = ? ORDER BY (status = 'open') DESC, number DESC LIMIT ?",
            *(merchant_id, limit),
        )
        return tuple(_dispute(row) for row in rows)


def _dispute_or_none(row: Row | None) -> Dispute | None:
    return _dispute(row) if row else None


def _dispute(row: Row) -> Dispute:
    dispute_id, payment_id, merchant_id, finding, opened_ms, status, *later = row
    return Dispute(dispute_id, payment_id, merchant_id, Finding(finding), opened_ms, DisputeStatus(status), *later)
