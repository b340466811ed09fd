"""
Disputes and refunds by receipt, on the pages and as JSON: what anybody sees, what a shop sees, and what neither does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.sync_api import expect, sync_playwright

from handsel.flows.acquiring.show_dispute import list_disputes
from handsel.flows.issuing.close_wallet import close_wallet
from handsel.ids import new_id
from handsel.naming import naming_key_of
from handsel.receipt import PayersReceipt
from handsel.web.dispute_api import dispute_api_routes
from handsel.web.dispute_pages import RECEIPT_FORM_BYTES_MAX, dispute_routes
from handsel.web.merchant_api import merchant_api_routes
from handsel.web.merchant_pages import merchant_error_page, merchant_routes
from handsel.web.shop_code import ShopCode, read_shop_code
from handsel.web.shop_desk import shop_desk
from tests.chromium import ARGUMENTS, CHROMIUM, needs_chromium
from tests.flows.acquiring.street import SHOP, SHOP_KEY, Street
from tests.flows.acquiring.test_disputes import receipt_of
from tests.flows.acquiring.test_receipts import PaidAtTill, pay
from tests.web.api import Api
from tests.web.browser import Browser, said
from tests.web.legible import by_day_and_night, illegible
from tests.web.near_server import serving

NARROW = 320  # CSS pixels: WCAG 2.2, 1.4.10.
PAGE_MS_MAX = 20_000


def visit(street: Street) -> Browser:
    def clock() -> int:
        return street.now_ms

    desk = shop_desk(street.acquirer, clock)
    return Browser([*dispute_routes(desk), *merchant_routes(street.acquirer, clock)], merchant_error_page)


def shop(street: Street) -> Browser:
    browser = visit(street)
    browser.post("/sign-in", key=SHOP_KEY)
    return browser


def file_of(at_till: PaidAtTill) -> str:
    """
    Return the receipt as the wallet's page saves it.
    """
    signed = receipt_of(at_till)
    return json.dumps(msgspec.to_builtins(PayersReceipt(signed.statement, signed.signature, at_till.entry.return_code)))


@pytest.fixture
def at_till(street: Street) -> PaidAtTill:
    """
    A payment of 4.50 EUR, and one more, so that there is something to pay back with.
    """
    street.pay()
    return pay(street)


def case_in(text: str) -> str:
    found = re.search(r'href="/disputes/([0-9a-f]{32})"', text)
    assert found is not None
    return found[1]


def test_a_stranger_presents_a_receipt_and_the_shop_pays_back_by_it(street: Street, at_till: PaidAtTill) -> None:
    stranger, counter = visit(street), shop(street)
    assert "nothing about you" in said(stranger.get("/disputes"))

    found = stranger.post("/disputes", id=new_id(), receipt=file_of(at_till))

    assert "The shop was paid" in said(found)
    case = case_in(found.text)
    assert "Open The shop sees it." in said(stranger.get(f"/disputes/{case}"))
    assert "€4.50" in said(counter.get("/cases"))
    page = counter.get(f"/payments/{at_till.payment.id}")
    assert "Somebody presented the receipt and disputes this payment" in said(page)
    counter.post(f"/payments/{at_till.payment.id}/refunds", id=new_id(), amount="4.50", way="receipt")
    assert "Paid back to the wallet that paid" in said(counter.get(f"/payments/{at_till.payment.id}"))
    assert "The shop has paid back" in said(stranger.get(f"/disputes/{case}"))
    assert "Paid back" in said(stranger.post("/disputes", id=new_id(), receipt=file_of(at_till)))
    assert street.wallet_minor() == 100_00 - 4_50


def test_the_shop_says_no_and_a_stranger_takes_a_case_back(street: Street, at_till: PaidAtTill) -> None:
    stranger, counter = visit(street), shop(street)
    refused = case_in(stranger.post("/disputes", id=new_id(), receipt=file_of(at_till)).text)
    assert visit(street).post(f"/cases/{refused}/refuse").headers["location"] == "/"
    counter.post(f"/cases/{refused}/refuse")
    assert "The shop says no" in said(stranger.get(f"/disputes/{refused}"))

    again = case_in(stranger.post("/disputes", id=new_id(), receipt=file_of(at_till)).text)
    stranger.post(f"/disputes/{again}/withdraw")

    assert "Withdrawn" in said(stranger.get(f"/disputes/{again}"))
    assert "Disputed, and taken back" in said(counter.get(f"/payments/{at_till.payment.id}"))


@pytest.mark.parametrize("receipt", ["", "x", "{}", '{"statement": "{}", "signature": ""}', "[" * 1000])
def test_what_is_no_receipt_is_said_to_be_none(street: Street, receipt: str) -> None:
    answer = visit(street).post("/disputes", id=new_id(), receipt=receipt)

    assert answer.status_code == 400
    assert "as the wallet saved it" in said(answer)


def test_a_forged_receipt_and_one_that_is_too_long_open_nothing(street: Street, at_till: PaidAtTill) -> None:
    stranger = visit(street)
    forged = msgspec.structs.replace(receipt_of(at_till), signature=bytes(64))

    answer = stranger.post("/disputes", id=new_id(), receipt=json.dumps(msgspec.to_builtins(forged)))

    assert "Forged" in said(answer)
    long = stranger.post("/disputes", id=new_id(), receipt="x" * RECEIPT_FORM_BYTES_MAX)
    assert long.status_code == 400
    assert stranger.post("/disputes", origin="http://elsewhere", id=new_id(), receipt="x").status_code == 401
    assert list_disputes(street.acquirer, SHOP) == ()


def test_nothing_of_a_receipt_is_in_the_log(street: Street, at_till: PaidAtTill) -> None:
    browser = shop(street)
    case = case_in(browser.post("/disputes", id=new_id(), receipt=file_of(at_till)).text)
    browser.get(f"/disputes/{case}")
    browser.post("/payments/find", receipt=at_till.payment.receipt)

    log = browser.log.getvalue()
    assert log.count('"/disputes"') == 1
    for secret in (case, at_till.payment.receipt, at_till.entry.return_code, at_till.charge_id, at_till.entry.order_id):
        assert secret not in log


@pytest.mark.parametrize(
    "form", ["{code}", " https://shop.example/receipts/{code}#abcdefghij234567 ", "/receipts/{code}/"]
)
def test_the_shop_finds_the_payment_of_a_receipt(street: Street, at_till: PaidAtTill, form: str) -> None:
    browser = shop(street)

    found = browser.post("/payments/find", receipt=form.format(code=at_till.payment.receipt))

    assert found.headers["location"] == f"/payments/{at_till.payment.id}"
    assert browser.post("/payments/find", receipt=new_id()).status_code == 404


def test_the_shop_pays_back_by_the_code_and_by_no_other(street: Street, at_till: PaidAtTill) -> None:
    browser, path = shop(street), f"/payments/{at_till.payment.id}/refunds"
    wrong = browser.post(path, id=new_id(), amount="1.00", way="receipt", return_code="aaaa aaaa aaaa aaaa aaaa")
    assert wrong.status_code == 400
    assert "not the return code" in said(wrong)

    code = at_till.entry.return_code
    browser.post(path, id=new_id(), amount="1.00", way="receipt", return_code=f"{code[:8]} {code[8:].upper()}")

    assert "Paid back to the wallet that paid" in said(browser.get(f"/payments/{at_till.payment.id}"))
    assert street.wallet_minor() == 100_00 - 9_00 + 1_00


def test_of_a_closed_wallet_the_shop_is_told(street: Street, at_till: PaidAtTill) -> None:
    close_wallet(street.issuer.issuer, street.wallets["ann"])
    browser, code = shop(street), at_till.entry.return_code

    browser.post(f"/payments/{at_till.payment.id}/refunds", id=new_id(), amount="1.00", way="receipt", return_code=code)

    assert "The wallet that paid is closed" in said(browser.get(f"/payments/{at_till.payment.id}"))


def test_no_page_or_answer_of_the_merchant_has_a_return_code(street: Street, at_till: PaidAtTill) -> None:
    """
    That is what makes it a proof that the receipt is there.
    """
    browser, api = shop(street), api_of(street, SHOP_KEY)
    code = at_till.entry.return_code
    spelled = " ".join(code[at : at + 4] for at in range(0, 20, 4))
    pages = [
        f"/payments/{at_till.payment.id}",
        "/payments",
        "/cases",
        "/naming",
        f"/receipts/{at_till.payment.receipt}",
    ]
    answers = [f"/v1/payment_intents/{at_till.payment.id}", "/v1/payment_intents", "/v1/disputes"]

    texts = [browser.get(path).text for path in pages] + [api.get(path).text for path in answers]

    assert [text for text in texts if code in text or spelled in text] == []
    assert all(text for text in texts)


def test_the_shop_shows_a_code_by_which_it_is_named(street: Street) -> None:
    page = said(shop(street).get("/naming"))
    found = re.search(r"handsel-shop-[\w-]+", page)
    assert found is not None

    assert read_shop_code(found[0]) == ShopCode(SHOP.name, naming_key_of(street.acquirer.naming_secret(SHOP.id)))


# As JSON.


def api_of(street: Street, token: str) -> Api:
    def clock() -> int:
        return street.now_ms

    routes = [*dispute_api_routes(street.acquirer, clock), *merchant_api_routes(street.acquirer, clock)]
    return Api(routes, token)


def test_a_case_is_opened_listed_and_refused_as_json(street: Street, at_till: PaidAtTill) -> None:
    anybody, merchant = api_of(street, ""), api_of(street, SHOP_KEY)
    body = {"id": new_id(), "receipt": msgspec.to_builtins(receipt_of(at_till))}

    first, again = anybody.post("/v1/disputes", body), anybody.post("/v1/disputes", body)

    assert first.json() == again.json()
    assert first.json()["finding"] == "paid_to_merchant"
    (listed,) = merchant.get("/v1/disputes").json()["disputes"]
    assert (listed["payment_intent"], listed["amount"], listed["status"]) == (at_till.payment.id, 450, "open")
    assert anybody.get("/v1/disputes").status_code == 401
    assert anybody.post(f"/v1/disputes/{body['id']}/refuse", {}).status_code == 401
    assert merchant.post(f"/v1/disputes/{body['id']}/refuse", {}).json()["status"] == "refused"
    assert anybody.post(f"/v1/disputes/{body['id']}/withdraw", {}).json()["status"] == "refused"
    assert anybody.get(f"/v1/disputes/{body['id']}").json()["status"] == "refused"


def test_a_refund_by_receipt_is_asked_for_as_json(street: Street, at_till: PaidAtTill) -> None:
    merchant = api_of(street, SHOP_KEY)
    body: dict[str, Any] = {"id": new_id(), "payment_intent": at_till.payment.id, "amount": 100}
    assert merchant.post("/v1/refunds", {**body, "return_code": ""}).status_code == 400

    given = merchant.post("/v1/refunds", {**body, "return_code": at_till.entry.return_code}).json()

    assert (given["status"], given["way"], given["reason"]) == ("succeeded", "receipt", None)
    assert merchant.get(f"/v1/refunds/{body['id']}").json() == given
    to_palm = merchant.post("/v1/refunds", {**body, "id": new_id()}).json()
    assert (to_palm["status"], to_palm["way"]) == ("requires_palm", "palm")


@pytest.fixture
def saved(at_till: PaidAtTill, tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "handsel-receipt.json"
    path.write_text(file_of(at_till))
    yield path


@needs_chromium
def test_a_saved_receipt_is_presented_on_the_narrowest_screen(street: Street, saved: Path) -> None:
    """
    As the wallet saved it, chosen as a file; then the receipt's own page, with the return code that no server was sent.
    By day and by night.
    """
    complaints: list[str] = []
    browser = visit(street)
    with serving(browser.app) as link, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        page = chromium.new_page(viewport={"width": NARROW, "height": 700})
        page.set_default_timeout(PAGE_MS_MAX)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: complaints.append(line.text) if line.type in ("error", "warning") else None)
        page.goto(f"{link.url}/disputes")
        page.get_by_label("The saved receipt").set_input_files(saved)
        expect(page.get_by_label("Or what stands in it")).to_have_value(saved.read_text())
        seen = by_day_and_night(page)
        page.get_by_role("button", name="Present it").press("Enter")
        page.get_by_role("link", name="See the case").press("Enter")
        expect(page.get_by_text("The shop sees it.")).to_be_visible()
        seen += by_day_and_night(page)
        assert page.evaluate("document.documentElement.scrollWidth") == NARROW
        payment = list_disputes(street.acquirer, SHOP)[0].payment
        page.goto(f"{link.url}/receipts/{payment.receipt}#{street.codes[payment.id]}")
        expect(page.locator("dd[data-return-code]")).to_have_text(
            re.sub(r"(.{4})(?=.)", r"\1 ", street.codes[payment.id])
        )
        seen += by_day_and_night(page)
        assert page.evaluate("document.documentElement.scrollWidth") == NARROW
        chromium.close()
    assert illegible(seen) == {}
    assert complaints == []
