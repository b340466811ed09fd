"""
Bring sealed receipts to the issuer, one after another, beside everything else that the till does.

No payment waits for it: it has a loop of its own. A receipt that cannot be brought now is tried again later; one that
is refused, or too old, is given up, and the receipt that the acquirer shows is then the only one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from handsel.clock import Clock
from handsel.errors import HandselError, StoreError
from handsel.log import Log
from handsel.till.acquirer import Acquirer
from handsel.till.journal import Journal, ReceiptEntry
from handsel.till.pauses import Pauses

PAUSE_MS_MIN = 2_000
PAUSE_MS_MAX = 600_000
GIVEN_UP_MS = 7 * 24 * 3_600_000  # A week: longer than a bank is closed.


@dataclass
class ReceiptCourier:
    """
    Bring the receipts of one till's journal. To be called from one loop.
    """

    journal: Journal
    acquirer: Acquirer
    clock: Clock
    log: Log
    pauses: Pauses = field(default_factory=lambda: Pauses(PAUSE_MS_MIN, PAUSE_MS_MAX))

    def bring_next(self) -> bool:
        """
        Bring the oldest receipt that is due, and return whether there was one. Never raises a `HandselError`.
        """
        now_ms = self.clock()
        due = (entry for entry in self.journal.receipts() if self.pauses.is_due(entry.charge_id, now_ms=now_ms))
        entry = next(due, None)
        if entry is None:
            return False
        code = self._bring(entry, now_ms=now_ms)
        self.log.event("receipt.brought", outcome="brought" if code is None else "not_brought", code=code or "")
        return True

    def _bring(self, entry: ReceiptEntry, *, now_ms: int) -> str | None:
        try:
            self.acquirer.bring_receipt(entry.charge_id, entry.brought)
        except HandselError as exc:
            if exc.is_retryable and now_ms - entry.sealed_ms < GIVEN_UP_MS:
                self.pauses.later(entry.charge_id, now_ms=now_ms)
            else:
                self._drop(entry.charge_id, now_ms=now_ms)
            return exc.code
        self._drop(entry.charge_id, now_ms=now_ms)
        return None

    def _drop(self, charge_id: str, *, now_ms: int) -> None:
        try:
            self.journal.drop_receipt(charge_id)
        except StoreError as exc:
            # It stays in the file, and is brought once more: the issuer takes the same receipt again.
            self.log.event("journal.not_closed", code=exc.code)
            self.pauses.later(charge_id, now_ms=now_ms)
            return
        self.pauses.forget(charge_id)
