"""
Keep where merchants are paid out, and which payments and refunds each pay-out contains.

A payment waits while a refund of it is under way. It is in one pay-out that stands, or in none yet.
"""

from __future__ import annotations

from dataclasses import dataclass

from handsel.errors import ensure
from handsel.store.database import UnitOfWork

ITEMS_READ_MAX = 10_000  # On a page.
STEPS_READ_MAX = 20_000  # To prove: more than a statement takes, so that it is known that they are too many.

# What can be paid out: payments without a refund under way, less refunds, of those in no pay-out that stands.
_ITEMS = (
    "SELECT 'payment' AS kind, p.id AS item_id, p.merchant_id,"
    " COALESCE(p.captured_minor, p.amount_minor + p.tip_minor) AS change_minor FROM payments p"
    " WHERE p.status = 'succeeded' AND p.currency = ? AND"
    " NOT EXISTS (SELECT 1 FROM pay_out_items i WHERE i.item_id = p.id AND i.is_live = 1) AND"
    " NOT EXISTS (SELECT 1 FROM refunds r WHERE r.payment_id = p.id AND r.status NOT IN ('succeeded', 'canceled'))"
    " UNION ALL SELECT 'refund', f.id, f.merchant_id, -f.amount_minor FROM refunds f"
    " WHERE f.status = 'succeeded' AND f.currency = ? AND"
    " NOT EXISTS (SELECT 1 FROM pay_out_items i WHERE i.item_id = f.id AND i.is_live = 1)"
)
# A refund under way of what was paid out already: what came in since has to cover it.
_REFUNDS_PAID_OUT = (
    "SELECT 1 FROM refunds r JOIN pay_out_items i ON i.item_id = r.payment_id AND i.is_live = 1"
    " WHERE r.merchant_id = m.merchant_id AND r.status NOT IN ('succeeded', 'canceled')"
)
_DUE = (
    f"SELECT m.merchant_id, m.party_id, SUM(t.change_minor) FROM merchant_accounts m JOIN ({_ITEMS}) t"  # noqa: S608
    f" ON t.merchant_id = m.merchant_id WHERE NOT EXISTS ({_REFUNDS_PAID_OUT})"
    " GROUP BY m.merchant_id, m.party_id HAVING SUM(t.change_minor) >= ? ORDER BY m.merchant_id LIMIT ?"
)
_ADD_ITEMS = (
    "INSERT INTO pay_out_items (pay_out_id, kind, item_id, change_minor)"  # noqa: S608 – our own text.
    f" SELECT o.id, t.kind, t.item_id, t.change_minor FROM ({_ITEMS}) t"
    " JOIN bank_orders o ON o.subject = t.merchant_id AND o.batch_id = ?"
)


@dataclass(frozen=True, repr=False)
class DuePayOut:
    """
    Say what is due to a merchant, and to which account it goes.
    """

    merchant_id: str
    party_id: str
    amount_minor: int


@dataclass(frozen=True, repr=False)
class PayOutItem:
    """
    Carry a payment, or a refund with an amount below zero, that a pay-out contains.
    """

    kind: str
    item_id: str
    change_minor: int


class PayOutTables:
    """
    Keep merchants' accounts and what pay-outs contain, within one unit of work.
    """

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    def set_account(self, merchant_id: str, party_id: str, *, now_ms: int) -> None:
        """
        Keep where a merchant is paid out from now on.
        """
        self._uow.execute(
            "INSERT INTO merchant_accounts (merchant_id, party_id, since_ms) VALUES (?, ?, ?)"
            " ON CONFLICT (merchant_id) DO UPDATE SET party_id = excluded.party_id, since_ms = excluded.since_ms",
            *(merchant_id, party_id, now_ms),
        )

    def account_of(self, merchant_id: str) -> str | None:
        """
        Return the id under which a merchant's account is kept, or None.
        """
        row = self._uow.row("SELECT party_id FROM merchant_accounts WHERE merchant_id = ?", merchant_id)
        return str(row[0]) if row else None

    def due(self, *, currency: str, amount_minor_min: int, limit: int) -> tuple[DuePayOut, ...]:
        """
        Return what is due to merchants that have named an account, by merchant.
        """
        rows = self._uow.rows(_DUE, currency, currency, amount_minor_min, limit)
        return tuple(DuePayOut(*row) for row in rows)

    def add_items(self, batch_id: str, *, currency: str) -> None:
        """
        Keep what the pay-outs of a file contain: all that is due to their merchants.

        Raises `InvariantBroken` where that is not the amount of each.
        """
        self._uow.execute(_ADD_ITEMS, currency, currency, batch_id)
        wrong = self._uow.row(
            "SELECT 1 FROM bank_orders o WHERE o.batch_id = ? AND o.amount_minor <>"
            " (SELECT COALESCE(SUM(i.change_minor), 0) FROM pay_out_items i WHERE i.pay_out_id = o.id) LIMIT 1",
            batch_id,
        )
        ensure(wrong is None, "a pay-out is its payments less its refunds")

    def free_items(self, pay_out_id: str) -> None:
        """
        Keep that a pay-out did not stand: what it contained is due again.
        """
        self._uow.execute("UPDATE pay_out_items SET is_live = 0 WHERE pay_out_id = ?", pay_out_id)

    def items_of(self, pay_out_id: str) -> tuple[PayOutItem, ...]:
        """
        Return what a pay-out contains, or contained.
        """
        rows = self._uow.rows(
            "SELECT kind, item_id, change_minor FROM pay_out_items WHERE pay_out_id = ? ORDER BY kind, item_id LIMIT ?",
            *(pay_out_id, ITEMS_READ_MAX),
        )
        return tuple(PayOutItem(*row) for row in rows)

    def steps_of(self, pay_out_id: str) -> tuple[tuple[str, str], ...]:
        """
        Return of which steps of the ledger a pay-out consists: of each its kind, and the request that it books.
        """
        rows = self._uow.rows(
            "SELECT i.kind, COALESCE(a.id, i.item_id) FROM pay_out_items i LEFT JOIN refund_attempts a"
            " ON i.kind = 'refund' AND a.refund_id = i.item_id AND a.status = 'credited' WHERE i.pay_out_id = ?"
            " ORDER BY i.kind, i.item_id LIMIT ?",
            *(pay_out_id, STEPS_READ_MAX),
        )
        return tuple((kind, request_id) for kind, request_id in rows)

    def open_refunds_minor(self, merchant_id: str, *, currency: str) -> int:
        """
        Return what a merchant's refunds that are under way may still take.
        """
        row = self._uow.row(
            "SELECT COALESCE(SUM(amount_minor), 0) FROM refunds WHERE merchant_id = ? AND currency = ?"
            " AND status NOT IN ('succeeded', 'canceled')",
            *(merchant_id, currency),
        )
        return int(row[0]) if row else 0
