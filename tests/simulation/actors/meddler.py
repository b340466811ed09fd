"""
Use ids again for something else, as a broken client would: each time it must be refused, and nothing may change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from handsel.errors import IdReused
from handsel.flows.acquiring.request_payment import PaymentRequest, create_payment_intent
from handsel.pay.money import Money
from tests.simulation.actors.merchant import ask_acquirer

if TYPE_CHECKING:
    from tests.simulation.world import World

ROUND_MS = 4_000


def meddle(world: World) -> None:
    """
    Ask for another payment under an id that is known.
    """
    while True:
        world.schedule.sleep(ROUND_MS)
        acquirer = world.rng.choice(world.acquirers)
        merchant, _ = acquirer.shops[0]
        mine = [payment_id for payment_id, asked in world.truth.payments.items() if asked.owner == merchant.id][-20:]
        if world.is_calm or not mine:
            continue
        request = PaymentRequest(world.rng.choice(mine), Money(77_77, "EUR"), "Something else")
        found = ask_acquirer(
            world,
            acquirer,
            "reuse",
            lambda acquirer=acquirer, merchant=merchant, request=request: create_payment_intent(  # type: ignore[misc]
                acquirer.acquirer, merchant, request, now_ms=acquirer.clock()
            ),
        )
        if found is not None and not isinstance(found, IdReused):
            world.violated("an id is used again for another payment")
