"""
Collect by direct debit: make one file of all that waits, and have it written the same each time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from handsel.bank.booking import BankOrder, Batch, OrderKind, OrderState
from handsel.bank.orders import DebitOrder, OwnAccount, Sequence, block_id
from handsel.errors import ConfigError, InvariantBroken, NotFound, ensure
from handsel.flows.banking.order_payments import NothingDue, batch_id_of, require_due
from handsel.flows.issuing.issuer import Issuer, books_of
from handsel.store import issuer_bank
from handsel.store.bank import BankTables
from handsel.store.issuer_bank import CollectionRow

NOTICE_DAYS_MIN = 1  # The bank wants a core debit one day before. Source: EPC016-06.
TEXT = "Top-up of your wallet"


@dataclass(frozen=True, repr=False)
class CollectionFile:
    """
    Answer with what a file for the bank is made of.
    """

    batch: Batch
    orders: tuple[DebitOrder, ...]
    by: OwnAccount

    @property
    def sum_minor(self) -> int:
        """
        Return what the file collects, in minor units.
        """
        return sum(order.money.amount_minor for order in self.orders)


def collect(issuer: Issuer, *, due_on: date) -> CollectionFile | NothingDue:
    """
    Return the file that collects on a day all that waits. Asking again for that day returns the same file.

    Raises `ConfigError` where the issuer does not collect, `BodyInvalid` for a day too near or far, and `NotFound`
    where the file was carried out and can not be written again.
    """
    bank = issuer.bank
    if bank is None or not bank.creditor_id:
        raise ConfigError("who collects by direct debit has a bank account and a creditor identifier: set [bank]")
    now_ms = issuer.clock()
    batch_id = batch_id_of(OrderKind.COLLECTION, due_on=due_on, by=bank.holder.iban)
    with issuer.database.unit_of_work() as uow:
        books = books_of(issuer, uow)
        batch = books.find_batch(batch_id)
        if batch is None:
            require_due(due_on, now_ms=now_ms, days_min=NOTICE_DAYS_MIN)
            batch = Batch(batch_id, OrderKind.COLLECTION, due_on.isoformat(), now_ms)
            orders = _plan(books, batch)
            if not orders:
                return NothingDue()
            books.add_batch(batch, orders, now_ms=now_ms)
        debits = _debits(books, batch_id)
        uow.commit()
    return CollectionFile(batch, debits, bank)


def _plan(books: BankTables, batch: Batch) -> tuple[BankOrder, ...]:
    # The first of a mandate, then those that follow: each sequence is a block of the file.
    firsts, rest, begun = list[CollectionRow](), list[CollectionRow](), set[str]()
    for row in issuer_bank.waiting_collections(books.uow):
        is_first = row.mandate_id not in begun and not issuer_bank.was_collected(books.uow, row.mandate_id)
        begun.add(row.mandate_id)
        (firsts if is_first else rest).append(row)
        issuer_bank.mark_sequence(books.uow, row.id, Sequence.FIRST if is_first else Sequence.RECURRENT)
    return tuple(_orders(books, batch, (firsts, rest)))


def _orders(
    books: BankTables, batch: Batch, blocks: tuple[list[CollectionRow], list[CollectionRow]]
) -> Iterable[BankOrder]:
    place = 0
    for number, rows in enumerate(block for block in blocks if block):
        for row in rows:
            mandate = issuer_bank.find_mandate(books.uow, row.mandate_id)
            if mandate is None:
                raise InvariantBroken("a collection has a mandate")
            yield BankOrder(
                *(row.id, batch.id, place, block_id(batch.id, number), batch.kind, row.wallet_id, mandate.party_id),
                *(row.money, TEXT, batch.due_on),
            )
            place += 1


def _debits(books: BankTables, batch_id: str) -> tuple[DebitOrder, ...]:
    orders = books.orders_of(batch_id)
    holders = books.find_parties([order.party_id for order in orders])
    debits = []
    for order in orders:
        row = issuer_bank.find_collection(books.uow, order.id)
        mandate = issuer_bank.find_mandate(books.uow, row.mandate_id) if row else None
        holder = holders.get(order.party_id)
        if row is None or row.sequence is None or mandate is None:
            raise InvariantBroken("what is in a file has a mandate and a sequence")
        if holder is None:
            ensure(order.state is not OrderState.ORDERED, "from whom the bank is to collect is kept until it has")
            raise NotFound("the bank has carried this file out, and an account in it is forgotten: choose another day")
        signed_on = datetime.fromtimestamp(mandate.signed_at_ms / 1000, tz=UTC).date()
        debits.append(DebitOrder(order.id, holder, order.money, order.text, mandate.id, signed_on, row.sequence))
    return tuple(debits)
