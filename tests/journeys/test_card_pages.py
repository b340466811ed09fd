"""
The card's pages in a real browser, on the narrowest screen there is, with the keyboard alone, by day and by night.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from tests.chromium import ARGUMENTS, CHROMIUM, needs_chromium
from tests.journeys.conftest import Running
from tests.web.legible import illegible, texts_seen

NARROW = 320  # CSS pixels: WCAG 2.2, 1.4.10.
PAGE_MS_MAX = 20_000

pytestmark = [pytest.mark.journey, needs_chromium]


@pytest.fixture
def context() -> Iterator[BrowserContext]:
    """
    A browser in which no script fails and nothing is blocked.
    """
    complaints: list[str] = []
    expect.set_options(timeout=PAGE_MS_MAX)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        made = browser.new_context(viewport={"width": NARROW, "height": 700})
        made.set_default_timeout(PAGE_MS_MAX)
        made.on("weberror", lambda error: complaints.append(str(error.error)))
        made.on("console", lambda line: complaints.append(line.text) if line.type in ("error", "warning") else None)
        yield made
        browser.close()
    assert complaints == []


def is_sound(page: Page) -> None:
    """
    Nothing lies beyond the edge of the screen, and every text can be read, by day and by night.
    """
    page.wait_for_load_state("load")
    assert page.evaluate("document.documentElement.scrollWidth") == NARROW
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme)
        assert illegible(texts_seen(page)) == {}


def test_a_card_is_made_pays_and_is_lost(running: Running, context: BrowserContext, tmp_path: Path) -> None:
    wallet, till = context.new_page(), context.new_page()
    code = agree(wallet, running)
    photograph = tmp_path / "card.png"

    photograph.write_bytes(make_card(till, running, code))
    see_the_card(wallet)
    pay(till, running, photograph)
    lose(wallet)


def agree(wallet: Page, running: Running) -> str:
    wallet.goto(running.demo.wallet_url)
    wallet.get_by_role("button", name="Open a wallet").press("Enter")
    wallet.get_by_role("button", name="I have written it down").press("Enter")
    wallet.get_by_role("button", name="Add €20.00 demo money").press("Enter")
    expect(wallet.locator(".sum")).to_have_text("€20.00")
    wallet.get_by_role("link", name="Card", exact=True).press("Enter")
    is_sound(wallet)
    wallet.get_by_role("link", name="Read and decide").press("Enter")
    expect(wallet.get_by_role("heading", level=1)).to_have_text("Before a card unlocks your palm")
    is_sound(wallet)
    wallet.get_by_role("checkbox").press("Space")
    wallet.get_by_role("button", name="Agree and get a code").press("Enter")
    code = wallet.get_by_label("Enrolment code").inner_text().replace(" ", "")
    is_sound(wallet)
    return code


def make_card(till: Page, running: Running, code: str) -> bytes:
    """
    Choose the way, type the code, hold out a drawn hand, and photograph the card.
    """
    till.goto(running.demo.till_url)
    till.get_by_label("Camera", exact=True).select_option("drawn")
    till.get_by_role("button", name="Connect my palm to my wallet").press("Enter")
    till.get_by_label("With a card and my hand").press("Space")
    is_sound(till)
    till.get_by_label("The 8 digits from your wallet").fill(code)
    till.keyboard.press("Enter")
    till.get_by_role("button", name="Hana").press("Enter")
    expect(till.get_by_role("button", name="Print this card")).to_be_visible()
    is_sound(till)
    address = till.get_by_role("img", name="The code of your card").get_attribute("src") or ""
    content = running.http.get(f"{running.demo.till_api}{address}").content
    till.get_by_role("button", name="Done").press("Enter")
    expect(till.get_by_role("button", name="Print this card")).to_be_hidden()
    assert running.http.get(f"{running.demo.till_api}{address}").status_code == 404
    return content


def see_the_card(wallet: Page) -> None:
    """
    The wallet's page has changed by itself.
    """
    expect(wallet.locator(".state", has_text="Active: it pays, with your hand")).to_be_visible()
    is_sound(wallet)


def pay(till: Page, running: Running, photograph: Path) -> None:
    running.shop.ask()
    expect(till.get_by_text("If you pay with a card, show its code first.")).to_be_visible()
    is_sound(till)
    till.get_by_label("Or hold out a picture of your card").set_input_files(photograph)
    expect(till.locator("[data-hint]")).to_contain_text("Your card was read.")
    is_sound(till)
    till.get_by_role("button", name="Hana").press("Enter")
    expect(till.locator("[data-title]")).to_have_text("PAID")
    till.get_by_role("button", name="Done").press("Enter")


def lose(wallet: Page) -> None:
    wallet.get_by_role("link", name="Lost your card?").press("Enter")
    expect(wallet.get_by_role("heading", level=1)).to_have_text("Delete this card?")
    is_sound(wallet)
    wallet.get_by_role("button", name="Delete this card").press("Enter")
    expect(wallet.get_by_role("heading", name="Pay with a card and your hand")).to_be_visible()
    expect(wallet.get_by_role("link", name="Lost your card?")).to_have_count(0)
