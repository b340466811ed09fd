"""
A payment that needs more than the palm, in a real browser: by a PIN at the till, and by a passkey's yes in the wallet.

On the narrowest screen there is, by day and by night, with the keyboard alone. The passkey is the browser's own virtual
authenticator.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from handsel.ids import new_id
from tests.chromium import ARGUMENTS, CHROMIUM, needs_chromium
from tests.journeys import test_card_pages
from tests.journeys.conftest import Running
from tests.journeys.test_card_pages import NARROW, PAGE_MS_MAX

PIN = "402917"
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}

pytestmark = [pytest.mark.journey, needs_chromium]


@pytest.fixture
def context() -> Iterator[BrowserContext]:
    """
    A browser; no script fails in it and nothing is blocked.
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
    The page can be read by day and by night.
    """
    page.emulate_media(color_scheme="light")
    test_card_pages.is_sound(page)
    page.emulate_media(color_scheme="dark")
    test_card_pages.is_sound(page)


def test_more_than_the_palm_pays_takes_a_pin_or_a_passkey(running: Running, context: BrowserContext) -> None:
    wallet, till = context.new_page(), context.new_page()
    connect(wallet, till, running)
    set_pin(wallet)
    pay_by_pin(till, running)
    add_passkey(wallet)
    pay_by_passkey(wallet, till, running)


def connect(wallet: Page, till: Page, running: Running) -> None:
    wallet.goto(running.demo.wallet_url)
    wallet.get_by_role("button", name="Open a wallet").press("Enter")
    wallet.get_by_role("button", name="I have written it down").press("Enter")
    for total in range(20, 161, 20):
        wallet.get_by_role("button", name="Add €20.00 demo money").press("Enter")
        expect(wallet.locator(".sum")).to_have_text(f"€{total}.00")
    wallet.get_by_role("link", name="Pay with your palm").press("Enter")
    wallet.get_by_role("link", name="Read and decide").press("Enter")
    wallet.get_by_role("checkbox").press("Space")
    wallet.get_by_role("button", name="Agree and get a code").press("Enter")
    code = wallet.get_by_label("Enrolment code").inner_text().replace(" ", "")
    till.goto(running.demo.till_url)
    till.get_by_label("Camera", exact=True).select_option("drawn")
    till.get_by_role("button", name="Connect my palm to my wallet").press("Enter")
    till.get_by_label("The 8 digits from your wallet").fill(code)
    till.keyboard.press("Enter")
    till.get_by_role("button", name="Hana").press("Enter")
    expect(till.locator("[data-title]")).to_have_text("Connected")
    till.get_by_role("button", name="Done").press("Enter")


def set_pin(wallet: Page) -> None:
    wallet.get_by_role("link", name="Safety").press("Enter")
    is_sound(wallet)
    wallet.get_by_label("Choose a PIN").fill(PIN)
    wallet.get_by_label("The same once more").fill(PIN)
    wallet.get_by_role("button", name="Set the PIN").press("Enter")
    expect(wallet.get_by_role("button", name="Change the PIN")).to_be_visible()
    is_sound(wallet)


def ask(running: Running, minor: int) -> None:
    headers = {"Authorization": f"Bearer {running.demo.merchant_key.reveal()}"}
    body = {"id": new_id(), "amount": minor, "currency": "EUR", "description": "A lamp"}
    running.http.post(f"{running.demo.acquirer_api}/v1/payment_intents", json=body, headers=headers).raise_for_status()


def hold_out(till: Page) -> None:
    till.get_by_role("button", name="Hana").press("Enter")


def pay_by_pin(till: Page, running: Running) -> None:
    ask(running, 73_20)
    hold_out(till)
    pin = till.get_by_label("Your PIN")
    expect(till.locator("[data-title]")).to_have_text("One more step")
    expect(pin).to_be_focused()
    is_sound(till)
    assert pin.get_attribute("type") == "password"
    till.keyboard.type(PIN[:3])
    for key in PIN[3:]:
        till.get_by_role("button", name=key, exact=True).press("Enter")
    till.get_by_role("button", name="OK").press("Enter")
    expect(till.get_by_text("Your PIN was taken.")).to_be_visible()
    is_sound(till)
    hold_out(till)
    expect(till.locator("[data-title]")).to_have_text("PAID")
    till.get_by_role("button", name="Done").press("Enter")


def add_passkey(wallet: Page) -> None:
    wallet.bring_to_front()  # No browser uses a passkey for a page that nobody looks at.
    session = wallet.context.new_cdp_session(wallet)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    wallet.get_by_role("button", name="Add a passkey").press("Enter")
    is_sound(wallet)
    wallet.get_by_role("button", name="Make a passkey").press("Enter")
    expect(wallet.get_by_text("Passkey 1", exact=True)).to_be_visible()
    is_sound(wallet)


def pay_by_passkey(wallet: Page, till: Page, running: Running) -> None:
    wallet.get_by_role("link", name="Payments that wait for your yes").press("Enter")
    expect(wallet.get_by_text("Nothing waits.")).to_be_visible()
    is_sound(wallet)
    ask(running, 61_00)
    hold_out(till)
    expect(till.get_by_label("Your PIN")).to_be_visible()
    wallet.bring_to_front()
    wallet.get_by_role("button", name="Allow €61.00 once…").press("Enter")
    expect(wallet.get_by_role("heading", level=1)).to_have_text("Allow €61.00 once?")
    is_sound(wallet)
    wallet.get_by_role("button", name="Allow it, with my passkey").press("Enter")
    expect(wallet.get_by_text("Allowed until")).to_be_visible()
    is_sound(wallet)
    till.get_by_role("button", name="I said yes in my wallet").press("Enter")
    hold_out(till)
    expect(till.locator("[data-title]")).to_have_text("PAID")
    expect(wallet.locator("[data-live] p")).to_contain_text("Nothing waits.")
    till.get_by_role("button", name="Done").press("Enter")
