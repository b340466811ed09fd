"""
Hold what travels over HTTP between a merchant's own software and the acquirer, in Stripe's words where they fit.

Amounts are whole minor units. Requests carry their id, which is the idempotency key.
"""

from __future__ import annotations

import msgspec


class PaymentIntentRequestBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Ask for a payment. Without a `till` the merchant's first shows it.
    """

    id: str
    amount: int
    currency: str
    description: str = ""
    till: str | None = None


class PaymentIntentBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Show a payment. `receipt` is the path of its receipt, once there is one.
    """

    id: str
    amount: int
    currency: str
    description: str
    status: str
    created_ms: int
    till: str
    receipt: str | None


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
