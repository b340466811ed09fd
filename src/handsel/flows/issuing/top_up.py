"""
Top up a wallet with play money from the sandbox.
"""

from __future__ import annotations

from dataclasses import dataclass

from handsel.errors import BodyInvalid, NotFound
from handsel.flows.issuing.issuer import Issuer, decline_of
from handsel.pay.account import sandbox_funds, wallet_account
from handsel.pay.decline import Declined
from handsel.pay.ledger import Refused, Transfer, derive_id
from handsel.pay.money import Money, require_positive
from handsel.store import issuer as wallets
from handsel.store import ledger

PLAY_MONEY = "top_up"  # What the movement is called.
TOP_UP_MINOR_MAX = 500_00  # Our own choice: enough to try everything with, too little to mistake for a bank.


@dataclass(frozen=True)
class ToppedUp:
    """
    Answer that the money is in the wallet, now or when the id was first used.
    """


def top_up(issuer: Issuer, wallet_id: str, *, top_up_id: str, amount: Money) -> ToppedUp | Declined:
    """
    Credit a wallet from the sandbox, once for each id. Raises `BodyInvalid`, `NotFound` and `IdReused`.
    """
    require_positive(amount)
    if amount.amount_minor > TOP_UP_MINOR_MAX:
        raise BodyInvalid(f"a top-up is at most {Money(TOP_UP_MINOR_MAX, amount.currency)}")
    now_ms = issuer.clock()
    with issuer.database.unit_of_work() as uow:
        wallet = wallets.find_wallet(uow, wallet_id)
        if wallet is None:
            raise NotFound("there is no such wallet")
        transfer = Transfer(
            derive_id("top_up", top_up_id),
            sandbox_funds(issuer.currency).id,
            wallet_account(wallet_id, currency=wallet.currency).id,
            amount,
            PLAY_MONEY,
        )
        outcome = ledger.post(uow, transfer, now_ms=now_ms)
        uow.commit()
    return decline_of(outcome) if isinstance(outcome, Refused) else ToppedUp()
