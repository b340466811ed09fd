"""
Be the browsers of wallets, which deposit keys for receipts to come: now and then, twice, and some never.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from handsel.flows.issuing.deposit_receipt_keys import KeysWanted, deposit_receipt_keys, keys_wanted
from tests.simulation.asking import ask_issuer
from tests.simulation.receipts import receipt_keys_of

if TYPE_CHECKING:
    from tests.simulation.world import World

ROUND_MS = 4_000
DEPOSITS = 0.5
KEYS_MAX = 8  # At a time, so that they run out now and then.
NEVER = 4  # The palm whose owner never opens the wallet's page.


def deposit_keys(world: World) -> None:
    """
    Look after one wallet after the other.
    """
    while True:
        for palm in world.wallets:
            world.schedule.sleep(ROUND_MS / len(world.wallets))
            if not world.is_calm and palm != NEVER and world.rng.random() < DEPOSITS:
                _deposit(world, world.wallets[palm])


def _deposit(world: World, wallet_id: str) -> None:
    issuer = world.issuer
    wanted = ask_issuer(world, "keys_wanted", lambda: keys_wanted(issuer.issuer, wallet_id))
    if not isinstance(wanted, KeysWanted) or not wanted.count:
        return
    count = min(wanted.count, world.rng.randint(1, KEYS_MAX))
    keys = receipt_keys_of(world, wallet_id, first=wanted.first, count=count)
    ask_issuer(
        world,
        "deposit_receipt_keys",
        lambda: deposit_receipt_keys(issuer.issuer, wallet_id, keys, first=wanted.first),
    )
