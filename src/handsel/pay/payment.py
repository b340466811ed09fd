"""
Hold a payment intent, the charges that try to pay it, and the receipt: which state follows which.

    payment    requires_palm → processing → succeeded
                     │  ↑_________│ ↑↓
                     │       requires_capture
                     ↓            ↓
                 canceled ←───────┘
    charge     submitted → approved → paid
                     ├→ declined ↓
                     └→ voided ←─┘ only of a reservation

A payment that only reserves waits for its capture; while that is under way it is processing again. At most one charge
of a payment is submitted, approved or paid. The module knows no palm, no account and no database.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from handsel.errors import BodyInvalid, InvariantBroken, ensure
from handsel.ids import require_id
from handsel.order import HOLDS_S
from handsel.pay.decline import Declined, DeclineReason
from handsel.pay.ledger import derive_id
from handsel.pay.money import Money, require_positive
from handsel.pay.tip import NO_TIPS, TipOffer
from handsel.receipt import SignedStatement

DESCRIPTION_CHARS_MAX = 200


class PaymentStatus(StrEnum):
    """
    Say where a payment stands, in Stripe's words where they fit.
    """

    REQUIRES_PALM = "requires_palm"
    PROCESSING = "processing"
    REQUIRES_CAPTURE = "requires_capture"
    SUCCEEDED = "succeeded"
    CANCELED = "canceled"


class CancelReason(StrEnum):
    """
    Say why a payment was canceled.
    """

    REQUESTED = "requested_by_merchant"
    DECLINED = "declined_too_often"
    EXPIRED = "expired"  # Nobody captured in time.
    GIVEN_BACK = "given_back"  # The issuer gave back before its time what was reserved.


class ChargeStatus(StrEnum):
    """
    Say where one charge stands. The last three are final.
    """

    SUBMITTED = "submitted"  # The issuer may have been asked.
    APPROVED = "approved"  # The issuer has debited, or reserved; the notes have yet to come.
    PAID = "paid"
    DECLINED = "declined"
    VOIDED = "voided"


@dataclass(frozen=True, repr=False)
class PaymentIntent:
    """
    Ask for an amount at one till. The id is made by the merchant, and kept for ever.

    With `hold_s` it is only reserved, for at most so many seconds; `captured_minor` is what is being captured, or was.
    `tip_minor` is what the customer, whom `tips` were offered, added to the amount.
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
    hold_s: int = 0
    reserved_until_ms: int | None = None
    captured_minor: int | None = None
    cancel_reason: CancelReason | None = None
    tips: TipOffer = NO_TIPS
    tip_minor: int = 0

    def __post_init__(self) -> None:
        """
        Refuse an ill-formed id or description, an amount of zero, and an odd time. Raises `BodyInvalid`.
        """
        require_id(self.id)
        require_positive(self.amount)
        if self.hold_s and self.hold_s not in HOLDS_S:
            raise BodyInvalid(f"a sum is reserved for one of {', '.join(map(str, HOLDS_S))} seconds")
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

    @property
    def received(self) -> Money:
        """
        Return what the merchant was paid: nothing, unless the payment has succeeded.
        """
        if self.status is not PaymentStatus.SUCCEEDED:
            return Money(0, self.amount.currency)
        return self.total if self.captured_minor is None else Money(self.captured_minor, self.amount.currency)

    @property
    def total(self) -> Money:
        """
        Return the amount with the tip: what was paid, or reserved.
        """
        return Money(self.amount.amount_minor + self.tip_minor, self.amount.currency)

    @property
    def tip(self) -> Money:
        """
        Return how much of it is a tip.
        """
        return Money(self.tip_minor, self.amount.currency)

    @property
    def capturable(self) -> Money:
        """
        Return what can be captured now, at most.
        """
        return self.total if self.status is PaymentStatus.REQUIRES_CAPTURE else Money(0, self.amount.currency)

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
        ensure(self.reserved_until_ms is None, "what was reserved is captured or given back")
        return replace(self, status=PaymentStatus.REQUIRES_PALM)

    def reserved(self, *, until_ms: int, tip_minor: int = 0) -> PaymentIntent:
        """
        Return the payment when its amount is reserved, with the tip that was given.
        """
        ensure(self.status is PaymentStatus.PROCESSING and self.hold_s > 0, "only a payment that reserves is reserved")
        waiting = PaymentStatus.REQUIRES_CAPTURE
        return replace(self, status=waiting, reserved_until_ms=until_ms, tip_minor=tip_minor)

    def capturing(self, *, amount_minor: int, tip_minor: int = 0) -> PaymentIntent:
        """
        Return the payment while the issuer is asked to capture this much of it, in which there is no more of a tip than
        was given.
        """
        ensure(self.status is PaymentStatus.REQUIRES_CAPTURE, "only what is reserved is captured")
        ensure(0 < amount_minor <= self.capturable.amount_minor, "no more is captured than is reserved")
        ensure(0 <= tip_minor <= min(self.tip_minor, amount_minor), "a tip is a part of what was given and is captured")
        untipped_minor = amount_minor - tip_minor
        ensure(untipped_minor <= self.amount.amount_minor, "without its tip, no more is captured than was asked for")
        return replace(self, status=PaymentStatus.PROCESSING, captured_minor=amount_minor, tip_minor=tip_minor)

    def tipped(self, tip_minor: int) -> PaymentIntent:
        """
        Return the payment with the tip that came with the charge that pays it.
        """
        ensure(self.status is PaymentStatus.PROCESSING and tip_minor >= 0, "a tip comes with a charge")
        return replace(self, tip_minor=tip_minor)

    def succeeded(self, *, receipt_code: str, now_ms: int) -> PaymentIntent:
        """
        Return the payment when its notes are here.
        """
        ensure(self.status is PaymentStatus.PROCESSING, "only a payment under way succeeds")
        return replace(self, status=PaymentStatus.SUCCEEDED, receipt_code=receipt_code, paid_ms=now_ms)

    def canceled(self, reason: CancelReason = CancelReason.REQUESTED) -> PaymentIntent:
        """
        Return the payment as given up, for ever.
        """
        ensure(self.status is PaymentStatus.REQUIRES_PALM, "only an open payment is canceled")
        return replace(self, status=PaymentStatus.CANCELED, cancel_reason=reason)

    def given_back(self, reason: CancelReason) -> PaymentIntent:
        """
        Return the payment when the issuer has given back what was reserved, also while a capture was under way.
        """
        is_open = self.status in (PaymentStatus.REQUIRES_CAPTURE, PaymentStatus.PROCESSING)
        ensure(is_open and self.reserved_until_ms is not None, "only what is reserved is given back")
        return replace(self, status=PaymentStatus.CANCELED, captured_minor=None, tip_minor=0, cancel_reason=reason)


@dataclass(frozen=True, repr=False)
class Charge:
    """
    Try to pay a payment, and a tip, with one palm that was shown. The id is made by the till.

    `signatures` are what the issuer signed, for a till that lost them; they are dropped when the notes are here. There
    are none of a charge that only reserves.
    `reply` is what the issuer sealed to the till; it is dropped when the receipt has gone to the issuer, or where there
    will be none because what was reserved is given back.
    `secrets` are what makes notes of them, for a till that does not come back; they are dropped when the charge ends.
    `order_id` is what the issuer knows the charge by; it is forgotten when the charge ends. By `return_digest` the
    return code of its receipt is known again; a charge of before there was one has none.
    """

    id: str
    payment_id: str
    till_id: str
    submitted_ms: int
    status: ChargeStatus = ChargeStatus.SUBMITTED
    signatures: tuple[bytes, ...] = ()
    reason: DeclineReason | None = None
    reply: bytes | None = None
    secrets: bytes = b""
    tip_minor: int = 0
    order_id: str | None = None
    return_digest: bytes | None = None

    def __post_init__(self) -> None:
        """
        Refuse an ill-formed id. Raises `BodyInvalid`.
        """
        require_id(self.id)
        is_under_way = self.status in (ChargeStatus.SUBMITTED, ChargeStatus.APPROVED)
        ensure(is_under_way == (self.order_id is not None), "a charge has its order id until it ends, and not longer")

    @property
    def order(self) -> str:
        """
        Return the order id of a charge that is under way. Raises `InvariantBroken` for one that has ended.
        """
        if self.order_id is None:
            raise InvariantBroken("the order id of a charge that has ended is forgotten")
        return self.order_id

    def approved(self, signatures: tuple[bytes, ...], reply: bytes | None = None) -> Charge:
        """
        Return the charge as the issuer approved it.
        """
        ensure(self.status is ChargeStatus.SUBMITTED, "only a submitted charge is approved")
        return replace(self, status=ChargeStatus.APPROVED, signatures=signatures, reply=reply)

    def declined(self, reason: DeclineReason) -> Charge:
        """
        Return the charge as the issuer declined it.
        """
        ensure(self.status is ChargeStatus.SUBMITTED, "only a submitted charge is declined")
        return replace(self, status=ChargeStatus.DECLINED, reason=reason, secrets=b"", order_id=None)

    def voided(self) -> Charge:
        """
        Return the charge as one that was not, and never will be, carried out.
        """
        ensure(self.status is ChargeStatus.SUBMITTED, "only a submitted charge is voided")
        return replace(self, status=ChargeStatus.VOIDED, secrets=b"", order_id=None)

    def given_back(self) -> Charge:
        """
        Return the charge when what it reserved was given back.
        """
        ensure(self.status is ChargeStatus.APPROVED and not self.signatures, "only what is reserved is given back")
        return replace(self, status=ChargeStatus.VOIDED, reply=None, order_id=None)

    def paid(self) -> Charge:
        """
        Return the charge when its notes are here.
        """
        ensure(self.status is ChargeStatus.APPROVED, "only an approved charge is paid")
        return replace(self, status=ChargeStatus.PAID, signatures=(), secrets=b"", order_id=None)


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
class ReceiptPapers:
    """
    Hold what a till seals a receipt with: the issuer's reply, which only it opens, the signed statement, and the
    secret by which it finds out whether its own shop is to be named.
    """

    reply: bytes
    signed: SignedStatement
    naming_secret: bytes


@dataclass(frozen=True, repr=False)
class Paid:
    """
    Answer that the notes are here, and under which code the receipt is found.

    There are no `papers` once the receipt has gone to the issuer, or where the issuer keeps none.
    """

    receipt_code: str
    papers: ReceiptPapers | None = None


@dataclass(frozen=True)
class Reserved:
    """
    Answer that the issuer has reserved the amount, and nothing is paid yet.
    """


ChargeState = Pending | Approved | Declined | Paid | Reserved


def state_of_charge(charge: Charge, payment: PaymentIntent) -> ChargeState:
    """
    Return what the till is told of its charge.
    """
    if charge.status is ChargeStatus.SUBMITTED:
        return Pending()
    if charge.status is ChargeStatus.APPROVED:
        return Approved(charge.signatures) if payment.reserved_until_ms is None else Reserved()
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
    Tell whoever has the code what was paid, its tip included, where and when. There is no palm and no account on it.
    """

    shop: str
    amount: Money
    paid_ms: int
    description: str
    refunded: Money
    tip: Money


def _wish(payment: PaymentIntent) -> tuple[str, str, str, Money, str, int, TipOffer]:
    asked = (payment.id, payment.merchant_id, payment.till_id, payment.amount, payment.description)
    return (*asked, payment.hold_s, payment.tips)
