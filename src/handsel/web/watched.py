"""
Show everybody which heads of other parties a party has seen, and whether one of them contradicts another.

Whoever has a head of such a party from elsewhere compares it with these: so that two histories need two who never look.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from handsel.clock import Clock
from handsel.store.heads_seen import SeenHeads
from handsel.web.app import anyone, get
from handsel.web.faces import Face
from handsel.web.pages import Dress, page

UNHEARD_MS_MIN = 600_000  # After ten minutes in which a party was not heard, the page says so.

Seen = Mapping[str, SeenHeads | None]


class WatchedBody(msgspec.Struct, frozen=True):
    """
    Answer with what was seen of each party that is watched and was heard.
    """

    watched: tuple[SeenHeads, ...]


class WatchedLine(msgspec.Struct, frozen=True):
    """
    Show one party; `seen` is None where it was never heard.
    """

    name: str
    seen: SeenHeads | None
    is_heard: bool


class WatchedView(msgspec.Struct, frozen=True):
    """
    Show all parties that are watched.
    """

    parties: tuple[WatchedLine, ...]
    seen_ms: int


def watched_routes(seen: Callable[[], Seen], clock: Clock, face: Face) -> list[BaseRoute]:
    """
    Return the routes. `seen` returns what was seen of each party by its name, None where it was never heard.
    """
    dress = Dress(face)

    def watched(_: None, __: Mapping[str, str]) -> WatchedBody:
        return WatchedBody(tuple(each for each in seen().values() if each is not None))

    def show(_: Request) -> Response:
        now_ms = clock()
        lines = (WatchedLine(name, each, _is_heard(each, now_ms=now_ms)) for name, each in seen().items())
        return dress.render("watched.html", WatchedView(tuple(lines), now_ms))

    return [get("/v1/watched", anyone, watched), page("/watched", show)]


def _is_heard(seen: SeenHeads | None, *, now_ms: int) -> bool:
    return seen is not None and now_ms - seen.heard_at_ms < UNHEARD_MS_MIN
