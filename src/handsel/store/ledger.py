"""
Keep the ledger: accounts, transfers, reservations and entries, in a party's own database.

What a transfer changes is decided in `pay`; here one step after another is carried out, and the ledger is read. Every
function works within the unit of work that it is given, and nothing counts until that is committed. A transfer's id is
decided once, for ever: the same id with the same contents has the same outcome, a refusal too, and with other contents
raises `IdReused`. Many steps at once are carried out by `store.ledger_batch`, and grouped by `store.ledger_writer`.
"""

from __future__ import annotations

from dataclasses import dataclass

from handsel.errors import IdReused, ensure
from handsel.pay.account import Account, AccountState, Side
from handsel.pay.batch import MILESTONE
from handsel.pay.ledger import (
    Capture,
    Done,
    Expiry,
    Outcome,
    Pending,
    Refusal,
    Refused,
    Release,
    Reservation,
    Step,
    Transfer,
    derive_id,
)
from handsel.store.database import UnitOfWork
from handsel.store.engine import Row
from handsel.store.ledger_batch import carry_out
from handsel.store.ledger_known import load_accounts, load_reservations

ENTRIES_READ_MAX = 1000
EXPIRE_BATCH_MAX = 100

# From one entry of an account to the one before it, so many times.
_WALK = (
    "WITH RECURSIVE walk (sequence, number) AS (SELECT CAST(? AS BIGINT), CAST(? AS BIGINT) UNION ALL"
    " SELECT CASE WHEN t.debit = ? THEN t.debit_previous ELSE t.credit_previous END, w.number - 1"
    " FROM walk w JOIN transfers t ON t.sequence = w.sequence WHERE w.number > ?)"
    " SELECT w.number, t.id,"
    " CASE WHEN t.debit = ? THEN -t.amount_minor ELSE t.amount_minor END, t.code,"
    " CASE WHEN t.debit = ? THEN t.debit_balance_minor ELSE t.credit_balance_minor END, t.at_ms, t.happened_at_ms"
    " FROM walk w JOIN transfers t ON t.sequence = w.sequence ORDER BY w.sequence DESC"
)


@dataclass(frozen=True, repr=False)
class BookedEntry:
    """
    Carry an entry as it stands in the ledger, with the balance that it left: a credit above zero, a debit below.

    `number` counts the entries of this account alone, from 1: whoever is shown it learns nothing of other accounts.
    `at_ms` is when it was booked, `happened_at_ms` when it happened, where that is not the same.
    """

    number: int
    transfer_id: str
    amount_minor: int
    currency: str
    code: str
    balance_after_minor: int
    at_ms: int
    happened_at_ms: int | None


def open_account(uow: UnitOfWork, account: Account, *, now_ms: int) -> None:
    """
    Open an account, unless it is open already. Raises `IdReused` where its name stands for another kind of account.
    """
    state = account_state(uow, account.id)
    if state is None:
        uow.execute(
            "INSERT INTO accounts (number, id, currency, floor, side, opened_at_ms)"
            " SELECT COALESCE(MAX(number), 0) + 1, ?, ?, ?, ?, ? FROM accounts",
            *(account.id, account.currency, account.floor.value, account.side.value, now_ms),
        )
    elif state.account != account:
        raise IdReused("an account of that name exists, of another kind")


def account_state(uow: UnitOfWork, account_id: str) -> AccountState | None:
    """
    Return what is on an account, or None where there is none of that name.
    """
    found = load_accounts(uow, (account_id,))
    return found[0].state() if found else None


def close_account(uow: UnitOfWork, account_id: str, *, now_ms: int) -> Outcome:
    """
    Close an account on which nothing is left, booked or reserved. Nothing can be booked on it again.
    """
    state = account_state(uow, account_id)
    if state is None:
        return Refused(Refusal.ACCOUNT_UNKNOWN)
    if state.balance_minor or state.debits_pending or state.credits_pending:
        return Refused(Refusal.ACCOUNT_NOT_EMPTY)
    uow.execute("UPDATE accounts SET closed_at_ms = COALESCE(closed_at_ms, ?) WHERE id = ?", now_ms, account_id)
    return Done()


def post(uow: UnitOfWork, transfer: Transfer, *, now_ms: int) -> Outcome:
    """
    Book a transfer at once.
    """
    return _carry_out_one(uow, transfer, now_ms=now_ms)


def reserve(uow: UnitOfWork, transfer: Transfer, *, expires_at_ms: int, now_ms: int) -> Outcome:
    """
    Reserve the sum of a transfer until `expires_at_ms`; when the same id comes again, its first time limit stands.
    """
    return _carry_out_one(uow, Reservation(transfer, expires_at_ms), now_ms=now_ms)


def capture(uow: UnitOfWork, wanted: Capture, *, now_ms: int) -> Outcome:
    """
    Book a reservation, the whole or a part; the rest is released.
    """
    return _carry_out_one(uow, wanted, now_ms=now_ms)


def release(uow: UnitOfWork, wanted: Release, *, now_ms: int) -> Outcome:
    """
    Give a reservation back.
    """
    return _carry_out_one(uow, wanted, now_ms=now_ms)


def expire(uow: UnitOfWork, *, now_ms: int) -> tuple[str, ...]:
    """
    Give back the reservations whose time is over, at most `EXPIRE_BATCH_MAX` of them, and return their ids.
    """
    rows = uow.rows(
        "SELECT transfer_id FROM pending WHERE state = 'held' AND expires_at_ms <= ? ORDER BY expires_at_ms LIMIT ?",
        *(now_ms, EXPIRE_BATCH_MAX),
    )
    due = tuple(pending_id.hex() for (pending_id,) in rows)
    steps = [Expiry(derive_id("expire", pending_id), pending_id) for pending_id in due]
    outcomes = carry_out(uow, steps, now_ms=now_ms) if steps else []
    ensure(all(each == (Done(),) for each in outcomes), "a reservation whose time is over can be given back")
    return due


def pending_of(uow: UnitOfWork, pending_id: str) -> Pending | None:
    """
    Return a reservation and where it stands, or None.
    """
    return load_reservations(uow, (pending_id,)).get(pending_id)


def entries_of(
    uow: UnitOfWork, account_id: str, *, before_number: int | None = None, limit: int = 100
) -> tuple[BookedEntry, ...]:
    """
    Return the entries of an account, newest first: at most `limit`, all older than `before_number` if that is given.
    """
    ensure(0 < limit <= ENTRIES_READ_MAX, "entries are read page by page")
    found = load_accounts(uow, (account_id,))
    if not found:
        return ()
    account, first, sequence = found[0], found[0].entries, found[0].last
    newest = first if before_number is None else min(first, before_number - 1)
    near = uow.row(
        "SELECT number, sequence FROM milestones WHERE account = ? AND number >= ? ORDER BY number LIMIT 1",
        *(account.number, newest),
    )
    if near is not None:
        first, sequence = near
    rows = _walk(uow, account.number, sequence, number=first, last=max(newest - limit + 1, 1))
    return tuple(
        BookedEntry(number, transfer_id.hex(), amount_minor, account.currency, code, left, at_ms, happened_at_ms)
        for number, transfer_id, amount_minor, code, left, at_ms, happened_at_ms in rows
        if number <= newest
    )


def balance_at(uow: UnitOfWork, account_id: str, moment_ms: int) -> int | None:
    """
    Return what had been booked on an account by a moment, that moment included, or None where there is no such account.
    """
    found = load_accounts(uow, (account_id,))
    if not found:
        return None
    account, number, sequence = found[0], found[0].entries, found[0].last
    near = uow.row(
        "SELECT number, sequence FROM milestones WHERE account = ? AND at_ms > ? ORDER BY at_ms, number LIMIT 1",
        *(account.number, moment_ms),
    )
    if near is not None:
        number, sequence = near
    rows = _walk(uow, account.number, sequence, number=number, last=max(number - MILESTONE, 1))
    left = next((int(row[4]) for row in rows if row[5] <= moment_ms), 0)
    return left if account.account.side is Side.CREDIT else -left


def audit(uow: UnitOfWork) -> None:
    """
    Recompute the whole ledger from its transfers and reservations. Raises `InvariantBroken` where anything differs.
    """
    lopsided = "SELECT 1 FROM accounts GROUP BY currency HAVING SUM(credits_posted) <> SUM(debits_posted) LIMIT 1"
    ensure(uow.row(lopsided) is None, "debits equal credits")
    for side, posted in (("credit", "credits_posted"), ("debit", "debits_posted")):
        differing = (
            f"SELECT 1 FROM accounts a LEFT JOIN (SELECT {side} AS account, SUM(amount_minor) AS booked"  # noqa: S608
            " FROM transfers WHERE kind IN ('post', 'capture') GROUP BY 1) t ON t.account = a.number"
            f" WHERE a.{posted} <> COALESCE(t.booked, 0) LIMIT 1"
        )
        ensure(uow.row(differing) is None, "the balance of every account is the sum of its entries")
    unreserved = (
        "SELECT 1 FROM accounts a WHERE a.debits_pending <> (SELECT COALESCE(SUM(t.amount_minor), 0)"
        " FROM pending p JOIN transfers t ON t.id = p.transfer_id WHERE p.state = 'held' AND t.debit = a.number)"
        " OR a.credits_pending <> (SELECT COALESCE(SUM(t.amount_minor), 0)"
        " FROM pending p JOIN transfers t ON t.id = p.transfer_id WHERE p.state = 'held' AND t.credit = a.number)"
        " LIMIT 1"
    )
    ensure(uow.row(unreserved) is None, "what an account has reserved is the sum of its reservations")
    unlinked = (
        "SELECT 1 FROM accounts a LEFT JOIN transfers t ON t.sequence = a.last WHERE a.entries > 0 AND"
        " (t.sequence IS NULL OR a.credits_posted - a.debits_posted <>"
        " CASE WHEN t.debit = a.number THEN t.debit_balance_minor ELSE t.credit_balance_minor END) LIMIT 1"
    )
    ensure(uow.row(unlinked) is None, "an account's newest entry leaves its balance")
    _audit_rows(uow)


def _audit_rows(uow: UnitOfWork) -> None:
    """
    Check what of a row follows from others: where the entry before it is, its number, and what a refusal has not.
    """
    sides = " UNION ALL ".join(
        f"SELECT {side} AS account, sequence, {side}_number AS number, {side}_previous AS previous, at_ms"  # noqa: S608
        " FROM transfers WHERE kind IN ('post', 'capture')"
        for side in ("debit", "credit")
    )
    misplaced = (
        "SELECT 1 FROM (SELECT number, previous, ROW_NUMBER() OVER place AS counted,"  # noqa: S608
        f" LAG(sequence, 1, 0) OVER place AS before FROM ({sides}) AS sides"
        " WINDOW place AS (PARTITION BY account ORDER BY sequence)) AS entries"
        " WHERE number IS NULL OR number <> counted OR previous IS NULL OR previous <> before LIMIT 1"
    )
    ensure(uow.row(misplaced) is None, "every entry names the one before it, and its number")
    marked = (
        f"SELECT (SELECT COUNT(*) FROM milestones), (SELECT SUM(entries / {MILESTONE}) FROM accounts),"  # noqa: S608
        f" (SELECT COUNT(*) FROM milestones m JOIN ({sides}) AS e ON e.account = m.account AND e.number = m.number"
        f" AND e.sequence = m.sequence AND e.at_ms = m.at_ms WHERE m.number % {MILESTONE} = 0)"
    )
    found = uow.row(marked) or (0, 0, 0)
    ensure(found[0] == (found[1] or 0) == found[2], "every so many entries of an account are a milestone")
    amiss = (
        "SELECT 1 FROM transfers t LEFT JOIN refused r ON r.id = t.id WHERE t.kind = 'refused' AND (r.id IS NULL"
        " OR t.debit <> 0 OR t.credit <> 0 OR t.amount_minor <> 0 OR t.code <> '' OR t.pending_id IS NOT NULL) LIMIT 1"
    )
    ensure(uow.row(amiss) is None, "what was refused moved nothing, and it is known what was asked")


def _carry_out_one(uow: UnitOfWork, step: Step, *, now_ms: int) -> Outcome:
    ((outcome,),) = carry_out(uow, (step,), now_ms=now_ms)
    if outcome == Refused(Refusal.ID_REUSED):
        raise IdReused("that id was used for another transfer: make a new one")
    return outcome


def _walk(uow: UnitOfWork, account: int, sequence: int, *, number: int, last: int) -> list[Row]:
    """
    Return the entries of an account from that number, which stands at `sequence`, down to the last.
    """
    return uow.rows(_WALK, *(sequence, number, account, last, account, account))
