"""
Know what is true of money that goes back, and of disputes: the part of `truth.py` that looks at who is paid back why.

1. What is paid back of a payment, to palms and by receipt together, is never more than was debited for it.
2. By receipt only that wallet is credited which has paid, and only where its return code was brought, or while a
   dispute about the payment is open.
3. A case is opened about a payment whose receipt was presented, one at a time. It ends once: refunded where money went
   back, refused where its shop said so, withdrawn where a customer did.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from handsel.pay.money import Money
    from tests.simulation.truth import Truth


class Evidence(Enum):
    """
    Say what somebody shows to be paid back without a palm.
    """

    CODE = "the return code of the payment"
    WRONG_CODE = "another code"
    DISPUTE = "a dispute"


@dataclass(frozen=True)
class AskedBack:
    """
    Remember what a refund by receipt was asked for with.
    """

    payment_id: str
    evidence: Evidence


class Returns:
    """
    Hold what is known of refunds by receipt and of disputes, and compare.
    """

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._asked: dict[str, AskedBack] = {}  # By refund.
        self._back_minor: dict[str, int] = defaultdict(int)  # What was credited, by payment.
        self._presented: set[str] = set()  # Payments of which a receipt was shown to the acquirer.
        self._open: dict[str, str] = {}  # The case about each payment that is disputed.
        self._covered: set[str] = set()  # Refunds without a code that were promised while a case was open.
        self._refused: set[str] = set()  # Cases to which their shop says no.
        self._withdrawn: set[str] = set()

    # What people did.

    def asks(self, refund_id: str, payment_id: str, evidence: Evidence) -> None:
        self._asked[refund_id] = AskedBack(payment_id, evidence)

    def presents(self, payment_id: str) -> None:
        self._presented.add(payment_id)

    def refuses(self, dispute_id: str) -> None:
        self._refused.add(dispute_id)

    def withdraws(self, dispute_id: str) -> None:
        self._withdrawn.add(dispute_id)

    def sent(self, order_id: str, *, refund_id: str, attempt_id: str, charge_order_id: str, amount: Money) -> None:
        """
        Hear that an acquirer asks the issuer to pay a charge back. The order ids are the issuer's names.
        """
        truth = self._truth
        paid, asked = truth.orders.get(truth.charge_ids.get(charge_order_id, "")), self._asked.get(refund_id)
        truth.require(asked is not None, "something is paid back that nobody asked for")
        truth.require(paid is not None, "something is paid back that was not paid")
        if paid is None or asked is None:
            return
        truth.require(paid.subject_id == asked.payment_id, "another payment is paid back than was asked for")
        truth.goes_back(order_id, refund_id, attempt_id=attempt_id, amount_minor=amount.amount_minor, palm=paid.palm)

    # What reached the disks.

    def promised(self, refund_id: str) -> None:
        """
        See a refund that is new.
        """
        asked = self._asked.get(refund_id)
        if asked is not None and asked.payment_id in self._open:
            self._covered.add(refund_id)

    def credited(self, refund_id: str, amount_minor: int) -> None:
        """
        See that a wallet is paid back.
        """
        truth = self._truth
        payment_id, asked = truth.refunds[refund_id].owner, self._asked.get(refund_id)
        self._back_minor[payment_id] += amount_minor
        truth.require(self._back_minor[payment_id] <= truth.paid[payment_id], "more is credited than was debited")
        truth.require(truth.refunds[refund_id].amount_minor == amount_minor, "another sum is credited than is refunded")
        if asked is None:
            return
        is_due = asked.evidence is Evidence.CODE or refund_id in self._covered
        truth.require(is_due, "a payment is paid back for which nobody had the receipt")

    def disputed(self, dispute_id: str, status: str, payment_id: str) -> None:
        """
        See a case that is new or has ended.
        """
        require = self._truth.require
        if status == "open":
            require(payment_id in self._presented, "a case is opened about what nobody has a receipt of")
            require(payment_id not in self._open, "two cases about one payment are open")
            self._open[payment_id] = dispute_id
            return
        require(self._open.pop(payment_id, None) == dispute_id, "a case ends that is not open")
        if status == "refunded":
            require(self._back_minor[payment_id] > 0, "a case ends as refunded, and nobody was paid back")
        if status == "refused":
            require(dispute_id in self._refused, "a case is refused, and its shop has not said so")
        if status == "withdrawn":
            require(dispute_id in self._withdrawn, "a case is withdrawn, and nobody has done so")
