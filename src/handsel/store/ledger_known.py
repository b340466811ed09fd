"""
Load what a batch of steps speaks of: ids that were used before, reservations and accounts. Nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from handsel.pay.account import Account, AccountState, Floor, Side
from handsel.pay.batch import CAPTURE, POST, RELEASE, RESERVE, Known
from handsel.pay.ledger import (
    Capture,
    Done,
    Expiry,
    Pending,
    PendingState,
    Refusal,
    Refused,
    Release,
    Reservation,
    Step,
    Transfer,
)
from handsel.pay.money import Money
from handsel.pay.running import Running
from handsel.store.database import UnitOfWork
from handsel.store.engine import Row

_ACCOUNT = (
    "SELECT id, currency, floor, side, closed_at_ms, credits_posted, debits_posted, credits_pending, debits_pending,"
    " number, entries, last FROM accounts"
)
_BOOKED = (
    "SELECT t.id, t.kind, d.id, c.id, t.amount_minor, d.currency, t.code, t.pending_id, t.link_id, t.happened_at_ms"
    " FROM transfers t JOIN accounts d ON d.number = t.debit JOIN accounts c ON c.number = t.credit WHERE t.id IN (?)"
)
_REFUSED = (
    "SELECT id, kind, debit, credit, amount_minor, currency, code, pending_id, link_id, happened_at_ms, refusal"
    " FROM refused WHERE id IN (?)"
)
_PENDING = (
    "SELECT p.transfer_id, d.id, c.id, t.amount_minor, d.currency, t.code, t.happened_at_ms, p.state, p.expires_at_ms"
    " FROM pending p JOIN transfers t ON t.id = p.transfer_id JOIN accounts d ON d.number = t.debit"
    " JOIN accounts c ON c.number = t.credit WHERE p.transfer_id IN (?)"
)


def load_accounts(uow: UnitOfWork, names: Sequence[str]) -> list[Running]:
    """
    Return the accounts of those names that there are.
    """
    return [_running(row) for row in uow.rows_in(f"{_ACCOUNT} WHERE id IN (?)", names)]


def load_known(uow: UnitOfWork, ids: Sequence[str]) -> dict[str, Known]:
    """
    Return what those ids stand for that were used before.
    """
    wanted = [bytes.fromhex(each) for each in ids]
    used = [row[0] for row in uow.rows_in("SELECT id FROM transfers WHERE id IN (?)", wanted)]
    known: dict[str, Known] = {}
    for row in uow.rows_in(_BOOKED, used):
        known[row[0].hex()] = (_step(row), row[8].hex() if row[8] else None, Done())
    for row in uow.rows_in(_REFUSED, used):
        known[row[0].hex()] = (_step(row), row[8].hex() if row[8] else None, Refused(Refusal(row[10])))
    return known


def load_reservations(uow: UnitOfWork, ids: Iterable[str]) -> dict[str, Pending]:
    """
    Return the reservations of those ids that there are.
    """
    rows = uow.rows_in(_PENDING, [bytes.fromhex(each) for each in ids])
    found = {}
    for pending_id, debit, credit, amount_minor, currency, code, happened_at_ms, state, expires_at_ms in rows:
        transfer = Transfer(pending_id.hex(), debit, credit, Money(amount_minor, currency), code, happened_at_ms)
        found[transfer.id] = Pending(transfer, PendingState(state), expires_at_ms)
    return found


def _running(row: Row) -> Running:
    name, currency, floor, side, closed_at_ms, credits_posted, debits_posted, credits_pending, debits_pending = row[:9]
    state = AccountState(
        Account(name, currency, Floor(floor), Side(side)),
        credits_posted=credits_posted,
        debits_posted=debits_posted,
        credits_pending=credits_pending,
        debits_pending=debits_pending,
        is_closed=closed_at_ms is not None,
    )
    number, entries, last = row[9:]
    return Running(state, number=number, entries=entries, last=last)


def _step(row: Row) -> Step:
    step_id, kind, debit, credit, amount_minor, currency, code, pending_id, _, happened_at_ms = row[:10]
    if kind in (POST, RESERVE):
        transfer = Transfer(step_id.hex(), debit, credit, Money(amount_minor, currency), code, happened_at_ms)
        return transfer if kind == POST else Reservation(transfer, 0)
    if kind == CAPTURE:
        return Capture(step_id.hex(), pending_id.hex(), Money(amount_minor, currency))
    ended = Release if kind == RELEASE else Expiry
    return ended(step_id.hex(), pending_id.hex())
