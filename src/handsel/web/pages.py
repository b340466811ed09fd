"""
Render a party's pages: HTML that works by itself, in one dress.

A page is a function from a request to a response; a form is one from a request and its fields. This module reads the
fields, checks where they come from, and renders templates; it knows nothing of what the pages say.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar
from urllib.parse import parse_qsl

import jinja2
import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from handsel.errors import BodyInvalid
from handsel.web.app import read_body, require_same_origin
from handsel.web.errors import ErrorBody
from handsel.web.faces import Face

FORM_BYTES_MAX = 8192  # Of most forms: a description of 200 characters and an amount, or fifty public keys.
FIELDS_MAX = 16
COOKIE_S_MAX = 30 * 24 * 3600  # Thirty days, then a person signs in again.
_HERE = Path(__file__).parent

F = TypeVar("F", bound=msgspec.Struct)


class Dress:
    """
    Render templates for one face.

    It is a class in order to read and parse the templates only once.
    """

    def __init__(self, face: Face) -> None:
        """
        Read the templates beside this module.
        """
        self._face = face
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters.update(plain=plain_amount, utc=utc_text, iso=iso_text, day=day_text)

    def render(self, template: str, view: object, *, status: int = 200) -> Response:
        """
        Return the page that `template` makes of `view`. No cache keeps it.
        """
        return HTMLResponse(self.text(template, view), status, {"Cache-Control": "no-store"})

    def text(self, template: str, view: object) -> str:
        """
        Return what `template` makes of `view`.
        """
        return self._templates.get_template(template).render(face=self._face, view=view)

    def refuse(self, request: Request, status: int, body: ErrorBody) -> Response:
        """
        Return the page that says what went wrong and what to do.
        """
        return self.render("error.html", _error_view(request, status, body), status=status)


class ErrorView(msgspec.Struct, frozen=True):
    """
    Say what an error page says. `again` is the address to ask once more, or empty.
    """

    title: str
    what: str
    next: str
    code: str
    again: str


class NoFields(msgspec.Struct, frozen=True):
    """
    Be a form that is only a button.
    """


def page(path: str, answer: Callable[[Request], Response]) -> Route:
    """
    Return a route that shows a page.
    """

    def respond(request: Request) -> Response:
        return answer(request)

    return Route(path, respond, methods=["GET"])


def form(
    path: str, fields: type[F], answer: Callable[[Request, F], Response], *, bytes_max: int = FORM_BYTES_MAX
) -> Route:
    """
    Return a route that takes a form from a page of the same origin. Raises `AccessDenied` and `BodyInvalid`.
    """

    async def respond(request: Request) -> Response:
        require_same_origin(request)
        sent = read_fields(await read_body(request, bytes_max), fields)
        return await run_in_threadpool(answer, request, sent)

    return Route(path, respond, methods=["POST"])


def static_files() -> Mount:
    """
    Return the route to the stylesheets, scripts and pictures.
    """
    return Mount("/static", StaticFiles(directory=_HERE / "static"))


def read_fields(raw: bytes, fields: type[F]) -> F:
    """
    Return an urlencoded form as `fields`. Raises `BodyInvalid`, which names no value.
    """
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, max_num_fields=FIELDS_MAX, errors="strict")
        return msgspec.convert(dict(pairs), type=fields)
    except (ValueError, msgspec.ValidationError) as exc:
        raise BodyInvalid("the form was not filled in as the page has it: load the page again") from exc


def sentence(text: object) -> str:
    """
    Return what an error or a table says as a sentence: with a capital letter, and a full stop behind it.
    """
    words = str(text)
    return f"{words[:1].upper()}{words[1:]}."


def go(path: str) -> Response:
    """
    Return a redirect after a form, so that loading the page again does not send it again.
    """
    return RedirectResponse(path, 303, {"Cache-Control": "no-store"})


def remember(request: Request, response: Response, *, cookie: str, value: str) -> Response:
    """
    Return `response` with a cookie that no script and no other site can use.
    """
    is_secure = request.url.scheme == "https"
    response.set_cookie(cookie, value, max_age=COOKIE_S_MAX, httponly=True, samesite="strict", secure=is_secure)
    return response


def forget(response: Response, *cookies: str) -> Response:
    """
    Return `response` with cookies taken away.
    """
    for cookie in cookies:
        response.delete_cookie(cookie, httponly=True, samesite="strict")
    return response


def plain_amount(money: object) -> str:
    """
    Return an amount as people read it, `€4.50` or `4.50 CHF`, from one that writes itself as `4.50 EUR`.

    It takes any such object, because the till must not load the module in which `Money` lives.
    """
    text = str(money)
    return f"€{text.removesuffix(' EUR')}" if text.endswith(" EUR") else text


def utc_text(ms: int) -> str:
    """
    Return a moment for readers without a script: `23 Nov 2025, 06:54 UTC`.
    """
    moment = datetime.fromtimestamp(ms / 1000, tz=UTC)
    return f"{day_text(ms)}, {moment:%H:%M} UTC"


def day_text(ms: int) -> str:
    """
    Return the day of a moment, in UTC: `23 Nov 2025`.
    """
    moment = datetime.fromtimestamp(ms / 1000, tz=UTC)
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment:%Y}"


def iso_text(ms: int) -> str:
    """
    Return a moment for scripts, as in ISO 8601.
    """
    return datetime.fromtimestamp(ms / 1000, tz=UTC).isoformat(timespec="seconds")


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_TITLES = {
    400: "That could not be used",
    401: "This is not for you to see",
    404: "There is nothing here",
    405: "There is nothing here",
    409: "That was sent before, differently",
    413: "That is too large",
    503: "Someone does not answer just now",
    507: "There is no room left",
}


def _error_view(request: Request, status: int, body: ErrorBody) -> ErrorView:
    error = body.error
    what = sentence(error.message.rstrip("."))
    if error.is_retryable and request.method == "GET":
        return ErrorView(_TITLES[status], what, "Wait a moment, then try again.", error.code, str(request.url.path))
    if error.is_retryable:
        advice = "Wait a moment, go back and send it again: however often you send it, it counts once."
    elif status == 401:
        advice = "Sign in on the first page, then try again."
    elif status < 500:
        advice = "Go back and look at what you entered, or start from the first page."
    else:
        advice = "Nothing was lost. Tell whoever runs this page; they find it in their log."
    return ErrorView(_TITLES.get(status, "Something went wrong here"), what, advice, error.code, "")
