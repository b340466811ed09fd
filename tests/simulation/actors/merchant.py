"""
Call the merchant's interface of an acquirer, as a shop's till software does: again, with the same id, until it answers.
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
TIMEOUT_MS = 10_000


def ask_acquirer(world: World, acquirer: AcquirerProcess, name: str, act: Callable[[], T]) -> T | HandselError | None:
    """
    Return the answer, the error that was answered with, or None where there was no answer.
    """
    for _ in range(TRIES_MAX):
        try:
            answer = world.network.ask(world.people, acquirer, act, name=name, timeout_ms=TIMEOUT_MS)
        except (Unreachable, Lost):
            world.schedule.sleep(500)
            continue
        if not isinstance(answer, Refusal):
            return answer
        if answer.is_certain:
            return answer.error
        world.schedule.sleep(500)
    return None
