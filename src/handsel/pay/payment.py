"""
Hold a payment intent, the charges that try to pay it, and the receipt: which state follows which.

    payment    requires_palm → processing → succeeded
                     │  ↑_________│
                     ↓
                 canceled
    charge     submitted → approved → paid
                     ├→ declined
                     └→ voided

At most one charge of a payment is submitted, approved or paid. The module knows no palm, no account and no database.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from handsel.errors import BodyInvalid, InvariantBroken, ensure
from handsel.ids import require_id
from handsel.pay.decline import Declined, DeclineReason
from handsel.pay.ledger import derive_id
from handsel.pay.money import Money, require_positive

DESCRIPTION_CHARS_MAX = 200


class PaymentStatus(StrEnum):
    """
    Say where a payment stands, in Stripe's words where they fit.
    """

    REQUIRES_PALM = "requires_palm"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    CANCELED = "canceled"


class ChargeStatus(StrEnum):
    """
    Say where one charge stands. The last three are final.
    """

    SUBMITTED = "submitted"  # The issuer may have been asked.
    APPROVED = "approved"  # The issuer has debited; the till has yet to hand over the notes.
    PAID = "paid"
    DECLINED = "declined"
    VOIDED = "voided"


@dataclass(frozen=True, repr=False)
class PaymentIntent:
    """
    Ask for an amount at one till. The id is made by the merchant, and kept for ever.
    """

    id: str
    merchant_id: str
    till_id: str
    amount: Money
    description: str
    created_ms: int
    status: PaymentStatus = PaymentStatus.REQUIRES_PALM
    receipt_code: str | None = None
    paid_ms: int | None = None

    def __post_init__(self) -> None:
        """
        Refuse an ill-formed id or description, and an amount of zero. Raises `BodyInvalid`.
        """
        require_id(self.id)
        require_positive(self.amount)
        if len(self.description) > DESCRIPTION_CHARS_MAX or not self.description.isprintable():
            raise BodyInvalid(f"a description has at most {DESCRIPTION_CHARS_MAX} printable characters")

    @property
    def receipt(self) -> str:
        """
        Return the code of the receipt of a payment that has succeeded. Raises `InvariantBroken` for any other.
        """
        if self.receipt_code is None:
            raise InvariantBroken("a payment that has succeeded has a receipt")
        return self.receipt_code

    def asks_the_same(self, other: PaymentIntent) -> bool:
        """
        Return whether both ask for the same, whenever they were made and whatever became of them.
        """
        return _wish(self) == _wish(other)

    def processing(self) -> PaymentIntent:
        """
        Return the payment with a charge under way.
        """
        ensure(self.status is PaymentStatus.REQUIRES_PALM, "only an open payment is charged")
        return replace(self, status=PaymentStatus.PROCESSING)

    def open_again(self) -> PaymentIntent:
        """
        Return the payment after its charge came to nothing.
        """
        ensure(self.status is PaymentStatus.PROCESSING, "only a payment under way is opened again")
        return replace(self, status=PaymentStatus.REQUIRES_PALM)

    def succeeded(self, *, receipt_code: str, now_ms: int) -> PaymentIntent:
        """
        Return the payment when its notes are here.
        """
        ensure(self.status is PaymentStatus.PROCESSING, "only a payment under way succeeds")
        return replace(self, status=PaymentStatus.SUCCEEDED, receipt_code=receipt_code, paid_ms=now_ms)

    def canceled(self) -> PaymentIntent:
        """
        Return the payment as given up, for ever.
        """
        ensure(self.status is PaymentStatus.REQUIRES_PALM, "only an open payment is canceled")
        return replace(self, status=PaymentStatus.CANCELED)


@dataclass(frozen=True, repr=False)
class Charge:
    """
    Try to pay a payment with one palm that was shown. The id is made by the till.

    `signatures` are what the issuer signed, for a till that lost them; they are dropped when the notes are here.
    `secrets` are what makes notes of them, for a till that does not come back; they are dropped when the charge ends.
    """

    id: str
    payment_id: str
    till_id: str
    submitted_ms: int
    status: ChargeStatus = ChargeStatus.SUBMITTED
    signatures: tuple[bytes, ...] = ()
    reason: DeclineReason | None = None
    secrets: bytes = b""

    def __post_init__(self) -> None:
        """
        Refuse an ill-formed id. Raises `BodyInvalid`.
        """
        require_id(self.id)

    def approved(self, signatures: tuple[bytes, ...]) -> Charge:
        """
        Return the charge as the issuer approved it.
        """
        ensure(self.status is ChargeStatus.SUBMITTED, "only a submitted charge is approved")
        return replace(self, status=ChargeStatus.APPROVED, signatures=signatures)

    def declined(self, reason: DeclineReason) -> Charge:
        """
        Return the charge as the issuer declined it.
        """
        ensure(self.status is ChargeStatus.SUBMITTED, "only a submitted charge is declined")
        return replace(self, status=ChargeStatus.DECLINED, reason=reason, secrets=b"")

    def voided(self) -> Charge:
        """
        Return the charge as one that was not, and never will be, carried out.
        """
        ensure(self.status is ChargeStatus.SUBMITTED, "only a submitted charge is voided")
        return replace(self, status=ChargeStatus.VOIDED, secrets=b"")

    def paid(self) -> Charge:
        """
        Return the charge when its notes are here.
        """
        ensure(self.status is ChargeStatus.APPROVED, "only an approved charge is paid")
        return replace(self, status=ChargeStatus.PAID, signatures=(), secrets=b"")


@dataclass(frozen=True)
class Pending:
    """
    Answer that the outcome is not known yet: ask again.
    """


@dataclass(frozen=True, repr=False)
class Approved:
    """
    Answer that the issuer has debited, and what it signed.
    """

    signatures: tuple[bytes, ...]


@dataclass(frozen=True, repr=False)
class Paid:
    """
    Answer that the notes are here, and under which code the receipt is found.
    """

    receipt_code: str


ChargeState = Pending | Approved | Declined | Paid


def state_of_charge(charge: Charge, payment: PaymentIntent) -> ChargeState:
    """
    Return what the till is told of its charge.
    """
    if charge.status is ChargeStatus.SUBMITTED:
        return Pending()
    if charge.status is ChargeStatus.APPROVED:
        return Approved(charge.signatures)
    if charge.status is ChargeStatus.PAID:
        return Paid(payment.receipt)
    return Declined(charge.reason or DeclineReason.VOIDED)


def booking_of(payment_id: str, *, currency: str) -> str:
    """
    Return the id of the step of the acquirer's ledger that books a payment: whoever has the payment's id can find it.
    """
    return derive_id(f"payment:{currency}", payment_id)


@dataclass(frozen=True, repr=False)
class Receipt:
    """
    Tell whoever has the code what was paid, where and when. There is no palm and no account on it.
    """

    shop: str
    amount: Money
    paid_ms: int
    description: str
    refunded: Money


def _wish(payment: PaymentIntent) -> tuple[str, str, str, Money, str]:
    return (payment.id, payment.merchant_id, payment.till_id, payment.amount, payment.description)
