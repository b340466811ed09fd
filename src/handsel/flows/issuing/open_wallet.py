"""
Open a wallet, and tell whose key opens which.

A wallet has no name, no address and no person: whoever has its key, has it. The key is 256 random bits, so its plain
SHA-256 is enough to store; the key itself is returned once and kept nowhere.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from handsel.errors import AccessDenied, NotFound
from handsel.flows.issuing.issuer import Issuer
from handsel.ids import ID_BYTES
from handsel.pay.account import wallet_account
from handsel.store import issuer as wallets
from handsel.store import ledger
from handsel.store.database import UnitOfWork

KEY_BYTES = 32
_KEY_TEXT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, repr=False)
class OpenedWallet:
    """
    Answer with a new wallet and its key: 64 hexadecimal digits, which nobody can tell again.
    """

    wallet_id: str
    key: str


def open_wallet(issuer: Issuer) -> OpenedWallet:
    """
    Open an empty wallet.
    """
    wallet_id = issuer.random_bytes(ID_BYTES).hex()
    key = issuer.random_bytes(KEY_BYTES)
    now_ms = issuer.clock()
    with issuer.database.unit_of_work() as uow:
        wallets.add_wallet(uow, wallet_id, key_digest=_digest(key), currency=issuer.currency, now_ms=now_ms)
        ledger.open_account(uow, wallet_account(wallet_id, currency=issuer.currency), now_ms=now_ms)
        uow.commit()
    return OpenedWallet(wallet_id, key.hex())


def wallet_of(issuer: Issuer, key: str) -> str:
    """
    Return the id of the wallet that `key` opens. Raises `AccessDenied`.
    """
    if not _KEY_TEXT.fullmatch(key):
        raise AccessDenied("this is not the key of a wallet")
    with issuer.database.unit_of_work() as uow:
        wallet_id = wallets.wallet_of_key(uow, _digest(bytes.fromhex(key)))
    if wallet_id is None:
        raise AccessDenied("no wallet has this key")
    return wallet_id


def require_open(uow: UnitOfWork, wallet_id: str) -> None:
    """
    Make sure, within the unit of work of another flow, that there is such a wallet, not closed. Raises `NotFound`.
    """
    wallet = wallets.find_wallet(uow, wallet_id)
    if wallet is None or wallet.is_closed:
        raise NotFound("there is no such wallet, or it is closed")


def _digest(key: bytes) -> bytes:
    return hashlib.sha256(b"handsel/v1/wallet-key\0" + key).digest()
