"""
Build the HTTP application of a party out of typed routes.

A route names its caller, the type of its body, and a plain function from both to an answer; this module reads, checks,
calls, and encodes. It knows nothing of what the routes do. What it logs of a request is its pattern, status and time.
"""

from __future__ import annotations

import hmac
import secrets
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from handsel import errors
from handsel.config import Secret
from handsel.log import Log
from handsel.web.errors import STATUS, ErrorBody, ErrorDetail, error_body

BODY_BYTES_MAX = (
    4 << 20
)  # Two template envelopes and a query of 32 views stay below 64 KiB; a camera frame below 2 MiB.
REQUEST_ID_BYTES = 8
SUCCESS = range(200, 400)

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
        "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Referrer-Policy": "same-origin",  # With no-referrer, a browser hides even our own forms' origin from us.
    "X-Content-Type-Options": "nosniff",
}

C = TypeVar("C")
B = TypeVar("B", bound=msgspec.Struct)

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]


def get(path: str, caller: Callable[[Request], C], answer: Callable[[C, Mapping[str, str]], msgspec.Struct]) -> Route:
    """
    Return a route that answers a GET as JSON. `answer` gets the caller and the parameters of the path.
    """

    def respond(request: Request) -> Response:
        return json_response(answer(caller(request), _path(request)))

    return Route(path, respond, methods=["GET"])


def post(
    path: str,
    caller: Callable[[Request], C],
    body: type[B],
    answer: Callable[[C, Mapping[str, str], B], msgspec.Struct],
) -> Route:
    """
    Return a route that reads a POST's JSON body as `body` and answers as JSON.
    """

    async def respond(request: Request) -> Response:
        def call() -> msgspec.Struct:
            who = caller(request)
            return answer(who, _path(request), decode_body(raw, body))

        raw = await read_body(request)
        return json_response(await run_in_threadpool(call))

    return Route(path, respond, methods=["POST"])


def bearer(tokens: Mapping[str, Secret]) -> Callable[[Request], str]:
    """
    Return a function that names the caller of a request by its bearer token. It raises `AccessDenied`.
    """

    def caller(request: Request) -> str:
        shown = bearer_token(request)
        found = [name for name, token in tokens.items() if hmac.compare_digest(token.reveal().encode(), shown.encode())]
        if not found:
            raise errors.AccessDenied("the link token is not known here")
        return found[0]

    return caller


def bearer_token(request: Request) -> str:
    """
    Return the token in the Authorization header. Raises `AccessDenied` where there is none.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise errors.AccessDenied("send your token as 'Authorization: Bearer …'")
    return token


def anyone(_: Request) -> None:
    """
    Let anybody call.
    """


def require_same_origin(request: Request) -> None:
    """
    Refuse a request that a page of another origin sent. Raises `AccessDenied`.
    """
    origin = request.headers.get("origin")
    if origin is not None and origin.partition("://")[2] != request.headers.get("host"):
        raise errors.AccessDenied("this may only be asked from Handsel's own page")


async def read_body(request: Request, bytes_max: int = BODY_BYTES_MAX) -> bytes:
    """
    Return the body, at most `bytes_max` long. Raises `BodyInvalid`.
    """
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > bytes_max:
            raise errors.BodyInvalid(f"the body is longer than {bytes_max} bytes")
    return bytes(content)


def decode_body(raw: bytes, kind: type[B]) -> B:
    """
    Return a JSON body as `kind`; no body is an empty one. Raises `BodyInvalid`, which never names a value.
    """
    try:
        return msgspec.json.decode(raw or b"{}", type=kind)
    except msgspec.ValidationError as exc:
        raise errors.BodyInvalid(f"the body cannot be used: {_without_values(str(exc))}") from exc
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise errors.BodyInvalid("the body is not JSON") from exc


def json_response(answer: msgspec.Struct, status: int = 200) -> Response:
    """
    Return `answer` as JSON that no cache keeps.
    """
    return Response(msgspec.json.encode(answer), status, {"Cache-Control": "no-store"}, media_type="application/json")


def build_app(
    routes: Sequence[BaseRoute],
    *,
    log: Log,
    hosts: frozenset[str],
    lifespan: Lifespan,
    error_page: Callable[[Request, int, ErrorBody], Response] | None = None,
) -> ASGIApp:
    """
    Return the application that serves `routes` to requests whose Host header is in `hosts`.

    Errors below /v1/ are JSON; elsewhere they go through `error_page`, where there is one.
    """

    def refuse(request: Request, status: int, body: ErrorBody) -> Response:
        if error_page is not None and not request.url.path.startswith("/v1/"):
            return error_page(request, status, body)
        return json_response(body, status)

    def on_handsel(request: Request, exc: Exception) -> Response:
        known = exc if isinstance(exc, errors.HandselError) else errors.InvariantBroken("an unexpected error")
        log.event("request.failed", code=known.code)
        return refuse(request, STATUS[type(known)], error_body(known))

    def on_http(request: Request, exc: Exception) -> Response:
        status = exc.status_code if isinstance(exc, HTTPException) else 500
        code = "not_found" if status == 404 else "body_invalid"
        text = "there is nothing at this address" if status == 404 else "this address does not take that method"
        return refuse(request, status, ErrorBody(ErrorDetail(code, text, False)))

    def on_bug(request: Request, _: Exception) -> Response:
        return refuse(request, 500, ErrorBody(ErrorDetail("error", "an unexpected error; it was logged", False)))

    inner = Starlette(
        routes=list(routes),
        exception_handlers={errors.HandselError: on_handsel, HTTPException: on_http, Exception: on_bug},
        lifespan=lifespan,
    )
    return _Edge(inner, log=log, hosts=hosts)


class _Edge:
    """
    Check the Host header, add the security headers, log what changes or fails, and let no exception out.

    Questions that were answered are not logged: a till asks twice a second.
    Of an unexpected exception its class and place are logged, and never its text, which may hold anything.
    """

    def __init__(self, app: ASGIApp, log: Log, hosts: frozenset[str]) -> None:
        self.app = app
        self.log = log
        self.hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                extra = [(k.lower().encode(), v.encode()) for k, v in SECURITY_HEADERS.items()]
                message["headers"] = [*message["headers"], *extra]
            await send(message)

        try:
            await self._serve(scope, receive, send_with_headers)
        except Exception as exc:  # Starlette has answered already, and passes the exception on for a log.
            self.log.event("request.broken", exception=type(exc).__name__, place=_place(exc))
        if scope["method"] == "GET" and status in SUCCESS:
            return
        self.log.event(
            "request",
            request=secrets.token_hex(REQUEST_ID_BYTES),
            method=scope["method"],
            route=getattr(scope.get("route"), "path", "unknown"),
            status=status,
            duration_ms=round(1000 * (time.perf_counter() - started), 1),
        )

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
        if _host_name(host) in self.hosts:
            await self.app(scope, receive, send)
        else:
            detail = ErrorDetail("access_denied", "this host name is not served here", False)
            await json_response(ErrorBody(detail), 421)(scope, receive, send)


def _path(request: Request) -> Mapping[str, str]:
    return {name: str(value) for name, value in request.path_params.items()}


def _host_name(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:  # As for "[", which no address begins with and does not end.
        return None


def _place(exc: Exception) -> str:
    frames = traceback.extract_tb(exc.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown"


def _without_values(message: str) -> str:
    return message if "Invalid" not in message else "a field has a value that is not allowed"
