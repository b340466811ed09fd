"""
A matcher's page: how it is, which protocol runs, how old its shares are, and nothing of any query.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

import msgspec
import pytest
from playwright.sync_api import Page, sync_playwright

from handsel.matching.matcher import Matcher
from handsel.web.app import SECURITY_HEADERS
from handsel.web.faces import MATCHER
from handsel.web.matcher import matcher_routes
from handsel.web.matcher_page import StatusView, matcher_error_page, matcher_page_routes
from handsel.web.pages import Dress
from tests.chromium import ARGUMENTS, CHROMIUM, needs_chromium
from tests.matching.three import Three, palm
from tests.web.browser import ORIGIN, Browser, said
from tests.web.legible import illegible, texts_seen
from tests.web.near_server import serving

NOW_MS = 1_763_881_440_000  # 23 Nov 2025, 07:04 UTC.
DAY_MS = 24 * 3_600_000
PROVED = "Every answer is proved: a matcher that does not follow the protocol is noticed before an answer is used"
TRUSTED = "Warning: Matchers are trusted to follow the protocol"
WIDTHS = (320, 390, 1280)

VIEW = StatusView(
    matcher="a",
    peers=("b", "c"),
    reaches_peers=True,
    catches_cheaters=True,
    palms=12,
    renewed_ms=NOW_MS,
    is_renewal_ordered=False,
    renew_hours=24,
    seen_ms=NOW_MS + DAY_MS,
)


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Three]:
    """
    Three matchers, none of them running.
    """
    made = Three(tmp_path)
    yield made
    made.close()


def browser(matcher: Matcher, origin: str = ORIGIN) -> Browser:
    """
    Visit a matcher, as it is wired.
    """
    routes = [*matcher_routes(matcher, {}), *matcher_page_routes(matcher, lambda: NOW_MS)]
    return Browser(routes, matcher_error_page, origin)


def text_of(view: StatusView) -> str:
    """
    Return what the page of a view says.
    """
    markup = bytes(Dress(MATCHER).render("matcher/status.html", view).body).decode()
    return " ".join(re.sub(r"<[^>]*>", " ", markup).split())


def test_a_matcher_that_is_alone_says_so_in_words(three: Three) -> None:
    answer = browser(three.start("a")).get("/")

    assert answer.status_code == 200
    assert "<title>Waiting for peers · Matcher a · Handsel Matcher</title>" in answer.text
    assert "Waiting for peers Matchers b and c do not both answer it." in said(answer)
    assert "Ok: it reaches" not in said(answer)
    assert "shares of 0 palms Last renewed not yet How often every 24 hours" in said(answer)


def test_a_matcher_that_reaches_both_peers_says_so_and_nothing_changes_with_a_query(three: Three) -> None:
    for name in "abc":
        three.start(name)
    three.enrol(palm(1), os.urandom(16), position=1)
    visitor = browser(three.matchers["b"])

    before = visitor.get("/")
    three.alias_of(palm(1))
    three.alias_of(palm(2))

    assert "<title>Ok · Matcher b · Handsel Matcher</title>" in before.text
    assert "Ok: it reaches both peers It can answer, together with matchers a and c." in said(before)
    assert "shares of 1 palm Last" in said(before)
    assert visitor.get("/").text == before.text


@pytest.mark.parametrize(("catches_cheaters", "told", "untold"), [(True, PROVED, TRUSTED), (False, TRUSTED, PROVED)])
def test_the_page_says_which_protocol_runs(three: Three, catches_cheaters: bool, told: str, untold: str) -> None:
    settings = replace(three.settings, catches_cheaters=catches_cheaters)

    answer = browser(three.start("c", settings=settings)).get("/")

    assert told in said(answer)
    assert untold not in said(answer)
    assert ("semi-honest" in said(answer)) is not catches_cheaters
    assert f"catches_cheaters = {str(catches_cheaters).lower()} ," in said(answer)


def test_when_shares_were_renewed_is_said_by_the_day_alone() -> None:
    """
    They are renewed after a query, whose minute is that of a payment.
    """
    markup = bytes(Dress(MATCHER).render("matcher/status.html", VIEW).body).decode()

    assert '<time datetime="2025-11-23">23 Nov 2025</time> (UTC)' in markup
    assert "Last renewed 23 Nov 2025 (UTC) How often every 24 hours" in text_of(VIEW)
    assert text_of(VIEW) == text_of(msgspec.structs.replace(VIEW, renewed_ms=NOW_MS + 60_000))
    assert text_of(VIEW) != text_of(msgspec.structs.replace(VIEW, renewed_ms=NOW_MS + DAY_MS))


def test_an_ordered_renewal_and_an_hourly_one_are_said(three: Three) -> None:
    matcher = three.start("a")
    three.order("renew", "0" * 32, to="a")

    assert "Last renewed soon: the issuer has ordered it" in said(browser(matcher).get("/"))
    assert "How often every hour" in text_of(msgspec.structs.replace(VIEW, renew_hours=1))


def test_the_page_is_open_to_anybody_and_as_strict_as_every_page(three: Three) -> None:
    answer = browser(three.start("a")).get("/")

    assert {name: answer.headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers
    assert "<script" not in answer.text
    assert "http-equiv" not in answer.text
    assert "This page is run by one of three independent organisations ." in said(answer)


def test_another_host_name_gets_no_page(three: Three) -> None:
    assert browser(three.start("a"), "http://elsewhere.example").get("/").status_code == 421


def test_an_error_is_a_page_beside_the_page_and_json_beside_the_json(three: Three) -> None:
    visitor = browser(three.start("a"))

    assert "There is nothing here" in said(visitor.get("/queries"))
    assert MATCHER.never_sees in said(visitor.get("/queries"))
    assert visitor.get("/v1/nowhere").json()["error"]["code"] == "not_found"
    assert visitor.get("/v1/health").json()["status"] == "waiting_for_peers"


@pytest.fixture(scope="module")
def lonely(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """
    The address of a matcher that shows all that it can warn of: it has no peers, and trusts them.
    """
    three = Three(tmp_path_factory.mktemp("lonely"))
    matcher = three.start("a", settings=replace(three.settings, catches_cheaters=False))
    with serving(browser(matcher, "http://127.0.0.1").app) as link:
        yield link.url
    three.close()


@pytest.fixture(params=["light", "dark"])
def page(request: pytest.FixtureRequest, lonely: str) -> Iterator[Page]:
    """
    That page in a browser without scripts, in which nothing is blocked.
    """
    complaints: list[str] = []
    scheme: Literal["light", "dark"] = request.param
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        opened = chromium.new_context(color_scheme=scheme, java_script_enabled=False).new_page()
        opened.on("console", lambda line: complaints.append(line.text))
        opened.goto(lonely)
        yield opened
        chromium.close()
    assert complaints == []


@pytest.mark.journey
@needs_chromium
def test_the_page_can_be_read_at_any_width_and_used_by_keyboard(page: Page) -> None:
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 640})

        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert illegible(texts_seen(page)) == {}
    assert TRUSTED in {text for text, _, _ in texts_seen(page)}
    assert page.locator("h1, h2").all_inner_texts() == ["Matcher a", "Now", "Protocol", "Shares"]

    reached = []
    for _ in range(3):
        page.keyboard.press("Tab")
        reached.append(page.locator(":focus").inner_text())
        assert page.evaluate("getComputedStyle(document.activeElement).outlineWidth") == "3px"
    assert reached == ["Skip to the content", "Handsel\nMatcher", "Look again"]
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.get_by_role("heading", name="Matcher a").is_visible()
