"""
Be the owners of wallets: they fill them when they are nearly empty, press buttons twice, unlock their PINs, and approve
payments with a passkey.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from handsel.flows.issuing.approve_payment import ask_approval, give_approval
from handsel.flows.issuing.set_pin import unlock_pin
from handsel.flows.issuing.top_up import top_up
from handsel.pay.ledger import derive_id
from handsel.pay.money import Money
from tests.simulation.asking import ask_issuer

if TYPE_CHECKING:
    from tests.simulation.world import World

POOR = 3  # The palms from this one on: their owners fill in little, and the last of them is paused.
ROUND_MS = 1_500


def fill_wallets(world: World) -> None:
    """
    Look after all wallets, again and again.
    """
    while True:
        if not world.is_calm:
            for palm in world.wallets:
                _fill(world, palm)
                if world.truth.factors.needs_unlocking(world.wallets[palm]):
                    _unlock(world, world.wallets[palm])
        world.schedule.sleep(ROUND_MS)


def _unlock(world: World, wallet_id: str) -> None:
    ask_issuer(world, "unlock_pin", lambda: unlock_pin(world.issuer.issuer, wallet_id))


def _fill(world: World, palm: int) -> None:
    wallet_id = world.wallets[palm]
    rows = world.issuer.disk.rows(
        "SELECT credits_posted - debits_posted FROM accounts WHERE id = ?", f"wallet:{wallet_id}"
    )
    if rows[0][0] > (10_00 if palm >= POOR else 100_00):
        return
    top_up_id, amount = world.new_id(), Money(20_00 if palm >= POOR else 500_00, "EUR")
    world.truth.top_ups[derive_id("top_up", top_up_id)] = amount.amount_minor
    issuer = world.issuer
    ask_issuer(world, "top_up", lambda: top_up(issuer.issuer, wallet_id, top_up_id=top_up_id, amount=amount))


def approve(world: World, palm: int, *, amount_minor: int) -> None:
    """
    Say yes to a sum with a passkey.
    """
    issuer, wallet_id, approval_id = world.issuer, world.wallets[palm], world.new_id()
    asked = ask_issuer(
        world,
        "ask_approval",
        lambda: ask_approval(issuer.issuer, wallet_id, approval_id=approval_id, amount_minor=amount_minor),
    )
    if not isinstance(asked, str):
        return
    world.count("approvals")
    world.truth.factors.says_yes(wallet_id, amount_minor)
    ask_issuer(
        world,
        "give_approval",
        lambda: give_approval(issuer.issuer, wallet_id, approval_id=approval_id, response=asked),
    )
