"""
Show to anybody how one matcher is: whether it reaches its peers, which protocol runs, how old its shares are.

There is nothing on it of any query. When shares were renewed is said by the day: it happens after a query, whose minute
would be that of somebody's payment.

LIMITATIONS
Whoever looks again and again sees when the number of palms changes, here as in `/v1/health`.
"""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from handsel.clock import Clock
from handsel.matching.matcher import Matcher
from handsel.matching.message import MATCHERS
from handsel.web.errors import ErrorBody
from handsel.web.faces import MATCHER
from handsel.web.pages import Dress, page, static_files

_HOUR_MS = 3_600_000


class StatusView(msgspec.Struct, frozen=True):
    """
    Show how a matcher was at `seen_ms`. `renewed_ms` is None where shares were not renewed, or are to be again.
    """

    matcher: str
    peers: tuple[str, ...]
    reaches_peers: bool
    catches_cheaters: bool
    palms: int
    renewed_ms: int | None
    is_renewal_ordered: bool
    renew_hours: int
    seen_ms: int


def matcher_page_routes(matcher: Matcher, clock: Clock) -> list[BaseRoute]:
    """
    Return the routes of the page. It needs no sign-in: whoever is to trust a matcher may look.
    """
    dress = Dress(MATCHER)

    def status(_: Request) -> Response:
        return dress.render("matcher/status.html", _status_view(matcher, now_ms=clock()))

    return [static_files(), page("/", status)]


def matcher_error_page(request: Request, status: int, body: ErrorBody) -> Response:
    """
    Return the page that says what went wrong at a matcher.
    """
    return Dress(MATCHER).refuse(request, status, body)


def _status_view(matcher: Matcher, *, now_ms: int) -> StatusView:
    health, freshness = matcher.health(), matcher.freshness()
    return StatusView(
        matcher=health.matcher,
        peers=tuple(name for name in MATCHERS if name != health.matcher),
        reaches_peers=health.status == "ok",
        catches_cheaters=health.catches_cheaters,
        palms=health.rows,
        renewed_ms=freshness.renewed_ms,
        is_renewal_ordered=freshness.is_ordered,
        renew_hours=freshness.every_ms // _HOUR_MS,
        seen_ms=now_ms,
    )
