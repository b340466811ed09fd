"""
Keep merchants and tills, and hashes of what they show to prove who they are.
"""

from __future__ import annotations

from collections.abc import Collection

from handsel.pay.merchant import Merchant, Till
from handsel.store.database import UnitOfWork

TILLS_READ_MAX = 1000


class MerchantTables:
    """
    Keep merchants and tills within one unit of work.
    """

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    def save_merchant(self, merchant: Merchant, *, key_hash: bytes) -> None:
        """
        Add a merchant, or replace its name and key.
        """
        self._uow.execute(
            "INSERT INTO merchants (id, name, key_hash) VALUES (?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET name = excluded.name, key_hash = excluded.key_hash",
            *(merchant.id, merchant.name, key_hash),
        )

    def save_till(self, till: Till, *, token_hash: bytes) -> None:
        """
        Add a till, or replace its token.
        """
        self._uow.execute(
            "INSERT INTO tills (id, merchant_id, name, token_hash) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET token_hash = excluded.token_hash",
            *(till.id, till.merchant_id, till.name, token_hash),
        )

    def revoke_others(self, *, merchants: Collection[str], tills: Collection[str]) -> None:
        """
        Take the key from every merchant, and the token from every till, whose id is not listed.
        """
        for (merchant_id,) in self._uow.rows("SELECT id FROM merchants WHERE key_hash IS NOT NULL"):
            if merchant_id not in merchants:
                self._uow.execute("UPDATE merchants SET key_hash = NULL WHERE id = ?", merchant_id)
        for (till_id,) in self._uow.rows("SELECT id FROM tills WHERE token_hash IS NOT NULL"):
            if till_id not in tills:
                self._uow.execute("UPDATE tills SET token_hash = NULL WHERE id = ?", till_id)

    def merchant(self, merchant_id: str) -> Merchant | None:
        """
        Return the merchant of that id.
        """
        row = self._uow.row("SELECT id, name FROM merchants WHERE id = ?", merchant_id)
        return Merchant(*row) if row else None

    def merchant_by_key(self, key_hash: bytes) -> Merchant | None:
        """
        Return the merchant that has the key.
        """
        row = self._uow.row("SELECT id, name FROM merchants WHERE key_hash = ?", key_hash)
        return Merchant(*row) if row else None

    def till_by_token(self, token_hash: bytes) -> Till | None:
        """
        Return the till that has the token.
        """
        row = self._uow.row("SELECT merchant_id, name FROM tills WHERE token_hash = ?", token_hash)
        return Till(*row) if row else None

    def tills_of(self, merchant_id: str) -> tuple[Till, ...]:
        """
        Return the tills of a merchant that are let in, the first one first.
        """
        rows = self._uow.rows(
            "SELECT merchant_id, name FROM tills WHERE merchant_id = ? AND token_hash IS NOT NULL"
            " ORDER BY number LIMIT ?",
            *(merchant_id, TILLS_READ_MAX),
        )
        return tuple(Till(*row) for row in rows)
