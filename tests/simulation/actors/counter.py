"""
Be the two people at one counter: who asks for money, and who holds out a palm. Both change their minds.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from handsel.flows.acquiring.request_payment import (
    PaymentRequest,
    create_payment_intent,
    find_payment_intent,
)
from handsel.flows.acquiring.request_refund import RefundRequest, create_refund
from handsel.order import HOLDS_S
from handsel.pay.merchant import Merchant
from handsel.pay.money import Money
from handsel.pay.payment import PaymentIntent
from handsel.pay.tip import TipOffer
from handsel.till.agent_state import AgentState
from tests.simulation.actors.desk import cancel, wind_up
from tests.simulation.actors.owners import approve
from tests.simulation.actors.returns import bring_back
from tests.simulation.asking import ask_acquirer
from tests.simulation.set_up import PAUSED, WITH_PASSKEY, pin_of
from tests.simulation.till_party import PALMS_MAX, TillProcess

if TYPE_CHECKING:
    from tests.simulation.world import World

RESERVES = 0.4
BY_RECEIPT = 0.5  # Of those who bring something back.
TIPS = TipOffer(percents=(5, 10, 15))
PATIENCE_MS = 5_000  # Then the next customer is served.
LOOK_MS = 250
REMEMBERED_MAX = 40
SHOWS_FACTOR, RIGHT_PIN, WRONG_PIN = 0.8, 0.8, "739154"
AMOUNTS_MINOR = (1, 99, 250, 450, 1_999, 4_095, 5_000, 6_000, 7_500, 9_900)


def run_counter(world: World, till: TillProcess) -> None:
    """
    Serve one customer after another.
    """
    merchant = next(merchant for merchant, each in till.acquirer.shops if each == till.till)
    paid = deque[PaymentIntent](maxlen=REMEMBERED_MAX)
    while True:
        world.schedule.sleep(world.rng.uniform(50, 400))
        if world.is_calm or world.is_closing:
            world.schedule.sleep(2_000)
        elif paid and world.rng.random() < 0.2:
            payment = world.rng.choice(paid)
            if world.rng.random() < BY_RECEIPT:
                bring_back(world, till.acquirer, merchant, payment)
            else:
                _give_back(world, till, merchant, payment)
        else:
            _take(world, till, merchant, paid)


def _take(world: World, till: TillProcess, merchant: Merchant, paid: deque[PaymentIntent]) -> None:
    """
    Ask for a payment and have it paid; remember it where the merchant was told that it is.
    """
    world.payments_begun += 1
    acquirer, rng = till.acquirer, world.rng
    amount = Money(rng.choice(AMOUNTS_MINOR) if rng.random() < 0.5 else rng.randint(1, 2_000), "EUR")
    hold_s = HOLDS_S[0] if rng.random() < RESERVES else 0
    request = PaymentRequest(world.new_id(), amount, "Coffee", hold_s=hold_s, tips=TIPS if rng.random() < 0.3 else None)
    made = ask_acquirer(
        world,
        acquirer,
        "create_payment",
        lambda: create_payment_intent(acquirer.acquirer, merchant, request, now_ms=acquirer.clock()),
    )
    if not isinstance(made, PaymentIntent):
        return
    if rng.random() < 0.06:
        world.schedule.start(
            world.people, lambda: cancel(world, till, merchant, request.id), delay_ms=rng.uniform(0, 3_000)
        )
    _hold_out(world, till, _palm(world))
    found = ask_acquirer(
        world, acquirer, "find_payment", lambda: find_payment_intent(acquirer.acquirer, merchant, request.id)
    )
    if not isinstance(found, PaymentIntent):
        return
    world.truth.told_merchant(found.id, found.status.value)
    if found.status.value == "requires_capture":
        world.count("reserved")
        wind_up(world, till, merchant, found, paid)
    elif found.status.value == "succeeded":
        world.count("succeeded")
        paid.append(found)
    elif rng.random() < 0.7:
        cancel(world, till, merchant, request.id)


def _give_back(world: World, till: TillProcess, merchant: Merchant, payment: PaymentIntent) -> None:
    part = None if world.rng.random() < 0.5 else world.rng.randint(1, payment.received.amount_minor)
    request = RefundRequest(world.new_id(), payment.id, part)
    acquirer = till.acquirer
    made = ask_acquirer(
        world,
        acquirer,
        "create_refund",
        lambda: create_refund(acquirer.acquirer, merchant, request, now_ms=acquirer.clock()),
    )
    world.trace("refund", till.name, type(made).__name__)
    world.count("refunds")
    _hold_out(world, till, _palm(world))


def _palm(world: World) -> int:
    """
    Draw who holds out a palm: somebody who is enrolled, who often pays somewhere else just now; sometimes a stranger.
    """
    rng = world.rng
    if rng.random() < 0.05:
        return rng.randrange(len(world.wallets), PALMS_MAX)
    if rng.random() < 0.05:
        return PAUSED
    if rng.random() < 0.6:
        world.last_palm = rng.choice([palm for palm in world.wallets if palm != PAUSED])
    return world.last_palm


def _hold_out(world: World, till: TillProcess, palm: int) -> None:
    """
    Hold a palm before the till until it has an end, or patience has.
    """
    schedule, rng = world.schedule, world.rng
    until_ms = schedule.now_ms + PATIENCE_MS
    has_shown = False
    while schedule.now_ms < until_ms:
        state: AgentState | None = till.look() if till.is_up else None
        if state is not None and state.wants_frames and not (has_shown and state.kind is None):
            if rng.random() < 0.01:
                world.inside(till, till.cancel)
                return
            if state.tips and not has_shown and rng.random() < 0.7:
                tip_minor = rng.choice(state.tips).amount_minor
                world.inside(till, lambda tip_minor=tip_minor: till.choose_tip(tip_minor))  # type: ignore[misc]
            has_shown = True
            state = world.inside(till, lambda: till.hold_out(palm))
        if state is not None and state.screen in ("paid", "reserved", "refunded"):
            world.read_code(till)
            world.inside(till, till.cancel)
            return
        if state is not None and state.wants_pin and rng.random() < SHOWS_FACTOR:
            _show_factor(world, till, palm, amount_minor=state.amount_minor or 0)
            continue
        if state is not None and state.screen in ("declined", "trouble") and has_shown:
            if rng.random() < 0.7:
                return
            world.inside(till, till.retry)
        schedule.sleep(LOOK_MS)


def _show_factor(world: World, till: TillProcess, palm: int, *, amount_minor: int) -> None:
    """
    Type a PIN, the right one or not, or approve the sum in the wallet. Then the palm is held out once more.
    """
    if palm == WITH_PASSKEY:
        approve(world, palm, amount_minor=amount_minor)
        world.inside(till, till.retry)
        return
    typed = pin_of(palm) if world.rng.random() < RIGHT_PIN else WRONG_PIN
    world.inside(till, lambda: till.type_pin(typed))
    world.count("pins")
