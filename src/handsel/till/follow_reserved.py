"""
Find out what became of charges that have reserved, now and then, and seal the receipt of what was captured.

A merchant captures at its desk, an hour or a week later, and the till is not told: it asks. What was given back, or is
over, is forgotten, and so is what opens the issuer's reply. A till that has lost its journal, or is off until a day
after the time of a reservation, leaves it without a sealed receipt; the receipt that the acquirer shows is there.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from handsel.clock import Clock
from handsel.errors import HandselError, NotFound
from handsel.log import Log
from handsel.till.acquirer import Acquirer, DeclinedAnswer, PaidAnswer
from handsel.till.close_charge import ChargeCloser
from handsel.till.conclude import outcome_name, reason_name
from handsel.till.journal import ChargeEntry, Journal
from handsel.till.pauses import Pauses
from handsel.till.settle import NothingDone, Outcome, Waiting

PAUSE_MS_MIN = 5_000
PAUSE_MS_MAX = 600_000  # So much later, at most, a wallet has the receipt of what was captured.
GRACE_MS = 24 * 3_600_000  # After the time of a reservation: what was captured at its end may be known later.


@dataclass
class ReservedFollower:
    """
    Follow the reservations of one till's journal. To be called from one loop.
    """

    journal: Journal
    acquirer: Acquirer
    closer: ChargeCloser
    clock: Clock
    log: Log
    pauses: Pauses = field(default_factory=lambda: Pauses(PAUSE_MS_MIN, PAUSE_MS_MAX))

    def ask_next(self) -> bool:
        """
        Ask for the oldest reservation that is due, and return whether there was one. Never raises a `HandselError`.
        """
        now_ms = self.clock()
        due = (entry for entry in self.journal.reserved() if self.pauses.is_due(entry.charge_id, now_ms=now_ms))
        entry = next(due, None)
        if entry is None:
            return False
        outcome = self._ask(entry)
        if not isinstance(outcome, Waiting):
            self.log.event("reservation.ended", outcome=outcome_name(outcome), reason=reason_name(outcome))
        if not isinstance(outcome, Waiting) or _is_over(entry, now_ms=now_ms):
            self.closer.close(entry, outcome, now_ms=now_ms)
        if any(held.charge_id == entry.charge_id for held in self.journal.reserved()):
            self.pauses.later(entry.charge_id, now_ms=now_ms)
        else:
            self.pauses.forget(entry.charge_id)
        return True

    def _ask(self, entry: ChargeEntry) -> Outcome:
        try:
            answer = self.acquirer.charge_state(entry.charge_id)
        except NotFound as exc:
            return NothingDone(exc.code, is_retryable=False)
        except HandselError as exc:
            return Waiting(exc.code)
        return answer if isinstance(answer, PaidAnswer | DeclinedAnswer) else Waiting(None)


def _is_over(entry: ChargeEntry, *, now_ms: int) -> bool:
    return now_ms >= entry.begun_ms + entry.action.hold_s * 1000 + GRACE_MS
