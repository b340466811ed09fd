"""
Ask a party as whoever stands outside does: a shop's software, or the owner of a wallet. Again, until it answers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from handsel.errors import HandselError
from tests.simulation.network import Lost, Refusal, Unreachable

if TYPE_CHECKING:
    from tests.simulation.acquirer_party import AcquirerProcess
    from tests.simulation.world import World

T = TypeVar("T")

TRIES_MAX = 4
ACQUIRER_MS_MAX = 10_000
ISSUER_MS_MAX = 5_000


def ask_acquirer(world: World, acquirer: AcquirerProcess, name: str, act: Callable[[], T]) -> T | HandselError | None:
    """
    Ask with the same id until there is an answer; return it, the error that was answered with, or None without one.
    """
    for _ in range(TRIES_MAX):
        try:
            answer = world.network.ask(world.people, acquirer, act, name=name, timeout_ms=ACQUIRER_MS_MAX)
        except (Unreachable, Lost):
            world.schedule.sleep(500)
            continue
        if not isinstance(answer, Refusal):
            return answer
        if answer.is_certain:
            return answer.error
        world.schedule.sleep(500)
    return None


def ask_issuer(world: World, name: str, act: Callable[[], T]) -> T | Refusal | None:
    """
    Ask the issuer until it answers; sometimes once more.
    """
    found: T | Refusal | None = None
    for _ in range(TRIES_MAX):
        try:
            found = world.network.ask(world.people, world.issuer, act, name=name, timeout_ms=ISSUER_MS_MAX)
        except (Unreachable, Lost):
            continue
        if world.rng.random() < 0.7:
            break
    return found
