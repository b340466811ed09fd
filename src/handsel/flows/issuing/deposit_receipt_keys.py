"""
Take the public keys that a wallet's browser makes, each for one receipt.

The private halves stay in the browser. The issuer learns how many keys there are, and nothing that opens a receipt.
"""

from __future__ import annotations

from dataclasses import dataclass

from handsel.errors import BodyInvalid, NotFound
from handsel.flows.issuing.issuer import Issuer
from handsel.receipt import require_receipt_key
from handsel.store import issuer as wallets
from handsel.store import issuer_receipt as receipts

DEPOSIT_MAX = 50  # Keys at a time, and as many wait: a fortnight of somebody who pays three times a day.
KEY_NUMBER_MAX = 1_000_000  # More than anybody pays in a life.


@dataclass(frozen=True)
class KeysWanted:
    """
    Say how many keys a wallet may deposit now, and from which number on.
    """

    first: int
    count: int


def keys_wanted(issuer: Issuer, wallet_id: str) -> KeysWanted:
    """
    Return what a wallet's browser is to deposit. A closed wallet pays nothing and wants none. Raises `NotFound`.
    """
    with issuer.database.unit_of_work() as uow:
        wallet = wallets.find_wallet(uow, wallet_id)
        if wallet is None:
            raise NotFound("there is no such wallet")
        count = 0 if wallet.is_closed else max(0, DEPOSIT_MAX - receipts.count_unused(uow, wallet_id))
        return KeysWanted(receipts.next_number(uow, wallet_id), count)


def deposit_receipt_keys(issuer: Issuer, wallet_id: str, keys: tuple[bytes, ...], *, first: int) -> KeysWanted:
    """
    Keep public keys for receipts to come, numbered from `first`, and return what is wanted after that.

    The same keys may come again, and stay what they are. Raises `BodyInvalid` for too many, and for one to which
    nothing can be sealed; `NotFound`.
    """
    if not 0 < len(keys) <= DEPOSIT_MAX or len(set(keys)) != len(keys):
        raise BodyInvalid(f"deposit 1 to {DEPOSIT_MAX} receipt keys at a time, each once")
    if not 0 <= first <= KEY_NUMBER_MAX - len(keys):
        raise BodyInvalid(f"a receipt key's number is at most {KEY_NUMBER_MAX}")
    for key in keys:
        require_receipt_key(key)
    with issuer.database.unit_of_work() as uow:
        wallet = wallets.find_wallet(uow, wallet_id)
        if wallet is None:
            raise NotFound("there is no such wallet")
        if wallet.is_closed:
            raise BodyInvalid("a closed wallet takes no receipt keys: it pays nothing any more")
        receipts.add_receipt_keys(uow, wallet_id, keys, first=first)
        waiting = receipts.count_unused(uow, wallet_id)
        if waiting > 2 * DEPOSIT_MAX:  # Two browsers may deposit at once, and the second is not turned away.
            raise BodyInvalid("enough receipt keys are waiting: deposit more when some are used")
        following = receipts.next_number(uow, wallet_id)
        uow.commit()
    return KeysWanted(following, max(0, DEPOSIT_MAX - waiting))
