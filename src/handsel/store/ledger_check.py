"""
Check at every commit that no money was made or lost, by what the database holds and not by what was to be written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from handsel.errors import InvariantBroken, ensure
from handsel.pay.running import Running
from handsel.store.database import LEDGER_CHECK, UnitOfWork

# A range with two ends is looked up in the index, also where PostgreSQL has no statistics yet; one with one end is a
# third of all rows to it.
SEQUENCE_MAX = 2**62

# The sums are made here: both databases sort to group, which takes longer than to hand the rows over.
_BOOKED = (
    "SELECT debit, credit, amount_minor, CASE WHEN amount_minor > 0 AND debit <> credit AND length(id) = 16"
    " AND debit_balance_minor IS NOT NULL AND credit_balance_minor IS NOT NULL THEN 0 ELSE 1 END"
    " FROM transfers WHERE sequence > ? AND sequence < ? AND kind IN ('post', 'capture')"
)


class LedgerCheck:
    """
    Remember how a unit of work found the ledger, and compare that with how it leaves it.

    1. What was booked, by account, is what the accounts have changed by: every debit and every credit, and no other.
    2. In each currency, debits equal credits.

    3. Every entry has an amount, two accounts and the balances that it leaves.

    That no account with a floor is below zero, and that a transfer has one amount for both its sides, is kept by the
    schema.
    """

    def __init__(self, uow: UnitOfWork) -> None:
        row = uow.row("SELECT sequence, at_ms FROM transfers ORDER BY sequence DESC LIMIT 1")
        self.sequence, self.at_ms = (int(row[0]), int(row[1])) if row else (0, 0)
        self._uow = uow
        self._first = self.sequence
        self._before: dict[int, tuple[int, int]] = {}

    def expect(self, accounts: Iterable[Running]) -> None:
        """
        Remember what is on accounts before the first step that may change them.
        """
        before = self._before
        for account in accounts:
            if account.number not in before:
                before[account.number] = (account.credits_posted, account.debits_posted)

    def __call__(self) -> None:
        """
        Make the check. Raises `InvariantBroken`.
        """
        debited, credited = self._booked()
        before = self._before
        ensure(
            before.keys() >= credited.keys() | debited.keys(), "what is booked stands on accounts that were looked at"
        )
        sums: dict[str, int] = defaultdict(int)
        rows = self._uow.rows_in(
            "SELECT number, currency, credits_posted, debits_posted FROM accounts WHERE number IN (?)", list(before)
        )
        ensure(len(rows) == len(before), "accounts are kept")
        for number, currency, credits_posted, debits_posted in rows:
            credits_before, debits_before = before[number]
            credit, debit = credited.get(number, 0), debited.get(number, 0)
            if credits_posted != credits_before + credit or debits_posted != debits_before + debit:
                raise InvariantBroken("balances follow from the entries")
            sums[currency] += credit - debit
        ensure(not any(sums.values()), "the entries that are written sum to zero")

    def _booked(self) -> tuple[dict[int, int], dict[int, int]]:
        """
        Return what was debited from each account and credited to each, by their numbers.
        """
        debited: dict[int, int] = defaultdict(int)
        credited: dict[int, int] = defaultdict(int)
        rows = self._uow.rows(_BOOKED, self._first, SEQUENCE_MAX)
        ensure(not any(wrong for _, _, _, wrong in rows), "an entry has an amount and two accounts")
        for debit, credit, amount_minor, _ in rows:
            debited[debit] += amount_minor
            credited[credit] += amount_minor
        return debited, credited


def ledger_check(uow: UnitOfWork) -> LedgerCheck:
    """
    Return the check that this unit of work will make of the ledger.
    """
    check = uow.check_named(LEDGER_CHECK)
    if not isinstance(check, LedgerCheck):
        check = LedgerCheck(uow)
        uow.check_at_commit(LEDGER_CHECK, check)
    return check
