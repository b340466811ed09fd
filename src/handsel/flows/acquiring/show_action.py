"""
Tell a till what to show: the payment or refund that its merchant asked for last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from handsel.flows.acquiring.acquirer import Acquirer
from handsel.notes.denomination import AMOUNT_MINOR_MAX
from handsel.pay.merchant import Till
from handsel.pay.money import Money
from handsel.pay.payment import PaymentIntent
from handsel.pay.tip import TipChoice

ActionKind = Literal["charge", "refund"]


@dataclass(frozen=True, repr=False)
class Action:
    """
    Ask a till for a palm: to pay the payment `id`, or to reserve it for `hold_s`, or to take the refund `id`.

    The customer may add one of `tips`, or another amount up to `tip_minor_max`, or nothing.
    """

    kind: ActionKind
    id: str
    amount: Money
    merchant_name: str
    description: str
    hold_s: int = 0
    tips: tuple[TipChoice, ...] = ()
    tip_minor_max: int = 0


def current_action(acquirer: Acquirer, till: Till, *, now_ms: int) -> Action | None:
    """
    Return what the till is to show now, or None.

    Of several the newest, because that is what the person at the counter has just asked for. What waits for longer than
    `shown_ms_max` is no longer shown; it stays open until its merchant cancels it. Nor is what has a palm on its way.
    """
    since_ms = now_ms - acquirer.bounds.shown_ms_max
    with acquirer.store.unit_of_work() as books:
        merchant = books.merchants.merchant(till.merchant_id)
        payment = books.payments.newest_open(till.id, since_ms=since_ms)
        refund = books.refunds.newest_open(till.id, since_ms=since_ms)
        refunded = books.payments.find(refund.payment_id) if refund else None
    name = merchant.name if merchant else ""
    if payment and (refund is None or payment.created_ms >= refund.created_ms):
        return _charge(payment, name)
    if refund:
        return Action("refund", refund.id, refund.amount, name, refunded.description if refunded else "")
    return None


def _charge(payment: PaymentIntent, merchant_name: str) -> Action:
    return Action(
        "charge",
        payment.id,
        payment.amount,
        merchant_name,
        payment.description,
        payment.hold_s,
        payment.tips.choices(payment.amount, total_minor_max=AMOUNT_MINOR_MAX),
        payment.tips.most(payment.amount, total_minor_max=AMOUNT_MINOR_MAX),
    )
