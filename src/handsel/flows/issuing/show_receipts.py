"""
Show a wallet's payments with the receipts that are sealed for it, and delete a receipt.

An amount and a time are the issuer's to show. Shop and items are in the sealed receipt, which the browser opens; the
issuer has them only of shops that the owner wants named.
"""

from __future__ import annotations

import msgspec

from handsel.errors import NotFound, ensure
from handsel.flows.issuing.issuer import Issuer
from handsel.store import issuer_naming as naming
from handsel.store import issuer_receipt as receipts
from handsel.store.database import UnitOfWork

RECEIPTS_PAGE = 20  # A page of them is at most 440 KB of JSON.
RECEIPTS_PAGES_MAX = 10_000


class SealedReceipt(msgspec.Struct, frozen=True):
    """
    Carry a receipt that the key of that number opens; `key` is its public half.
    """

    id: str
    number: int
    key: bytes
    sealed: bytes


class ReceiptLine(msgspec.Struct, frozen=True):
    """
    Show one payment. `shop` and `description` are there where the owner has the shop named.
    """

    charge_id: str
    amount_minor: int
    currency: str
    at_ms: int
    receipt: SealedReceipt | None
    shop: str = ""
    description: str = ""


def show_receipts(
    issuer: Issuer, wallet_id: str, *, page: int = 0, limit: int = RECEIPTS_PAGE
) -> tuple[ReceiptLine, ...]:
    """
    Return one page of a wallet's payments, newest first; the first is page 0.
    """
    ensure(0 < limit <= RECEIPTS_PAGE, f"a page has at most {RECEIPTS_PAGE} receipts")
    ensure(0 <= page <= RECEIPTS_PAGES_MAX, f"there are at most {RECEIPTS_PAGES_MAX} pages")
    with issuer.database.unit_of_work() as uow:
        return receipt_lines(uow, wallet_id, currency=issuer.currency, page=page, limit=limit)


def receipt_lines(
    uow: UnitOfWork, wallet_id: str, *, currency: str, page: int, limit: int = RECEIPTS_PAGE
) -> tuple[ReceiptLine, ...]:
    """
    Return the same within the unit of work of another flow.
    """
    rows = receipts.receipts_of(uow, wallet_id, skipped=page * limit, limit=limit)
    named = {row.charge_id: row for row in naming.named_payments_of(uow, wallet_id)}
    return tuple(
        ReceiptLine(
            charge_id=row.charge_id,
            amount_minor=row.amount_minor,
            currency=currency,
            at_ms=row.at_ms,
            receipt=_sealed(row),
            shop=named[row.charge_id].shop if row.charge_id in named else "",
            description=named[row.charge_id].description if row.charge_id in named else "",
        )
        for row in rows
    )


def delete_receipt(issuer: Issuer, wallet_id: str, receipt_id: str) -> None:
    """
    Delete a sealed receipt for good; doing it again changes nothing. Raises `NotFound`.
    """
    with issuer.database.unit_of_work() as uow:
        if not receipts.delete_receipt(uow, wallet_id, receipt_id):
            raise NotFound("this wallet has no such receipt")
        uow.commit()


def _sealed(row: receipts.ReceiptRow) -> SealedReceipt | None:
    if row.receipt_id is None or row.number is None or row.key is None or row.receipt is None:
        return None
    return SealedReceipt(row.receipt_id, row.number, row.key, row.receipt)
