"""
Close a wallet: its money goes back, its palms and its card are erased, and it can be read and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

from handsel.bank.booking import Suspended
from handsel.errors import InvariantBroken, NotFound
from handsel.flows.banking.accounts import suspense
from handsel.flows.issuing.erase_palm import erase_palms_of
from handsel.flows.issuing.issuer import Issuer, books_of
from handsel.flows.issuing.second_factor import forget_factors
from handsel.flows.issuing.void_charge import release_charge
from handsel.order import Way
from handsel.pay.account import sandbox_funds, wallet_account
from handsel.pay.ledger import Refused, Transfer, derive_id
from handsel.pay.money import Money
from handsel.store import issuer as wallets
from handsel.store import issuer_bank, ledger
from handsel.store import issuer_card as cards
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
    still opens it, to read. Doing it again changes nothing. Raises `NotFound`.
    """
    now_ms = issuer.clock()
    with issuer.database.unit_of_work() as uow:
        wallet = wallets.find_wallet(uow, wallet_id)
        if wallet is None:
            raise NotFound("there is no such wallet")
        if wallet.is_closed:
            return Closed(Money(0, wallet.currency))
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
    account_id = wallet_account(wallet_id, currency=issuer.currency).id
    state = ledger.account_state(uow, account_id)
    if state is None:
        raise InvariantBroken("a wallet has an account")
    left = Money(state.balance_minor, state.account.currency)
    if left.amount_minor > 0:
        step_id = derive_id("close", wallet_id)
        owed = sandbox_funds(issuer.currency) if issuer.bank is None else suspense(issuer.currency)
        ledger.open_account(uow, owed, now_ms=now_ms)
        transfer = Transfer(step_id, account_id, owed.id, left, CLOSING)
        if isinstance(ledger.post(uow, transfer, now_ms=now_ms), Refused):
            raise InvariantBroken("what is left in a wallet can be paid back")
        if issuer.bank is not None:
            # Where it came from, if a bank has said so: the file of what is sent back is made of this.
            party_id = next(iter(issuer_bank.parties_of_wallet(uow, wallet_id)), None)
            books_of(issuer, uow).suspend(Suspended(step_id, CLOSING, party_id, left), now_ms=now_ms)
    if isinstance(ledger.close_account(uow, account_id, now_ms=now_ms), Refused):
        raise InvariantBroken("an empty account can be closed")
    return left
