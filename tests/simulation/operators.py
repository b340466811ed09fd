"""
Do what the operators of issuer and acquirers do at their bank, by the flows that their commands call.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from typing import TYPE_CHECKING, Protocol, TypeVar

from handsel.bank.booking import BankOrder, OrderKind
from handsel.bank.read_status import Refusal
from handsel.bank.statement import Statement
from handsel.errors import HandselError, NotFound
from handsel.flows.acquiring import book_statement as acquirers
from handsel.flows.acquiring.merchant_bank_account import set_bank_account
from handsel.flows.acquiring.pay_out import order_pay_outs
from handsel.flows.banking.book_statement import Booked
from handsel.flows.banking.book_status import Refused, book_status
from handsel.flows.banking.explain_payment import refuse_order
from handsel.flows.banking.order_payments import DUE_DAYS_MAX, NothingDue
from handsel.flows.issuing import book_statement as issuers
from handsel.flows.issuing.collect import collect
from handsel.flows.issuing.explain_collection import refuse_collection
from handsel.flows.issuing.issuer import books_of
from handsel.flows.issuing.resolve_suspense import return_suspense
from handsel.flows.issuing.settle_acquirers import AcquirerAccount, settle_acquirers
from handsel.store.bank import BankTables
from tests.simulation import network
from tests.simulation.asking import ask_acquirer, ask_issuer
from tests.simulation.bank import File

if TYPE_CHECKING:
    from tests.simulation.acquirer_party import AcquirerProcess
    from tests.simulation.world import World

T = TypeVar("T")

PAID_OUT_MINOR_MIN = 50_00
KEPT_MINOR = 300_00  # Of what an acquirer is owed: it buys notes for refunds with it.
Key = tuple[OrderKind, date]


class Operator(Protocol):
    """
    Make files and book what the bank says. `files` are the orders of each that the bank was given.
    """

    name: str
    kinds: tuple[OrderKind, ...]
    wanted: set[Key]
    files: dict[Key, tuple[tuple[str, int], ...]]
    days: dict[OrderKind, int]

    def order(self, kind: OrderKind, due_on: date) -> File | NothingDue: ...

    def book(self, statements: tuple[Statement, ...]) -> tuple[Booked, ...]: ...

    def book_refusals(self, refusals: tuple[Refusal, ...]) -> Refused: ...

    def ask(self, name: str, act: Callable[[], T]) -> T | HandselError | None: ...


class IssuersOperator:
    """
    Pay acquirers, collect from wallets, send back what came for nobody.
    """

    kinds: tuple[OrderKind, ...] = (OrderKind.SETTLEMENT, OrderKind.COLLECTION, OrderKind.RETURN)

    def __init__(self, world: World) -> None:
        self.name = "issuer"
        self._world = world
        self.wanted: set[Key] = set()
        self.files: dict[Key, tuple[tuple[str, int], ...]] = {}
        self.days: dict[OrderKind, int] = defaultdict(lambda: 1)

    def order(self, kind: OrderKind, due_on: date) -> File | NothingDue:
        issuer, bank = self._world.issuer.issuer, self._world.bank
        if kind is OrderKind.COLLECTION:
            return collect(issuer, due_on=due_on)
        if kind is OrderKind.RETURN:
            return return_suspense(issuer, due_on=due_on)
        accounts = {
            each.name: AcquirerAccount(bank.accounts[each.name].own.holder, bank.settlement_reference)
            for each in self._world.acquirers
        }
        return settle_acquirers(issuer, accounts, due_on=due_on, keep_minor=KEPT_MINOR)

    def book(self, statements: tuple[Statement, ...]) -> tuple[Booked, ...]:
        return issuers.book_statements(self._world.issuer.issuer, statements)

    def book_refusals(self, refusals: tuple[Refusal, ...]) -> Refused:
        issuer = self._world.issuer.issuer
        with issuer.database.unit_of_work() as uow:
            done = book_status(books_of(issuer, uow), refusals, refuse=_refuse, now_ms=issuer.clock())
            uow.commit()
        return done

    def ask(self, name: str, act: Callable[[], T]) -> T | HandselError | None:
        found = ask_issuer(self._world, name, act)
        return found.error if isinstance(found, network.Refusal) else found


class AcquirersOperator:
    """
    Pay merchants out.
    """

    kinds: tuple[OrderKind, ...] = (OrderKind.PAY_OUT,)

    def __init__(self, world: World, process: AcquirerProcess) -> None:
        self.name = process.name
        self._world = world
        self._process = process
        self.wanted: set[Key] = set()
        self.files: dict[Key, tuple[tuple[str, int], ...]] = {}
        self.days: dict[OrderKind, int] = defaultdict(lambda: 1)

    def name_accounts(self) -> None:
        """
        Say for every merchant where it is paid out.
        """
        for merchant, _ in self._process.shops:
            holder = self._world.bank.holder(merchant.id)
            self._world.truth.banked.merchant_of[holder.iban] = merchant.id
            set_bank_account(self._process.acquirer, merchant, holder, now_ms=self._process.clock())

    def order(self, kind: OrderKind, due_on: date) -> File | NothingDue:
        own, now_ms = self._world.bank.accounts[self.name].own, self._process.clock()
        store = self._process.acquirer.store
        return order_pay_outs(store, by=own, due_on=due_on, amount_minor_min=PAID_OUT_MINOR_MIN, now_ms=now_ms)

    def book(self, statements: tuple[Statement, ...]) -> tuple[Booked, ...]:
        bank, process = self._world.bank, self._process
        return acquirers.book_statements(
            process.acquirer,
            statements,
            of=bank.accounts[self.name].own.holder.iban,
            settlement_reference=bank.settlement_reference,
            now_ms=process.clock(),
        )

    def book_refusals(self, refusals: tuple[Refusal, ...]) -> Refused:
        with self._process.acquirer.store.unit_of_work() as books:
            ended = acquirers.follow_orders(books)

            def refuse(bank: BankTables, order: BankOrder, reason: str, now_ms: int) -> None:
                refuse_order(bank, order, reason=reason, ended=ended, now_ms=now_ms)

            done = book_status(books.bank, refusals, refuse=refuse, now_ms=self._process.clock())
            books.commit()
        return done

    def ask(self, name: str, act: Callable[[], T]) -> T | HandselError | None:
        return ask_acquirer(self._world, self._process, name, act)


def operators_of(world: World) -> tuple[Operator, ...]:
    """
    Return who deals with the bank.
    """
    acquirers_own = tuple(AcquirersOperator(world, each) for each in world.acquirers)
    for each in acquirers_own:
        each.name_accounts()
    return (IssuersOperator(world), *acquirers_own)


def day_of(world: World, operator: Operator, kind: OrderKind) -> date | None:
    """
    Return for which day the next file of a kind is made; None where all days have one.
    """
    days = operator.days[kind]
    return world.bank.today() + timedelta(days) if days < DUE_DAYS_MAX else None


def hand_in(world: World, operator: Operator, key: Key, found: File | NothingDue | HandselError | None) -> None:
    """
    Bring to the bank what a flow answered, and compare with what it has answered before.
    """
    require = world.truth.require
    if isinstance(found, NothingDue):
        require(key not in operator.files, "a file that was made is not there any more")
    elif isinstance(found, NotFound):
        require(key in operator.files, "a file that was never made cannot be made again")
    elif found is not None and not isinstance(found, HandselError):
        orders = tuple((order.id, order.money.amount_minor) for order in found.orders)
        require(operator.files.setdefault(key, orders) == orders, "the file of a day is another when it is made again")
        world.bank.take(operator.name, found)


def close_books(world: World, *, is_last: bool) -> None:
    """
    Have the bank carry out all that it was asked and state it, and book all statements. What is wrong is told to the
    world. Acquirers are paid only where it `is_last`: by then they have booked what they are paid for.
    """
    try:
        for operator in world.operators:
            for key in sorted(operator.wanted - set(operator.files)):
                hand_in(world, operator, key, operator.order(*key))
        world.bank.carry_out(settles=is_last)
        world.bank.give_back()
        for operator in world.operators:
            _book_all(world, operator)
    except HandselError as exc:
        world.violated(f"in a calm the bank's statements cannot be booked: {exc}")
        return
    world.truth.banked.judge(is_last=is_last)


def _book_all(world: World, operator: Operator) -> None:
    account = world.bank.accounts[operator.name]
    world.bank.close(operator.name)
    operator.book_refusals(tuple(account.refusals))
    account.status_booked = len(account.refusals)
    first = max(0, account.next_place - 1)
    for place in (*account.left_out(), *range(first, len(account.statements))):
        (booked,) = operator.book((account.statements[place],))
        is_known = booked.is_repeated or place not in account.booked
        world.truth.require(is_known, "a statement is booked twice, or was said to be booked")
        account.booked.add(place)


def _refuse(books: BankTables, order: BankOrder, reason: str, now_ms: int) -> None:
    if order.kind is OrderKind.COLLECTION:
        refuse_collection(books, order, reason=reason, now_ms=now_ms)
    else:
        refuse_order(books, order, reason=reason, ended=issuers.order_ended, now_ms=now_ms)
