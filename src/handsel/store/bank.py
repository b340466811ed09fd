"""
Keep what a party does with its bank: statements, movements, orders, differences and money that is nobody's.

Every method works within the unit of work that it is given. Nothing here decides: the flows do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from handsel.bank.booking import (
    BankOrder,
    Batch,
    BookedMovement,
    BookedStatement,
    Difference,
    OrderKind,
    OrderState,
    Outcome,
    Suspended,
    SuspenseState,
)
from handsel.bank.orders import ORDERS_MAX, Holder
from handsel.errors import ensure
from handsel.pay.money import Money
from handsel.store.bank_parties import Parties
from handsel.store.database import UnitOfWork
from handsel.store.engine import Row

STATEMENTS_READ_MAX = 1000
DIFFERENCES_READ_MAX = 10_000
SUSPENSE_READ_MAX = 10_000

_ORDER = (
    "SELECT id, batch_id, position, block_id, kind, subject, party_id, amount_minor, currency, text, due_on, state,"
    " reason FROM bank_orders"
)
_ENTRY = (
    "SELECT id, statement_id, digest, change_minor, end_to_end_id, reference, outcome, subject, party_id"
    " FROM bank_entries"
)
_STATEMENT = (
    "SELECT id, bank_name, digest, opening_minor, closing_minor, currency, last_day, closed_on, is_late"
    " FROM bank_statements"
)
_SUSPENDED = "SELECT id, reason, party_id, amount_minor, currency, state FROM bank_suspense"


class BankTables:
    """
    Keep the dealings with the bank within one unit of work. `parties` keeps whose accounts they are with.
    """

    def __init__(self, uow: UnitOfWork, parties: Parties) -> None:
        self.uow = uow
        self._parties = parties

    def add_batch(self, batch: Batch, orders: Sequence[BankOrder], *, now_ms: int) -> None:
        """
        Keep what a file is made of, before it is written.
        """
        self.uow.execute(
            "INSERT INTO bank_batches (id, kind, due_on, made_ms) VALUES (?, ?, ?, ?)",
            *(batch.id, batch.kind.value, batch.due_on, batch.made_ms),
        )
        columns = ("id", "batch_id", "position", "block_id", "kind", "subject", "party_id", "amount_minor", "currency")
        self.uow.insert_many(
            "bank_orders",
            (*columns, "text", "due_on", "state", "reason", "changed_ms"),
            [
                (
                    *(each.id, batch.id, each.position, each.block_id, each.kind.value, each.subject, each.party_id),
                    *(each.money.amount_minor, each.money.currency, each.text, each.due_on, each.state.value),
                    *(each.reason, now_ms),
                )
                for each in orders
            ],
        )

    def find_batch(self, batch_id: str) -> Batch | None:
        """
        Return what a file was made of, or None.
        """
        row = self.uow.row("SELECT id, kind, due_on, made_ms FROM bank_batches WHERE id = ?", batch_id)
        return Batch(row[0], OrderKind(row[1]), row[2], row[3]) if row else None

    def orders_of(self, batch_id: str) -> tuple[BankOrder, ...]:
        """
        Return the orders of a file, in its order.
        """
        rows = self.uow.rows(f"{_ORDER} WHERE batch_id = ? ORDER BY position LIMIT ?", batch_id, ORDERS_MAX)
        return tuple(map(_order, rows))

    def orders_of_block(self, block_id: str) -> tuple[BankOrder, ...]:
        """
        Return the orders of one block of a file.
        """
        rows = self.uow.rows(f"{_ORDER} WHERE block_id = ? ORDER BY position LIMIT ?", block_id, ORDERS_MAX)
        return tuple(map(_order, rows))

    def orders_for(self, subject: str, *, limit: int) -> tuple[BankOrder, ...]:
        """
        Return what was ordered for a subject, newest first.
        """
        rows = self.uow.rows(f"{_ORDER} WHERE subject = ? ORDER BY due_on DESC, id LIMIT ?", subject, limit)
        return tuple(map(_order, rows))

    def find_order(self, order_id: str) -> BankOrder | None:
        """
        Return an order, or None.
        """
        row = self.uow.row(f"{_ORDER} WHERE id = ?", order_id)
        return _order(row) if row else None

    def overdue_orders(self, *, due_before: str) -> tuple[BankOrder, ...]:
        """
        Return the orders of which the bank has stated nothing, though they were due before a day.
        """
        rows = self.uow.rows(
            f"{_ORDER} WHERE state = 'ordered' AND due_on < ? ORDER BY batch_id, position LIMIT ?",
            *(due_before, DIFFERENCES_READ_MAX),
        )
        return tuple(map(_order, rows))

    def count_orders(self) -> tuple[tuple[OrderKind, OrderState, int, int], ...]:
        """
        Return how many orders of each kind stand where, and what they add up to.
        """
        rows = self.uow.rows(
            "SELECT kind, state, COUNT(*), SUM(amount_minor) FROM bank_orders GROUP BY kind, state ORDER BY kind, state"
        )
        return tuple((OrderKind(kind), OrderState(state), int(count), int(sum_)) for kind, state, count, sum_ in rows)

    def end_order(self, order: BankOrder, state: OrderState, *, reason: str = "", now_ms: int) -> None:
        """
        Keep what became of an order.
        """
        changed = self.uow.execute(
            "UPDATE bank_orders SET state = ?, reason = ?, changed_ms = ? WHERE id = ? AND state = ?",
            *(state.value, reason, now_ms, order.id, order.state.value),
        )
        ensure(changed == 1, "an order is where it was found")

    def add_statement(self, statement: BookedStatement, *, now_ms: int) -> None:
        """
        Keep a statement.
        """
        self.uow.execute(
            "INSERT INTO bank_statements"
            " (id, bank_name, digest, opening_minor, closing_minor, currency, last_day, closed_on, is_late, booked_ms)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *(statement.id, statement.bank_name, statement.digest, statement.opening_minor, statement.closing_minor),
            *(statement.currency, statement.last_day, statement.closed_on, int(statement.is_late)),
            now_ms,
        )

    def find_statement(self, statement_id: str) -> BookedStatement | None:
        """
        Return a statement, or None.
        """
        row = self.uow.row(f"{_STATEMENT} WHERE id = ?", statement_id)
        return _statement(row) if row else None

    def last_statement(self) -> BookedStatement | None:
        """
        Return the statement after which the next one begins, or None.
        """
        row = self.uow.row(f"{_STATEMENT} WHERE is_late = 0 ORDER BY number DESC LIMIT 1")
        return _statement(row) if row else None

    def stood_at(self, balance_minor: int, *, day: str) -> bool:
        """
        Return whether a statement of that day, or of the last one before of which there is any, has ended there.
        """
        row = self.uow.row(
            "SELECT 1 FROM bank_statements WHERE closing_minor = ? AND closed_on <= ? AND closed_on >="
            " COALESCE((SELECT MAX(closed_on) FROM bank_statements WHERE closed_on < ?), '') LIMIT 1",
            *(balance_minor, day, day),
        )
        return row is not None

    def newest_statements(self, *, limit: int = STATEMENTS_READ_MAX) -> tuple[BookedStatement, ...]:
        """
        Return statements, the newest first.
        """
        rows = self.uow.rows(f"{_STATEMENT} ORDER BY number DESC LIMIT ?", limit)
        return tuple(map(_statement, rows))

    def add_entry(self, entry: BookedMovement) -> None:
        """
        Keep a movement.
        """
        self.uow.execute(
            "INSERT INTO bank_entries (id, statement_id, digest, change_minor, end_to_end_id, reference, outcome,"
            " subject, party_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *(entry.id, entry.statement_id, entry.digest, entry.change_minor, entry.end_to_end_id, entry.reference),
            *(entry.outcome.value, entry.subject, entry.party_id),
        )

    def find_entry(self, entry_id: str) -> BookedMovement | None:
        """
        Return a movement, or None.
        """
        row = self.uow.row(f"{_ENTRY} WHERE id = ?", entry_id)
        return _entry(row) if row else None

    def has_entry_elsewhere(self, digest: bytes, *, statement_id: str) -> bool:
        """
        Return whether another statement has a movement of the same contents.
        """
        sql = "SELECT 1 FROM bank_entries WHERE digest = ? AND statement_id <> ? LIMIT 1"
        return self.uow.row(sql, digest, statement_id) is not None

    def give_entry(self, entry_id: str, *, subject: str) -> None:
        """
        Keep whose a movement is, after somebody has said so.
        """
        self.uow.execute("UPDATE bank_entries SET subject = ? WHERE id = ?", subject, entry_id)

    def entries_of_subject(self, subject: str, *, limit: int) -> tuple[BookedMovement, ...]:
        """
        Return the movements that were taken for a subject's, the newest first.
        """
        rows = self.uow.rows(f"{_ENTRY} WHERE subject = ? ORDER BY number DESC LIMIT ?", subject, limit)
        return tuple(map(_entry, rows))

    def find_reversible(self, *, change_minor: int, end_to_end_id: str, reference: str) -> BookedMovement | None:
        """
        Return the newest movement of that amount and those names that was not taken back, or None.
        """
        row = self.uow.row(
            f"{_ENTRY} WHERE end_to_end_id = ? AND reference = ? AND change_minor = ? AND is_taken_back = 0"
            " AND outcome IN ('top_up', 'suspense') ORDER BY number DESC LIMIT 1",
            *(end_to_end_id, reference, change_minor),
        )
        return _entry(row) if row else None

    def mark_taken_back(self, entry_id: str) -> None:
        """
        Keep that the bank has taken a movement back.
        """
        self.uow.execute("UPDATE bank_entries SET is_taken_back = 1 WHERE id = ?", entry_id)

    def matched_of(self, statement_id: str) -> tuple[int, int]:
        """
        Return how many movements of a statement were explained, and what they add up to.
        """
        row = self.uow.row(
            "SELECT COUNT(*), COALESCE(SUM(change_minor), 0) FROM bank_entries"
            " WHERE statement_id = ? AND outcome NOT IN ('suspense', 'unexplained')",
            statement_id,
        )
        return (int(row[0]), int(row[1])) if row else (0, 0)

    def count_movements(self) -> tuple[tuple[Outcome, int, int], ...]:
        """
        Return how many movements were taken for what, and what they add up to.
        """
        rows = self.uow.rows(
            "SELECT outcome, COUNT(*), SUM(change_minor) FROM bank_entries GROUP BY outcome ORDER BY outcome"
        )
        return tuple((Outcome(outcome), int(count), int(sum_)) for outcome, count, sum_ in rows)

    def add_difference(self, entry: BookedMovement, kind: Difference) -> None:
        """
        Keep that a movement could not be explained.
        """
        self.uow.execute(
            "INSERT INTO bank_differences (entry_id, statement_id, kind, amount_minor) VALUES (?, ?, ?, ?)",
            *(entry.id, entry.statement_id, kind.value, entry.change_minor),
        )

    def differences_of(self, statement_id: str) -> tuple[tuple[str, Difference, int], ...]:
        """
        Return the differences of a statement that nobody has settled: entry, name and amount.
        """
        rows = self.uow.rows(
            "SELECT entry_id, kind, amount_minor FROM bank_differences WHERE statement_id = ? AND settled_ms IS NULL"
            " ORDER BY entry_id LIMIT ?",
            *(statement_id, DIFFERENCES_READ_MAX),
        )
        return tuple((entry_id, Difference(kind), amount_minor) for entry_id, kind, amount_minor in rows)

    def find_difference(self, entry_id: str) -> tuple[Difference, int] | None:
        """
        Return the difference that a movement is, while it is not settled: name and amount.
        """
        row = self.uow.row(
            "SELECT kind, amount_minor FROM bank_differences WHERE entry_id = ? AND settled_ms IS NULL", entry_id
        )
        return (Difference(row[0]), int(row[1])) if row else None

    def settle_difference(self, entry_id: str, *, now_ms: int) -> None:
        """
        Keep that a difference was settled, if there is one.
        """
        self.uow.execute(
            "UPDATE bank_differences SET settled_ms = ? WHERE entry_id = ? AND settled_ms IS NULL", now_ms, entry_id
        )

    def reopen_difference(self, entry_id: str) -> None:
        """
        Keep that a difference is one again, if there was one.
        """
        self.uow.execute("UPDATE bank_differences SET settled_ms = NULL WHERE entry_id = ?", entry_id)

    def suspend(self, money: Suspended, *, now_ms: int) -> None:
        """
        Keep money that is nobody's.
        """
        self.uow.execute(
            "INSERT INTO bank_suspense (id, reason, party_id, amount_minor, currency, state, since_ms)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            *(money.id, money.reason, money.party_id, money.money.amount_minor, money.money.currency),
            *(money.state.value, now_ms),
        )

    def find_suspended(self, suspense_id: str) -> Suspended | None:
        """
        Return money that was nobody's, or None.
        """
        row = self.uow.row(f"{_SUSPENDED} WHERE id = ?", suspense_id)
        return self._with_holders([row])[0] if row else None

    def open_suspense(self) -> tuple[Suspended, ...]:
        """
        Return the money of which nobody has said whose it is, the oldest first.
        """
        rows = self.uow.rows(f"{_SUSPENDED} WHERE state = 'open' ORDER BY number LIMIT ?", SUSPENSE_READ_MAX)
        return self._with_holders(rows)

    def move_suspended(self, suspense_id: str, *, was: SuspenseState, to: SuspenseState) -> None:
        """
        Keep where money stands that was nobody's.
        """
        changed = self.uow.execute(
            "UPDATE bank_suspense SET state = ? WHERE id = ? AND state = ?", to.value, suspense_id, was.value
        )
        ensure(changed == 1, "money that is nobody's is where it was found")

    def keep_party(self, party_id: str, holder: Holder, *, now_ms: int) -> None:
        """
        Keep an account of somebody with whom there are dealings.
        """
        self._parties.keep(self.uow, party_id, holder, now_ms=now_ms)

    def keep_sender(self, party_id: str, holder: Holder, *, now_ms: int) -> None:
        """
        Keep an account from which money came that is nobody's.
        """
        self._parties.keep_sender(self.uow, party_id, holder, now_ms=now_ms)

    def find_party(self, party_id: str) -> Holder | None:
        """
        Return an account and its holder, or None.
        """
        return self.find_parties((party_id,)).get(party_id)

    def find_parties(self, party_ids: Sequence[str]) -> dict[str, Holder]:
        """
        Return the accounts of those ids that there are.
        """
        return self._parties.find(self.uow, party_ids)

    def _with_holders(self, rows: Sequence[Row]) -> tuple[Suspended, ...]:
        holders = self.find_parties([row[2] for row in rows if row[2] is not None])
        return tuple(
            Suspended(
                *(row[0], row[1], row[2], Money(row[3], row[4]), SuspenseState(row[5])), holder=holders.get(row[2])
            )
            for row in rows
        )


def _statement(row: tuple[Any, ...]) -> BookedStatement:
    statement_id, bank_name, digest, opening_minor, closing_minor, currency, last_day, closed_on, is_late = row
    return BookedStatement(
        *(statement_id, bank_name, digest, opening_minor, closing_minor),
        *(currency, last_day, closed_on, bool(is_late)),
    )


def _order(row: Row) -> BankOrder:
    order_id, batch_id, position, block_id, kind, subject, party_id, amount_minor, currency, text, due_on = row[:-2]
    state, reason = row[-2:]
    money = Money(amount_minor, currency)
    return BankOrder(
        *(order_id, batch_id, position, block_id, OrderKind(kind), subject, party_id, money, text, due_on),
        OrderState(state),
        reason,
    )


def _entry(row: Row) -> BookedMovement:
    entry_id, statement_id, digest, change_minor, end_to_end_id, reference, outcome, subject, party_id = row
    return BookedMovement(
        *(entry_id, statement_id, digest, change_minor, end_to_end_id, reference, Outcome(outcome), subject, party_id)
    )
