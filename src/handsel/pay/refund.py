"""
Hold a refund and the attempts to carry it out: which state follows which.

    refund     requires_palm → processing → succeeded
                     │  ↑_________│
                     ↓
                 canceled
    attempt    submitted → asked → credited
                     ├→ declined ←┤
                     └→ voided   ←┘

An attempt is `asked` from the moment at which its notes may be on their way to the issuer. The module knows no palm, no
account and no database.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from handsel.errors import ensure
from handsel.ids import require_id
from handsel.pay.decline import Declined, DeclineReason
from handsel.pay.money import Money, require_positive
from handsel.pay.payment import Pending


class RefundStatus(StrEnum):
    """
    Say where a refund stands, in the words of a payment.
    """

    REQUIRES_PALM = "requires_palm"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    CANCELED = "canceled"


class RefundWay(StrEnum):
    """
    Say how the wallet that is to be credited is found: by the customer's palm, or by the receipt of the payment.
    """

    PALM = "palm"
    RECEIPT = "receipt"


class RefundAttemptStatus(StrEnum):
    """
    Say where one attempt stands. The last three are final.
    """

    SUBMITTED = "submitted"
    ASKED = "asked"
    CREDITED = "credited"
    DECLINED = "declined"
    VOIDED = "voided"


@dataclass(frozen=True, repr=False)
class Refund:
    """
    Promise a customer a part or the whole of a payment back. The id is made by the merchant, and kept for ever.

    By receipt it has one attempt, and where that comes to nothing it is canceled.
    """

    id: str
    payment_id: str
    merchant_id: str
    till_id: str
    amount: Money
    created_ms: int
    status: RefundStatus = RefundStatus.REQUIRES_PALM
    way: RefundWay = RefundWay.PALM

    def __post_init__(self) -> None:
        """
        Refuse an ill-formed id and an amount of zero. Raises `BodyInvalid`.
        """
        require_id(self.id)
        require_positive(self.amount)

    def processing(self) -> Refund:
        """
        Return the refund with an attempt under way.
        """
        ensure(self.status is RefundStatus.REQUIRES_PALM, "only an open refund is attempted")
        return replace(self, status=RefundStatus.PROCESSING)

    def open_again(self) -> Refund:
        """
        Return the refund after its attempt came to nothing.
        """
        ensure(self.status is RefundStatus.PROCESSING, "only a refund under way is opened again")
        return replace(self, status=RefundStatus.REQUIRES_PALM)

    def succeeded(self) -> Refund:
        """
        Return the refund when the customer has been credited.
        """
        ensure(self.status is RefundStatus.PROCESSING, "only a refund under way succeeds")
        return replace(self, status=RefundStatus.SUCCEEDED)

    def canceled(self) -> Refund:
        """
        Return the refund as given up, for ever.
        """
        ensure(self.status is RefundStatus.REQUIRES_PALM, "only an open refund is canceled")
        return replace(self, status=RefundStatus.CANCELED)


@dataclass(frozen=True, repr=False)
class RefundAttempt:
    """
    Try to carry out a refund with one palm that was shown. The id is made by the till.
    """

    id: str
    refund_id: str
    till_id: str
    submitted_ms: int
    status: RefundAttemptStatus = RefundAttemptStatus.SUBMITTED
    reason: DeclineReason | None = None

    def __post_init__(self) -> None:
        """
        Refuse an ill-formed id. Raises `BodyInvalid`.
        """
        require_id(self.id)

    @property
    def is_final(self) -> bool:
        """
        Return whether nothing can become of it any more.
        """
        return self.status not in (RefundAttemptStatus.SUBMITTED, RefundAttemptStatus.ASKED)

    def asked(self) -> RefundAttempt:
        """
        Return the attempt with its notes on their way.
        """
        ensure(self.status is RefundAttemptStatus.SUBMITTED, "an attempt's notes are sent once")
        return replace(self, status=RefundAttemptStatus.ASKED)

    def credited(self) -> RefundAttempt:
        """
        Return the attempt when the issuer has credited the customer.
        """
        ensure(self.status is RefundAttemptStatus.ASKED, "only an attempt that was asked for is credited")
        return replace(self, status=RefundAttemptStatus.CREDITED)

    def declined(self, reason: DeclineReason) -> RefundAttempt:
        """
        Return the attempt as declined.
        """
        ensure(not self.is_final, "an attempt ends once")
        return replace(self, status=RefundAttemptStatus.DECLINED, reason=reason)

    def voided(self) -> RefundAttempt:
        """
        Return the attempt as one that was not, and never will be, carried out.
        """
        ensure(not self.is_final, "an attempt ends once")
        return replace(self, status=RefundAttemptStatus.VOIDED)


@dataclass(frozen=True, repr=False)
class Refunded:
    """
    Answer that the customer has been credited, and under which code the receipt of the payment is found.
    """

    receipt_code: str


RefundState = Pending | Refunded | Declined


def state_of_refund(attempt: RefundAttempt, *, receipt_code: str) -> RefundState:
    """
    Return what the till is told of its attempt.
    """
    if not attempt.is_final:
        return Pending()
    if attempt.status is RefundAttemptStatus.CREDITED:
        return Refunded(receipt_code)
    return Declined(attempt.reason or DeclineReason.VOIDED)
