"""
Keep refunds and the attempts to carry them out, by their ids, for ever.
"""

from __future__ import annotations

from handsel.errors import ensure
from handsel.pay.decline import DeclineReason
from handsel.pay.money import Money
from handsel.pay.refund import Refund, RefundAttempt, RefundAttemptStatus, RefundStatus
from handsel.store.database import UnitOfWork
from handsel.store.engine import Row

REFUNDS_READ_MAX = 10_000  # Of one payment; each is at least one minor unit of it.

_REFUND = "SELECT id, payment_id, merchant_id, till_id, amount_minor, currency, created_ms, status FROM refunds"


class RefundTables:
    """
    Keep refunds and attempts within one unit of work.
    """

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    def add(self, refund: Refund) -> None:
        """
        Keep a new refund. Raises `InvariantBroken` where more would be promised back than was paid.
        """
        self._uow.execute(
            "INSERT INTO refunds (id, payment_id, merchant_id, till_id, amount_minor, currency, created_ms, status)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            *(refund.id, refund.payment_id, refund.merchant_id, refund.till_id, refund.amount.amount_minor),
            *(refund.amount.currency, refund.created_ms, refund.status.value),
        )

    def save(self, refund: Refund) -> None:
        """
        Keep what became of a refund.
        """
        changed = self._uow.execute(
            "UPDATE refunds SET status = ? WHERE id = ? AND status NOT IN ('succeeded', 'canceled')",
            *(refund.status.value, refund.id),
        )
        ensure(changed == 1, "a refund ends once")

    def find(self, refund_id: str) -> Refund | None:
        """
        Return the refund of that id.
        """
        return _refund_or_none(self._uow.row(f"{_REFUND} WHERE id = ?", refund_id))

    def of_payment(self, payment_id: str) -> tuple[Refund, ...]:
        """
        Return all refunds of a payment, the oldest first.
        """
        rows = self._uow.rows(f"{_REFUND} WHERE payment_id = ? ORDER BY number LIMIT ?", payment_id, REFUNDS_READ_MAX)
        return tuple(_refund(row) for row in rows)

    def newest_open(self, till_id: str, *, since_ms: int) -> Refund | None:
        """
        Return the newest refund that waits for a palm at a till, made at `since_ms` or later.
        """
        row = self._uow.row(
            f"{_REFUND} WHERE till_id = ? AND status = 'requires_palm' AND created_ms >= ?"
            " ORDER BY number DESC LIMIT 1",
            *(till_id, since_ms),
        )
        return _refund_or_none(row)

    def add_attempt(self, attempt: RefundAttempt) -> None:
        """
        Keep a new attempt.
        """
        self._uow.execute(
            "INSERT INTO refund_attempts (id, refund_id, till_id, submitted_ms, status) VALUES (?, ?, ?, ?, ?)",
            *(attempt.id, attempt.refund_id, attempt.till_id, attempt.submitted_ms, attempt.status.value),
        )

    def save_attempt(self, attempt: RefundAttempt) -> None:
        """
        Keep what became of an attempt.
        """
        changed = self._uow.execute(
            "UPDATE refund_attempts SET status = ?, reason = ? WHERE id = ? AND status IN ('submitted', 'asked')",
            *(attempt.status.value, attempt.reason.value if attempt.reason else None, attempt.id),
        )
        ensure(changed == 1, "an attempt ends once")

    def find_attempt(self, attempt_id: str) -> RefundAttempt | None:
        """
        Return the attempt of that id.
        """
        row = self._uow.row(
            "SELECT id, refund_id, till_id, submitted_ms, status, reason FROM refund_attempts WHERE id = ?", attempt_id
        )
        if row is None:
            return None
        found_id, refund_id, till_id, submitted_ms, status, reason = row
        why = DeclineReason(reason) if reason else None
        return RefundAttempt(found_id, refund_id, till_id, submitted_ms, RefundAttemptStatus(status), why)

    def count_declined(self, refund_id: str) -> int:
        """
        Return how many attempts of a refund were declined after a palm was asked with.
        """
        row = self._uow.row(
            "SELECT COUNT(*) FROM refund_attempts WHERE refund_id = ? AND status = 'declined' AND reason <> ?",
            *(refund_id, DeclineReason.ASKED_TOO_OFTEN.value),
        )
        return int(row[0]) if row else 0

    def unresolved_attempts(self, *, until_ms: int, now_ms: int, limit: int) -> tuple[str, ...]:
        """
        Return the ids of attempts submitted at `until_ms` or before, or after `now_ms`, that have not ended.
        """
        rows = self._uow.rows(
            "SELECT id FROM refund_attempts WHERE status IN ('submitted', 'asked')"
            " AND (submitted_ms <= ? OR submitted_ms > ?) ORDER BY submitted_ms LIMIT ?",
            *(until_ms, now_ms, limit),
        )
        return tuple(attempt_id for (attempt_id,) in rows)


def _refund_or_none(row: Row | None) -> Refund | None:
    return _refund(row) if row else None


def _refund(row: Row) -> Refund:
    refund_id, payment_id, merchant_id, till_id, amount_minor, currency, created_ms, status = row
    amount = Money(amount_minor, currency)
    return Refund(refund_id, payment_id, merchant_id, till_id, amount, created_ms, RefundStatus(status))
