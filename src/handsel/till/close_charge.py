"""
Close a charge in the journal when its end is known: forget it and, where it was paid, keep its sealed receipt. One that
has reserved is kept until it is known what became of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from handsel.errors import HandselError, StoreError
from handsel.keys import PublicKeys
from handsel.log import Log
from handsel.till.acquirer import PaidAnswer, ReservedAnswer
from handsel.till.journal import ChargeEntry, Journal, ReceiptEntry
from handsel.till.seal_receipt import seal_for_wallet
from handsel.till.settle import Outcome


@dataclass(frozen=True, repr=False)
class ChargeCloser:
    """
    Close charges of one till. `issuer` is to whom a statement line is sealed.
    """

    journal: Journal
    issuer: PublicKeys
    random_bytes: Callable[[int], bytes]
    log: Log

    def close(self, entry: ChargeEntry, outcome: Outcome, *, now_ms: int) -> None:
        """
        Close a charge. What cannot be sealed or written is logged, and nothing is raised: the payment stands.
        """
        receipt = self._sealed(entry, outcome, now_ms=now_ms)
        try:
            if isinstance(outcome, ReservedAnswer) and entry.reply_secret:
                self.journal.move_to_reserved(entry.charge_id)
            else:
                self.journal.close(entry.charge_id, receipt)
        except StoreError as exc:
            # It stays in the file: after the next start the acquirer says once more how it ended.
            self.log.event("journal.not_closed", code=exc.code)

    def _sealed(self, entry: ChargeEntry, outcome: Outcome, *, now_ms: int) -> ReceiptEntry | None:
        if not isinstance(outcome, PaidAnswer) or outcome.papers is None:
            return None
        try:
            return seal_for_wallet(
                entry, outcome.papers, issuer=self.issuer, random_bytes=self.random_bytes, now_ms=now_ms
            )
        except HandselError as exc:
            self.log.event("receipt.not_sealed", code=exc.code)
            return None
