"""
Say that a party answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
from starlette.routing import Route

from handsel.web.app import anyone, get


class HealthBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """
    Answer that the party serves; where it does not, there is no answer. `contradicted` names other parties whose heads
    contradict each other: that hinders nobody here, and somebody has to look at it.
    """

    status: str
    contradicted: tuple[str, ...] = ()


def health_route(contradicted: Callable[[], tuple[str, ...]] = tuple) -> Route:
    """
    Return the route that a supervisor asks.
    """

    def healthy(_: None, __: Mapping[str, str]) -> HealthBody:
        return HealthBody("ok", contradicted())

    return get("/v1/health", anyone, healthy)
