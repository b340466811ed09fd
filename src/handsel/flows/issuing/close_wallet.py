"""
Close a wallet, and erase whatever leads from a person to it.
"""

from __future__ import annotations

from dataclasses import dataclass

from handsel.errors import BodyInvalid, InvariantBroken, NotFound
from handsel.flows.issuing.erase_palm import erase_palms_of
from handsel.flows.issuing.issuer import Issuer
from handsel.flows.issuing.second_factor import forget_factors
from handsel.flows.issuing.void_charge import release_charge
from handsel.order import Way
from handsel.pay.account import sandbox_funds, wallet_account
from handsel.pay.ledger import Refused, Transfer, derive_id
from handsel.pay.money import Money
from handsel.store import issuer as wallets
from handsel.store import issuer_card as cards
from handsel.store import issuer_hold as holds
from handsel.store import issuer_naming as naming
from handsel.store import issuer_note as charges
from handsel.store import issuer_receipt as receipts
from handsel.store import ledger
from handsel.store.database import UnitOfWork


@dataclass(frozen=True)
class Closed:
    """
    Answer that the wallet is closed, and what was on it and has been paid back.
    """

    paid_back: Money


def close_wallet(issuer: Issuer, wallet_id: str) -> Closed:
    """
    Close a wallet: void what is under way, erase palms, card, PIN and passkeys, and pay what is left back to where it
    came from.

    Its key still opens it, to read. Doing it again changes nothing. Raises `NotFound`, and `BodyInvalid` while a shop
    has reserved something, which would not be paid. That ends by itself.
    """
    now_ms = issuer.clock()
    with issuer.database.unit_of_work() as uow:
        wallet = wallets.find_wallet(uow, wallet_id)
        if wallet is None:
            raise NotFound("there is no such wallet")
        if wallet.is_closed:
            return Closed(Money(0, wallet.currency))
        if holds.open_holds(uow, wallet_id):
            raise BodyInvalid("a shop has reserved some of this money: close the wallet when that is captured or over")
        for charge_id in charges.reserved_charges(uow, wallet_id):
            row = charges.find_charge(uow, charge_id)
            if row is not None:
                release_charge(uow, row, now_ms=now_ms)
        for way in Way:
            wallets.withdraw_consent(uow, wallet_id, way=way, now_ms=now_ms)
        erase_palms_of(issuer, uow, wallet_id, now_ms=now_ms)
        cards.remove_card_of(uow, wallet_id)
        forget_factors(uow, wallet_id)
        paid_back = _pay_back(issuer, uow, wallet_id, now_ms=now_ms)
        wallets.mark_wallet_closed(uow, wallet_id, now_ms=now_ms)
        uow.commit()
    return Closed(paid_back)


def erase_wallet(issuer: Issuer, wallet_id: str) -> Closed:
    """
    Close a wallet and remove its key, consents, codes, receipts and named shops: nobody can open it any more.

    Raises `NotFound`.

    What stays are entries of the ledger under a random account, which the law asks for: Regulation (EU) 2024/1624
    Art. 77.
    """
    closed = close_wallet(issuer, wallet_id)
    with issuer.database.unit_of_work() as uow:
        wallets.forget_owner(uow, wallet_id)
        receipts.forget_receipts(uow, wallet_id)
        naming.forget_named_shops(uow, wallet_id)
        uow.commit()
    return closed


def _pay_back(issuer: Issuer, uow: UnitOfWork, wallet_id: str, *, now_ms: int) -> Money:
    account_id = wallet_account(wallet_id, currency=issuer.currency).id
    state = ledger.account_state(uow, account_id)
    if state is None:
        raise InvariantBroken("a wallet has an account")
    left = Money(state.balance_minor, state.account.currency)
    if left.amount_minor > 0:
        step_id = derive_id("close", wallet_id)
        transfer = Transfer(step_id, account_id, sandbox_funds(issuer.currency).id, left, "closing")
        if isinstance(ledger.post(uow, transfer, now_ms=now_ms), Refused):
            raise InvariantBroken("what is left in a wallet can be paid back")
    if isinstance(ledger.close_account(uow, account_id, now_ms=now_ms), Refused):
        raise InvariantBroken("an empty account can be closed")
    return left
