"""
Carry a sealed receipt from the till to the issuer. The acquirer can open neither it nor the line that comes with it.

What the issuer has sealed to the till, both would have for ever otherwise: the acquirer drops it when the receipt has
been brought, or when no till has come for it in time.
"""

from __future__ import annotations

from dataclasses import dataclass

from handsel.errors import NotFound
from handsel.flows.acquiring.acquirer import Acquirer
from handsel.ids import require_id
from handsel.pay.merchant import Till
from handsel.pay.payment import ChargeStatus
from handsel.receipt import require_sealed_receipt

REPLY_MS_MAX = 15 * 24 * 3_600_000  # Longer than a week in which a sum may be reserved, and a till's week to come back.


@dataclass(frozen=True, repr=False)
class SealedForWallet:
    """
    Carry what a till seals after a payment: a receipt under the id of its key, and a line for the issuer.
    """

    receipt_id: str
    sealed: bytes
    line: bytes

    def __post_init__(self) -> None:
        """
        Refuse an ill-formed id, and a receipt of another length than there is. Raises `BodyInvalid`.
        """
        require_id(self.receipt_id)
        require_sealed_receipt(self.sealed)


def carry_receipt(acquirer: Acquirer, till: Till, charge_id: str, receipt: SealedForWallet) -> None:
    """
    Bring the receipt of a paid charge to the issuer, as often as it comes.

    Raises `NotFound` where there is no such charge of this till, `PartyUnavailable`, and what the issuer refused with.
    """
    with acquirer.store.unit_of_work() as books:
        charge = books.payments.find_charge(charge_id)
    if charge is None or charge.till_id != till.id or charge.status is not ChargeStatus.PAID:
        raise NotFound("this till has no paid charge of that id")
    acquirer.issuer.take_receipt(receipt.receipt_id, sealed=receipt.sealed, line=receipt.line)
    with acquirer.store.unit_of_work() as books:
        books.payments.drop_reply(charge_id)
        books.commit()


def forget_replies(acquirer: Acquirer, *, now_ms: int) -> int:
    """
    Drop the issuer's replies to tills that have not come for them within `REPLY_MS_MAX`, and return how many.

    The receipts of these payments are not sealed any more; the receipt's page shows them.
    """
    with acquirer.store.unit_of_work() as books:
        dropped = books.payments.drop_old_replies(until_ms=now_ms - REPLY_MS_MAX)
        books.commit()
        return dropped
