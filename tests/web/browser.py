"""
Stand for a person's browser: keeps cookies, fills forms in, and asks an application without a network.
"""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from html import unescape

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from handsel.log import Log
from handsel.web.app import build_app
from handsel.web.errors import ErrorBody

ORIGIN = "http://localhost:8401"
COOKIE_DOMAIN = "localhost.local"  # What the cookie jar makes of localhost.


@asynccontextmanager
async def nothing(_: Starlette) -> AsyncIterator[None]:
    """
    Do nothing around the serving.
    """
    yield


class Browser:
    """
    Visit one application. `log` is what `app` writes.
    """

    def __init__(
        self,
        routes: Sequence[BaseRoute],
        error_page: Callable[[Request, int, ErrorBody], Response],
        origin: str = ORIGIN,
    ) -> None:
        self.log = io.StringIO()
        self.origin = origin
        self.cookies = httpx.Cookies()
        self.app = build_app(
            routes,
            log=Log("test", self.log),
            hosts=frozenset({"localhost", "127.0.0.1"}),
            lifespan=nothing,
            error_page=error_page,
        )

    def get(self, path: str) -> httpx.Response:
        """
        Open a page.
        """
        return self._ask("GET", path, None)

    def post(self, path: str, *, origin: str | None = ORIGIN, **fields: str) -> httpx.Response:
        """
        Send a form, as a page of `origin` would.
        """
        return self._ask("POST", path, origin, data=fields)

    def send(self, path: str, content: bytes, *, origin: str | None = ORIGIN) -> httpx.Response:
        """
        Send a body as it is, as a script of `origin` would.
        """
        return self._ask("POST", path, origin, content=content)

    def _ask(
        self,
        method: str,
        path: str,
        origin: str | None,
        *,
        data: dict[str, str] | None = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        headers = {} if origin is None else {"Origin": origin}

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=self.origin, cookies=self.cookies) as client:
                answer = await client.request(method, path, headers=headers, data=data, content=content)
                self.cookies = client.cookies
                return answer

        return asyncio.run(ask())


def said(answer: httpx.Response) -> str:
    """
    Return what a page says, without its markup.
    """
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", answer.text)).split())
