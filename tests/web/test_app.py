"""
The application of a party: what reaches a route, what is refused before it, and what a caller is told.
"""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx
import msgspec
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from handsel import errors
from handsel.config import Secret
from handsel.log import Log
from handsel.web.app import (
    BODY_BYTES_MAX,
    SECURITY_HEADERS,
    anyone,
    bearer,
    build_app,
    decode_body,
    get,
    post,
    read_body,
    require_same_origin,
)
from handsel.web.errors import STATUS, ErrorBody

TOKEN = "t" * 64
OTHER_TOKEN = "u" * 64
CALLERS = {"acquirer": Secret(TOKEN), "issuer": Secret(OTHER_TOKEN)}
AUTHORISED = {"Authorization": f"Bearer {TOKEN}"}
BY_CODE = {kind.code: kind for kind in STATUS}


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Stand for a body.
    """

    amount_minor: int
    note: bytes = b""


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Stand for a body that says nothing.
    """


class Echo(msgspec.Struct, frozen=True):
    """
    Say what a route was called with.
    """

    caller: str
    id: str
    amount_minor: int


def echo(caller: str, path: Mapping[str, str], order: Order) -> Echo:
    """
    Answer with what was asked.
    """
    return Echo(caller, path["id"], order.amount_minor)


def fail(_: None, path: Mapping[str, str]) -> Echo:
    """
    Raise the exception whose code is in the path; `bug` is one that is not Handsel's.
    """
    if path["code"] == "bug":
        raise RuntimeError("wallet 4711 has 12.50")
    raise BY_CODE[path["code"]]("do this instead")


def only_our_page(request: Request) -> str:
    """
    Name the caller, unless another origin's page sent it.
    """
    require_same_origin(request)
    return "page"


async def short(request: Request) -> Response:
    """
    Answer with the length of a body of at most four bytes.
    """
    return PlainTextResponse(str(len(await read_body(request, bytes_max=4))))


def plain_page(_: Request, status: int, body: ErrorBody) -> Response:
    """
    Stand for a page that shows an error.
    """
    return PlainTextResponse(f"page: {body.error.code}", status)


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    """
    Do nothing around the serving.
    """
    yield


def build(log: io.StringIO | None = None) -> ASGIApp:
    """
    Return an application with one route of each kind.
    """
    routes = [
        post("/v1/charges/{id}", bearer(CALLERS), Order, echo),
        post("/v1/cancel/{id}", only_our_page, Order, echo),
        get("/v1/fail/{code}", anyone, fail),
        get("/fail/{code}", anyone, fail),
        Route("/v1/short", short, methods=["POST"]),
    ]
    stream = log if log is not None else io.StringIO()
    return build_app(
        routes,
        log=Log("test", stream),
        hosts=frozenset({"localhost", "127.0.0.1"}),
        lifespan=lifespan,
        error_page=plain_page,
    )


def ask(
    method: str,
    path: str,
    *,
    headers: Mapping[str, str] | None = None,
    content: bytes | AsyncIterator[bytes] | None = None,
    log: io.StringIO | None = None,
) -> httpx.Response:
    """
    Send one request to a fresh application and return its answer.
    """

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(build(log), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8401") as client:
            return await client.request(method, path, headers=headers, content=content)

    return asyncio.run(send())


def code_of(answer: httpx.Response) -> str:
    """
    Return the code of an error.
    """
    return str(answer.json()["error"]["code"])


def test_a_route_gets_caller_path_and_body() -> None:
    answer = ask("POST", "/v1/charges/77", headers=AUTHORISED, content=b'{"amount_minor": 450}')

    assert (answer.status_code, answer.json()) == (200, {"caller": "acquirer", "id": "77", "amount_minor": 450})


def test_the_token_names_the_caller() -> None:
    headers = {"Authorization": f"bearer {OTHER_TOKEN}"}

    assert ask("POST", "/v1/charges/77", headers=headers, content=b'{"amount_minor": 1}').json()["caller"] == "issuer"


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}x", "Bearer é"],
)
def test_without_a_known_token_nothing_is_answered(header: str | None) -> None:
    headers = httpx.Headers([] if header is None else [(b"Authorization", header.encode("latin-1"))])

    answer = ask("POST", "/v1/charges/77", headers=headers, content=b"{}")

    assert (answer.status_code, code_of(answer)) == (401, "access_denied")
    assert TOKEN[:8] not in answer.text


def test_an_application_without_callers_lets_nobody_in() -> None:
    refused = bearer({})

    with pytest.raises(errors.AccessDenied):
        refused(Request({"type": "http", "headers": [(b"authorization", b"Bearer " + TOKEN.encode())]}))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"{}",
        b'{"amount_minor": "450"}',
        b'{"amount_minor": 4.5}',
        b'{"amount_minor": 450, "extra": 1}',
        b'{"amount_minor": 450, "note": "not base64!"}',
        b'{"amount_minor": 450} {}',
    ],
)
def test_a_body_that_does_not_fit_is_refused(body: bytes) -> None:
    answer = ask("POST", "/v1/charges/77", headers=AUTHORISED, content=body)

    assert (answer.status_code, code_of(answer)) == (400, "body_invalid")


def test_a_refused_body_is_not_repeated() -> None:
    answer = ask("POST", "/v1/charges/77", headers=AUTHORISED, content=b'{"amount_minor": "4111111111111111"}')

    assert "4111" not in answer.text
    assert "amount_minor" in answer.text


@pytest.mark.parametrize(("length", "status"), [(0, 200), (4, 200), (5, 400)])
def test_the_limit_of_a_body_is_exact(length: int, status: int) -> None:
    assert ask("POST", "/v1/short", content=b"x" * length).status_code == status


def test_a_body_without_an_announced_length_is_cut_off_at_the_limit() -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 1000:
            sent += 1
            yield b"xx"

    assert ask("POST", "/v1/short", content=endless()).status_code == 400
    assert sent < 10


def test_a_body_beyond_the_usual_limit_is_refused() -> None:
    answer = ask("POST", "/v1/charges/77", headers=AUTHORISED, content=b" " * (BODY_BYTES_MAX + 1))

    assert (answer.status_code, code_of(answer)) == (400, "body_invalid")


@pytest.mark.parametrize("host", ["localhost", "localhost:8401", "127.0.0.1:1", "LOCALHOST"])
def test_a_served_host_is_answered(host: str) -> None:
    assert ask("POST", "/v1/short", headers={"Host": host}, content=b"").status_code == 200


@pytest.mark.parametrize("host", ["", "evil.example", "localhost.evil.example", "localhost@evil.example", "[::1]", "["])
def test_another_host_is_refused(host: str) -> None:
    answer = ask("POST", "/v1/short", headers={"Host": host}, content=b"")

    assert (answer.status_code, code_of(answer)) == (421, "access_denied")


@pytest.mark.parametrize("origin", [None, "http://localhost:8401"])
def test_our_own_page_may_ask(origin: str | None) -> None:
    headers = {} if origin is None else {"Origin": origin}

    assert ask("POST", "/v1/cancel/77", headers=headers, content=b'{"amount_minor": 1}').status_code == 200


@pytest.mark.parametrize(
    "origin", ["null", "http://localhost", "http://localhost:8402", "http://evil.example", "http://[", "localhost:8401"]
)
def test_a_page_of_another_origin_may_not_ask(origin: str) -> None:
    answer = ask("POST", "/v1/cancel/77", headers={"Origin": origin}, content=b'{"amount_minor": 1}')

    assert (answer.status_code, code_of(answer)) == (401, "access_denied")


@pytest.mark.parametrize("kind", list(STATUS), ids=lambda kind: kind.code)
def test_every_exception_becomes_its_status_and_code(kind: type[errors.HandselError]) -> None:
    answer = ask("GET", f"/v1/fail/{kind.code}")

    assert answer.status_code == STATUS[kind]
    assert answer.json() == {
        "error": {"code": kind.code, "message": "do this instead", "is_retryable": kind.is_retryable},
    }


@pytest.mark.parametrize("path", ["/v1/fail/bug", "/fail/bug"])
def test_an_unexpected_exception_does_not_leak_its_text(path: str) -> None:
    log = io.StringIO()

    answer = ask("GET", path, log=log)

    assert answer.status_code == 500
    assert "4711" not in answer.text + log.getvalue()
    assert "RuntimeError" not in answer.text


def test_of_an_unexpected_exception_class_and_place_are_logged() -> None:
    log = io.StringIO()

    ask("GET", "/v1/fail/bug", log=log)

    events = {line["event"]: line for line in map(json.loads, log.getvalue().splitlines())}
    assert events["request.broken"]["exception"] == "RuntimeError"
    assert events["request.broken"]["place"].startswith("test_app.py:")
    assert events["request"]["status"] == 500


def test_no_body_is_an_empty_one() -> None:
    assert decode_body(b"", Nothing) == decode_body(b"{}", Nothing) == Nothing()


def test_an_unexpected_exception_stays_inside_the_application() -> None:
    """
    What leaves the application is printed by the server, with its text.
    """

    async def send() -> None:
        transport = httpx.ASGITransport(build(), raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8401") as client:
            await client.get("/v1/fail/bug")

    asyncio.run(send())


def test_errors_outside_the_api_are_pages() -> None:
    assert ask("GET", "/fail/not_found").text == "page: not_found"
    assert ask("GET", "/nothing").text == "page: not_found"


def test_an_unknown_address_is_a_404_and_a_wrong_method_a_405() -> None:
    assert (ask("GET", "/v1/nothing").status_code, code_of(ask("GET", "/v1/nothing"))) == (404, "not_found")
    assert ask("GET", "/v1/charges/77").status_code == 405


@pytest.mark.parametrize(
    ("method", "path", "host"),
    [
        ("POST", "/v1/short", "localhost"),
        ("GET", "/v1/fail/not_found", "localhost"),
        ("GET", "/v1/fail/bug", "localhost"),
        ("GET", "/v1/nothing", "localhost"),
        ("GET", "/v1/short", "localhost"),
        ("GET", "/fail/not_found", "localhost"),
        ("POST", "/v1/short", "evil.example"),
    ],
    ids=["answer", "error", "bug", "no address", "no method", "page", "host"],
)
def test_every_answer_carries_the_security_headers(method: str, path: str, host: str) -> None:
    answer = ask(method, path, headers={"Host": host}, content=b"")

    assert {name: answer.headers.get_list(name) for name in SECURITY_HEADERS} == {
        name: [value] for name, value in SECURITY_HEADERS.items()
    }


def test_nothing_of_another_site_may_run_in_a_page_or_frame_it() -> None:
    policy = dict(part.split(" ", 1) for part in SECURITY_HEADERS["Content-Security-Policy"].split("; "))

    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert "unsafe" not in str(policy) and "http" not in str(policy)


def test_answers_of_the_api_are_not_cached() -> None:
    for path in ("/v1/fail/not_found", "/v1/nothing", "/v1/fail/bug"):
        assert ask("GET", path).headers["Cache-Control"] == "no-store"


def test_a_request_is_logged_once_by_pattern_and_without_its_ids() -> None:
    log = io.StringIO()

    ask("POST", "/v1/charges/4711?hint=4712", headers=AUTHORISED, content=b'{"amount_minor": 4713}', log=log)

    (line,) = (json.loads(text) for text in log.getvalue().splitlines())
    assert (line["event"], line["method"], line["route"], line["status"]) == (
        "request",
        "POST",
        "/v1/charges/{id}",
        200,
    )
    assert "471" not in log.getvalue() and TOKEN not in log.getvalue()


def test_two_requests_have_two_log_ids() -> None:
    log = io.StringIO()

    ask("POST", "/v1/short", content=b"", log=log)
    ask("POST", "/v1/short", content=b"", log=log)

    assert len({json.loads(text)["request"] for text in log.getvalue().splitlines()}) == 2
