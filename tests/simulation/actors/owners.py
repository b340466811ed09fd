"""
Be the owners of wallets: they fill them when they are nearly empty, and press the button twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from handsel.flows.issuing.top_up import top_up
from handsel.pay.ledger import derive_id
from handsel.pay.money import Money
from tests.simulation.network import Lost, Unreachable

if TYPE_CHECKING:
    from tests.simulation.world import World

POOR = 3  # The palms from this one on: their owners fill in little, and the last of them is paused.
ROUND_MS = 1_500
TRIES_MAX = 4


def fill_wallets(world: World) -> None:
    """
    Look after all wallets, again and again.
    """
    while True:
        if not world.is_calm:
            for palm in world.wallets:
                _fill(world, palm)
        world.schedule.sleep(ROUND_MS)


def _fill(world: World, palm: int) -> None:
    wallet_id = world.wallets[palm]
    rows = world.issuer.disk.rows(
        "SELECT credits_posted - debits_posted FROM accounts WHERE id = ?", f"wallet:{wallet_id}"
    )
    if rows[0][0] > (500 if palm >= POOR else 100_00):
        return
    top_up_id, amount = world.new_id(), Money(700 if palm >= POOR else 500_00, "EUR")
    world.truth.top_ups[derive_id("top_up", top_up_id)] = amount.amount_minor
    issuer = world.issuer
    for _ in range(TRIES_MAX):
        try:
            world.network.ask(
                world.people,
                issuer,
                lambda: top_up(issuer.issuer, wallet_id, top_up_id=top_up_id, amount=amount),
                name="top_up",
                timeout_ms=5_000,
            )
        except (Unreachable, Lost):
            continue
        if world.rng.random() < 0.7:
            return
