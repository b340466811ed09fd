"""
Carry out what the acquirer's operator does with the bank, on the acquirer's own database: beside the running acquirer
where that is a file, and in its place where it is PostgreSQL, which has one writer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from handsel.bank.booking import BankOrder
from handsel.bank.orders import OwnAccount
from handsel.bank.read_statement import read_statements
from handsel.bank.read_status import read_status
from handsel.clock import system_clock
from handsel.config import AcquirerConfig, load_config
from handsel.flows.acquiring.accounts import in_hand_minor, settlement
from handsel.flows.acquiring.acquirer import Acquirer
from handsel.flows.acquiring.book_statement import book_statements, follow_orders
from handsel.flows.acquiring.pay_out import order_pay_outs
from handsel.flows.banking.book_statement import Booked
from handsel.flows.banking.book_status import Refused, book_status
from handsel.flows.banking.explain_payment import refuse_order
from handsel.flows.banking.order_payments import NothingDue
from handsel.flows.banking.reconcile import ExpectedLine, Reconciliation, reconcile
from handsel.flows.banking.resolve_unexplained import write_off
from handsel.pay.money import EURO, Money
from handsel.store.acquirer import AcquirerDatabase
from handsel.store.bank import BankTables
from handsel.wiring.acquirer import open_acquirer
from handsel.wiring.bank_account import required_account, settlement_reference
from handsel.wiring.bank_file import BankFile, written_transfers
from handsel.wiring.paths import DATABASE_FILE
from handsel.wiring.serve import private_files_only


def book(config_path: Path, *files: bytes) -> tuple[Booked, ...]:
    """
    Book the statements of files, all or none. Raises `ConfigError`, `StatementInvalid` and `IdReused`.
    """
    statements = read_statements(*files)
    with _opened(config_path) as (acquirer, config, own):
        reference = settlement_reference(config.bank.settlement_reference)
        return book_statements(
            acquirer, statements, of=own.holder.iban, settlement_reference=reference, now_ms=system_clock()
        )


def status(config_path: Path, raw: bytes) -> Refused:
    """
    Book what the bank has refused. Raises `ConfigError` and `StatementInvalid`.
    """
    refusals = read_status(raw)
    with _opened(config_path) as (acquirer, _, _), acquirer.store.unit_of_work() as books:
        ended = follow_orders(books)

        def refuse(bank: BankTables, order: BankOrder, reason: str, now_ms: int) -> None:
            refuse_order(bank, order, reason=reason, ended=ended, now_ms=now_ms)

        done = book_status(books.bank, refusals, refuse=refuse, now_ms=system_clock())
        books.commit()
    return done


def report(config_path: Path) -> Reconciliation:
    """
    Compare bank and ledger. Raises `ConfigError`.
    """
    with _opened(config_path) as (acquirer, _, _), acquirer.store.unit_of_work() as books:
        owed = ExpectedLine("owed by the issuer", in_hand_minor(books, settlement(EURO)))
        return reconcile(books.bank, currency=EURO, expected=(owed,))


def pay_merchants(config_path: Path, *, due_on: date) -> BankFile | NothingDue:
    """
    Make the file that pays merchants out. Raises `ConfigError` and `BodyInvalid`.
    """
    with _opened(config_path) as (acquirer, config, own):
        made = order_pay_outs(
            acquirer.store,
            by=own,
            due_on=due_on,
            amount_minor_min=config.bank.pay_out_minor_min,
            now_ms=system_clock(),
        )
    return made if isinstance(made, NothingDue) else written_transfers(made)


def bear(config_path: Path, entry_id: str) -> Money:
    """
    Book an unexplained movement as a cost. Raises `ConfigError` and `NotFound`.
    """
    with _opened(config_path) as (acquirer, _, _), acquirer.store.unit_of_work() as books:
        money = write_off(books.bank, entry_id, currency=EURO, now_ms=system_clock())
        books.commit()
    return money


@contextmanager
def _opened(config_path: Path) -> Iterator[tuple[Acquirer, AcquirerConfig, OwnAccount]]:
    private_files_only()
    config = load_config(config_path, AcquirerConfig, role="acquirer")
    own = required_account(config.bank)
    store = AcquirerDatabase.open(config_path.parent / DATABASE_FILE, url=config.database_url.reveal())
    try:
        yield open_acquirer(config, store, config_path.parent), config, own
    finally:
        store.close()
