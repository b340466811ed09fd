"""
Know what is true of money at a bank: the part of `truth.py` that compares what the bank has moved with what is booked.

Once all statements are booked:

1. What a ledger has at the bank is what the bank has, to the cent.
2. A wallet has had from the bank what was sent to it and collected for it, less what went back, once each.
3. What nobody could explain stands under its name: money that came on `suspense`, money that left on `unexplained`.
4. A merchant was paid out what the bank has paid to it and not sent back.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from handsel.bank.booking import Difference, OrderKind
from handsel.bank.iban import Iban
from handsel.flows.banking.reconcile import Reconciliation, reconcile
from handsel.flows.issuing.issuer import books_of

if TYPE_CHECKING:
    from tests.simulation.disk import Disk
    from tests.simulation.truth import Truth

AT_BANK = "bank:EUR"


class Banked:
    """
    Hold what the bank has moved, and what was booked of it.
    """

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._sent: dict[str, int] = defaultdict(int)  # To each wallet, less what went back.
        self._booked: dict[str, int] = defaultdict(int)
        self._stray: dict[Iban, tuple[Difference, int]] = {}  # What came for nobody, by its sender.
        self._fees: dict[str, list[int]] = defaultdict(list)
        self.paid_out_minor: dict[str, int] = defaultdict(int)  # To each merchant, less what came back.
        self.wallet_of: dict[Iban, str] = {}  # From whom is collected, by the wallet.
        self.merchant_of: dict[Iban, str] = {}

    # What people and the bank did.

    def sends(self, wallet_id: str, amount_minor: int) -> None:
        self._sent[wallet_id] += amount_minor

    def strays(self, sender: Iban, why: Difference, amount_minor: int) -> None:
        self._stray[sender] = (why, amount_minor)

    def unexplained(self, owner: str, amount_minor: int) -> None:
        self._fees[owner].append(amount_minor)

    def carried_out(self, kind: OrderKind, to: Iban, amount_minor: int) -> None:
        """
        Hear what the bank has done for a party; below zero where it came back.
        """
        if kind is OrderKind.COLLECTION:
            self._sent[self.wallet_of[to]] += amount_minor
        elif kind is OrderKind.RETURN:
            self._truth.require(self._stray.pop(to, None) is not None, "money is sent back to somebody who sent none")
        elif kind is OrderKind.PAY_OUT:
            self.paid_out_minor[self.merchant_of[to]] += amount_minor

    # What reached the issuer's disk.

    def moved(self, debit: str, credit: str, amount_minor: int) -> None:
        """
        See a step between two accounts, one of them at the bank perhaps. What an owner owes counts as the wallet's.
        """
        for name, change_minor in ((credit, amount_minor), (debit, -amount_minor)):
            kind, _, subject = name.partition(":")
            if AT_BANK in (debit, credit) and kind in ("wallet", "receivable"):
                self._booked[subject] += change_minor

    def judge(self, *, is_last: bool) -> None:
        """
        Compare, in a calm in which all statements are booked.
        """
        world, require = self._truth.world, self._truth.require
        for wallet_id in {*self._sent, *self._booked}:
            is_so = self._sent[wallet_id] == self._booked[wallet_id]
            require(is_so, "a wallet has had from the bank what was sent to it")
        self._compare(world.issuer.disk, "issuer", stray_minor=sum(minor for _, minor in self._stray.values()))
        for acquirer in world.acquirers:
            self._compare(acquirer.disk, acquirer.name, stray_minor=0)
            ((pending_minor,),) = acquirer.disk.rows("SELECT SUM(debits_pending) FROM accounts")
            require(not pending_minor, "what is reserved for a pay-out is paid or free again")
        if not is_last:
            return
        with world.issuer.issuer.database.unit_of_work() as uow:
            found = reconcile(books_of(world.issuer.issuer, uow), currency="EUR", expected=())
        self._compare_names(found, "issuer", Counter((why.value, minor) for why, minor in self._stray.values()))
        for acquirer in world.acquirers:
            with acquirer.acquirer.store.unit_of_work() as books:
                found = reconcile(books.bank, currency="EUR", expected=())
            self._compare_names(found, acquirer.name, Counter())

    def _compare(self, disk: Disk, owner: str, *, stray_minor: int) -> None:
        require = self._truth.require
        standing: dict[str, int] = dict(disk.rows("SELECT id, credits_posted - debits_posted FROM accounts"))
        held_minor = self._truth.world.bank.accounts[owner].stated_minor
        has_stated = bool(self._truth.world.bank.accounts[owner].statements)
        at_bank_minor = held_minor if has_stated else 0
        require(-standing.get(AT_BANK, 0) == at_bank_minor, "the ledger has at the bank what the bank has")
        require(standing.get("suspense:EUR", 0) == stray_minor, "money that came for nobody is nobody's")
        require(-standing.get("unexplained:EUR", 0) == sum(self._fees[owner]), "money that left is unexplained")

    def _compare_names(self, found: Reconciliation, owner: str, expected: Counter[tuple[str, int]]) -> None:
        """
        Compare the differences that are named with those that there are.
        """
        fees = Counter((Difference.MISSING_IN_LEDGER.value, -minor) for minor in self._fees[owner])
        named = Counter((each.name.value, each.amount_minor) for line in found.statements for each in line.differences)
        named += Counter((each.name.value, each.amount_minor) for each in found.differences)
        self._truth.require(named == expected + fees, f"each difference is named: {named} and not {expected + fees}")
