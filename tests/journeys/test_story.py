"""
The whole story, as a newcomer lives it: in a browser, with a camera, with every party as a process of its own.

The camera is a film of a drawn hand that comes in, holds and leaves, over and over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from handsel.drawn.camera import film, write_mjpeg
from handsel.drawn.person import DrawnPerson
from handsel.wiring.demo import Demo
from tests.chromium import ARGUMENTS, CHROMIUM, needs_chromium
from tests.journeys.conftest import Running

WHO_SEED, WHICH_SHOT = 4101, 0
PALM_S_MAX = 60.0  # The film brings the hand every six seconds; a slow machine reads a frame in one.
PAGE_MS_MAX = 20_000

pytestmark = [pytest.mark.journey, needs_chromium]


@dataclass
class Faces:
    """
    Hold the three pages that a person at a counter looks at.
    """

    demo: Demo
    wallet: Page
    shop: Page
    till: Page


@pytest.fixture(scope="module")
def demo(running: Running) -> Demo:
    """
    Name the pages of the Handsel that runs.
    """
    return running.demo


@pytest.fixture(scope="module")
def hand(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    A film of one drawn person's hand.
    """
    path = tmp_path_factory.mktemp("film") / "hand.mjpeg"
    write_mjpeg(path, film(DrawnPerson(WHO_SEED), WHICH_SHOT))
    return path


@pytest.fixture
def faces(demo: Demo, hand: Path) -> Iterator[Faces]:
    """
    The wallet, the shop and the till, each in a tab of its own, in which no script fails and nothing is blocked.
    """
    complaints: list[str] = []
    expect.set_options(timeout=PAGE_MS_MAX)
    arguments = [*ARGUMENTS, f"--use-file-for-fake-video-capture={hand}"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        context = browser.new_context()
        context.set_default_timeout(PAGE_MS_MAX)
        yield Faces(demo, *(_tab(context, complaints) for _ in range(3)))
        browser.close()
    assert complaints == []


def _tab(context: BrowserContext, complaints: list[str]) -> Page:
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if line.type in ("error", "warning") else None)
    return page


def test_a_newcomer_enrols_pays_is_paid_back_pauses_and_deletes(faces: Faces) -> None:
    open_a_wallet(faces.wallet, faces.demo)
    enrol(faces)

    open_the_shop(faces.shop, faces.demo)
    charge(faces.shop, "4,50", "Flat white")
    hold_out_the_hand(faces, "PAID")
    see_the_receipt(faces)
    pay_back(faces, "1.00")
    pay_back_by_receipt(faces, "0.50")
    see_the_history(faces.wallet, faces.demo, ["+€0.50", "+€1.00", "−€4.50", "+€20.00"])

    pause(faces)
    delete(faces)


def test_who_types_a_wrong_code_is_told_so_and_can_type_it_again(faces: Faces) -> None:
    """
    With the keyboard alone, and with a hand that the till itself draws.
    """
    till = faces.till
    till.goto(faces.demo.till_url)
    till.get_by_label("Camera", exact=True).select_option("drawn")
    till.get_by_role("button", name="Connect my palm to my wallet").press("Enter")
    till.keyboard.type("1234567")
    till.keyboard.press("Enter")
    expect(till.get_by_role("alert").filter(has_text="8 digits")).to_be_visible()
    till.keyboard.type("8")
    till.keyboard.press("Enter")
    till.get_by_role("button", name="Hana").press("Enter")

    till_says(till, "Not connected")
    expect(till.locator("[data-text]")).to_contain_text("This code is not right.")
    till.get_by_role("button", name="Type the code again").press("Enter")
    expect(till.get_by_label("The 8 digits from your wallet")).to_be_focused()


def open_a_wallet(wallet: Page, demo: Demo) -> None:
    wallet.goto(demo.wallet_url)
    wallet.get_by_role("button", name="Open a wallet").click()
    expect(wallet.locator("#wallet-key")).to_have_text(re.compile(r"^([0-9a-f]{4} ){15}[0-9a-f]{4}$"))
    wallet.get_by_role("button", name="I have written it down").click()
    wallet.get_by_role("button", name="Add €20.00 demo money").click()
    expect(wallet.locator(".sum")).to_have_text("€20.00")


def enrol(faces: Faces) -> None:
    """
    Agree, get a code, type it at the till, and hold out the hand; the wallet's page changes by itself.
    """
    wallet, till = faces.wallet, faces.till
    wallet.get_by_role("link", name="Pay with your palm").click()
    wallet.get_by_role("link", name="Read and decide").click()
    wallet.get_by_role("checkbox").check()
    wallet.get_by_role("button", name="Agree and get a code").click()
    code = wallet.get_by_label("Enrolment code").inner_text().replace(" ", "")

    till.goto(faces.demo.till_url)
    till.get_by_label("Camera", exact=True).select_option("webcam")
    till.get_by_role("button", name="Connect my palm to my wallet").click()
    for digit in code:
        till.get_by_role("button", name=digit, exact=True).click()
    till.get_by_role("button", name="OK").click()

    expect(till.locator("video")).to_be_visible()
    till_says(till, "Connected")
    expect(wallet.locator(".state", has_text="Active: it pays")).to_be_visible()
    expect(till.locator("video")).to_be_hidden()


def open_the_shop(shop: Page, demo: Demo) -> None:
    """
    Sign in with the address that the demo prints; the key is gone from the address at once.
    """
    for _ in ("signs in", "is signed in already"):
        shop.goto("about:blank")
        shop.goto(f"{demo.merchant_url}#key={demo.merchant_key.reveal()}")
        shop.wait_for_url("**/charge")

        assert "#" not in shop.url


def charge(shop: Page, amount: str, description: str) -> None:
    shop.get_by_role("link", name="Charge").first.click()
    shop.get_by_label("Amount in euro").fill(amount)
    shop.get_by_label("What for").fill(description)
    shop.get_by_role("button", name="Charge").dblclick()
    expect(shop.locator(".big-state .state")).to_have_text("Waiting for the palm")


def hold_out_the_hand(faces: Faces, outcome: str) -> None:
    """
    Wait until the hand in the film has been read and the till says how it went; the shop's page follows.
    """
    expect(faces.till.locator("[data-amount]")).to_have_text("€4.50")
    till_says(faces.till, outcome)
    expect(faces.shop.locator(".big-state .state")).to_have_text(outcome)


def see_the_receipt(faces: Faces) -> None:
    receipt = faces.shop.context.new_page()
    receipt.goto(str(faces.till.get_by_role("link", name="See the receipt").get_attribute("href")))

    expect(receipt.get_by_role("heading", name="Corner Café")).to_be_visible()
    expect(receipt.locator(".sum")).to_have_text("€4.50")
    expect(receipt.get_by_text("Flat white")).to_be_visible()
    receipt.close()


def pay_back_by_receipt(faces: Faces, amount: str) -> None:
    """
    Open the receipt in the wallet, which the till has brought meanwhile, and show its code to the shop.
    """
    wallet, shop = faces.wallet, faces.shop
    wallet.get_by_role("link", name="Receipts", exact=True).click()
    expect(wallet.locator("[data-shop]")).to_have_text("Corner Café")
    expect(wallet.locator("[data-items]")).to_have_text("Flat white")
    wallet.get_by_text("More about this receipt").click()
    code = wallet.locator("[data-return-code]").inner_text()

    shop.get_by_label("Amount", exact=True).fill(amount)
    shop.get_by_label("Return code on the customer's receipt").fill(code)
    shop.get_by_role("button", name="Pay back to the wallet that paid").dblclick()
    expect(shop.locator("li .state").last).to_have_text("Paid back to the wallet that paid")


def pay_back(faces: Faces, amount: str) -> None:
    faces.shop.get_by_label("Amount, at most €4.50").fill(amount)
    faces.shop.get_by_role("button", name="Refund").dblclick()

    till_says(faces.till, "PAID BACK")
    expect(faces.shop.locator("li .state")).to_have_text("Paid back")
    expect(faces.shop.get_by_label("Amount, at most €3.50")).to_be_visible()


def see_the_history(wallet: Page, demo: Demo, amounts: list[str]) -> None:
    wallet.goto(f"{demo.wallet_url}wallet/entries")

    expect(wallet.locator(".entries .number")).to_have_text(amounts)


def pause(faces: Faces) -> None:
    """
    Pause the palm: the till declines and says why, and the shop gives the payment up.
    """
    faces.wallet.get_by_role("link", name="Palm", exact=True).click()
    faces.wallet.get_by_role("button", name="Pause this palm").click()
    expect(faces.wallet.locator(".state", has_text="Paused")).to_be_visible()

    charge(faces.shop, "2.00", "Tea")
    till_says(faces.till, "Not paid")
    expect(faces.till.locator("[data-text]")).to_contain_text("This palm is paused.")
    faces.shop.get_by_role("button", name="Cancel this payment").click()
    expect(faces.shop.locator(".big-state .state")).to_have_text("Cancelled")


def delete(faces: Faces) -> None:
    """
    Delete the palm: three matchers confirm, and it is nobody's from then on.
    """
    faces.wallet.get_by_role("link", name="Delete this palm").click()
    faces.wallet.get_by_role("button", name="Delete this palm").click()
    expect(faces.wallet.locator("p.state")).to_contain_text("all three matchers have signed")

    charge(faces.shop, "2.00", "Tea")
    till_says(faces.till, "Not paid")
    expect(faces.till.locator("[data-text]")).to_contain_text("Your palm was not recognised.")
    faces.shop.get_by_role("button", name="Cancel this payment").click()
    see_the_history(faces.wallet, faces.demo, ["+€0.50", "+€1.00", "−€4.50", "+€20.00"])


def till_says(till: Page, title: str) -> None:
    expect(till.locator("[data-title]")).to_have_text(title, timeout=1000 * PALM_S_MAX)
