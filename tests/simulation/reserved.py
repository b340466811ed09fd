"""
Know what is true of sums that are reserved, and of tips: the part of `truth.py` that looks at what is paid later.

1. What an account has reserved is the sum of its reservations that have not ended, at every commit.
2. One payment reserves once at a time: for whom it was shown, just what was shown, no longer than is allowed.
3. Captured is what the merchant asked for, no more than is reserved, and while its time lasts. The rest is free again.
4. What is reserved is given back only when its merchant has canceled, or when its time is over.
5. A tip is one that somebody has chosen for this payment, and what was shown on the screen; it pays for nothing else.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulation.issuer_party import IssuerProcess
    from tests.simulation.truth import Truth

HOLD_MS_MAX = 60_000  # What the issuer of a world allows at most.


@dataclass(frozen=True)
class Held:
    """
    Remember what one charge has reserved.
    """

    payment_id: str
    acquirer: str
    amount_minor: int
    until_ms: int


class Reserved:
    """
    Hold what is known of reservations, and compare.
    """

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._pending: dict[bytes, tuple[int, int]] = {}  # Of each reservation: whose, and how much.
        self._sums: dict[int, int] = defaultdict(int)
        self.held: dict[str, Held] = {}  # By charge. What was held once stays here.
        self.open: dict[str, str] = {}  # The charge of each payment that is reserved now.
        self.wished: dict[str, set[tuple[int, int]]] = defaultdict(set)  # Sums, each with its tip, by payment.
        self.canceled: set[str] = set()  # Payments of which a merchant wanted no more.

    # What people did.

    def asked_to_capture(self, payment_id: str, *, amount_minor: int, tip_minor: int) -> None:
        self.wished[payment_id].add((amount_minor, tip_minor))

    def asked_to_cancel(self, payment_id: str) -> None:
        self.canceled.add(payment_id)

    # What reached the issuer's disk.

    def moved(self, kind: str, transfer_id: bytes, account: int, amount_minor: int, pending_id: bytes | None) -> None:
        """
        See one step of the ledger.
        """
        if kind == "reserve":
            self._pending[transfer_id] = (account, amount_minor)
            self._sums[account] += amount_minor
        elif kind in ("capture", "release", "expire"):
            whose = self._pending.pop(bytes(pending_id or b""), None)
            self._truth.require(whose is not None, "a reservation ends twice")
            if whose is not None:
                self._sums[whose[0]] -= whose[1]

    def begun(self, process: IssuerProcess, charge_id: str, acquirer: str, amount_minor: int, until_ms: int) -> None:
        """
        See a charge that only reserves.
        """
        truth = self._truth
        order = truth.orders.get(charge_id)
        truth.require(order is not None and order.is_hold, "a sum is reserved that nobody asked to reserve")
        if order is None:
            return
        truth.require(order.amount_minor == amount_minor, "another sum is reserved than was shown")
        truth.require(order.subject_id not in self.open, "a payment reserves twice")
        truth.require(order.subject_id not in truth.debits, "a payment reserves that is paid")
        truth.require(charge_id not in truth.came_to_nothing, "a charge reserves that came to nothing")
        truth.require(until_ms - process.latest_ms() <= HOLD_MS_MAX, "a sum is reserved for too long")
        self.held[charge_id] = Held(order.subject_id, acquirer, amount_minor, until_ms)
        self.open[order.subject_id] = charge_id

    def ended(self, process: IssuerProcess, charge_id: str, state: str) -> None:
        """
        See what becomes of a charge; of those that do not reserve there is nothing to be said.
        """
        held = self.held.get(charge_id)
        if held is None or state == "reserved" or self.open.get(held.payment_id) != charge_id:
            return
        del self.open[held.payment_id]
        if state == "voided":
            clocks = [process.latest_ms(), *(each.latest_ms() for each in self._truth.world.acquirers)]
            may_end = held.payment_id in self.canceled or max(clocks) >= held.until_ms
            self._truth.require(may_end, "what is reserved is given back too soon")
            self._truth.require(charge_id not in self._truth.debited, "what was captured is given back")
        else:
            self._truth.require(charge_id in self._truth.debited, "a charge is captured that debits nobody")

    def captured(self, process: IssuerProcess, charge_id: str, amount_minor: int) -> None:
        """
        See a debit of what was reserved.
        """
        held, require = self.held.get(charge_id), self._truth.require
        require(held is not None, "something is captured that was not reserved")
        if held is None:
            return
        wished = {each for each, _ in self.wished[held.payment_id]}
        require(amount_minor <= held.amount_minor, "more is captured than was reserved")
        require(amount_minor in wished, "a sum is captured that its merchant did not ask for")
        require(process.read_ms() < held.until_ms, "something is captured when its time is over")

    def compare(self, account: int, pending_minor: int) -> None:
        """
        Compare with what an account has reserved.
        """
        self._truth.require(self._sums[account] == pending_minor, "what is reserved follows from reservations")

    # What reached an acquirer's disk.

    def paid(self, payment_id: str, *, captured_minor: int | None, amount_minor: int, tip_minor: int) -> None:
        """
        See what an acquirer has written of a payment that succeeds.
        """
        truth = self._truth
        paid_minor = amount_minor + tip_minor if captured_minor is None else captured_minor
        truth.require(truth.paid[payment_id] == paid_minor, "a merchant is paid another sum than was debited")
        if captured_minor is not None:
            truth.require((captured_minor, tip_minor) in self.wished[payment_id], "a tip is one that was captured")
            truth.require(captured_minor - tip_minor <= amount_minor, "a tip is taken for the price")

    def chosen(self, *, total_minor: int, amount_minor: int, shown_minor: int | None, tips: set[int]) -> None:
        """
        Judge the sum of an order, against what was on the screen and which tips were chosen.
        """
        self._truth.require(total_minor == shown_minor, "another sum is ordered than was shown")
        self._truth.require(total_minor - amount_minor in tips, "a tip is ordered that nobody has chosen")
