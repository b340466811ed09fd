"""
The shop's pay-out pages: where a shop is paid out, what was paid out, and that nobody else sees it.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import sync_playwright

from handsel.web.merchant_pages import merchant_error_page, merchant_routes
from tests.bank.camt import THEIRS
from tests.chromium import ARGUMENTS, CHROMIUM, needs_chromium
from tests.flows.acquiring.street import SHOP_KEY, Street
from tests.flows.acquiring.test_pay_out import AtBank
from tests.web.browser import Browser, said
from tests.web.legible import by_day_and_night, illegible
from tests.web.near_server import serving

NEW = "NL91ABNA0417164300"
NARROW = 320  # CSS pixels: WCAG 2.2, 1.4.10.
WORD_PX = 100  # In less, a column of words is one of syllables.


def shop(street: Street) -> Browser:
    browser = Browser(merchant_routes(street.acquirer, lambda: street.now_ms), merchant_error_page)
    browser.post("/sign-in", key=SHOP_KEY)
    return browser


def test_a_shop_sees_its_pay_outs_and_what_each_contains(street: Street) -> None:
    bank, browser = AtBank(street), shop(street)
    payment = street.pay(minor=4_50)
    (order,) = bank.paid_out().orders

    assert "At the bank" in said(browser.get("/pay-outs"))
    page = browser.get(f"/pay-outs/{order.id}")
    assert "€4.50" in said(page) and f'href="/payments/{payment.id}"' in page.text
    bank.say(bank.moves(-4_50, order.id))
    assert "Paid out" in said(browser.get("/pay-outs"))
    bank.say(bank.moves(4_50, order.id, return_code="AC04"))
    assert "AC04" in said(browser.get(f"/pay-outs/{order.id}"))


def test_an_account_is_set_by_whoever_is_signed_in_and_not_shown_again(street: Street) -> None:
    browser = shop(street)
    assert "Until then your balance waits here." in said(browser.get("/pay-outs"))

    browser.post("/pay-outs/account", holder="Corner Café Ltd", iban=NEW.lower())

    page = browser.get("/pay-outs")
    assert NEW not in page.text and f"…{NEW[-4:]}" in said(page)
    stranger = Browser(merchant_routes(street.acquirer, lambda: street.now_ms), merchant_error_page)
    assert stranger.post("/pay-outs/account", holder="x", iban=THEIRS).headers["location"] == "/"
    assert f"…{NEW[-4:]}" in said(browser.get("/pay-outs"))
    assert NEW not in browser.log.getvalue() and "Corner" not in browser.log.getvalue()


@pytest.mark.parametrize(("holder", "iban"), [("x", NEW[:-1] + "1"), ("", NEW), ("x" * 71, NEW), ("x", "")])
def test_a_wrong_account_is_refused_and_changes_nothing(street: Street, holder: str, iban: str) -> None:
    browser = shop(street)

    answer = browser.post("/pay-outs/account", holder=holder, iban=iban)

    assert answer.status_code == 400
    assert not iban or iban not in answer.text
    assert "Until then your balance waits here." in said(browser.get("/pay-outs"))


@pytest.mark.parametrize(("pay_out", "status"), [("0" * 32, 404), ("nonsense", 400)])
def test_a_pay_out_that_there_is_not_is_not_found(street: Street, pay_out: str, status: int) -> None:
    assert shop(street).get(f"/pay-outs/{pay_out}").status_code == status


@needs_chromium
def test_a_pay_out_fits_a_narrow_phone_and_a_wrong_account_is_said_there(street: Street) -> None:
    bank, browser = AtBank(street), shop(street)
    street.pay(minor=4_50)
    (order,) = bank.paid_out().orders
    bank.say(bank.moves(-4_50, order.id), bank.moves(4_50, order.id, return_code="AC04"))
    with sync_playwright() as playwright, serving(browser.app) as link:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(ARGUMENTS))
        page = chromium.new_page(viewport={"width": NARROW, "height": 640})
        page.context.add_cookies(
            [{"name": each.name, "value": each.value or "", "url": link.url} for each in browser.cookies.jar]
        )
        page.goto(f"{link.url}/pay-outs/{order.id}")
        widths = page.locator("dd").evaluate_all("(all) => all.map((each) => each.getBoundingClientRect().width)")
        assert min(widths) >= WORD_PX
        assert illegible(by_day_and_night(page)) == {}

        page.goto(f"{link.url}/pay-outs")
        page.get_by_label("Holder of the account").fill("Corner Café")
        page.get_by_label("IBAN").fill(NEW[:-1] + "1")
        page.get_by_role("button", name="Pay me out").click()
        iban = page.get_by_label("IBAN")
        assert (iban.input_value(), iban.get_attribute("aria-invalid")) == ("", "true")
        assert (
            page.locator("#" + str(iban.get_attribute("aria-describedby")))
            .inner_text()
            .startswith("This is not an IBAN")
        )
        assert page.get_by_label("Holder of the account").input_value() == "Corner Café"
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW
        chromium.close()
