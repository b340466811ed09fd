"""
Stand for a program that speaks JSON with one application: no browser, no cookies, no network.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from typing import Any

import httpx
from starlette.routing import BaseRoute

from handsel.log import Log
from handsel.web.app import build_app
from tests.web.browser import nothing


class Api:
    """
    Ask one application, with `token` as the bearer token unless it is empty.
    """

    def __init__(self, routes: Sequence[BaseRoute], token: str = "") -> None:
        self._app = build_app(routes, log=Log("test", io.StringIO()), hosts=frozenset({"localhost"}), lifespan=nothing)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def get(self, path: str) -> httpx.Response:
        """
        Ask for what is at `path`.
        """
        return self._ask("GET", path, None)

    def post(self, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        """
        Send a JSON body.
        """
        return self._ask("POST", path, body or {})

    def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                return await client.request(method, path, headers=self._headers, json=body)

        return asyncio.run(ask())


def code_of(answer: httpx.Response) -> tuple[int, str]:
    """
    Return the status of an error and its code.
    """
    return answer.status_code, answer.json()["error"]["code"]
