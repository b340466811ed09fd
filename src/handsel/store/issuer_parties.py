"""
Keep whose accounts the issuer deals with among what says who a person is: sealed, each with a key of its own.

The law has kept, for five years after the wallet is closed, who has paid into it or gave a mandate (Regulation (EU)
2024/1624 Art. 77). Who has sent money that is nobody's is kept in order to send it back, and no longer.
"""

from __future__ import annotations

from collections.abc import Sequence

from handsel.bank.iban import Iban
from handsel.bank.orders import Holder
from handsel.store.database import UnitOfWork
from handsel.store.issuer_bank import parties_of_wallet
from handsel.store.issuer_identity import Basis, Identities, end_service, was_put

BANK_ACCOUNT = "bank_account"


class SealedParties:
    """
    Keep accounts and their holders sealed. The owner of such a row is the party itself, by the id that others point to.
    """

    def __init__(self, identities: Identities) -> None:
        self._identities = identities

    def keep(self, uow: UnitOfWork, party_id: str, holder: Holder, *, now_ms: int) -> None:
        """
        Keep an account, as the law asks.
        """
        self._put(uow, party_id, holder, Basis.LAW, now_ms)

    def keep_sender(self, uow: UnitOfWork, party_id: str, holder: Holder, *, now_ms: int) -> None:
        """
        Keep an account from which money came that is nobody's, until it is sent back there.
        """
        self._put(uow, party_id, holder, Basis.SERVICE, now_ms)

    def find(self, uow: UnitOfWork, party_ids: Sequence[str]) -> dict[str, Holder]:
        """
        Return the accounts of those ids that there are, and that were not shredded. Raises `StoreCorrupt`.
        """
        return {
            party_id: _read(content)
            for party_id, content in self._identities.contents(uow, party_ids, kind=BANK_ACCOUNT).items()
        }

    def _put(self, uow: UnitOfWork, party_id: str, holder: Holder, basis: Basis, now_ms: int) -> None:
        if not was_put(uow, party_id, kind=BANK_ACCOUNT):
            content = f"{holder.iban.text} {holder.name}"
            self._identities.put(uow, party_id, kind=BANK_ACCOUNT, content=content, basis=basis, now_ms=now_ms)


def owners_of(uow: UnitOfWork, wallet_id: str) -> tuple[str, ...]:
    """
    Return under which ids there is what says who has a wallet: its own, and those of who has filled it.
    """
    return (wallet_id, *parties_of_wallet(uow, wallet_id))


def end_service_of(uow: UnitOfWork, wallet_id: str, *, ended_at_ms: int, now_ms: int) -> None:
    """
    Shred what was kept of a wallet's owner for the service alone, and say when the rest goes.
    """
    for owner_id in owners_of(uow, wallet_id):
        end_service(uow, owner_id, ended_at_ms=ended_at_ms, now_ms=now_ms)


def _read(content: str) -> Holder:
    iban, _, name = content.partition(" ")
    return Holder(name, Iban(iban))
