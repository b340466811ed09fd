"""
The page of a reconciliation: it stands by itself, explains each difference, and can be read by anybody anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from handsel.bank.booking import Difference, OrderKind, OrderState, Outcome
from handsel.flows.banking.reconcile import (
    DifferenceLine,
    ExpectedLine,
    MovementsLine,
    OrdersLine,
    Reconciliation,
    StatementLine,
)
from handsel.web.reconciliation_page import EXPLAINED, LINES_MAX, reconciliation_page
from tests.chromium import ARGUMENTS, CHROMIUM, needs_chromium
from tests.reference import ROOT
from tests.web.legible import by_day_and_night, illegible

NOW_MS = 1_800_000_000_000
ID = "0123456789abcdef" * 2
NOTHING = Reconciliation("EUR", 12_00, 12_00, (), (), (), ())
EVERYTHING = Reconciliation(
    "EUR",
    100_00,
    99_00,
    (
        StatementLine("2027-01", 0, 40_00, 3, 40_00, ()),
        StatementLine(
            "2027-02<b>", 40_00, 100_00, 2, 60_00, tuple(DifferenceLine(ID, name, -5_00) for name in Difference)
        ),
    ),
    (DifferenceLine("", Difference.BALANCE_DIFFERS, 1_00),),
    (ExpectedLine(f"{ID} no_reference", 3_00),),
    (ExpectedLine("owed to acquirer", 70_00),),
    tuple(MovementsLine(outcome, 2, -1_234_567_89) for outcome in Outcome),
    tuple(OrdersLine(kind, state, 1, 9_00) for kind in OrderKind for state in OrderState),
)


def text_of(found: Reconciliation) -> str:
    return reconciliation_page(found, party="issuer", made_ms=NOW_MS).decode()


def said(found: Reconciliation) -> str:
    body = re.sub(r"<style>.*</style>", " ", text_of(found), flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", body)).split())


def test_each_difference_is_named_explained_and_listed() -> None:
    words = said(EVERYTHING)

    assert "Not all is explained: 12 differences" in words
    assert "At the bank €100.00" in words and "In the ledger €99.00" in words and "Between them €1.00" in words
    for name, (happened, _) in EXPLAINED.items():
        assert name.value in words and happened[1:] in words
    assert "handsel bank write-off if it is a fee" in words
    assert f"{ID} −€5.00" in words
    assert "Looked for, and not found" not in words


def test_movements_and_orders_say_where_they_stand() -> None:
    words = said(EVERYTHING)

    assert "Transfers into wallets −€1234567.89 2 movements" in words
    assert "Pay-outs to merchants €9.00 1 order Refused by the bank" in words
    assert "2027-02<b> €100.00 From €40.00; 2 explained, together €60.00 11 not explained" in words
    assert f"Waits to be assigned or sent back: {ID} no_reference €3.00" in words
    assert "Owed to acquirer €70.00" in words


def test_where_all_is_explained_it_says_what_was_looked_for() -> None:
    words = said(NOTHING)

    assert "All is explained At the bank €12.00 In the ledger €12.00 Between them €0.00" in words
    for name in Difference:
        assert name.value in words
    assert "No statement was booked yet." in words


def test_what_the_bank_writes_is_text_and_nothing_is_loaded() -> None:
    page = text_of(EVERYTHING)

    assert "2027-02&lt;b&gt;" in page and "<b>" not in page
    assert not re.search(r"<(script|link|img|iframe|form)|@import|url\(|https?://(?!www\.w3\.org/2000/svg)", page)
    assert "default-src 'none'" in page


def test_a_thousand_of_one_name_are_counted_and_not_all_listed() -> None:
    lines = tuple(DifferenceLine(f"{number:032x}", Difference.NO_REFERENCE, 1) for number in range(1000))
    page = text_of(Reconciliation("EUR", 0, 0, (StatementLine("s", 0, 0, 0, 0, lines),), (), (), ()))

    assert f"And {1000 - LINES_MAX} more" in page and "1000, together" in page
    assert lines[LINES_MAX - 1].id in page and lines[LINES_MAX].id not in page


def test_the_document_explains_the_same() -> None:
    text = (ROOT / "docs/operating-bank.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (.+) \| (.+) \|$", text, re.MULTILINE)

    assert {Difference(name): (happened, advice) for name, happened, advice in rows} == EXPLAINED
    assert set(EXPLAINED) == set(Difference)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium: Browser, tmp_path: Path) -> Iterator[Page]:
    """
    The page with every difference, on a narrow phone, as a file.
    """
    (tmp_path / "report.html").write_text(text_of(EVERYTHING))
    page = chromium.new_page(viewport={"width": 320, "height": 700})
    said_by_browser: list[str] = []
    page.on("console", lambda message: said_by_browser.append(message.text))
    page.goto((tmp_path / "report.html").as_uri())
    yield page
    assert said_by_browser == []
    page.close()


@needs_chromium
def test_it_fits_a_phone_and_can_be_read_by_day_and_by_night(opened: Page) -> None:
    assert opened.evaluate("document.documentElement.scrollWidth") <= 320
    assert illegible(by_day_and_night(opened)) == {}


@needs_chromium
def test_the_keyboard_reaches_each_part(opened: Page) -> None:
    reached = []
    for _ in range(5):
        opened.keyboard.press("Tab")
        reached.append(opened.evaluate("document.activeElement.getAttribute('href')"))

    assert reached == ["#content", "#differences", "#movements", "#orders", "#statements"]
    assert opened.locator("main h2[id]").count() == 6
