"""
Ask for what nobody may have: an id that stands for something else, or what another acquirer has reserved. Each time it
must be refused, and nothing may change.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING

from handsel.errors import IdReused, NotFound
from handsel.flows.acquiring.request_payment import PaymentRequest, create_payment_intent
from handsel.flows.issuing.capture_charge import CaptureRequest, capture_charge
from handsel.flows.issuing.give_back import give_back
from handsel.notes.mint import prepare
from handsel.pay.money import Money
from tests.simulation.asking import ask_acquirer
from tests.simulation.network import Lost, Refusal, Unreachable

if TYPE_CHECKING:
    from tests.simulation.world import World

ROUND_MS = 4_000
TIMEOUT_MS = 8_000
RECENT_MAX = 20  # Of a merchant's payments.


def meddle(world: World) -> None:
    """
    Ask for one or the other, again and again.
    """
    while True:
        world.schedule.sleep(ROUND_MS)
        if not world.is_calm:
            _reuse_id(world)
            _take_what_is_reserved(world)


def _reuse_id(world: World) -> None:
    """
    Ask for another payment under an id that is known.
    """
    acquirer = world.rng.choice(world.acquirers)
    merchant, _ = acquirer.shops[0]
    latest = reversed(world.truth.payments.items())
    mine = list(islice((payment_id for payment_id, asked in latest if asked.owner == merchant.id), RECENT_MAX))
    if not mine:
        return
    request = PaymentRequest(world.rng.choice(mine), Money(77_77, "EUR"), "Something else")
    found = ask_acquirer(
        world,
        acquirer,
        "reuse",
        lambda: create_payment_intent(acquirer.acquirer, merchant, request, now_ms=acquirer.clock()),
    )
    if found is not None and not isinstance(found, IdReused):
        world.violated("an id is used again for another payment")


def _take_what_is_reserved(world: World) -> None:
    """
    Ask the issuer, as another acquirer, for what is reserved now, or to give it back.
    """
    opened = list(world.truth.reserved.open.values())
    if not opened:
        return
    charge_id, issuer = world.rng.choice(opened), world.issuer
    held, order_id = world.truth.reserved.held[charge_id], world.truth.order_ids[charge_id]
    other = next(each.name for each in world.acquirers if each.name != held.acquirer)
    amount = Money(held.amount_minor, "EUR")
    _, notes = prepare(
        held.amount_minor,
        currency="EUR",
        keys=issuer.issuer.note_keys.public(),
        random_bytes=world.rng.randbytes,
        now_ms=issuer.clock(),
    )
    wanted = CaptureRequest(order_id, amount, notes)
    _refused(world, "steal", lambda: capture_charge(issuer.issuer, wanted, acquirer=other))
    _refused(world, "give_back_others", lambda: give_back(issuer.issuer, order_id, acquirer=other))


def _refused(world: World, name: str, act: Callable[[], object]) -> None:
    try:
        found = world.network.ask(world.people, world.issuer, act, name=name, timeout_ms=TIMEOUT_MS)
    except (Unreachable, Lost):
        return
    is_refused = isinstance(found, Refusal) and (isinstance(found.error, NotFound) or not found.is_certain)
    if not is_refused:
        world.violated("an acquirer is let at what another one has reserved")
