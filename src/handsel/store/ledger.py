"""
Keep the ledger: accounts, transfers, reservations and entries, in a party's own database.

What a transfer changes is decided in `pay.ledger`; here it is looked up and booked. Every function works within the
unit of work that it is given, and nothing counts until that is committed. A transfer's id is decided once, for ever:
the same id with the same contents has the same outcome, a refusal too, and with other contents raises `IdReused`.
"""

from __future__ import annotations

from dataclasses import dataclass

from handsel.errors import IdReused, InvariantBroken, ensure
from handsel.pay.account import Account, AccountState, Floor
from handsel.pay.ledger import (
    Booked,
    Capture,
    Decision,
    Entry,
    Pending,
    PendingState,
    Refusal,
    Refused,
    Release,
    Transfer,
    decide_capture,
    decide_expire,
    decide_post,
    decide_release,
    decide_reserve,
    derive_id,
)
from handsel.pay.money import Money
from handsel.store.database import Row, UnitOfWork, Value

ENTRIES_READ_MAX = 1000
EXPIRE_BATCH_MAX = 100
_DONE = "done"


@dataclass(frozen=True)
class Done:
    """
    Answer that a transfer was booked, now or when its id was first used.
    """


@dataclass(frozen=True, repr=False)
class BookedEntry:
    """
    Carry an entry as it stands in the ledger, with the balance that it left.

    `number` counts the entries of this account alone, from 1: whoever is shown it learns nothing of other accounts.
    """

    number: int
    transfer_id: str
    amount_minor: int
    currency: str
    code: str
    balance_after_minor: int
    at_ms: int


Outcome = Done | Refused


def open_account(uow: UnitOfWork, account: Account, *, now_ms: int) -> None:
    """
    Open an account, unless it is open already. Raises `IdReused` where its name stands for another kind of account.
    """
    state = account_state(uow, account.id)
    if state is None:
        uow.execute(
            "INSERT INTO accounts (id, currency, floor, opened_at_ms) VALUES (?, ?, ?, ?)",
            *(account.id, account.currency, account.floor.value, now_ms),
        )
    elif state.account != account:
        raise IdReused("an account of that name exists, of another kind")


def account_state(uow: UnitOfWork, account_id: str) -> AccountState | None:
    """
    Return what is on an account, or None where there is none of that name.
    """
    row = uow.row(
        "SELECT currency, floor, credits_posted, debits_posted, credits_pending, debits_pending, closed_at_ms"
        " FROM accounts WHERE id = ?",
        account_id,
    )
    if row is None:
        return None
    currency, floor, credits_posted, debits_posted, credits_pending, debits_pending, closed_at_ms = row
    return AccountState(
        Account(account_id, currency, Floor(floor)),
        credits_posted=credits_posted,
        debits_posted=debits_posted,
        credits_pending=credits_pending,
        debits_pending=debits_pending,
        is_closed=closed_at_ms is not None,
    )


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
    contents = _contents_of_transfer("post", transfer)
    earlier = _earlier_outcome(uow, transfer.id, contents)
    if earlier is not None:
        return earlier
    debit, credit = account_state(uow, transfer.debit), account_state(uow, transfer.credit)
    decision = decide_post(transfer, debit=debit, credit=credit)
    return _book(uow, _Step(transfer.id, contents, transfer, now_ms), decision)


def reserve(uow: UnitOfWork, transfer: Transfer, *, expires_at_ms: int, now_ms: int) -> Outcome:
    """
    Reserve the sum of a transfer until `expires_at_ms`; when the same id comes again, its first time limit stands.
    """
    contents = _contents_of_transfer("reserve", transfer)
    earlier = _earlier_outcome(uow, transfer.id, contents)
    if earlier is not None:
        return earlier
    debit, credit = account_state(uow, transfer.debit), account_state(uow, transfer.credit)
    decision = decide_reserve(transfer, debit=debit, credit=credit)
    outcome = _book(uow, _Step(transfer.id, contents, transfer, now_ms), decision)
    if isinstance(outcome, Done):
        uow.execute("INSERT INTO pending VALUES (?, ?, ?)", transfer.id, PendingState.HELD.value, expires_at_ms)
    return outcome


def capture(uow: UnitOfWork, wanted: Capture, *, now_ms: int) -> Outcome:
    """
    Book a reservation, the whole or a part; the rest is released.
    """
    money = wanted.money
    contents = ("capture", None, None, money.amount_minor, money.currency, None, wanted.pending_id)
    earlier = _earlier_outcome(uow, wanted.id, contents)
    if earlier is not None:
        return earlier
    pending = pending_of(uow, wanted.pending_id)
    debit = account_state(uow, pending.transfer.debit) if pending else None
    credit = account_state(uow, pending.transfer.credit) if pending else None
    decision = decide_capture(wanted, pending=pending, debit=debit, credit=credit, now_ms=now_ms)
    step = _Step(wanted.id, contents, pending.transfer if pending else None, now_ms)
    return _end(uow, step, decision, PendingState.CAPTURED)


def release(uow: UnitOfWork, wanted: Release, *, now_ms: int) -> Outcome:
    """
    Give a reservation back.
    """
    contents = ("release", None, None, None, None, None, wanted.pending_id)
    earlier = _earlier_outcome(uow, wanted.id, contents)
    if earlier is not None:
        return earlier
    pending = pending_of(uow, wanted.pending_id)
    step = _Step(wanted.id, contents, pending.transfer if pending else None, now_ms)
    return _end(uow, step, decide_release(pending), PendingState.RELEASED)


def expire(uow: UnitOfWork, *, now_ms: int) -> tuple[str, ...]:
    """
    Give back the reservations whose time is over, at most `EXPIRE_BATCH_MAX` of them, and return their ids.
    """
    due = uow.rows(
        "SELECT transfer_id FROM pending WHERE state = 'held' AND expires_at_ms <= ? ORDER BY expires_at_ms LIMIT ?",
        *(now_ms, EXPIRE_BATCH_MAX),
    )
    for (pending_id,) in due:
        pending = pending_of(uow, pending_id)
        contents = ("expire", None, None, None, None, None, pending_id)
        decision = decide_expire(pending, now_ms=now_ms)
        step = _Step(derive_id("expire", pending_id), contents, pending.transfer if pending else None, now_ms)
        outcome = _end(uow, step, decision, PendingState.EXPIRED)
        ensure(isinstance(outcome, Done), "a reservation whose time is over can be given back")
    return tuple(pending_id for (pending_id,) in due)


def pending_of(uow: UnitOfWork, pending_id: str) -> Pending | None:
    """
    Return a reservation and where it stands, or None.
    """
    row = uow.row(
        "SELECT t.debit, t.credit, t.amount_minor, t.currency, t.code, p.state, p.expires_at_ms"
        " FROM pending p JOIN transfers t ON t.id = p.transfer_id WHERE p.transfer_id = ?",
        pending_id,
    )
    if row is None:
        return None
    debit, credit, amount_minor, currency, code, state, expires_at_ms = row
    transfer = Transfer(pending_id, debit, credit, Money(amount_minor, currency), code)
    return Pending(transfer, PendingState(state), expires_at_ms)


def entries_of(
    uow: UnitOfWork, account_id: str, *, before_number: int | None = None, limit: int = 100
) -> tuple[BookedEntry, ...]:
    """
    Return the entries of an account, newest first: at most `limit`, all older than `before_number` if that is given.
    """
    ensure(0 < limit <= ENTRIES_READ_MAX, "entries are read page by page")
    rows = uow.rows(
        "SELECT number, transfer_id, amount_minor, currency, code, balance_after_minor, at_ms FROM"
        " (SELECT ROW_NUMBER() OVER (ORDER BY sequence) AS number, * FROM entries WHERE account_id = ?)"
        " WHERE number < ? ORDER BY number DESC LIMIT ?",
        *(account_id, before_number if before_number is not None else 2**62, limit),
    )
    return tuple(BookedEntry(*row) for row in rows)


def audit(uow: UnitOfWork) -> None:
    """
    Recompute the whole ledger from its entries and reservations. Raises `InvariantBroken` where anything differs.
    """
    unbalanced = "SELECT 1 FROM entries GROUP BY transfer_id, currency HAVING SUM(amount_minor) <> 0 LIMIT 1"
    ensure(uow.row(unbalanced) is None, "the entries of every transfer sum to zero")
    differing = (
        "SELECT 1 FROM accounts a WHERE a.credits_posted - a.debits_posted <>"
        " (SELECT COALESCE(SUM(amount_minor), 0) FROM entries WHERE account_id = a.id) LIMIT 1"
    )
    ensure(uow.row(differing) is None, "the balance of every account is the sum of its entries")
    unreserved = (
        "SELECT 1 FROM accounts a WHERE a.debits_pending <> (SELECT COALESCE(SUM(t.amount_minor), 0)"
        " FROM pending p JOIN transfers t ON t.id = p.transfer_id WHERE p.state = 'held' AND t.debit = a.id)"
        " OR a.credits_pending <> (SELECT COALESCE(SUM(t.amount_minor), 0)"
        " FROM pending p JOIN transfers t ON t.id = p.transfer_id WHERE p.state = 'held' AND t.credit = a.id) LIMIT 1"
    )
    ensure(uow.row(unreserved) is None, "what an account has reserved is the sum of its reservations")


@dataclass(frozen=True, repr=False)
class _Step:
    id: str
    contents: tuple[Value, ...]
    transfer: Transfer | None
    now_ms: int


def _contents_of_transfer(kind: str, transfer: Transfer) -> tuple[Value, ...]:
    money = transfer.money
    return (kind, transfer.debit, transfer.credit, money.amount_minor, money.currency, transfer.code, None)


def _earlier_outcome(uow: UnitOfWork, transfer_id: str, contents: tuple[Value, ...]) -> Outcome | None:
    row = uow.row(
        "SELECT kind, debit, credit, amount_minor, currency, code, pending_id, outcome FROM transfers WHERE id = ?",
        transfer_id,
    )
    if row is None:
        return None
    if row[:-1] != contents:
        raise IdReused("that id was used for another transfer: make a new one")
    return Done() if row[-1] == _DONE else Refused(Refusal(row[-1]))


def _end(uow: UnitOfWork, step: _Step, decision: Decision, state: PendingState) -> Outcome:
    outcome = _book(uow, step, decision)
    if isinstance(outcome, Done) and step.transfer is not None:
        changed = uow.execute(
            "UPDATE pending SET state = ? WHERE transfer_id = ? AND state = 'held'", state.value, step.transfer.id
        )
        ensure(changed == 1, "a reservation ends once")
    return outcome


def _book(uow: UnitOfWork, step: _Step, decision: Decision) -> Outcome:
    _watch(uow)
    outcome = decision.refusal.value if isinstance(decision, Refused) else _DONE
    uow.execute(
        "INSERT INTO transfers (id, kind, debit, credit, amount_minor, currency, code, pending_id, outcome, at_ms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        *(step.id, *step.contents, outcome, step.now_ms),
    )
    if isinstance(decision, Refused):
        return decision
    if step.transfer is None:
        raise InvariantBroken("what is booked has two accounts")
    _reserve_on_accounts(uow, step.transfer, decision)
    for entry in decision.entries:
        _write_entry(uow, step, step.transfer, entry)
    return Done()


def _reserve_on_accounts(uow: UnitOfWork, transfer: Transfer, decision: Booked) -> None:
    if decision.pending_change_minor == 0:
        return
    change = decision.pending_change_minor
    debited = uow.execute(
        "UPDATE accounts SET debits_pending = debits_pending + ? WHERE id = ?", change, transfer.debit
    )
    credited = uow.execute(
        "UPDATE accounts SET credits_pending = credits_pending + ? WHERE id = ?", change, transfer.credit
    )
    ensure(debited == 1 and credited == 1, "a reservation stands on two accounts")


def _write_entry(uow: UnitOfWork, step: _Step, transfer: Transfer, entry: Entry) -> None:
    changed = uow.execute(
        "UPDATE accounts SET credits_posted = credits_posted + MAX(?, 0), debits_posted = debits_posted + MAX(?, 0)"
        " WHERE id = ?",
        *(entry.amount_minor, -entry.amount_minor, entry.account_id),
    )
    ensure(changed == 1, "an entry stands on one account")
    uow.execute(
        "INSERT INTO entries (transfer_id, account_id, amount_minor, currency, code, balance_after_minor, at_ms)"
        " SELECT ?, id, ?, currency, ?, credits_posted - debits_posted, ? FROM accounts WHERE id = ?",
        *(step.id, entry.amount_minor, transfer.code, step.now_ms, entry.account_id),
    )


def _watch(uow: UnitOfWork) -> None:
    """
    Have the entries of this unit of work checked when it is committed.
    """
    if uow.is_checked("ledger"):
        return
    row = uow.row("SELECT COALESCE(MAX(sequence), 0) FROM entries")
    ensure(row is not None, "the ledger has a last entry, or none")
    last = row[0] if row is not None else 0
    uow.check_at_commit("ledger", lambda: _ensure_conserved(uow, after=last))


def _ensure_conserved(uow: UnitOfWork, *, after: int) -> None:
    rows: list[Row] = uow.rows(
        "SELECT e.transfer_id, e.account_id, e.amount_minor, e.currency, e.balance_after_minor, a.currency,"
        " a.credits_posted - a.debits_posted, a.debits_pending, a.floor"
        " FROM entries e JOIN accounts a ON a.id = e.account_id WHERE e.sequence > ? ORDER BY e.sequence",
        after,
    )
    sums: dict[tuple[str, str], int] = {}
    last_balances: dict[str, tuple[int, int]] = {}
    for transfer_id, account_id, amount, currency, left, account_currency, balance, reserved, floor in rows:
        ensure(currency == account_currency, "an entry is in the currency of its account")
        ensure(floor == Floor.NONE.value or balance >= reserved, "an account with a floor is never below zero")
        sums[transfer_id, currency] = sums.get((transfer_id, currency), 0) + amount
        last_balances[account_id] = (left, balance)
    ensure(not any(sums.values()), "the entries that are written sum to zero")
    ensure(all(left == balance for left, balance in last_balances.values()), "balances follow from the entries")
