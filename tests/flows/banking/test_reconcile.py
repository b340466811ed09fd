"""
Promise that every difference between bank and ledger is found by its name, to the cent, and that nothing else is.

A statement is drawn from a set of expected movements, and each kind of difference is planted in it at random.
"""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from handsel.bank.booking import BankOrder, Batch, Difference, OrderKind
from handsel.bank.iban import Iban
from handsel.bank.orders import Holder, block_id
from handsel.bank.reference import new_reference
from handsel.bank.statement import Movement, Statement
from handsel.flows.banking.accounts import at_bank, book, own_funds
from handsel.flows.banking.book_statement import book_in_turn
from handsel.flows.banking.explain_payment import refuse_order
from handsel.flows.banking.order_payments import WantedPayment, order_payments
from handsel.flows.banking.reconcile import Reconciliation, reconcile
from handsel.flows.issuing.book_statement import explain_movement, order_ended
from handsel.ids import new_id
from handsel.pay.account import settlement_account, wallet_account
from handsel.pay.money import Money
from handsel.store import issuer as wallets
from handsel.store import issuer_bank, ledger
from handsel.store.bank import BankTables
from handsel.store.database import Database
from handsel.store.issuer import open_issuer_database
from handsel.store.issuer_identity import Identities
from handsel.store.issuer_parties import SealedParties
from tests.bank.camt import OURS, THEIRS

PARTIES = SealedParties(Identities(bytes(32)))
NOW_MS = 1_800_000_000_000
DAY, LATE = "2027-01-20", "2027-03-01"  # Of the statements, and on which orders are due that are not overdue.
FUNDS_MINOR = 10**9
PLANTED = [kind for kind in Difference if kind is not Difference.BALANCE_DIFFERS]
Planted = Counter[tuple[Difference, int]]


class Books:
    """
    Hold an issuer's ledger, what is expected of its bank, and what is planted. Every amount is another.
    """

    def __init__(self, database: Database, generator: random.Random) -> None:
        self.database = database
        self.generator = generator
        self.names = count(1)
        self.amounts = count(100)
        self.first: list[Movement] = []
        self.second: list[Movement] = []
        self.planted: Planted = Counter()
        self.ordered = 0

    def wallet(self, books: BankTables, *, is_closed: bool = False) -> str:
        """
        Open a wallet, and return its reference.
        """
        wallet_id, reference = new_id(), new_reference(self.generator.randbytes)
        wallets.add_wallet(books.uow, wallet_id, key_digest=wallet_id.encode(), currency="EUR", now_ms=NOW_MS)
        ledger.open_account(books.uow, wallet_account(wallet_id, currency="EUR"), now_ms=NOW_MS)
        issuer_bank.add_reference(books.uow, reference, wallet_id=wallet_id, now_ms=NOW_MS)
        if is_closed:
            wallets.mark_wallet_closed(books.uow, wallet_id, now_ms=NOW_MS)
        return reference

    def orders(self, books: BankTables, number: int, *, due_on: str) -> tuple[BankOrder, ...]:
        """
        Order payments to acquirers, and return them.
        """
        if not number:
            return ()
        self.ordered += number
        batch = Batch(new_id(), OrderKind.SETTLEMENT, due_on, NOW_MS)
        wanted = []
        for place in range(number):
            account, money = settlement_account(f"a{place}-{batch.id[:8]}", currency="EUR"), self.money()
            book(books, "fund", new_id(), money, debit=at_bank("EUR"), credit=account, now_ms=NOW_MS)
            books.keep_party(batch.id, Holder("Example Acquirer", Iban(THEIRS)), now_ms=NOW_MS)
            wanted.append(WantedPayment(account.id, batch.id, money, "Settlement", account))
            back = own_funds("EUR")
            book(books, "unfund", new_id(), money, debit=back, credit=at_bank("EUR"), now_ms=NOW_MS)
        return order_payments(books, batch, wanted, block_id=block_id(batch.id, 0), now_ms=NOW_MS)

    def money(self) -> Money:
        return Money(next(self.amounts), "EUR")

    def comes(self, reference: str = "", **more: Any) -> Movement:
        plain = Movement(self.money(), True, DAY, f"bank-{next(self.names)}", reference=reference)
        return replace(plain, **more)

    def pays(self, order: BankOrder, **more: Any) -> Movement:
        plain = Movement(order.money, False, DAY, f"bank-{next(self.names)}", end_to_end_id=order.id)
        return replace(plain, **more)

    def plant(self, books: BankTables, kind: Difference) -> None:
        """
        Put one difference into the statements, or leave something out, and remember it.
        """
        if kind is Difference.MISSING_AT_BANK:
            (order,) = self.orders(books, 1, due_on=DAY[:-2] + "01")
            self.planted[kind, -order.money.amount_minor] += 1
            return
        movement = self._wrong(books, kind)
        place = self.second if kind in (Difference.DUPLICATE_ENTRY, Difference.ENTRY_CHANGED) else self.first
        place.append(movement)
        self.planted[kind, movement.change_minor] += 1

    def _wrong(self, books: BankTables, kind: Difference) -> Movement:
        if kind is Difference.NO_REFERENCE:
            return self.comes()
        if kind is Difference.UNKNOWN_REFERENCE:
            return self.comes(new_reference(self.generator.randbytes))
        if kind is Difference.WALLET_CLOSED:
            return self.comes(self.wallet(books, is_closed=True))
        if kind is Difference.REVERSAL_UNMATCHED:
            return self.comes(is_credit=False, is_reversal=True)
        if kind is Difference.MISSING_IN_LEDGER:
            return self.comes(is_credit=False)
        if kind in (Difference.DUPLICATE_ENTRY, Difference.ENTRY_CHANGED):
            stated = self.comes(self.wallet(books))
            self.first.append(stated)
            return stated if kind is Difference.DUPLICATE_ENTRY else replace(stated, money=self.money())
        (order,) = self.orders(books, 1, due_on=LATE)
        if kind is Difference.AMOUNT_DIFFERS:
            return self.pays(order, money=Money(order.money.amount_minor + 10**6, "EUR"))
        refuse_order(books, order, reason="AC04", ended=order_ended, now_ms=NOW_MS)
        return self.pays(order)

    def state(self, movements: list[Movement], name: str, opening: int) -> int:
        """
        Have a statement of these movements booked, and return what is at the bank then.
        """
        self.generator.shuffle(movements)
        closing = opening + sum(each.change_minor for each in movements)
        statement = Statement(name, Iban(OURS), "EUR", opening, closing, DAY, tuple(movements))
        with self.database.unit_of_work() as uow:
            book_in_turn(
                *(BankTables(uow, PARTIES), (statement,)),
                of=Iban(OURS),
                currency="EUR",
                explain=explain_movement,
                now_ms=NOW_MS,
            )
            uow.commit()
        return closing


def found_in(report: Reconciliation) -> Planted:
    lines = [*report.differences, *(line for each in report.statements for line in each.differences)]
    return Counter((line.name, line.amount_minor) for line in lines)


@given(
    expected=st.integers(0, 4),
    planted=st.lists(st.sampled_from(PLANTED), max_size=8),
    stray=st.sampled_from([0, 0, 0, 1, -7]),
    seed=st.integers(0, 2**32),
)
@settings(max_examples=20, deadline=None)
def test_each_planted_difference_is_found_and_nothing_else(
    expected: int, planted: list[Difference], stray: int, seed: int
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        database = open_issuer_database(Path(directory) / "issuer" / "ledger.sqlite")
        made = Books(database, random.Random(seed))  # noqa: S311
        opening = made.state([], "S-0", FUNDS_MINOR)
        with database.unit_of_work() as uow:
            books = BankTables(uow, PARTIES)
            made.first += [made.comes(made.wallet(books)) for _ in range(expected)]
            made.first += [made.pays(order) for order in made.orders(books, expected, due_on=DAY)]
            for kind in planted:
                made.plant(books, kind)
            uow.commit()
        closing = made.state(made.second, "S-2", made.state(made.first, "S-1", opening))
        with database.unit_of_work() as uow:
            books = BankTables(uow, PARTIES)
            if stray:
                money, ends = Money(abs(stray), "EUR"), (at_bank("EUR"), own_funds("EUR"))
                debit, credit = ends if stray > 0 else ends[::-1]
                book(books, "stray", new_id(), money, debit=debit, credit=credit, now_ms=NOW_MS)
                made.planted[Difference.BALANCE_DIFFERS, -stray] += 1
            report = reconcile(books, currency="EUR", expected=())
            ledger.audit(uow)
        database.close()

    assert found_in(report) == made.planted
    assert report.is_explained == (not made.planted)
    assert (report.bank_minor, report.ledger_minor) == (closing, closing + stray)
    assert sum(line.amount_minor for line in report.movements) == closing - FUNDS_MINOR
    assert sum(line.count for line in report.movements) == len(made.first) + len(made.second)
    assert sum(line.count for line in report.orders) == made.ordered
    for line in report.statements:
        left = sum(each.amount_minor for each in line.differences)
        assert line.opening_minor + line.matched_minor + left == line.closing_minor
