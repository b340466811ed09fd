"""
Tell a till what to show: the payment or refund that its merchant asked for last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from handsel.flows.acquiring.acquirer import Acquirer
from handsel.pay.merchant import Till
from handsel.pay.money import Money

ActionKind = Literal["charge", "refund"]


@dataclass(frozen=True, repr=False)
class Action:
    """
    Ask a till for a palm: to pay the payment `id`, or to reserve it for `hold_s`, or to take the refund `id`.
    """

    kind: ActionKind
    id: str
    amount: Money
    merchant_name: str
    description: str
    hold_s: int = 0


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
        return Action("charge", payment.id, payment.amount, name, payment.description, payment.hold_s)
    if refund:
        return Action("refund", refund.id, refund.amount, name, refunded.description if refunded else "")
    return None
