"""
Say that a party answers.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from starlette.routing import Route

from handsel.web.app import anyone, get


class HealthBody(msgspec.Struct, frozen=True):
    """
    Answer that all is well; where it is not, there is no answer.
    """

    status: str


def health_route() -> Route:
    """
    Return the route that a supervisor asks.
    """

    def healthy(_: None, __: Mapping[str, str]) -> HealthBody:
        return HealthBody("ok")

    return get("/v1/health", anyone, healthy)
