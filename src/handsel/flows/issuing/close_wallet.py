"""
Close a wallet: its money goes back, its palms and its card are erased, and it can be read and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

from handsel.bank.booking import Suspended
from handsel.errors import BodyInvalid, InvariantBroken, NotFound
from handsel.flows.banking.accounts import suspense
from handsel.flows.issuing.erase_palm import erase_palms_of
from handsel.flows.issuing.issuer import Issuer, books_of
from handsel.flows.issuing.second_factor import forget_factors
from handsel.flows.issuing.void_charge import release_charge
from handsel.order import Way
from handsel.pay.account import Account, sandbox_funds, wallet_account
from handsel.pay.ledger import Refused, Transfer, derive_id
from handsel.pay.money import Money
from handsel.store import issuer as wallets
from handsel.store import issuer_bank, ledger
from handsel.store import issuer_card as cards
from handsel.store import issuer_hold as holds
from handsel.store import issuer_note as charges
from handsel.store.database import UnitOfWork
from handsel.store.issuer_parties import end_service_of

CLOSING = "closing"  # What the movement is called, and why its money is to be sent back.


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

    What was known of the person for its service alone is shredded; what the law asks for is kept, until a date. Its key
    still opens it, to read. Doing it again changes nothing. Raises `NotFound`, and `BodyInvalid` while a shop has
    reserved something, which would not be paid. That ends by itself.
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
        issuer_bank.end_mandate(uow, wallet_id, now_ms=now_ms)
        paid_back = _pay_back(issuer, uow, wallet_id, now_ms=now_ms)
        end_service_of(uow, wallet_id, ended_at_ms=now_ms, now_ms=now_ms)
        wallets.mark_wallet_closed(uow, wallet_id, now_ms=now_ms)
        uow.commit()
    return Closed(paid_back)


def _pay_back(issuer: Issuer, uow: UnitOfWork, wallet_id: str, *, now_ms: int) -> Money:
    """
    Take what is left out of a wallet, to where it came from, and close its account.

    1. Where there is no bank it is play money, and goes back to the sandbox.
    2. Elsewhere it is for the account at a bank that the wallet was filled from last, or that a mandate names: the file
       of what is sent back is made of this. Where none is known it waits there for somebody to say whose it is.
    """
    account_id = wallet_account(wallet_id, currency=issuer.currency).id
    state = ledger.account_state(uow, account_id)
    if state is None:
        raise InvariantBroken("a wallet has an account")
    left = Money(state.balance_minor, state.account.currency)
    step_id = derive_id("close", wallet_id)
    if issuer.bank is None:  # 1
        _move(uow, step_id, account_id, sandbox_funds(issuer.currency), left, now_ms=now_ms)
    else:  # 2
        _move(uow, step_id, account_id, suspense(issuer.currency), left, now_ms=now_ms)
        if left.amount_minor > 0:
            party_id = next(iter(issuer_bank.parties_of_wallet(uow, wallet_id)), None)
            books_of(issuer, uow).suspend(Suspended(step_id, CLOSING, party_id, left), now_ms=now_ms)
    if isinstance(ledger.close_account(uow, account_id, now_ms=now_ms), Refused):
        raise InvariantBroken("an empty account can be closed")
    return left


def _move(uow: UnitOfWork, step_id: str, account_id: str, to: Account, money: Money, *, now_ms: int) -> None:
    if money.amount_minor == 0:
        return
    ledger.open_account(uow, to, now_ms=now_ms)
    if isinstance(ledger.post(uow, Transfer(step_id, account_id, to.id, money, CLOSING), now_ms=now_ms), Refused):
        raise InvariantBroken("what is left in a wallet can be paid back")
