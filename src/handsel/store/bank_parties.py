"""
Keep the accounts and names of others, of whoever pays in, is paid, or is collected from: by an id, to which all else of
a bank's points. How they are kept is the party's own: an acquirer keeps its merchants' here, an issuer seals people's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from handsel.bank.iban import Iban
from handsel.bank.orders import Holder
from handsel.store.database import UnitOfWork


class Parties(Protocol):
    """
    Keep accounts and their holders. A row is never changed: another account is another id.
    """

    def keep(self, uow: UnitOfWork, party_id: str, holder: Holder, *, now_ms: int) -> None:
        """
        Keep an account of somebody with whom there are dealings.
        """

    def keep_sender(self, uow: UnitOfWork, party_id: str, holder: Holder, *, now_ms: int) -> None:
        """
        Keep an account from which money came that is nobody's, until it is sent back there.
        """

    def find(self, uow: UnitOfWork, party_ids: Sequence[str]) -> dict[str, Holder]:
        """
        Return the accounts of those ids that there are, and that are not forgotten.
        """


class OpenParties:
    """
    Keep them as they are: companies, and whoever pays an acquirer by mistake.
    """

    def keep(self, uow: UnitOfWork, party_id: str, holder: Holder, *, now_ms: int) -> None:
        """
        Keep an account and its holder.
        """
        uow.execute(
            "INSERT INTO bank_parties (id, name, iban, kept_ms) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
            *(party_id, holder.name, holder.iban.text, now_ms),
        )

    def keep_sender(self, uow: UnitOfWork, party_id: str, holder: Holder, *, now_ms: int) -> None:
        """
        Keep an account and its holder.
        """
        self.keep(uow, party_id, holder, now_ms=now_ms)

    def find(self, uow: UnitOfWork, party_ids: Sequence[str]) -> dict[str, Holder]:
        """
        Return the accounts of those ids that there are.
        """
        rows = uow.rows_in("SELECT id, name, iban FROM bank_parties WHERE id IN (?)", party_ids)
        return {party_id: Holder(name, Iban(iban)) for party_id, name, iban in rows}
