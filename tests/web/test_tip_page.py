"""
The till's page offers tips before the palm: none is chosen beforehand, each works by keyboard, and all of it fits.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect

from handsel.notes.denomination import AMOUNT_MINOR_MAX
from handsel.till.action import ChargeAction, TipChoice
from tests.chromium import needs_chromium
from tests.till.conftest import Till
from tests.till.fakes import FakeAcquirer, Keyring, reading
from tests.web.legible import illegible, texts_seen
from tests.web.till_screen import visited_till, with_test_picture

pytestmark = needs_chromium
NARROW = {"width": 320, "height": 640}
# Its notes, and those of the tips, have keys here.
LUNCH = ChargeAction(
    *("f1" * 16, 384, "EUR", "Corner Café", "Lunch"), tips=(TipChoice(64, 17), TipChoice(2, 1)), tip_minor_max=384
)


@pytest.fixture(scope="module")
def keyring() -> Keyring:
    """
    Return the keys of all parties.
    """
    return Keyring.generate()


@pytest.fixture
def till(keyring: Keyring, tmp_path: Path) -> Till:
    """
    Return a till that is asked for a lunch and may be tipped.
    """
    made = Till(keyring, tmp_path, FakeAcquirer(keyring))
    made.acquirer.told = LUNCH
    made.agent.poll()
    return made


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """
    Return a browser whose camera plays a test picture.
    """
    with with_test_picture() as browser:
        yield browser


@contextmanager
def visited(chromium: Browser, till: Till, **wanted: Any) -> Iterator[Page]:
    """
    Open the till's page, which offers tips.
    """
    with visited_till(chromium, till, **wanted) as page:
        expect(page.get_by_role("group", name="Would you like to add a tip?")).to_be_visible()
        yield page


def pay(till: Till, page: Page) -> list[int]:
    """
    Hold out a hand, and return what was debited.
    """
    till.reader.sights = [reading(1, shot=shot) for shot in range(3)]
    expect(page.locator("[data-title]")).to_have_text("PAID")
    return till.acquirer.debits_minor


def pressed(page: Page) -> list[str]:
    return page.locator("[data-tips] [aria-pressed=true]").all_text_contents()


def test_who_only_holds_out_a_hand_gives_no_tip(chromium: Browser, till: Till) -> None:
    with visited(chromium, till) as page:
        assert page.locator("[data-tips] button").all_text_contents() == [
            "No tip",
            "17 % · €0.64",
            "1 % · €0.02",
            "Another amount",
        ]
        assert pressed(page) == ["No tip"]

        assert pay(till, page) == [384]
        expect(page.locator("[data-amount]")).to_have_text("€3.84")
        expect(page.locator("[data-tips]")).to_be_hidden()


def test_a_tip_is_chosen_by_keyboard_and_told_to_who_does_not_see(chromium: Browser, till: Till) -> None:
    with visited(chromium, till) as page:
        page.get_by_role("button", name="17 %").press("Enter")
        status = page.locator("[role=status]", has=page.locator("[data-amount]"))
        expect(status).to_contain_text("€4.48")
        expect(status).to_contain_text("€3.84 and a tip of €0.64")
        assert pressed(page) == ["17 % · €0.64"]
        assert page.evaluate("document.activeElement.dataset.tip") == "64"

        page.get_by_role("button", name="No tip").press("Space")
        expect(status).not_to_contain_text("tip of")
        page.get_by_role("button", name="1 %").press("Enter")
        expect(status).to_contain_text("€3.86")

        assert pay(till, page) == [386]
        expect(page.locator("[data-tip-line]")).to_have_text("€3.84 and a tip of €0.02")


def test_another_amount_is_typed_and_no_palm_is_looked_at_meanwhile(chromium: Browser, till: Till) -> None:
    with visited(chromium, till) as page:
        page.get_by_role("button", name="Another amount").click()
        tip = page.get_by_label("Your tip")
        expect(tip).to_be_focused()
        expect(page.locator("[data-eye]")).to_be_hidden()
        till.reader.sights = [reading(1, shot=shot) for shot in range(3)]

        page.keyboard.type("x38")
        page.get_by_role("group", name="Digits of the tip").get_by_role("button", name="5").click()
        expect(tip).to_have_value("€3.85")
        tip.press("Enter")
        expect(page.locator("[data-tip-wrong]")).to_have_text("Type a tip of at most €3.84, or go back.")
        tip.fill("66")
        expect(tip).to_have_value("€0.66")
        assert till.acquirer.debits_minor == []
        till.reader.sights = []
        page.get_by_role("group", name="Digits of the tip").get_by_role("button", name="OK").click()

        expect(page.locator("[data-amount]")).to_have_text("€4.50")
        expect(page.get_by_role("button", name="Another amount")).to_be_focused()
        assert pressed(page) == ["Another amount"]
        assert pay(till, page) == [450]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_tips_and_their_keypad_fit_a_narrow_screen_and_can_be_read(chromium: Browser, till: Till, scheme: str) -> None:
    with visited(chromium, till, viewport=NARROW, color_scheme=scheme) as page:
        for opened in (False, True):
            if opened:
                page.get_by_role("button", name="Another amount").click()
            assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
            assert illegible(texts_seen(page)) == {}


def test_the_largest_reservation_fits_a_narrow_screen_and_says_what_it_is(chromium: Browser, till: Till) -> None:
    most = msgspec.structs.replace(LUNCH, id="f2" * 16, amount_minor=AMOUNT_MINOR_MAX - 384, hold_s=3_600)
    till.acquirer.told = most
    till.agent.poll()

    with visited(chromium, till, viewport=NARROW) as page:
        expect(page.locator("[data-amount]")).to_have_text("Up to €2126.08")
        expect(page.locator("[data-text]")).to_contain_text("Up to this amount will be reserved")
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
