"""
Keep captures, by the ids of their charges, for ever.
"""

from __future__ import annotations

from handsel.errors import ensure
from handsel.pay.capture import CaptureOrder, CaptureStatus
from handsel.store.database import UnitOfWork


class CaptureTable:
    """
    Keep captures within one unit of work.
    """

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    def add(self, capture: CaptureOrder) -> None:
        """
        Keep a new capture.
        """
        self._uow.execute(
            "INSERT INTO captures (charge_id, secrets, asked_ms, status) VALUES (?, ?, ?, ?)",
            *(capture.charge_id, capture.secrets, capture.asked_ms, capture.status.value),
        )

    def save(self, capture: CaptureOrder) -> None:
        """
        Keep what became of a capture, or its other notes.
        """
        changed = self._uow.execute(
            "UPDATE captures SET status = ?, secrets = ? WHERE charge_id = ? AND status = 'ordered'",
            *(capture.status.value, capture.secrets, capture.charge_id),
        )
        ensure(changed == 1, "a capture ends once")

    def find(self, charge_id: str) -> CaptureOrder | None:
        """
        Return the capture of a charge.
        """
        row = self._uow.row("SELECT charge_id, secrets, asked_ms, status FROM captures WHERE charge_id = ?", charge_id)
        return CaptureOrder(row[0], row[1], row[2], CaptureStatus(row[3])) if row else None

    def unresolved(self, *, until_ms: int, now_ms: int, limit: int) -> tuple[str, ...]:
        """
        Return the charges whose capture was asked for at `until_ms` or before, and of which nothing was heard since.

        One that was asked for after `now_ms` is among them: the clock was set back, and nobody waits for it. The newest
        first: what the issuer refuses for ever does not hold up what it answers.
        """
        rows = self._uow.rows(
            "SELECT charge_id FROM captures WHERE status = 'ordered' AND (asked_ms <= ? OR asked_ms > ?)"
            " ORDER BY asked_ms DESC LIMIT ?",
            *(until_ms, now_ms, limit),
        )
        return tuple(charge_id for (charge_id,) in rows)
