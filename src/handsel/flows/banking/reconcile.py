"""
Compare what the bank states with what the ledger expects, to the cent, and name each difference.

1. Of each statement: how far it was explained, and what of it was not and nobody has settled since.
2. What was ordered and is overdue: the bank states nothing of it.
3. The ledger's sum at the bank is that of the last statement.
"""

from __future__ import annotations

from datetime import date, timedelta

import msgspec

from handsel.bank.booking import BookedStatement, Difference, OrderKind, OrderState, Outcome
from handsel.flows.banking.accounts import at_bank, balance_minor
from handsel.store.bank import BankTables

OVERDUE_DAYS = 5  # After the day on which it is due: a weekend and two days of the bank's.
STATEMENTS_MAX = 400  # In one report, the newest: more than a year of days.


class DifferenceLine(msgspec.Struct, frozen=True):
    """
    Name one difference. `id` is the movement's, or the order's; the amount is below zero where money left.
    """

    id: str
    name: Difference
    amount_minor: int


class StatementLine(msgspec.Struct, frozen=True):
    """
    Show one statement: opening + matched + differences, settled or not, = closing.
    """

    bank_name: str
    opening_minor: int
    closing_minor: int
    matched: int
    matched_minor: int
    differences: tuple[DifferenceLine, ...]


class ExpectedLine(msgspec.Struct, frozen=True):
    """
    Show what is expected to come, or to leave, by what it is for.
    """

    name: str
    amount_minor: int


class MovementsLine(msgspec.Struct, frozen=True):
    """
    Show all movements that were taken for one thing: how many, and their sum, below zero where money left.
    """

    outcome: Outcome
    count: int
    amount_minor: int


class OrdersLine(msgspec.Struct, frozen=True):
    """
    Show all orders of one kind that stand alike: how many, and their sum.
    """

    kind: OrderKind
    state: OrderState
    count: int
    amount_minor: int


class Reconciliation(msgspec.Struct, frozen=True):
    """
    Show where bank and ledger stand, all in minor units of one currency.
    """

    currency: str
    bank_minor: int
    ledger_minor: int
    statements: tuple[StatementLine, ...]
    differences: tuple[DifferenceLine, ...]
    waiting: tuple[ExpectedLine, ...]
    expected: tuple[ExpectedLine, ...]
    movements: tuple[MovementsLine, ...] = ()
    orders: tuple[OrdersLine, ...] = ()

    @property
    def is_explained(self) -> bool:
        """
        Return whether there is no difference.
        """
        return not self.all_differences()

    def all_differences(self) -> tuple[DifferenceLine, ...]:
        """
        Return every difference, those of the statements first.
        """
        return (*(found for line in self.statements for found in line.differences), *self.differences)


def reconcile(books: BankTables, *, currency: str, expected: tuple[ExpectedLine, ...]) -> Reconciliation:
    """
    Return where bank and ledger stand. Nothing is changed.
    """
    statements = books.newest_statements(limit=STATEMENTS_MAX)
    newest = books.last_statement()
    bank_minor = newest.closing_minor if newest else 0
    ledger_minor = balance_minor(books, at_bank(currency))
    overall = list(_missing_at_bank(books, newest))
    if bank_minor != ledger_minor:
        overall.append(DifferenceLine("", Difference.BALANCE_DIFFERS, bank_minor - ledger_minor))
    return Reconciliation(
        currency=currency,
        bank_minor=bank_minor,
        ledger_minor=ledger_minor,
        statements=tuple(_line(books, statement) for statement in reversed(statements)),
        differences=tuple(overall),
        waiting=tuple(
            ExpectedLine(f"{each.id} {each.reason}", each.money.amount_minor) for each in books.open_suspense()
        ),
        expected=expected,
        movements=tuple(MovementsLine(*found) for found in books.count_movements()),
        orders=tuple(OrdersLine(*found) for found in books.count_orders()),
    )


def _line(books: BankTables, statement: BookedStatement) -> StatementLine:
    matched, matched_minor = books.matched_of(statement.id)
    return StatementLine(
        bank_name=statement.bank_name,
        opening_minor=statement.opening_minor,
        closing_minor=statement.closing_minor,
        matched=matched,
        matched_minor=matched_minor,
        differences=tuple(DifferenceLine(*found) for found in books.differences_of(statement.id)),
    )


def _missing_at_bank(books: BankTables, newest: BookedStatement | None) -> tuple[DifferenceLine, ...]:
    if newest is None:
        return ()
    due_before = (date.fromisoformat(newest.last_day) - timedelta(days=OVERDUE_DAYS)).isoformat()
    return tuple(
        DifferenceLine(order.id, Difference.MISSING_AT_BANK, _sign(order.kind.value) * order.money.amount_minor)
        for order in books.overdue_orders(due_before=due_before)
    )


def _sign(kind: str) -> int:
    return 1 if kind == "collection" else -1
