"""
Be customers who present a receipt because something is wrong with it, and shops that answer them: by paying back, by
saying no, not at all, or both at once; and a customer may take it back meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from handsel.flows.acquiring.answer_dispute import refuse_dispute
from handsel.flows.acquiring.open_dispute import Examined, open_dispute
from handsel.flows.acquiring.request_refund import RefundRequest
from handsel.flows.acquiring.withdraw_dispute import withdraw_dispute
from handsel.pay.dispute import Dispute, DisputeStatus, Finding
from handsel.pay.merchant import Merchant
from tests.simulation.actors.returns import pay_back
from tests.simulation.asking import ask_acquirer
from tests.simulation.receipts import Opened
from tests.simulation.returns import Evidence

if TYPE_CHECKING:
    from tests.simulation.acquirer_party import AcquirerProcess
    from tests.simulation.world import World

ROUND_MS = 6_000
RECENT_MAX = 20
FORGES, ASKS_TWICE = 0.1, 0.2
PAYS, REFUSES, WITHDRAWS = 0.5, 0.35, 0.2  # Each by itself, so that they meet.
ANSWER_MS_MAX = 6_000
NO_ANSWER_MEANS = (Finding.FORGED, Finding.NOT_IN_BOOKS, Finding.NOT_OURS)


def dispute(world: World) -> None:
    """
    Present one receipt after another.
    """
    while True:
        world.schedule.sleep(ROUND_MS * world.rng.uniform(0.5, 1.5))
        opened = list(world.truth.receipts.opened.values())[-RECENT_MAX:]
        if opened and not world.is_calm:
            _present(world, world.rng.choice(opened))


def _present(world: World, receipt: Opened) -> None:
    acquirer, merchant = world.shop_of(world.truth.payments[receipt.payment_id].owner)
    dispute_id, rng = world.new_id(), world.rng
    shown, is_forged = receipt.receipt, rng.random() < FORGES
    if is_forged:
        more = msgspec.structs.replace(receipt.statement, amount_minor=receipt.statement.amount_minor + 1_00)
        shown = msgspec.structs.replace(shown, statement=msgspec.json.encode(more).decode())
    else:
        world.truth.returns.presents(receipt.payment_id)

    def present() -> Examined:
        return open_dispute(acquirer.acquirer, dispute_id, shown, now_ms=acquirer.clock())

    for _ in range(2 if rng.random() < ASKS_TWICE else 1):
        found = ask_acquirer(world, acquirer, "open_dispute", present)
    if not isinstance(found, Examined):
        return
    world.truth.require((found.finding is Finding.FORGED) == is_forged, "what is signed is told from what is forged")
    world.truth.require(is_forged or found.finding not in NO_ANSWER_MEANS, "a receipt is not known to its acquirer")
    if found.dispute is not None and found.dispute.status is DisputeStatus.OPEN:
        world.count("disputes")
        _answer(world, acquirer, merchant, found.dispute, paid_minor=receipt.statement.amount_minor)


def _answer(world: World, acquirer: AcquirerProcess, merchant: Merchant, case: Dispute, *, paid_minor: int) -> None:
    """
    Let shop and customer do what they do, in any order.
    """
    rng, acts = world.rng, list[Callable[[], None]]()
    part = None if rng.random() < 0.5 else rng.randint(1, paid_minor)
    request = RefundRequest(world.new_id(), case.payment_id, part)
    if rng.random() < PAYS:
        acts.append(lambda: pay_back(world, acquirer, merchant, request, code="", evidence=Evidence.DISPUTE))
    if rng.random() < REFUSES:
        acts.append(lambda: _refuse(world, acquirer, merchant, case.id))
    if rng.random() < WITHDRAWS:
        acts.append(lambda: _withdraw(world, acquirer, case.id))
    for act in acts:
        world.schedule.start(world.people, act, delay_ms=rng.uniform(0, ANSWER_MS_MAX))


def _refuse(world: World, acquirer: AcquirerProcess, merchant: Merchant, dispute_id: str) -> None:
    world.truth.returns.refuses(dispute_id)
    found = ask_acquirer(
        world,
        acquirer,
        "refuse_dispute",
        lambda: refuse_dispute(acquirer.acquirer, merchant, dispute_id, now_ms=acquirer.clock()),
    )
    _told(world, found)


def _withdraw(world: World, acquirer: AcquirerProcess, dispute_id: str) -> None:
    world.truth.returns.withdraws(dispute_id)
    found = ask_acquirer(
        world,
        acquirer,
        "withdraw_dispute",
        lambda: withdraw_dispute(acquirer.acquirer, dispute_id, now_ms=acquirer.clock()),
    )
    _told(world, found)


def _told(world: World, found: object) -> None:
    if isinstance(found, Dispute):
        is_so = world.truth.status.get(("dispute", found.id)) == found.status.value
        world.truth.require(is_so, "somebody is told of a case what is in no books")
        world.count(f"disputes_{found.status.value}")
