"""
Hold a dispute: what the acquirer finds of a receipt that is presented to it, and the case that comes of it.

    open ──► refunded       the shop has paid back
      ├────► refused        the shop says no; the customer may go to its bank, or to court, with the receipt
      └────► withdrawn      who opened it has taken it back

Whoever presents a receipt is not asked who that is. The module knows no palm, no account and no database.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from handsel.errors import ensure
from handsel.ids import require_id
from handsel.pay.held_note import NoteState
from handsel.pay.money import Money
from handsel.pay.payment import PaymentIntent, PaymentStatus


class Finding(StrEnum):
    """
    Say what a receipt proves. Ordered by precedence: where several apply, the first is the answer.
    """

    FORGED = "forged"  # It bears this acquirer's name, and not its signature.
    NOT_OURS = "not_ours"  # Another acquirer's, or of a key that this one no longer has.
    NOT_IN_BOOKS = "not_in_books"  # Signed here, and yet there is no such payment: the acquirer's own fault.
    AMOUNT_DIFFERS = "amount_differs"  # The books have the payment, with another sum or other notes.
    NOTES_REFUSED = "notes_refused"  # The issuer did not redeem all of its notes.
    REFUNDED = "refunded"
    PARTLY_REFUNDED = "partly_refunded"
    PAID_TO_MERCHANT = "paid_to_merchant"


# With these there is somebody to answer: a shop that was paid.
DISPUTABLE = frozenset(
    {Finding.AMOUNT_DIFFERS, Finding.NOTES_REFUSED, Finding.PARTLY_REFUNDED, Finding.PAID_TO_MERCHANT}
)


class DisputeStatus(StrEnum):
    """
    Say where a case stands. The last three are final.
    """

    OPEN = "open"
    REFUNDED = "refunded"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, repr=False)
class Dispute:
    """
    Keep one case. The id is made by whoever opens it, and is all that is needed to look at it or to withdraw it.

    While it is open, `order_id` stands in for the return code, where the receipt had that: by it the issuer is told
    which charge is paid back.
    """

    id: str
    payment_id: str
    merchant_id: str
    finding: Finding
    opened_ms: int
    status: DisputeStatus = DisputeStatus.OPEN
    ended_ms: int | None = None
    order_id: str | None = None

    def __post_init__(self) -> None:
        """
        Refuse an ill-formed id, and a case that nobody could answer. Raises `BodyInvalid` and `InvariantBroken`.
        """
        require_id(self.id)
        ensure(self.finding in DISPUTABLE, "a case is about a payment that a shop can answer for")
        is_open = self.status is DisputeStatus.OPEN
        ensure(is_open or self.order_id is None, "a case forgets the order id when it ends")

    def ended(self, status: DisputeStatus, *, now_ms: int) -> Dispute:
        """
        Return the case as it ended.
        """
        ensure(self.status is DisputeStatus.OPEN and status is not DisputeStatus.OPEN, "a case ends once")
        return replace(self, status=status, ended_ms=now_ms, order_id=None)

    def with_order(self, order_id: str | None) -> Dispute:
        """
        Return the case with the order id that a receipt has led to; one that has ended, or has one, as it is.
        """
        is_wanted = self.status is DisputeStatus.OPEN and self.order_id is None
        return replace(self, order_id=order_id) if is_wanted else self


def find(
    stated: Money, payment: PaymentIntent, *, worth_minor: int, states: frozenset[NoteState], refunded: Money
) -> Finding:
    """
    Return what the books say of a receipt that this acquirer has signed: `stated` is its amount, `worth_minor` what the
    notes that it names are worth and `states` where they stand, `refunded` what was paid back.
    """
    if payment.status is not PaymentStatus.SUCCEEDED:
        return Finding.NOT_IN_BOOKS
    if stated != payment.received or worth_minor != payment.received.amount_minor:
        return Finding.AMOUNT_DIFFERS
    if NoteState.REFUSED in states:
        return Finding.NOTES_REFUSED
    if refunded == payment.received:
        return Finding.REFUNDED
    return Finding.PARTLY_REFUNDED if refunded.amount_minor else Finding.PAID_TO_MERCHANT
