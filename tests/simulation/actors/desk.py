"""
Be the merchant's desk, where a sum that is reserved is captured, given back, or forgotten. Two people work there.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from handsel.flows.acquiring.capture_payment import capture_payment_intent
from handsel.flows.acquiring.request_payment import cancel_payment_intent
from handsel.pay.merchant import Merchant
from handsel.pay.payment import PaymentIntent
from tests.simulation.asking import ask_acquirer
from tests.simulation.till_party import TillProcess

if TYPE_CHECKING:
    from tests.simulation.world import World

CAPTURES, CAPTURES_AT_ONCE, CAPTURES_AND_CANCELS, CANCELS = 0.6, 0.1, 0.1, 0.1  # In all other cases it forgets.
WAITS_MAX = 1.2  # Of the time that is allowed.


def wind_up(
    world: World, till: TillProcess, merchant: Merchant, payment: PaymentIntent, paid: deque[PaymentIntent]
) -> None:
    """
    Bring what is reserved to an end, after a while; remember it in `paid` where it is.
    """
    rng = world.rng
    drawn, wait_ms = rng.random(), world.hold_ms * WAITS_MAX * rng.random() ** 2
    acts = []
    if drawn < CAPTURES + CAPTURES_AT_ONCE + CAPTURES_AND_CANCELS:
        acts.append(lambda: _capture(world, till, merchant, payment, paid))
    if CAPTURES <= drawn < CAPTURES + CAPTURES_AT_ONCE:
        acts.append(lambda: _capture(world, till, merchant, payment, paid))
    if 0 <= drawn - CAPTURES - CAPTURES_AT_ONCE < CAPTURES_AND_CANCELS + CANCELS:
        acts.append(lambda: cancel(world, till, merchant, payment.id))
    for act in acts:
        world.schedule.start(world.people, act, delay_ms=wait_ms + rng.expovariate(1 / 100.0))


def cancel(world: World, till: TillProcess, merchant: Merchant, payment_id: str) -> None:
    """
    Want no more of a payment.
    """
    acquirer = till.acquirer
    world.truth.reserved.asked_to_cancel(payment_id)
    found = ask_acquirer(
        world,
        acquirer,
        "cancel",
        lambda: cancel_payment_intent(acquirer.acquirer, merchant, payment_id, now_ms=acquirer.clock()),
    )
    if isinstance(found, PaymentIntent):
        world.truth.told_merchant(found.id, found.status.value)


def _capture(
    world: World, till: TillProcess, merchant: Merchant, payment: PaymentIntent, paid: deque[PaymentIntent]
) -> None:
    """
    Take all of it, or a part, with the tip that was given or less of it: refused where the rest would be too much.
    """
    if world.is_calm:
        return
    acquirer, rng = till.acquirer, world.rng
    whole, given = payment.total.amount_minor, payment.tip_minor
    part = None if rng.random() < 0.4 else rng.randint(1, whole)
    amount_minor = whole if part is None else part
    tip = None if rng.random() < 0.7 else rng.randint(0, min(given, amount_minor))
    tip_minor = min(given, amount_minor) if tip is None else tip
    world.truth.reserved.asked_to_capture(payment.id, amount_minor=amount_minor, tip_minor=tip_minor)
    found = ask_acquirer(
        world,
        acquirer,
        "capture",
        lambda: capture_payment_intent(
            acquirer.acquirer, merchant, payment.id, amount_minor=part, tip_minor=tip, now_ms=acquirer.clock()
        ),
    )
    world.trace("captured", till.name, payment.id[:8], type(found).__name__)
    if isinstance(found, PaymentIntent):
        world.truth.told_merchant(found.id, found.status.value)
        world.count(f"captures_{found.status.value}")
        if found.status.value == "succeeded":
            paid.append(found)
