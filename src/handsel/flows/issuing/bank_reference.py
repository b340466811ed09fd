"""
Give a wallet a reference, by which a transfer from any bank finds it.

A reference is random: neither the bank nor whoever reads it learns a wallet from it, and a new one may be had.
"""

from __future__ import annotations

from handsel.bank.reference import new_reference
from handsel.errors import BodyInvalid, InvariantBroken, NotFound
from handsel.flows.issuing.issuer import Issuer
from handsel.store import issuer as wallets
from handsel.store import issuer_bank
from handsel.store.database import UnitOfWork

REFERENCES_MAX = 100  # Of one wallet, ever: all of them keep leading to it.
_TRIES_MAX = 8


def bank_reference(issuer: Issuer, wallet_id: str) -> str:
    """
    Return the reference that a wallet shows, made at first use. Raises `NotFound`.
    """
    with issuer.database.unit_of_work() as uow:
        _require_open(uow, wallet_id)
        found = issuer_bank.newest_reference(uow, wallet_id) or _add(issuer, uow, wallet_id)
        uow.commit()
    return found


def renew_bank_reference(issuer: Issuer, wallet_id: str) -> str:
    """
    Return a new reference, which the wallet shows from now on. What comes with an old one still reaches it.

    Raises `NotFound`, and `BodyInvalid` where the wallet has had too many.
    """
    with issuer.database.unit_of_work() as uow:
        _require_open(uow, wallet_id)
        if issuer_bank.count_references(uow, wallet_id) >= REFERENCES_MAX:
            raise BodyInvalid(f"a wallet has at most {REFERENCES_MAX} references: use the one that is shown")
        made = _add(issuer, uow, wallet_id)
        uow.commit()
    return made


def _require_open(uow: UnitOfWork, wallet_id: str) -> None:
    wallet = wallets.find_wallet(uow, wallet_id)
    if wallet is None or wallet.is_closed:
        raise NotFound("there is no such wallet, or it is closed")


def _add(issuer: Issuer, uow: UnitOfWork, wallet_id: str) -> str:
    for _ in range(_TRIES_MAX):
        made = new_reference(issuer.random_bytes)
        if issuer_bank.add_reference(uow, made, wallet_id=wallet_id, now_ms=issuer.clock()):
            return made
    raise InvariantBroken("of 2^60 references one is free")
