"""
End all trouble, wait for as long as a payment may be unknown, and look whether everything has an end that all agree on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from handsel.errors import HandselError
from handsel.store import ledger
from handsel.store.issuer_note import ensure_circulation
from tests.simulation import forgotten
from tests.simulation.operators import close_books
from tests.simulation.receipts import bring_all

if TYPE_CHECKING:
    from tests.simulation.world import World

FINAL_MS_MAX = 30_000  # No payment is unknown for longer, once everybody runs again.
STEP_MS = 500
UP_MS_MAX = 70_000

# A payment whose sum is reserved may wait until that time is over.
_WAITS = "status = 'processing' AND reserved_until_ms IS NOT NULL AND captured_minor IS NULL"
_OPEN = (
    ("charges", f"status IN ('submitted', 'approved') AND payment_id NOT IN (SELECT id FROM payments WHERE {_WAITS})"),  # noqa: S608
    ("payments", f"status = 'processing' AND NOT ({_WAITS})"),
    ("captures", "status = 'ordered'"),
    ("refunds", "status = 'processing'"),
    ("refund_attempts", "status IN ('submitted', 'asked')"),
    ("purchases", "status = 'ordered'"),
    ("redemptions", "is_done = 0"),
)

_HELD = "SELECT COUNT(*) FROM pending WHERE state = 'held'"
_HELD_FOR_BANK = "SELECT COUNT(*) FROM bank_orders WHERE state = 'ordered' AND kind <> 'collection'"
_HELD_LATER = "SELECT COUNT(*) FROM charges JOIN holds ON charge_id = id WHERE state = 'reserved'"


def settle_down(world: World, *, is_last: bool) -> None:
    """
    Let everything come to its end, and judge it. What is wrong is told to the world. What is reserved may
    stay so for its time, which is waited for where `is_last`.
    """
    world.trace("calm")
    schedule = world.schedule
    for process in world.processes:
        process.full_until_ms = process.away_until_ms = 0.0
    world.network.deliver_stragglers()
    until_ms = schedule.now_ms + UP_MS_MAX
    while not all(process.is_up for process in world.processes) and schedule.now_ms < until_ms:
        schedule.run_until(schedule.now_ms + STEP_MS)
    world.network.deliver_stragglers()
    end_all(world)
    if world.broken is None and is_last:
        expire_all(world)
        bring_all(world)
        end_all(world)
    if world.broken is None:
        close_books(world, is_last=is_last)
    if world.broken is None:
        _judge(world)
        world.trees.judge(is_last=is_last)
    if world.broken is None and is_last:
        forgotten.judge(world)


def end_all(world: World) -> None:
    """
    Wait until nothing is under way, at one moment, for as long as that may take.
    """
    schedule = world.schedule
    began_ms = schedule.now_ms
    left = unfinished(world)
    while left and schedule.now_ms < began_ms + FINAL_MS_MAX and world.broken is None:
        schedule.run_until(schedule.now_ms + STEP_MS)
        left = unfinished(world)
    took_ms = round(schedule.now_ms - began_ms)
    world.counts["slowest_ms"] = max(world.counts["slowest_ms"], took_ms)
    if left and world.broken is None:
        world.violated(f"after {took_ms / 1000:.0f} s without trouble there is still: {', '.join(left)}")


def expire_all(world: World) -> None:
    """
    Set all clocks right, and wait until whatever is reserved has ended, too.
    """
    schedule, issuer = world.schedule, world.issuer
    for process in world.processes:
        process.set_clock(0)
    found = issuer.disk.rows("SELECT until_ms FROM holds JOIN charges ON id = charge_id WHERE state = 'reserved'")
    for acquirer in world.acquirers:
        found += acquirer.disk.rows(f"SELECT reserved_until_ms FROM payments WHERE {_WAITS}")  # noqa: S608
    latest_ms = max(schedule.now_ms + world.hold_ms, *(until_ms for (until_ms,) in found), 0)
    until_ms = latest_ms + FINAL_MS_MAX
    left = [*unfinished(world), *waiting(world)]
    while left and schedule.now_ms < until_ms and world.broken is None:
        schedule.run_until(schedule.now_ms + STEP_MS)
        left = [*unfinished(world), *waiting(world)]
    if left and world.broken is None:
        world.violated(f"when the time of all reservations is over there is still: {', '.join(left)}")
    world.truth.require(not world.truth.reserved.open, "a reservation has no end")


def waiting(world: World) -> list[str]:
    """
    Return who has something reserved, or knows of it.
    """
    left = [process.name for process in world.acquirers if process.disk.rows(f"SELECT 1 FROM payments WHERE {_WAITS}")]  # noqa: S608
    return [*left, "issuer"] if world.issuer.disk.rows(_HELD_LATER)[0][0] else left


def unfinished(world: World) -> list[str]:
    """
    Return what has no end yet, by party.
    """
    left = [f"{process.name} is down" for process in world.processes if not process.is_up]
    for acquirer in world.acquirers:
        for table, is_open in _OPEN:
            if acquirer.disk.rows(f"SELECT 1 FROM {table} WHERE {is_open} LIMIT 1"):  # noqa: S608
                left.append(f"{table} of {acquirer.name}")
    of_charges = "SELECT 1 FROM charges WHERE state = 'reserved' AND id NOT IN (SELECT charge_id FROM holds) LIMIT 1"
    if world.issuer.disk.rows(of_charges):
        left.append("charges reserved at the issuer")
    pending, waiting, ordered = (world.issuer.disk.rows(sql)[0][0] for sql in (_HELD, _HELD_LATER, _HELD_FOR_BANK))
    if pending != waiting + ordered:
        left.append("sums reserved at the issuer")
    for till in world.tills:
        if till.is_up and till.is_asking():
            left.append(f"requests of {till.name}")
    return left


def _judge(world: World) -> None:
    """
    Compare all parties with each other, and each with itself.

    1. Each ledger is whole, from its first entry.
    2. What is in circulation is what acquirers hold; what the issuer owes to each is what that one has booked.
    3. Each merchant is owed for every payment that succeeded, less what was refunded or paid out, and nothing more.
    4. Every debit belongs to a payment that succeeded, and every credit to a refund that did.
    """
    truth, issuer = world.truth, world.issuer.disk
    try:
        with world.issuer.issuer.database.unit_of_work() as uow:
            ledger.audit(uow)  # 1
            ensure_circulation(uow, "EUR")
        for acquirer in world.acquirers:
            with acquirer.acquirer.store.unit_of_work() as books:
                books.audit()
    except HandselError as exc:
        world.violated(f"an audit finds: {exc}")
        return
    standing: dict[str, int] = dict(issuer.rows("SELECT id, credits_posted - debits_posted FROM accounts"))
    in_hand = 0
    for acquirer in world.acquirers:
        books_of: dict[str, int] = dict(acquirer.disk.rows("SELECT id, credits_posted - debits_posted FROM accounts"))
        held = acquirer.disk.rows("SELECT SUM(worth_minor) FROM notes WHERE state IN ('held', 'reserved', 'redeeming')")
        in_hand += held[0][0] or 0
        settled = -books_of.get("settlement:EUR", 0)
        truth.require(
            settled == standing.get(f"settlement:{acquirer.name}:EUR", 0), "the issuer owes what is booked"
        )  # 2
        truth.require(not books_of.get("differences:EUR"), "no note of an acquirer was refused")
        truth.require(not books_of.get("notes_ordered:EUR"), "no money is set aside for nothing")
        for merchant, _ in acquirer.shops:
            owed = sum(
                truth.paid[payment_id] - truth.refunded[payment_id]
                for payment_id, asked in truth.payments.items()
                if asked.owner == merchant.id and truth.status["payment", payment_id] == "succeeded"
            )
            owed -= truth.banked.paid_out_minor[merchant.id]
            truth.require(
                books_of.get(f"merchant:{merchant.id}:EUR", 0) == owed, "a merchant is owed what was paid"
            )  # 3
    truth.require(
        standing["notes_in_circulation:EUR"] == in_hand, "what is in circulation is in an acquirer's hands"
    )  # 2
    truth.require(sum(standing.values()) == 0, "money is not made")
    for payment_id in truth.debits:  # 4
        truth.require(truth.status["payment", payment_id] == "succeeded", "a customer was debited for what is not paid")
    for refund_id in truth.credited.values():
        truth.require(truth.status["refund", refund_id] == "succeeded", "a customer was credited for no refund")
