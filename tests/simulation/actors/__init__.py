"""
List who does what in a world. One file holds one kind of people; whoever adds a flow adds a file, and names it here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.simulation.actors.bank import run_bank
from tests.simulation.actors.counter import run_counter
from tests.simulation.actors.disputes import dispute
from tests.simulation.actors.meddler import meddle
from tests.simulation.actors.misfortune import strike
from tests.simulation.actors.owners import fill_wallets
from tests.simulation.actors.receipt_keys import deposit_keys
from tests.simulation.actors.senders import send_money

if TYPE_CHECKING:
    from tests.simulation.world import World


def actors(world: World) -> list[Callable[[], None]]:
    """
    Return the tasks of all people, and of bad luck.
    """
    counters = [lambda till=till: run_counter(world, till) for till in world.tills]
    owners = [lambda: fill_wallets(world), lambda: deposit_keys(world), lambda: send_money(world)]
    others = [lambda: dispute(world), lambda: run_bank(world), lambda: meddle(world), lambda: strike(world)]
    return [*counters, *owners, *others]
