"""
Pages: what they send, what they take from a form, and what they refuse.
"""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import msgspec
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from handsel import web
from handsel.errors import BodyInvalid, NotFound, PartyUnavailable
from handsel.pay.money import Money
from handsel.web.errors import STATUS
from handsel.web.faces import MATCHER, SHOP, TILL, WALLET, Face
from handsel.web.pages import (
    FIELDS_MAX,
    FORM_BYTES_MAX,
    Dress,
    NoFields,
    day_text,
    forget,
    form,
    go,
    iso_text,
    page,
    plain_amount,
    read_fields,
    remember,
    static_files,
    utc_text,
)
from tests.web.browser import Browser, said

BY_CODE = {kind.code: kind for kind in STATUS}
WEB = Path(web.__path__[0])
# Written into a file, which loads nothing and is under no party's policy: tests/web/test_reconciliation_page.py.
FILES = {Path("reconciliation.html")}
TEMPLATES = sorted({path.relative_to(WEB / "templates") for path in (WEB / "templates").rglob("*.html")} - FILES)


class Fields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Be a form of two fields.
    """

    amount: str
    note: str = ""


class Words(msgspec.Struct, frozen=True):
    """
    Be the view of an error page.
    """

    title: str
    what: str
    next: str = ""
    code: str = ""
    again: str = ""


def browser(origin: str = "http://localhost:8401") -> Browser:
    dress = Dress(WALLET)

    def echo(_: Request, fields: Fields) -> Response:
        return PlainTextResponse(f"{fields.amount}|{fields.note}")

    def keep(request: Request) -> Response:
        return remember(request, go("/"), cookie="kept", value="1")

    def lose(_: Request) -> Response:
        return forget(go("/"), "kept")

    def fail(request: Request) -> Response:
        raise BY_CODE[request.path_params["code"]]("do this instead")

    def fail_form(request: Request, _: NoFields) -> Response:
        return fail(request)

    routes = [
        static_files(),
        form("/echo", Fields, echo),
        page("/keep", keep),
        page("/lose", lose),
        page("/fail/{code}", fail),
        form("/fail/{code}", NoFields, fail_form),
    ]
    return Browser(routes, dress.refuse, origin)


def test_a_form_of_our_own_page_is_read() -> None:
    assert browser().post("/echo", amount="4,50", note="Café & co").text == "4,50|Café & co"


@pytest.mark.parametrize("origin", ["http://evil.example", "http://localhost:8402", "null"])
def test_a_form_that_another_page_sent_is_refused(origin: str) -> None:
    answer = browser().post("/echo", amount="4,50", origin=origin)

    assert answer.status_code == 401
    assert "access-control-allow-origin" not in answer.headers


def test_a_form_with_a_field_that_is_not_on_the_page_is_refused() -> None:
    answer = browser().post("/echo", amount="1", account="x")

    assert answer.status_code == 400
    assert "load the page again" in said(answer)


@pytest.mark.parametrize("raw", [b"", b"note=x", b"amount=%ff", b"amount=\xff", b"amount"])
def test_a_form_that_is_not_filled_in_as_the_page_has_it_is_refused(raw: bytes) -> None:
    if raw == b"amount":
        assert read_fields(raw, Fields) == Fields("")
        return
    with pytest.raises(BodyInvalid):
        read_fields(raw, Fields)


def test_a_form_is_bounded_in_bytes_and_in_fields() -> None:
    longest = "x" * (FORM_BYTES_MAX - len("amount="))

    assert browser().post("/echo", amount=longest).status_code == 200
    assert browser().post("/echo", amount=longest + "x").status_code == 400
    with pytest.raises(BodyInvalid):
        read_fields(b"&".join([b"amount=1"] * (FIELDS_MAX + 1)), Fields)


def test_a_cookie_is_out_of_reach_of_scripts_and_of_other_sites() -> None:
    kept = browser().get("/keep").headers["set-cookie"].lower()

    assert "httponly" in kept
    assert "samesite=strict" in kept
    assert "secure" not in kept
    assert "secure" in browser("https://localhost:8401").get("/keep").headers["set-cookie"].lower()


def test_a_cookie_that_is_taken_away_is_gone() -> None:
    visitor = browser()
    visitor.get("/keep")
    assert dict(visitor.cookies) == {"kept": "1"}

    visitor.get("/lose")

    assert dict(visitor.cookies) == {}


@pytest.mark.parametrize("code", sorted(BY_CODE))
def test_every_error_has_a_page_that_says_what_to_do(code: str) -> None:
    kind = BY_CODE[code]
    answer = browser().get(f"/fail/{kind.code}")

    assert answer.status_code == STATUS[kind]
    assert "Do this instead." in said(answer)
    assert "Go to the first page" in said(answer)
    assert kind.code in said(answer)
    assert ('href="/fail/' in answer.text) == kind.is_retryable


def test_a_form_that_may_be_sent_again_says_that_it_counts_once() -> None:
    again = said(browser().post(f"/fail/{PartyUnavailable.code}"))
    never = said(browser().post(f"/fail/{NotFound.code}"))

    assert "it counts once" in again
    assert "it counts once" not in never


def test_an_address_where_nothing_is_has_a_page_too() -> None:
    answer = browser().get("/nowhere")

    assert answer.status_code == 404
    assert "There is nothing here" in said(answer)


def test_what_people_wrote_is_never_markup() -> None:
    answer = Dress(SHOP).render("error.html", Words("<script>alert(1)</script>", "'\"&"))

    assert b"<script>alert(1)</script>" not in bytes(answer.body)
    assert b"&lt;script&gt;" in bytes(answer.body)


@pytest.mark.parametrize("face", [WALLET, SHOP, TILL, MATCHER], ids=lambda face: str(face.name))
def test_every_page_says_who_runs_it_and_what_that_one_sees_and_never_sees(face: Face) -> None:
    page_text = unescape(bytes(Dress(face).render("error.html", Words("t", "w")).body).decode())

    assert face.run_by in page_text
    assert f"<strong>It sees</strong> {face.sees}." in page_text
    assert f"<strong>It never sees</strong> {face.never_sees}." in page_text


def test_no_cache_keeps_a_page() -> None:
    assert browser().get("/nowhere").headers["cache-control"] == "no-store"
    assert browser().get("/keep").headers["cache-control"] == "no-store"


@pytest.mark.parametrize("name", TEMPLATES, ids=str)
def test_a_template_holds_no_script_no_style_and_nothing_from_elsewhere(name: Path) -> None:
    """
    The content security policy would block them: what is written inline would silently not work.
    """
    text = (WEB / "templates" / name).read_text()

    assert not re.search(r"<script(?![^>]*\bsrc=\"/static/)", text)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=", text)
    assert not re.search(r"(?:src|href|action)=\"(?!/|#|\{\{)", text)


@pytest.mark.parametrize("name", TEMPLATES, ids=str)
def test_a_page_extends_the_one_dress_and_has_a_title(name: Path) -> None:
    text = (WEB / "templates" / name).read_text()

    if "{% macro" in text or name.name == "page.html":
        return
    assert text.startswith('{% extends "page.html" %}')
    assert "{% block title %}" in text


def test_every_static_file_that_a_page_names_is_there() -> None:
    texts = [path.read_text() for path in (*(WEB / "templates").rglob("*.html"), *(WEB / "static").glob("*.js"))]
    named = {name for text in texts for name in re.findall(r"/static/([\w.-]+)", text)}

    assert named == {path.name for path in (WEB / "static").iterdir()}


@pytest.mark.parametrize(
    ("minor", "currency", "written"),
    [
        (450, "EUR", "€4.50"),
        (5, "EUR", "€0.05"),
        (123456, "EUR", "€1234.56"),
        (450, "CHF", "4.50 CHF"),
        (450, "JPY", "450 JPY"),
    ],
)
def test_an_amount_is_written_as_people_read_it(minor: int, currency: str, written: str) -> None:
    assert plain_amount(Money(minor, currency)) == written


def test_a_moment_is_written_in_utc() -> None:
    assert utc_text(951_782_399_000) == "28 Feb 2000, 23:59 UTC"
    assert utc_text(951_782_400_000) == "29 Feb 2000, 00:00 UTC"
    assert day_text(951_782_399_000) == "28 Feb 2000"
    assert iso_text(951_782_400_999) == "2000-02-29T00:00:00+00:00"
