"""
Say in words where a payment and its refunds stand, for the shop.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from handsel.pay.decline import DeclineReason
from handsel.pay.dispute import Dispute, DisputeStatus
from handsel.pay.money import Money, sum_money
from handsel.pay.payment import CancelReason, PaymentIntent, PaymentStatus
from handsel.pay.refund import Refund, RefundStatus, RefundWay
from handsel.web.pages import plain_amount


class PaymentLine(msgspec.Struct, frozen=True):
    """
    Show a payment in one line.
    """

    id: str
    money: Money
    description: str
    created_ms: int
    tone: str
    word: str


class RefundLine(msgspec.Struct, frozen=True):
    """
    Show a refund in one line.
    """

    id: str
    money: Money
    created_ms: int
    tone: str
    word: str
    can_cancel: bool


class DisputeLine(msgspec.Struct, frozen=True):
    """
    Show the last case about a payment. While it `stands_for_code`, the shop may pay back without a return code.
    """

    id: str
    opened_ms: int
    tone: str
    word: str
    is_open: bool
    stands_for_code: bool


class PaymentView(msgspec.Struct, frozen=True):
    """
    Show a payment, its refunds, and what can be done next.

    `version` changes whenever the page would say something else. `wrong` is about a refund to a palm, `wrong_receipt`
    about one by receipt. `declined` says how many tries were declined, never
    why. `refundable` is None where nothing is left, and `capturable`, which is without the tip, where nothing is
    reserved, until `until_ms`; `takes_tip` says whether the tip is ticked.
    """

    version: str
    payment: PaymentLine
    text: str
    declined: str
    is_moving: bool
    can_cancel: bool
    receipt_code: str
    refunds: tuple[RefundLine, ...]
    dispute: DisputeLine | None
    refundable: Money | None
    capturable: Money | None
    tip: Money | None
    takes_tip: bool
    until_ms: int | None
    request_id: str
    amount: str
    wrong: str
    wrong_receipt: str


_PAYMENT_WORDS = {
    PaymentStatus.REQUIRES_PALM: ("wait", "Waiting for the palm"),
    PaymentStatus.PROCESSING: ("wait", "A palm was shown: one moment"),
    PaymentStatus.REQUIRES_CAPTURE: ("wait", "RESERVED"),
    PaymentStatus.SUCCEEDED: ("good", "PAID"),
    PaymentStatus.CANCELED: ("bad", "Cancelled"),
}
_PAYMENT_TEXTS = {
    PaymentStatus.REQUIRES_PALM: "The till shows the amount. Ask the customer to hold out a hand.",
    PaymentStatus.PROCESSING: "It is paid, or it is not, in a few seconds.",
    PaymentStatus.REQUIRES_CAPTURE: "Nothing is paid yet. Take what is used of it, or release it.",
    PaymentStatus.SUCCEEDED: "",
    PaymentStatus.CANCELED: "Nothing was paid.",
}
_CANCEL_TEXTS = {
    CancelReason.DECLINED: "Nothing was paid: too many tries were declined.",
    CancelReason.EXPIRED: "Nothing was paid: what was reserved was not taken in time.",
    CancelReason.GIVEN_BACK: "Nothing was paid: the bank gave back what was reserved.",
}
_CAPTURING = "What you took is being paid. It is paid in a few seconds, or the bank does not answer and is asked again."
_TRY_AGAIN = "The till asks again. If it does not work, cancel this payment and take the money another way."
_REFUND_WORDS = {
    RefundStatus.REQUIRES_PALM: ("wait", "Waiting for the customer's palm at the till"),
    RefundStatus.PROCESSING: ("wait", "A palm was shown: one moment"),
    RefundStatus.SUCCEEDED: ("good", "Paid back"),
    RefundStatus.CANCELED: ("bad", "Cancelled"),
}
_BY_RECEIPT_WORDS = {
    RefundStatus.PROCESSING: ("wait", "On its way to the wallet that paid"),
    RefundStatus.SUCCEEDED: ("good", "Paid back to the wallet that paid"),
    RefundStatus.CANCELED: ("bad", "Did not go through: nothing was paid back, try again"),
}
_DECLINED_WORDS = {
    DeclineReason.WALLET_CLOSED: "The wallet that paid is closed: give the money back another way",
    DeclineReason.MORE_THAN_CHARGED: "The bank has paid all of it back already",
}
_DISPUTE_WORDS = {
    DisputeStatus.OPEN: ("wait", "Somebody presented the receipt and disputes this payment"),
    DisputeStatus.REFUNDED: ("good", "Disputed, and paid back"),
    DisputeStatus.REFUSED: ("bad", "Disputed, and you said no"),
    DisputeStatus.WITHDRAWN: ("good", "Disputed, and taken back"),
}
_MOVING = (PaymentStatus.REQUIRES_PALM, PaymentStatus.PROCESSING)
_REFUND_MOVING = (RefundStatus.REQUIRES_PALM, RefundStatus.PROCESSING)


def payment_line(payment: PaymentIntent) -> PaymentLine:
    """
    Return a payment in one line.
    """
    tone, word = _PAYMENT_WORDS[payment.status]
    if payment.status is PaymentStatus.PROCESSING and payment.captured_minor is not None:
        word = "Being paid: one moment"
    money = payment.received if payment.status is PaymentStatus.SUCCEEDED else payment.total
    return PaymentLine(payment.id, money, payment.description, payment.created_ms, tone, word)


def payment_view(
    payment: PaymentIntent,
    refunds: tuple[Refund, ...],
    *,
    declined_tries: int,
    request_id: str,
    why: Mapping[str, DeclineReason | None],
    disputes: tuple[Dispute, ...],
) -> PaymentView:
    """
    Return a payment with its refunds. `request_id` is for the next refund; `why` says of those by receipt why they were
    declined.
    """
    left = _refundable(payment, refunds)
    capturable = payment.amount if payment.capturable.amount_minor else None
    typed = left or capturable
    refund_statuses = (f"{refund.id}:{refund.status.value}" for refund in refunds)
    case_statuses = (f"{dispute.id}:{dispute.status.value}" for dispute in disputes)
    statuses = (payment.status.value, str(declined_tries), *refund_statuses, *case_statuses)
    return PaymentView(
        version=" ".join(statuses),
        payment=payment_line(payment),
        text=_payment_text(payment, declined_tries),
        declined="" if payment.status is PaymentStatus.SUCCEEDED else _declined_text(declined_tries),
        is_moving=payment.status in _MOVING or any(refund.status in _REFUND_MOVING for refund in refunds),
        can_cancel=payment.status in _MOVING and payment.captured_minor is None,
        receipt_code=payment.receipt_code or "",
        refunds=tuple(_refund_line(refund, why.get(refund.id)) for refund in refunds),
        dispute=_dispute_line(disputes[-1]) if disputes else None,
        refundable=left,
        capturable=capturable,
        tip=payment.tip if payment.tip_minor else None,
        takes_tip=True,
        until_ms=payment.reserved_until_ms if capturable else None,
        request_id=request_id,
        amount=str(typed).removesuffix(f" {typed.currency}") if typed else "",
        wrong="",
        wrong_receipt="",
    )


def _payment_text(payment: PaymentIntent, declined_tries: int) -> str:
    is_asked_again = declined_tries > 0 and payment.status is PaymentStatus.REQUIRES_PALM
    if is_asked_again:
        return _TRY_AGAIN
    if payment.cancel_reason in _CANCEL_TEXTS:
        return _CANCEL_TEXTS[payment.cancel_reason]
    if payment.captured_minor is None:
        return _PAYMENT_TEXTS[payment.status]
    return f"Of {plain_amount(payment.amount)} that were asked for" if payment.receipt_code else _CAPTURING


def _declined_text(tries: int) -> str:
    if tries == 0:
        return ""
    return "One try was declined at the till" if tries == 1 else f"{tries} tries were declined at the till"


def _dispute_line(dispute: Dispute) -> DisputeLine:
    tone, word = _DISPUTE_WORDS[dispute.status]
    is_open = dispute.status is DisputeStatus.OPEN
    return DisputeLine(dispute.id, dispute.opened_ms, tone, word, is_open, dispute.order_id is not None)


def _refund_line(refund: Refund, why: DeclineReason | None) -> RefundLine:
    tone, word = _REFUND_WORDS[refund.status]
    if refund.way is RefundWay.RECEIPT:
        tone, word = _BY_RECEIPT_WORDS.get(refund.status, (tone, word))
        word = _DECLINED_WORDS.get(why, word) if why else word
    can_cancel = refund.status is RefundStatus.REQUIRES_PALM
    return RefundLine(refund.id, refund.amount, refund.created_ms, tone, word, can_cancel)


def _refundable(payment: PaymentIntent, refunds: tuple[Refund, ...]) -> Money | None:
    if payment.status is not PaymentStatus.SUCCEEDED:
        return None
    promised = (refund.amount for refund in refunds if refund.status is not RefundStatus.CANCELED)
    total = sum_money(promised, currency=payment.amount.currency)
    left_minor = payment.received.amount_minor - total.amount_minor
    return Money(left_minor, payment.amount.currency) if left_minor > 0 else None
