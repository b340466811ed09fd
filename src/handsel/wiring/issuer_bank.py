"""
Carry out what the issuer's operator does with the bank, on the issuer's own database: beside the running issuer
where that is a file, and in its place where it is PostgreSQL, which has one writer.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from handsel.bank.booking import BankOrder, OrderKind
from handsel.bank.direct_debit import write_direct_debit
from handsel.bank.orders import OwnAccount
from handsel.bank.read_statement import read_statements
from handsel.bank.read_status import read_status
from handsel.clock import system_clock
from handsel.config import IssuerConfig, load_config
from handsel.errors import BodyInvalid, ConfigError
from handsel.flows.banking.accounts import balance_minor
from handsel.flows.banking.book_statement import Booked
from handsel.flows.banking.book_status import Refused, book_status
from handsel.flows.banking.explain_payment import refuse_order
from handsel.flows.banking.order_payments import NothingDue
from handsel.flows.banking.reconcile import ExpectedLine, Reconciliation, reconcile
from handsel.flows.banking.resolve_unexplained import write_off
from handsel.flows.issuing.book_statement import book_statements, order_ended
from handsel.flows.issuing.collect import CollectionFile, collect
from handsel.flows.issuing.explain_collection import refuse_collection
from handsel.flows.issuing.issuer import (
    Issuer,
    MatcherKeys,
    books_of,
    limits_of_acquirer,
    limits_of_card,
    limits_of_payment,
    open_issuer_accounts,
)
from handsel.flows.issuing.pin_hash import KEY_BYTES
from handsel.flows.issuing.resolve_suspense import assign_suspense, return_suspense
from handsel.flows.issuing.settle_acquirers import AcquirerAccount, settle_acquirers
from handsel.keys import PartyKeys
from handsel.notes.issue import NoteKeys
from handsel.pay.account import settlement_account
from handsel.pay.money import EURO, Money
from handsel.store.bank import BankTables
from handsel.store.issuer import open_issuer_database
from handsel.wiring.bank_account import holder_of, required_account, settlement_reference
from handsel.wiring.bank_file import BankFile, written_transfers
from handsel.wiring.issuer import open_identities, second_factors
from handsel.wiring.open_tree import open_tree
from handsel.wiring.paths import DATABASE_FILE
from handsel.wiring.serve import private_files_only


def book(config_path: Path, *files: bytes) -> tuple[Booked, ...]:
    """
    Book the statements of files, all or none. Raises `ConfigError`, `StatementInvalid` and `IdReused`.
    """
    statements = read_statements(*files)
    with _opened(config_path) as (issuer, _):
        return book_statements(issuer, statements)


def status(config_path: Path, raw: bytes) -> Refused:
    """
    Book what the bank has refused. Raises `ConfigError` and `StatementInvalid`.
    """
    refusals = read_status(raw)
    with _opened(config_path) as (issuer, _), issuer.database.unit_of_work() as uow:
        done = book_status(books_of(issuer, uow), refusals, refuse=_refuse, now_ms=issuer.clock())
        uow.commit()
    return done


def report(config_path: Path) -> Reconciliation:
    """
    Compare bank and ledger. Raises `ConfigError`.
    """
    with _opened(config_path) as (issuer, config), issuer.database.unit_of_work() as uow:
        books, currency = books_of(issuer, uow), issuer.currency
        owed = [
            ExpectedLine(f"owed to {name}", balance_minor(books, settlement_account(name, currency=currency)))
            for name in config.acquirers
        ]
        return reconcile(books, currency=currency, expected=tuple(owed))


def collect_debits(config_path: Path, *, due_on: date) -> BankFile | NothingDue:
    """
    Make the file that collects what wallets have asked for. Raises `ConfigError` and `BodyInvalid`.
    """
    with _opened(config_path) as (issuer, _):
        made = collect(issuer, due_on=due_on)
    return made if isinstance(made, NothingDue) else _written_debits(made)


def settle(config_path: Path, *, due_on: date, keep_minor: int) -> BankFile | NothingDue:
    """
    Make the file that pays acquirers for redeemed notes. Raises `ConfigError` and `BodyInvalid`.
    """
    with _opened(config_path) as (issuer, config):
        made = settle_acquirers(issuer, _acquirers(config), due_on=due_on, keep_minor=keep_minor)
    return made if isinstance(made, NothingDue) else written_transfers(made)


def send_back(config_path: Path, *, due_on: date) -> BankFile | NothingDue:
    """
    Make the file that sends back what is nobody's. Raises `ConfigError` and `BodyInvalid`.
    """
    with _opened(config_path) as (issuer, _):
        made = return_suspense(issuer, due_on=due_on)
    return made if isinstance(made, NothingDue) else written_transfers(made)


def assign(config_path: Path, suspense_id: str, *, reference: str) -> None:
    """
    Give what is nobody's to the wallet that a reference is of. Raises `ConfigError`, `NotFound` and `BodyInvalid`.
    """
    with _opened(config_path) as (issuer, _):
        assign_suspense(issuer, suspense_id, reference=reference)


def bear(config_path: Path, entry_id: str) -> Money:
    """
    Book an unexplained movement as a cost. Raises `ConfigError` and `NotFound`.
    """
    with _opened(config_path) as (issuer, _), issuer.database.unit_of_work() as uow:
        money = write_off(books_of(issuer, uow), entry_id, currency=issuer.currency, now_ms=issuer.clock())
        uow.commit()
    return money


@contextmanager
def _opened(config_path: Path) -> Iterator[tuple[Issuer, IssuerConfig]]:
    private_files_only()
    config = load_config(config_path, IssuerConfig, role="issuer")
    issuer = _issuer_without_keys(config, config_path.parent, required_account(config.bank))
    try:
        yield issuer, config
    finally:
        issuer.database.close()


def _issuer_without_keys(config: IssuerConfig, directory: Path, bank: OwnAccount) -> Issuer:
    # Who deals with the bank signs no note, opens no envelope and checks no PIN: those keys are not read, and these are
    # nobody's. Whose account it is has to be opened, though.
    keys = {name: party.keys for name, party in config.parties.matchers.items()}
    database = open_issuer_database(directory / DATABASE_FILE, url=config.database_url.reveal())
    issuer = Issuer(
        database=database,
        keys=PartyKeys.generate(),
        note_keys=NoteKeys((), root=Ed25519PrivateKey.generate()),
        matchers=MatcherKeys(keys["a"], keys["b"], keys["c"]),
        palms_max=config.parties.palms_max,
        limits=limits_of_payment(config.payment_limits, currency=EURO),
        asking=limits_of_acquirer(config.acquirer_limits),
        showing=limits_of_card(config.card_limits),
        factors=second_factors(config, os.urandom(KEY_BYTES)),
        currency=EURO,
        clock=system_clock,
        random_bytes=os.urandom,
        tree=open_tree(database, directory, party="issuer", clock=system_clock),
        identities=open_identities(database, directory),
        bank=bank,
    )
    open_issuer_accounts(issuer)
    return issuer


def _acquirers(config: IssuerConfig) -> dict[str, AcquirerAccount]:
    unknown = sorted(set(config.bank.acquirers) - set(config.acquirers))
    if unknown:
        raise ConfigError(f"[bank.acquirers] names {', '.join(unknown)}, which [acquirers] does not")
    try:
        return {
            name: AcquirerAccount(holder_of(entry.holder, entry.iban), settlement_reference(entry.reference))
            for name, entry in config.bank.acquirers.items()
        }
    except BodyInvalid as exc:
        raise ConfigError(f"[bank.acquirers]: {exc}") from exc


def _refuse(books: BankTables, order: BankOrder, reason: str, now_ms: int) -> None:
    if order.kind is OrderKind.COLLECTION:
        refuse_collection(books, order, reason=reason, now_ms=now_ms)
    else:
        refuse_order(books, order, reason=reason, ended=order_ended, now_ms=now_ms)


def _written_debits(file: CollectionFile) -> BankFile:
    batch = file.batch
    content = write_direct_debit(
        file.orders,
        by=file.by,
        batch_id=batch.id,
        due_on=date.fromisoformat(batch.due_on),
        made_at_ms=batch.made_ms,
    )
    return BankFile(content, len(file.orders), file.sum_minor)
