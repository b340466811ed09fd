"""
Keep the latest order of each kind that names no enrolment, so that an older one cannot be sent again.

Orders about an enrolment need none of this: a row goes through its states once.
"""

from __future__ import annotations

from handsel.errors import BodyInvalid, OrderTooOld
from handsel.matching.message import Order, OrderKind
from handsel.matching.signed_order import SignedOrder
from handsel.matching.stored import Stored

AHEAD_MS_MAX = 10 * 60_000  # By which the issuer's clock may be ahead: one order from afar would else end all others.


def require_present(order: Order, *, now_ms: int) -> None:
    """
    Refuse an order from the future. Raises `BodyInvalid`.
    """
    if order.at_ms > now_ms + AHEAD_MS_MAX:
        raise BodyInvalid("an order was given at a time that has not come: set the clocks of issuer and matcher")


def keep_latest(stored: Stored, order: Order, signed: SignedOrder, *, is_due: bool = False) -> bool:
    """
    Keep an order as the latest of its kind, within a transaction; return False where it is that already.

    Where it `is_due`, it stays so until its end.

    Raises `OrderTooOld` where a later one was given.
    """
    found = stored.select("SELECT at_ms, body FROM orders WHERE kind = ?", order.kind)
    latest_ms, latest = found[0] if found else (0, b"")
    if signed.body == latest:
        return False
    if order.at_ms <= latest_ms:
        raise OrderTooOld("the issuer has given a later order of that kind: give a new one")
    values = (order.kind, order.at_ms, signed.body, signed.signature, int(is_due))
    stored.execute("INSERT OR REPLACE INTO orders VALUES (?, ?, ?, ?, ?)", values)
    return True


def due_order(stored: Stored, kind: OrderKind) -> SignedOrder | None:
    """
    Return the latest order of a kind, if it is still to be carried out.
    """
    found = stored.select("SELECT body, signature FROM orders WHERE kind = ? AND due = 1", kind)
    return SignedOrder(*found[0]) if found else None


def end_order(stored: Stored, kind: OrderKind) -> None:
    """
    Note that nothing of an order is left to be done, within a transaction.
    """
    stored.execute("UPDATE orders SET due = 0 WHERE kind = ?", (kind,))
