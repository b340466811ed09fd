"""
Pay acquirers for the notes that they redeemed: one file of credit transfers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from handsel.bank.booking import Batch, OrderKind
from handsel.bank.orders import Holder, block_id
from handsel.errors import ConfigError
from handsel.flows.banking.order_payments import (
    NothingDue,
    WantedPayment,
    batch_id_of,
    order_payments,
    require_due,
)
from handsel.flows.banking.transfer_file import TransferFile, transfer_file
from handsel.flows.issuing.issuer import Issuer, books_of
from handsel.pay.account import settlement_account
from handsel.pay.ledger import derive_id
from handsel.pay.money import Money
from handsel.store import ledger
from handsel.store.bank import BankTables


@dataclass(frozen=True, repr=False)
class AcquirerAccount:
    """
    Say where an acquirer is paid, and the reference by which it knows what the payment is.
    """

    holder: Holder
    reference: str


def settle_acquirers(
    issuer: Issuer, accounts: Mapping[str, AcquirerAccount], *, due_on: date, keep_minor: int = 0
) -> TransferFile | NothingDue:
    """
    Return the file that pays, on a day, what acquirers have for redeemed notes, but for `keep_minor` of each.

    What is kept here is what an acquirer buys notes with, for refunds. Asking again for that day returns the same file.
    Raises `ConfigError`, and `BodyInvalid` for a day too far off.
    """
    if issuer.bank is None:
        raise ConfigError("the settings name no bank account: set [bank]")
    now_ms = issuer.clock()
    batch_id = batch_id_of(OrderKind.SETTLEMENT, due_on=due_on, by=issuer.bank.holder.iban)
    with issuer.database.unit_of_work() as uow:
        books = books_of(issuer, uow)
        batch = books.find_batch(batch_id)
        if batch is None:
            require_due(due_on, now_ms=now_ms)
            batch = Batch(batch_id, OrderKind.SETTLEMENT, due_on.isoformat(), now_ms)
            wanted = [
                found
                for name, account in accounts.items()
                if (found := _due(issuer, books, name, account, batch_id=batch_id, keep_minor=keep_minor))
            ]
            if not wanted:
                return NothingDue()
            order_payments(books, batch, wanted, block_id=block_id(batch_id, 0), now_ms=now_ms)
        made = transfer_file(books, batch, by=issuer.bank)
        uow.commit()
    return made


def _due(
    issuer: Issuer, books: BankTables, name: str, account: AcquirerAccount, *, batch_id: str, keep_minor: int
) -> WantedPayment | None:
    owed = settlement_account(name, currency=issuer.currency)
    state = ledger.account_state(books.uow, owed.id)
    due_minor = (state.available_minor if state else 0) - keep_minor
    if due_minor <= 0:
        return None
    party_id = derive_id(f"party:{name}", batch_id)
    books.keep_party(party_id, account.holder, now_ms=issuer.clock())
    return WantedPayment(name, party_id, Money(due_minor, issuer.currency), account.reference, owed)
