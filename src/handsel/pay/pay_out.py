"""
Name the steps of the ledger that reserve what is ordered at a bank, and that pay it: whoever has the order's id, as the
bank's statement shows it, can find them.
"""

from __future__ import annotations

from handsel.pay.ledger import derive_id


def reserving_id(order_id: str) -> str:
    """
    Return the id of the step that reserves the sum of an order.
    """
    return derive_id("bank_order", order_id)


def paid_id(order_id: str) -> str:
    """
    Return the id of the step that takes what was reserved, once the bank has paid.
    """
    return derive_id("capture", reserving_id(order_id))
