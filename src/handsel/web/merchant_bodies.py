"""
Hold what travels over HTTP between a merchant's own software and the acquirer, in Stripe's words where they fit.

Amounts are whole minor units. Requests carry their id, which is the idempotency key.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from handsel.errors import BodyInvalid
from handsel.order import HOLDS_S

HOLD_S = 86_400  # A day: for whoever reserves and says no time.


class TipChoicesBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Offer tips at the till, in percent of the amount or as amounts; none of either kind offers none.
    """

    percentages: tuple[int, ...] = ()
    fixed_amounts: tuple[int, ...] = ()


class TipBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Say how much is a tip.
    """

    amount: int


class AmountDetailsBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Say what of an amount is a tip.
    """

    tip: TipBody


class PaymentIntentRequestBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Ask for a payment. Without a `till` the merchant's first shows it.

    A `manual` one only reserves, for a day unless `hold_s` says otherwise, and is captured or canceled later.
    Where no `tip_choices` are named, those of the merchant's settings are offered.
    """

    id: str
    amount: int
    currency: str
    description: str = ""
    till: str | None = None
    capture_method: Literal["automatic", "manual"] = "automatic"
    hold_s: int | None = None
    tip_choices: TipChoicesBody | None = None


def hold_s_of(body: PaymentIntentRequestBody) -> int:
    """
    Return for how long the sum is only reserved, or 0 where it is paid at once. Raises `BodyInvalid` for half of it.
    """
    if body.capture_method == "automatic":
        if body.hold_s is not None:
            raise BodyInvalid("hold_s is for a payment whose capture_method is manual")
        return 0
    if body.hold_s == 0:
        raise BodyInvalid(f"hold_s is one of {', '.join(map(str, HOLDS_S))}")
    return HOLD_S if body.hold_s is None else body.hold_s


class CaptureRequestBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Capture this much of what is reserved, or all of it; and say how much of it is a tip, if that is another than the
    customer gave at the till.
    """

    amount_to_capture: int | None = None
    amount_details: AmountDetailsBody | None = None


class PaymentIntentBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Show a payment. `receipt` is the path of its receipt, once there is one.

    `amount` is what was asked for. `amount_received` is what was paid in the end, the tip of `amount_details` included;
    `amount_capturable` is what can be captured, until `capture_before_ms`.
    """

    id: str
    amount: int
    currency: str
    description: str
    status: str
    created_ms: int
    till: str
    receipt: str | None
    capture_method: str
    amount_capturable: int
    amount_received: int
    amount_details: AmountDetailsBody
    capture_before_ms: int | None
    cancellation_reason: str | None


class PaymentIntentsBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Show a page of payments, newest first.
    """

    payment_intents: tuple[PaymentIntentBody, ...]
    has_more: bool


class RefundRequestBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Ask for a refund: of all that is left, unless an amount is named. With a `return_code` it goes to the wallet that
    paid, at once and without a palm; while a dispute is open, an empty one does.
    """

    id: str
    payment_intent: str
    amount: int | None = None
    till: str | None = None
    return_code: str | None = None

    def __repr__(self) -> str:
        """
        Return nothing of the code.
        """
        return "RefundRequestBody()"


class MerchantRefundBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Show a refund. `way` is palm or receipt; `reason` says why one by receipt was declined, if it was.
    """

    id: str
    payment_intent: str
    amount: int
    currency: str
    status: str
    created_ms: int
    way: str
    reason: str | None


class BalanceBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Show what is owed to a merchant in one currency.
    """

    amount: int
    currency: str


class BalancesBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Show what is owed to a merchant.
    """

    available: tuple[BalanceBody, ...]
