"""
Keep what customers want named on their statements: shops, and what was paid there since. Nothing for anybody else.

Every function works within the unit of work that it is given. Nothing here decides: the flows do.
"""

from __future__ import annotations

from dataclasses import dataclass

from handsel.store.database import UnitOfWork

NAMED_READ_MAX = 1000


@dataclass(frozen=True, repr=False)
class NamedShopRow:
    """
    Carry a shop that a wallet's owner wants named, with the key by which its till says so.
    """

    naming_key: bytes
    shop: str
    since_ms: int


@dataclass(frozen=True, repr=False)
class NamedPaymentRow:
    """
    Carry a payment at such a shop.
    """

    charge_id: str
    shop: str
    description: str


def add_named_shop(uow: UnitOfWork, wallet_id: str, row: NamedShopRow) -> None:
    """
    Write that a shop is to be named; one that is already stays as it is.
    """
    uow.execute(
        "INSERT INTO named_shops (wallet_id, naming_key, shop, since_ms) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        *(wallet_id, row.naming_key, row.shop, row.since_ms),
    )


def named_shops_of(uow: UnitOfWork, wallet_id: str) -> tuple[NamedShopRow, ...]:
    """
    Return the shops that a wallet's owner wants named, the oldest wish first.
    """
    rows = uow.rows(
        "SELECT naming_key, shop, since_ms FROM named_shops WHERE wallet_id = ? ORDER BY since_ms, shop LIMIT ?",
        *(wallet_id, NAMED_READ_MAX),
    )
    return tuple(NamedShopRow(*row) for row in rows)


def forget_named_shop(uow: UnitOfWork, wallet_id: str, naming_key: bytes) -> None:
    """
    Delete a shop, and the names of what was paid there.
    """
    for table in ("named_payments", "named_shops"):
        uow.execute(f"DELETE FROM {table} WHERE wallet_id = ? AND naming_key = ?", wallet_id, naming_key)  # noqa: S608


def forget_named_shops(uow: UnitOfWork, wallet_id: str) -> None:
    """
    Delete all shops of a wallet, and the names of what was paid there.
    """
    for row in named_shops_of(uow, wallet_id):
        forget_named_shop(uow, wallet_id, row.naming_key)


def add_named_payment(uow: UnitOfWork, wallet_id: str, charge_id: str, *, naming_key: bytes, description: str) -> None:
    """
    Write what was paid for at a shop that is to be named; what is written already stays as it is.
    """
    uow.execute(
        "INSERT INTO named_payments (charge_id, wallet_id, naming_key, description) VALUES (?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        *(charge_id, wallet_id, naming_key, description),
    )


def named_payments_of(uow: UnitOfWork, wallet_id: str) -> tuple[NamedPaymentRow, ...]:
    """
    Return the newest payments of a wallet at shops that are named.
    """
    rows = uow.rows(
        "SELECT charge_id, shop, description FROM named_payments"
        " JOIN named_shops ON named_shops.wallet_id = named_payments.wallet_id"
        " AND named_shops.naming_key = named_payments.naming_key"
        " JOIN charges ON charges.id = charge_id WHERE named_payments.wallet_id = ? ORDER BY at_ms DESC LIMIT ?",
        *(wallet_id, NAMED_READ_MAX),
    )
    return tuple(NamedPaymentRow(*row) for row in rows)
