"""
Erase a person: everything that leads from them to a wallet goes at once, and what the law asks to keep goes on a date.

Ledger and proofs stay whole. They name a wallet by its random id, and after this there is nobody that it stands for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from handsel.errors import InvariantBroken
from handsel.flows.issuing.close_wallet import close_wallet
from handsel.flows.issuing.issuer import Issuer
from handsel.pay.money import Money
from handsel.store import issuer as wallets
from handsel.store import issuer_naming as naming
from handsel.store import issuer_receipt as receipts
from handsel.store.issuer_identity import RETENTION_MS, Basis, KeptRow, kept_of, shred_due
from handsel.store.issuer_parties import end_service_of, owners_of


@dataclass(frozen=True)
class Erased:
    """
    Answer that the person is erased: what was left in the wallet and has been paid back, and what is kept until when.
    """

    paid_back: Money
    kept: tuple[KeptRow, ...]


def erase_person(issuer: Issuer, wallet_id: str) -> Erased:
    """
    Erase whoever has this wallet. Raises `NotFound`.

    1. The wallet is closed: payments under way are voided, what is left is paid back, palms are erased at the matchers,
       the card is deleted.
    2. Its key, consents, codes, receipts and named shops are removed: nobody can open it any more.
    3. What is known of the person, accounts at banks among it, is shredded, but for what the law asks to keep
       (Regulation (EU) 2024/1624 Art. 77): that is shredded five years after the wallet was closed.

    What stays for good are steps of the ledger under a random account. Doing it again changes nothing.
    """
    closed = close_wallet(issuer, wallet_id)  # 1
    now_ms = issuer.clock()
    with issuer.database.unit_of_work() as uow:
        wallet = wallets.find_wallet(uow, wallet_id)
        if wallet is None or wallet.closed_at_ms is None:
            raise InvariantBroken("a wallet that was closed is there, and closed")
        wallets.forget_owner(uow, wallet_id)  # 2
        receipts.forget_receipts(uow, wallet_id)
        naming.forget_named_shops(uow, wallet_id)
        end_service_of(uow, wallet_id, ended_at_ms=wallet.closed_at_ms, now_ms=now_ms)  # 3
        kept = kept_of(uow, *owners_of(uow, wallet_id))
        uow.commit()
    return Erased(closed.paid_back, kept)


def what_would_be_kept(issuer: Issuer, wallet_id: str) -> tuple[KeptRow, ...]:
    """
    Return what would be kept if this person were erased now, and until when.
    """
    with issuer.database.unit_of_work() as uow:
        kept = kept_of(uow, *owners_of(uow, wallet_id))
    until_ms = issuer.clock() + RETENTION_MS
    return tuple(
        replace(row, purge_at_ms=until_ms if row.purge_at_ms is None else row.purge_at_ms)
        for row in kept
        if row.basis is Basis.LAW
    )


def shred_identities(issuer: Issuer) -> int:
    """
    Shred personal data whose date has come, and return how many rows.
    """
    with issuer.database.unit_of_work() as uow:
        shredded = shred_due(uow, now_ms=issuer.clock())
        uow.commit()
    return shredded
