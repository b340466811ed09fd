"""
Keep the accounts and names of others, of whoever pays in, is paid, or is collected from: here and nowhere else.

To forget one is to delete its row: what was booked stays, and says no longer whose it was.
"""

from __future__ import annotations

from collections.abc import Sequence

from handsel.bank.iban import Iban
from handsel.bank.orders import Holder
from handsel.store.database import UnitOfWork


def keep_party(uow: UnitOfWork, party_id: str, holder: Holder, *, now_ms: int) -> None:
    """
    Keep an account and its holder under a new id. A row is never changed: another account is another row.
    """
    uow.execute(
        "INSERT INTO bank_parties (id, name, iban, kept_ms) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
        *(party_id, holder.name, holder.iban.text, now_ms),
    )


def find_party(uow: UnitOfWork, party_id: str) -> Holder | None:
    """
    Return an account and its holder, or None.
    """
    return find_parties(uow, (party_id,)).get(party_id)


def find_parties(uow: UnitOfWork, party_ids: Sequence[str]) -> dict[str, Holder]:
    """
    Return the accounts of those ids that there are.
    """
    rows = uow.rows_in("SELECT id, name, iban FROM bank_parties WHERE id IN (?)", party_ids)
    return {party_id: Holder(name, Iban(iban)) for party_id, name, iban in rows}


def forget_parties(uow: UnitOfWork, party_ids: Sequence[str]) -> None:
    """
    Delete accounts and names, but for those that the bank is still to pay or to be asked about.
    """
    for party_id in party_ids:
        uow.execute(
            "DELETE FROM bank_parties WHERE id = ?"
            " AND NOT EXISTS (SELECT 1 FROM bank_orders WHERE party_id = bank_parties.id AND state = 'ordered')"
            " AND NOT EXISTS (SELECT 1 FROM bank_suspense WHERE party_id = bank_parties.id"
            " AND state IN ('open', 'returning'))",
            party_id,
        )
