"""
Keep the keys that wallets deposit for receipts, and the receipts that are sealed to them. The issuer opens none.

Every function works within the unit of work that it is given. Nothing here decides: the flows do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from handsel.errors import ensure
from handsel.receipt import receipt_id_of
from handsel.store.database import UnitOfWork

RECEIPTS_READ_MAX = 1000  # Of one wallet, in one go.


@dataclass(frozen=True, repr=False)
class ReceiptKeyRow:
    """
    Carry a receipt key as it is stored, and what came for it: `digest` stays when the receipt is deleted.

    `number` says which of the wallet's keys it is; None for one that was made here and opens nothing.
    """

    id: str
    wallet_id: str
    number: int | None
    charge_id: str | None
    digest: bytes | None


@dataclass(frozen=True, repr=False)
class ReceiptRow:
    """
    Carry a payment of a wallet and the receipt that is sealed for it, where there is one.
    """

    charge_id: str
    amount_minor: int
    at_ms: int
    receipt_id: str | None
    key: bytes | None
    number: int | None
    receipt: bytes | None


def add_receipt_keys(uow: UnitOfWork, wallet_id: str, keys: Sequence[bytes], *, first: int) -> None:
    """
    Write deposited keys, numbered from `first`. One that is known already stays as it is.
    """
    for number, key in enumerate(keys, first):
        uow.execute(
            "INSERT INTO receipt_keys (id, wallet_id, key, number) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            *(receipt_id_of(key), wallet_id, key, number),
        )


def count_unused(uow: UnitOfWork, wallet_id: str) -> int:
    """
    Return how many deposited keys of a wallet wait for a payment.
    """
    row = uow.row("SELECT COUNT(*) FROM receipt_keys WHERE wallet_id = ? AND charge_id IS NULL", wallet_id)
    return int(row[0]) if row else 0


def next_number(uow: UnitOfWork, wallet_id: str) -> int:
    """
    Return the number after the highest that any key of a wallet has.
    """
    row = uow.row("SELECT COALESCE(MAX(number) + 1, 0) FROM receipt_keys WHERE wallet_id = ?", wallet_id)
    return int(row[0]) if row else 0


def take_key(uow: UnitOfWork, wallet_id: str, *, charge_id: str) -> bytes | None:
    """
    Return the wallet's next unused key, which from now on is that charge's; None where there is none.
    """
    row = uow.row(
        "SELECT id, key FROM receipt_keys WHERE wallet_id = ? AND charge_id IS NULL ORDER BY number LIMIT 1", wallet_id
    )
    if row is None:
        return None
    uow.execute("UPDATE receipt_keys SET charge_id = ? WHERE id = ?", charge_id, row[0])
    return bytes(row[1])


def add_blind_key(uow: UnitOfWork, wallet_id: str, key: bytes, *, charge_id: str) -> None:
    """
    Write a key that was made here for a charge of a wallet that has none left.
    """
    uow.execute(
        "INSERT INTO receipt_keys (id, wallet_id, key, charge_id) VALUES (?, ?, ?, ?)",
        *(receipt_id_of(key), wallet_id, key, charge_id),
    )


def find_receipt_key(uow: UnitOfWork, receipt_id: str) -> ReceiptKeyRow | None:
    """
    Return the key under whose id a receipt is kept, or None.
    """
    row = uow.row("SELECT id, wallet_id, number, charge_id, digest FROM receipt_keys WHERE id = ?", receipt_id)
    return ReceiptKeyRow(*row) if row else None


def put_receipt(uow: UnitOfWork, receipt_id: str, receipt: bytes | None, *, digest: bytes) -> None:
    """
    Write that a receipt has come, and the receipt itself where somebody can open it.
    """
    changed = uow.execute(
        "UPDATE receipt_keys SET receipt = ?, digest = ? WHERE id = ? AND digest IS NULL", receipt, digest, receipt_id
    )
    ensure(changed == 1, "a key takes one receipt")


def receipts_of(uow: UnitOfWork, wallet_id: str, *, skipped: int, limit: int) -> tuple[ReceiptRow, ...]:
    """
    Return the payments of a wallet, newest first, after the first `skipped`, with sealed receipts where there are any.
    """
    ensure(0 < limit <= RECEIPTS_READ_MAX, "receipts are read page by page")
    rows = uow.rows(
        "SELECT charges.id, charges.amount_minor, charges.at_ms, receipt_keys.id, key, receipt_keys.number, receipt"
        " FROM charges"
        " LEFT JOIN receipt_keys ON receipt_keys.charge_id = charges.id AND receipt IS NOT NULL"
        " WHERE charges.wallet_id = ? AND state = 'approved' ORDER BY charges.at_ms DESC, charges.id LIMIT ? OFFSET ?",
        *(wallet_id, limit, skipped),
    )
    return tuple(ReceiptRow(*row) for row in rows)


def delete_receipt(uow: UnitOfWork, wallet_id: str, receipt_id: str) -> bool:
    """
    Delete a receipt of a wallet; its key takes no other. Return whether there is, or was, such a receipt.
    """
    changed = uow.execute(
        "UPDATE receipt_keys SET receipt = NULL WHERE id = ? AND wallet_id = ? AND digest IS NOT NULL",
        *(receipt_id, wallet_id),
    )
    return changed == 1


def forget_receipts(uow: UnitOfWork, wallet_id: str) -> None:
    """
    Delete all receipts of a wallet and its unused keys. Those that are still on their way are not kept when they come.
    """
    uow.execute("DELETE FROM receipt_keys WHERE wallet_id = ? AND charge_id IS NULL", wallet_id)
    uow.execute("UPDATE receipt_keys SET receipt = NULL, number = NULL WHERE wallet_id = ?", wallet_id)
