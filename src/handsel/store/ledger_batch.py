"""
Carry out many steps of the ledger in one unit of work, with a few statements for all of them.

1. Load the ids that were used before, the reservations and the accounts that the steps speak of.
2. Decide all steps in order, in memory (`pay.batch`), and write one row for each: some are written while the next are
   decided.
3. Write one change for each account.
4. What was written is checked at the commit (`store.ledger_check`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from handsel.pay.batch import BOOKED_FIELDS, REFUSED_FIELDS, Batch, Known
from handsel.pay.ledger import Linked, Outcome, Reservation, Step, Transfer
from handsel.pay.running import Held, Running
from handsel.store.database import UnitOfWork
from handsel.store.ledger_check import ledger_check
from handsel.store.ledger_known import load_accounts, load_known, load_reservations

Remembered = dict[str, Running]
PART_ITEMS = 512  # Some 50 kB of rows, on which a server is busy while the next part is decided.

_AMOUNTS = ("credits_posted", "debits_posted", "credits_pending", "debits_pending", "last", "entries", "number")


def carry_out(
    uow: UnitOfWork,
    items: Sequence[Step | Linked],
    *,
    now_ms: int,
    remembered: Remembered | None = None,
    known: dict[str, Known] | None = None,
) -> list[tuple[Outcome, ...]]:
    """
    Carry out all items in order, and return the outcomes of each.

    `remembered` are accounts as they stand, by name; it is brought up to date. Whoever passes it makes sure that nobody
    else has changed them, and forgets them where the unit is not committed.

    `known` are the ids that were used before, where somebody has looked already. Raises `InvariantBroken` where another
    one was used and no id stands in `items` twice: each gets a row then, and the table takes no id twice.
    """
    check = ledger_check(uow)
    steps = steps_of(items)
    if known is None:
        known = load_known(uow, [step.id for step in steps])
    ended = [step.pending_id for step in steps if not isinstance(step, Transfer | Reservation)]
    reservations = {pending_id: Held.of(each) for pending_id, each in load_reservations(uow, ended).items()}
    names = _names(steps)
    for held in reservations.values():
        names |= {held.transfer.debit, held.transfer.credit}
    accounts: Remembered = {} if remembered is None else remembered
    accounts |= {each.name: each for each in load_accounts(uow, [name for name in names if name not in accounts])}
    touched = [accounts[name] for name in names if name in accounts]
    check.expect(touched)
    check.at_ms = max(check.at_ms, now_ms)
    batch = Batch(
        accounts=accounts,
        reservations=reservations,
        known=known,
        sequence=check.sequence,
        now_ms=now_ms,
        at_ms=check.at_ms,
    )
    outcomes: list[tuple[Outcome, ...]] = []
    uow.insert_many("transfers", BOOKED_FIELDS, _booked(batch, items, outcomes))
    _write(uow, batch, touched)
    check.sequence = batch.sequence
    return outcomes


def steps_of(items: Sequence[Step | Linked]) -> list[Step]:
    """
    Return the steps of all items, in their order.
    """
    return [step for item in items for step in (item.steps if isinstance(item, Linked) else (item,))]


def _booked(
    batch: Batch, items: Sequence[Step | Linked], outcomes: list[tuple[Outcome, ...]]
) -> Iterator[tuple[object, ...]]:
    """
    Decide all items, a part of them at a time, and hand out its rows. The outcomes are added to `outcomes`.
    """
    for first in range(0, len(items), PART_ITEMS):
        handed_out = len(batch.booked)
        outcomes += batch.decide(items[first : first + PART_ITEMS])
        yield from batch.booked[handed_out:]


def _names(steps: Sequence[Step]) -> set[str]:
    names: set[str] = set()
    for step in steps:
        if isinstance(step, Transfer):
            names.add(step.debit)
            names.add(step.credit)
        elif isinstance(step, Reservation):
            names |= {step.transfer.debit, step.transfer.credit}
    return names


def _write(uow: UnitOfWork, batch: Batch, touched: Sequence[Running]) -> None:
    uow.insert_many("refused", REFUSED_FIELDS, batch.refused)
    if len(batch.booked) == len(batch.refused):
        return
    changed = [(*account.amounts(), account.number) for account in touched]
    uow.update_many("accounts", _AMOUNTS, sorted(changed, key=lambda row: row[-1]))
    uow.insert_many("milestones", ("account", "number", "sequence", "at_ms"), batch.milestones)
    held = [(bytes.fromhex(held_id), each) for held_id, each in batch.reservations.items()]
    uow.insert_many(
        "pending",
        ("transfer_id", "state", "expires_at_ms"),
        [(held_id, each.state.value, each.expires_at_ms) for held_id, each in held if each.is_new],
    )
    uow.update_many(
        "pending",
        ("state", "transfer_id"),
        [(each.state.value, held_id) for held_id, each in held if each.is_changed and not each.is_new],
    )
