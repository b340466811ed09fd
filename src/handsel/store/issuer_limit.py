"""
Count what a wallet has paid, and keep the limits that its owner has set.

What was paid is read from the charges themselves: no counter beside them could differ from them, or be reset. A charge
counts while it is under way and once it is approved; one that was declined, voided or has expired does not.
"""

from __future__ import annotations

from handsel.pay.limit import OwnLimits, Spent
from handsel.pay.money import Money
from handsel.store.database import UnitOfWork


def spent_of(uow: UnitOfWork, wallet_id: str, *, currency: str, day_from_ms: int) -> Spent:
    """
    Return what a wallet has paid after `day_from_ms`, and alone since its last charge with a second factor.

    A charge of the same millisecond as that one counts as after it.
    """
    in_day = uow.row(
        "SELECT COALESCE(SUM(amount_minor), 0), COALESCE(SUM(CASE WHEN factor IS NULL THEN amount_minor END), 0)"
        " FROM charges WHERE wallet_id = ? AND state IN ('reserved', 'approved') AND at_ms > ?",
        *(wallet_id, day_from_ms),
    )
    since = uow.row(
        "SELECT COALESCE(SUM(amount_minor), 0), COUNT(*) FROM charges"
        " WHERE wallet_id = ? AND state IN ('reserved', 'approved') AND factor IS NULL AND at_ms >= COALESCE("
        "(SELECT MAX(at_ms) FROM charges"
        " WHERE wallet_id = ? AND state IN ('reserved', 'approved') AND factor IS NOT NULL), 0)",
        *(wallet_id, wallet_id),
    )
    every, alone = in_day or (0, 0)
    alone_since, number = since or (0, 0)
    return Spent(
        in_day=Money(int(every), currency),
        alone_in_day=Money(int(alone), currency),
        alone_since=Money(int(alone_since), currency),
        alone_number_since=int(number),
    )


def find_own_limits(uow: UnitOfWork, wallet_id: str) -> OwnLimits:
    """
    Return the limits that the owner of a wallet has set: none, at first.
    """
    row = uow.row(
        "SELECT alone_per_payment_minor, per_payment_minor, per_day_minor FROM own_limits WHERE wallet_id = ?",
        wallet_id,
    )
    return OwnLimits(*row) if row else OwnLimits()


def save_own_limits(uow: UnitOfWork, wallet_id: str, own: OwnLimits) -> None:
    """
    Keep the limits that the owner of a wallet has set, in place of those before.
    """
    remove_own_limits(uow, wallet_id)
    uow.execute(
        "INSERT INTO own_limits (wallet_id, alone_per_payment_minor, per_payment_minor, per_day_minor)"
        " VALUES (?, ?, ?, ?)",
        *(wallet_id, own.alone_per_payment_minor, own.per_payment_minor, own.per_day_minor),
    )


def remove_own_limits(uow: UnitOfWork, wallet_id: str) -> None:
    """
    Forget the limits that the owner of a wallet has set.
    """
    uow.execute("DELETE FROM own_limits WHERE wallet_id = ?", wallet_id)
