"""
End all trouble, wait for as long as a payment may be unknown, and look whether everything has an end that all agree on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from handsel.errors import HandselError
from handsel.store import ledger
from handsel.store.issuer_note import ensure_circulation

if TYPE_CHECKING:
    from tests.simulation.world import World

FINAL_MS_MAX = 30_000  # No payment is unknown for longer, once everybody runs again.
STEP_MS = 500
UP_MS_MAX = 70_000

_OPEN = (
    ("charges", "status IN ('submitted', 'approved')"),
    ("payments", "status = 'processing'"),
    ("refunds", "status = 'processing'"),
    ("refund_attempts", "status IN ('submitted', 'asked')"),
    ("purchases", "status = 'ordered'"),
    ("redemptions", "is_done = 0"),
)


def settle_down(world: World) -> None:
    """
    Let everything come to its end, and judge it. What is wrong is told to the world.
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
    began_ms = schedule.now_ms
    while schedule.now_ms < began_ms + FINAL_MS_MAX and world.broken is None:
        schedule.run_until(schedule.now_ms + STEP_MS)
        if not unfinished(world):
            break
    took_ms = round(schedule.now_ms - began_ms)
    world.counts["slowest_ms"] = max(world.counts["slowest_ms"], took_ms)
    left = unfinished(world)
    if left and world.broken is None:
        world.violated(f"after {took_ms / 1000:.0f} s without trouble there is still: {', '.join(left)}")
    if world.broken is None:
        _judge(world)


def unfinished(world: World) -> list[str]:
    """
    Return what has no end yet, by party.
    """
    left = [f"{process.name} is down" for process in world.processes if not process.is_up]
    for acquirer in world.acquirers:
        for table, is_open in _OPEN:
            if acquirer.disk.rows(f"SELECT 1 FROM {table} WHERE {is_open} LIMIT 1"):  # noqa: S608
                left.append(f"{table} of {acquirer.name}")
    if world.issuer.disk.rows("SELECT 1 FROM charges WHERE state = 'reserved' LIMIT 1"):
        left.append("charges reserved at the issuer")
    if world.issuer.disk.rows("SELECT 1 FROM pending WHERE state = 'held' LIMIT 1"):
        left.append("sums reserved at the issuer")
    for till in world.tills:
        if till.is_up and vars(till.agent)["_open"]:
            left.append(f"requests of {till.name}")
    return left


def _judge(world: World) -> None:
    """
    Compare all parties with each other, and each with itself.

    1. Each ledger is whole, from its first entry.
    2. What is in circulation is what acquirers hold; what the issuer owes to each is what that one has booked.
    3. Each merchant is owed for every payment that succeeded, less what was refunded, and nothing more.
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
                truth.payments[payment_id].amount_minor - truth.refunded[payment_id]
                for payment_id, asked in truth.payments.items()
                if asked.owner == merchant.id and truth.status["payment", payment_id] == "succeeded"
            )
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
