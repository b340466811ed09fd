"""
Say what becomes of money that came and is nobody's: give it to the wallet that it was meant for, or send it back.
"""

from __future__ import annotations

from datetime import date

from handsel.bank.booking import Batch, OrderKind, SuspenseState
from handsel.bank.orders import block_id
from handsel.bank.reference import parse_reference
from handsel.errors import BodyInvalid, ConfigError, NotFound
from handsel.flows.banking.accounts import suspense
from handsel.flows.banking.order_payments import (
    NothingDue,
    WantedPayment,
    batch_id_of,
    order_payments,
    require_due,
)
from handsel.flows.banking.transfer_file import TransferFile, transfer_file
from handsel.flows.issuing.fill_wallet import fill_wallet, takes_money
from handsel.flows.issuing.issuer import Issuer, books_of
from handsel.ids import require_id
from handsel.store import issuer_bank
from handsel.store.issuer_identity import keep_by_law

TEXT = "Sent back: no account of ours was named"


def assign_suspense(issuer: Issuer, suspense_id: str, *, reference: str) -> None:
    """
    Move money that is nobody's into the wallet that a reference is of, once.

    Raises `NotFound`, and `BodyInvalid` where it has gone elsewhere, or the wallet is closed.
    """
    wanted = parse_reference(reference)
    now_ms = issuer.clock()
    with issuer.database.unit_of_work() as uow:
        books = books_of(issuer, uow)
        money = books.find_suspended(require_id(suspense_id))
        wallet_id = issuer_bank.wallet_of_reference(uow, wanted)
        if money is None or wallet_id is None:
            raise NotFound("no money waits under that id, or no wallet has that reference")
        if money.state is not SuspenseState.OPEN:
            raise BodyInvalid("this money does not wait any more; nothing was changed")
        if not takes_money(books, wallet_id):
            raise BodyInvalid("the wallet of that reference is closed; nothing was changed")
        account = suspense(money.money.currency)
        step = "assigned_top_up"
        fill_wallet(books, wallet_id, money.money, step=step, request_id=money.id, source=account, now_ms=now_ms)
        books.move_suspended(money.id, was=SuspenseState.OPEN, to=SuspenseState.ASSIGNED)
        books.give_entry(money.id, subject=wallet_id)
        if money.party_id is not None:
            keep_by_law(uow, money.party_id)
        books.settle_difference(money.id, now_ms=now_ms)
        uow.commit()


def return_suspense(issuer: Issuer, *, due_on: date) -> TransferFile | NothingDue:
    """
    Return the file that sends back, on a day, all that is nobody's and whose sender is known.

    Asking again for that day returns the same file. Raises `ConfigError`, and `BodyInvalid` for a day too far off.
    """
    if issuer.bank is None:
        raise ConfigError("the settings name no bank account: set [bank]")
    now_ms = issuer.clock()
    batch_id = batch_id_of(OrderKind.RETURN, due_on=due_on, by=issuer.bank.holder.iban)
    with issuer.database.unit_of_work() as uow:
        books = books_of(issuer, uow)
        batch = books.find_batch(batch_id)
        if batch is None:
            require_due(due_on, now_ms=now_ms)
            batch = Batch(batch_id, OrderKind.RETURN, due_on.isoformat(), now_ms)
            found = [money for money in books.open_suspense() if money.party_id is not None and money.holder]
            wanted = [
                WantedPayment(money.id, money.party_id or "", money.money, TEXT, suspense(money.money.currency))
                for money in found
            ]
            if not wanted:
                return NothingDue()
            order_payments(books, batch, wanted, block_id=block_id(batch_id, 0), now_ms=now_ms)
            for money in found:
                books.move_suspended(money.id, was=SuspenseState.OPEN, to=SuspenseState.RETURNING)
        made = transfer_file(books, batch, by=issuer.bank)
        uow.commit()
    return made
