"""
Be the operators of issuer and acquirers at their bank, and the bank. Operators have files made, again and again for one
day, and book statements: the same one twice, a later one first, and one that somebody has changed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from handsel.errors import IdReused, StatementInvalid
from handsel.flows.banking.book_status import Refused
from handsel.pay.money import Money
from tests.simulation.bank import Account
from tests.simulation.operators import Operator, day_of, hand_in

if TYPE_CHECKING:
    from tests.simulation.world import World

ROUND_MS = 3_000
CARRIES_OUT, GIVES_BACK, TAKES_FEE, CLOSES = 0.5, 0.3, 0.03, 0.25  # In one round.
EMPTY = 0.7  # Of the days on which nothing was moved, those that are stated.
BOOKS, ORDERS, NEXT_DAY = 0.5, 0.35, 0.6  # In all other rounds an operator looks at what was refused.
AGAIN, TOO_EARLY, CHANGED = 0.15, 0.3, 0.3
FEE = Money(1_50, "EUR")


def run_bank(world: World) -> None:
    """
    Do one thing after the other.
    """
    rng, bank = world.rng, world.bank
    while True:
        world.schedule.sleep(ROUND_MS * rng.uniform(0.5, 1.5))
        if world.is_calm:
            continue
        if rng.random() < CARRIES_OUT:
            bank.carry_out(settles=False)
        if rng.random() < GIVES_BACK:
            bank.give_back()
        operator, drawn = rng.choice(world.operators), rng.random()
        if rng.random() < TAKES_FEE:
            bank.charge_fee(operator.name, FEE)
        if rng.random() < CLOSES:
            bank.close(operator.name, even_if_empty=rng.random() < EMPTY)
        if drawn < BOOKS:
            _book(world, operator, bank.accounts[operator.name])
        elif drawn < BOOKS + ORDERS:
            _order(world, operator)
        else:
            _hear_refusals(world, operator, bank.accounts[operator.name])


def _order(world: World, operator: Operator) -> None:
    """
    Have a file made, or the same one once more.
    """
    kind = world.rng.choice(operator.kinds)
    due_on = day_of(world, operator, kind)
    if due_on is None:
        return
    key = (kind, due_on)
    operator.wanted.add(key)
    found = operator.ask("order", lambda: operator.order(kind, due_on))
    world.trace("file", operator.name, kind.value, type(found).__name__)
    hand_in(world, operator, key, found)
    if key in operator.files and world.rng.random() < NEXT_DAY:
        operator.days[kind] += 1


def _book(world: World, operator: Operator, account: Account) -> None:
    """
    Book the next statement, or one that is not next.
    """
    rng, before = world.rng, account.next_place
    drawn, place = rng.random(), before
    if drawn < AGAIN and before:
        place = rng.choice(sorted(account.booked))
    elif drawn < TOO_EARLY and before:  # The very first one says where the books begin: no ledger knows better.
        place = before + 1
    elif account.left_out():
        place = rng.choice(account.left_out())
    if place >= len(account.statements):
        return
    statement, is_known = account.statements[place], place in account.booked
    is_changed = is_known and rng.random() < CHANGED
    if is_changed:
        opening_minor, closing_minor = statement.opening_minor + 1_00, statement.closing_minor + 1_00
        statement = replace(statement, opening_minor=opening_minor, closing_minor=closing_minor)
    found = operator.ask("book_statements", lambda: operator.book((statement,)))
    world.trace("statement", operator.name, place, "of", before, type(found).__name__)
    require = world.truth.require
    if isinstance(found, tuple):
        require(not is_changed, "a statement that was changed is booked")
        require(found[0].is_repeated or not is_known, "a statement is booked again")
        is_next = place <= before or account.adds_nothing(before)
        require(is_next, "a statement is booked that does not follow on the last")
        if place < before and not is_known:
            world.count("statements_late")
        account.booked.add(place)
        world.count("statements")
    elif isinstance(found, IdReused):
        require(is_changed, "a statement is taken for another one")
    elif isinstance(found, StatementInvalid):
        require(place > before, "a statement that is next cannot be booked")


def _hear_refusals(world: World, operator: Operator, account: Account) -> None:
    refusals = tuple(account.refusals)
    if not refusals:
        return
    found = operator.ask("book_status", lambda: operator.book_refusals(refusals))
    if isinstance(found, Refused):
        account.status_booked = len(refusals)
        world.truth.require(not found.unknown, "an order that the bank was given is not known")
