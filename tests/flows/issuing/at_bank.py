"""
Give the issuer of a scene an account at a bank, whose statements follow one another.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

from handsel.bank.iban import Iban
from handsel.bank.orders import Holder, OwnAccount
from handsel.bank.read_statement import read_statements
from handsel.bank.statement import Movement, Party
from handsel.flows.banking.accounts import at_bank, balance_minor, suspense
from handsel.flows.banking.book_statement import Booked
from handsel.flows.banking.reconcile import Reconciliation, reconcile
from handsel.flows.issuing.book_statement import book_statements
from handsel.flows.issuing.fill_wallet import receivable
from handsel.flows.issuing.issuer import books_of
from handsel.pay.account import Account
from handsel.pay.money import Money
from handsel.store import ledger
from handsel.store.bank import BankTables
from handsel.store.database import UnitOfWork
from tests.bank.camt import OURS, THEIRS, camt
from tests.flows.issuing.scene import Scene

OWN = OwnAccount(Holder("Example Bank", Iban(OURS)), "COBADEFFXXX", "DE98ZZZ09999999999")
ANN = Party("Ann", Iban(THEIRS))


class AtBank:
    """
    Hold the issuer's account. `say` has the bank state movements, and the issuer book them.
    """

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        scene.issuer = replace(scene.issuer, bank=OWN)
        self.balance_minor = 0
        self.last = b""
        self._numbers = count(1)

    @property
    def today(self) -> date:
        return datetime.fromtimestamp(self.scene.now_ms / 1000, tz=UTC).date()

    def due(self, days: int = 1) -> date:
        return self.today + timedelta(days=days)

    def comes(self, minor: int, reference: str = "", **more: Any) -> Movement:
        """
        Return money that comes, under a new name of the bank's.
        """
        return self._movement(minor, reference=reference, is_credit=True, **more)

    def leaves(self, minor: int, **more: Any) -> Movement:
        """
        Return money that leaves.
        """
        return self._movement(minor, is_credit=False, **more)

    def _movement(self, minor: int, **more: Any) -> Movement:
        plain = Movement(Money(minor, "EUR"), True, self.today.isoformat(), f"bank-{next(self._numbers)}", party=ANN)
        return replace(plain, **more)

    def say(self, *movements: Movement) -> Booked:
        """
        Write the next statement, and have it booked. The ledger has the bank's sum after it.
        """
        self.last = camt(movements, name=f"S-{next(self._numbers)}", opening=self.balance_minor)
        (booked,) = self.book(self.last)
        self.balance_minor += sum(movement.change_minor for movement in movements)
        assert self.minor(at_bank("EUR")) == self.balance_minor
        with self.scene.issuer.database.unit_of_work() as uow:
            ledger.audit(uow)
        return booked

    def book(self, raw: bytes) -> tuple[Booked, ...]:
        return book_statements(self.scene.issuer, read_statements(raw))

    def minor(self, account: Account) -> int:
        with self.scene.issuer.database.unit_of_work() as uow:
            return balance_minor(self.tables(uow), account)

    def tables(self, uow: UnitOfWork) -> BankTables:
        return books_of(self.scene.issuer, uow)

    def suspense_minor(self) -> int:
        return self.minor(suspense("EUR"))

    def owed_minor(self, wallet_id: str) -> int:
        return self.minor(receivable(wallet_id, currency="EUR"))

    def reconcile(self) -> Reconciliation:
        with self.scene.issuer.database.unit_of_work() as uow:
            return reconcile(self.tables(uow), currency="EUR", expected=())

    def waiting(self) -> tuple[str, ...]:
        """
        Return the ids of the money that is nobody's.
        """
        with self.scene.issuer.database.unit_of_work() as uow:
            return tuple(each.id for each in self.tables(uow).open_suspense())
