"""
The wallet's receipts: the bank gets public keys and sealed receipts, and only the browser reads what is in them.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from handsel.flows.issuing.consent import give_consent
from handsel.flows.issuing.deposit_receipt_keys import DEPOSIT_MAX, keys_wanted
from handsel.flows.issuing.enrol import Enrolled
from handsel.flows.issuing.name_shop import named_shops
from handsel.flows.issuing.open_wallet import open_wallet
from handsel.flows.issuing.show_receipts import show_receipts
from handsel.flows.issuing.take_receipt import take_receipt
from handsel.flows.issuing.top_up import top_up
from handsel.ids import new_id
from handsel.log import Log
from handsel.naming import naming_key_of, naming_tag
from handsel.pay.money import Money
from handsel.receipt import derive_receipt_key, open_receipt, receipt_id_of, seal_receipt
from handsel.return_code import draw_return_code, order_id_of
from handsel.web.app import build_app
from handsel.web.dispute_pages import read_receipt_file
from handsel.web.shop_code import ShopCode, read_shop_code, write_shop_code
from handsel.web.wallet_pages import wallet_error_page, wallet_routes
from tests.chromium import ARGUMENTS, CHROMIUM, needs_chromium
from tests.flows.issuing.scene import Scene
from tests.flows.issuing.test_receipts import Sealer, public_keys
from tests.test_receipt import CHARGE_ID, CODE, receipt
from tests.web.browser import Browser, nothing, said
from tests.web.legible import by_day_and_night, illegible
from tests.web.near_server import serving
from tests.web.sealed_receipt import read_vector

NAMING_SECRET = b"n" * 32
NAMING_KEY = naming_key_of(NAMING_SECRET)
CAFE = write_shop_code(ShopCode("Corner Café", NAMING_KEY))
PAGE_MS_MAX = 20_000
NARROW = 320  # CSS pixels: WCAG 2.2, 1.4.10.
SECRET_CHARS = 68 + 16


@dataclass(frozen=True)
class Owner:
    """
    Hold a wallet with money and ada's palm, and its key.
    """

    scene: Scene
    wallet_id: str
    key: str

    @classmethod
    def at(cls, scene: Scene) -> Owner:
        opened = open_wallet(scene.issuer)
        give_consent(scene.issuer, opened.wallet_id, version="1")
        top_up(scene.issuer, opened.wallet_id, top_up_id=new_id(), amount=Money(100_00, "EUR"))
        assert scene.enrol(opened.wallet_id, "ada") == Enrolled()
        return cls(scene, opened.wallet_id, opened.key)

    def pay(
        self,
        *,
        shop: str = "Corner Café",
        description: str = "Flat white",
        code: str = "",
        leads_to: str = "",
        tip_minor: int = 0,
    ) -> str:
        """
        Pay as at a till, have the receipt sealed and brought, and return its id. The code leads to this charge, unless
        it is said to where else.
        """
        till, code = Sealer.at(self.scene), code or draw_return_code(os.urandom)
        shown = till.show("ada", 450, order_id=leads_to or order_id_of(code, charge_id=CHARGE_ID))
        reply = till.read(self.scene.charge(shown))
        tag = naming_tag(NAMING_SECRET, other=reply.naming_key, order_id=shown.charge_id)
        is_named = tag in reply.naming_tags
        line = till.line(shown.charge_id, tag=tag, said=description) if is_named else till.line(shown.charge_id)
        content = receipt(shop=shop, description=description, code=code, tip_minor=tip_minor)
        sealed = seal_receipt(content, receipt_key=reply.receipt_key)
        receipt_id = receipt_id_of(reply.receipt_key)
        take_receipt(self.scene.issuer, receipt_id, sealed=sealed, line=line)
        return receipt_id

    def browser(self) -> Browser:
        browser = Browser(wallet_routes(self.scene.issuer, lambda: None, sandbox=True), wallet_error_page)
        browser.post("/sign-in", key=self.key)
        return browser


@pytest.fixture
def owner(scene: Scene) -> Owner:
    return Owner.at(scene)


# Without a script.


@pytest.mark.parametrize("path", ["/wallet/receipts", "/wallet/receipts.json", "/wallet/receipt-keys", "/wallet/shops"])
def test_a_stranger_sees_none_of_it(scene: Scene, path: str) -> None:
    browser = Browser(wallet_routes(scene.issuer, lambda: None, sandbox=True), wallet_error_page)

    assert browser.get(path).headers["location"] == "/"


def test_keys_are_deposited_and_asked_for(owner: Owner) -> None:
    browser = owner.browser()
    assert browser.get("/wallet/receipt-keys").json() == {"first": 0, "count": DEPOSIT_MAX}

    keys = b"".join(public_keys(2)).hex()

    assert browser.post("/wallet/receipt-keys", first="0", keys=keys).json() == {"first": 2, "count": DEPOSIT_MAX - 2}


@pytest.mark.parametrize(
    ("first", "keys"), [("0", ""), ("x", "00"), ("-1", "00"), ("0", "zz"), ("0", "00" * 31), ("9" * 16, "00" * 32)]
)
def test_what_are_no_keys_is_refused(owner: Owner, first: str, keys: str) -> None:
    browser = owner.browser()

    assert browser.post("/wallet/receipt-keys", first=first, keys=keys).status_code == 400
    assert keys_wanted(owner.scene.issuer, owner.wallet_id).count == DEPOSIT_MAX


def test_the_page_itself_says_an_amount_and_a_time_and_no_shop(owner: Owner) -> None:
    browser = owner.browser()
    browser.post("/wallet/receipt-keys", first="0", keys=public_keys(1)[0].hex())
    receipt_id = owner.pay()
    owner.pay()  # No key is left: there is no receipt, and that is said.

    page = said(browser.get("/wallet/receipts"))

    assert page.count("−€4.50") == 2
    assert "Sealed: your browser opens it." in page
    assert "No receipt is here." in page
    assert "Corner" not in page
    lines = browser.get("/wallet/receipts.json").json()["lines"]
    assert sorted(bool(line["receipt"]) for line in lines) == [False, True]
    browser.post(f"/wallet/receipts/{receipt_id}/delete")
    assert "Sealed" not in said(browser.get("/wallet/receipts"))


@pytest.mark.parametrize(
    "path", ["/wallet/receipts?page=x", "/wallet/receipts?page=10001", "/wallet/receipts.json?page=-1"]
)
def test_a_page_that_there_is_not_is_refused(owner: Owner, path: str) -> None:
    assert owner.browser().get(path).status_code == 400


def test_a_shop_is_named_after_its_meaning_was_read(owner: Owner) -> None:
    browser = owner.browser()

    asked = browser.post("/wallet/shops/ask", code=f" {CAFE} ")
    assert "its name, what you bought, the amount and the time" in said(asked)
    assert named_shops(owner.scene.issuer, owner.wallet_id) == ()
    browser.post("/wallet/shops", code=CAFE)
    owner.pay()

    page = said(browser.get("/wallet/receipts"))
    assert "Corner Café" in page
    assert "Flat white" in page
    browser.post("/wallet/shops/stop", key=NAMING_KEY.hex())
    assert "Corner" not in said(browser.get("/wallet/receipts"))
    assert "No shop is named." in said(browser.get("/wallet/shops"))


@pytest.mark.parametrize(
    "code", ["", "x", "handsel-shop-", "handsel-shop-%%%", CAFE[:-4], "handsel-shop-" + "A" * 1000]
)
def test_what_is_no_shops_code_names_nothing(owner: Owner, code: str) -> None:
    browser = owner.browser()

    assert "This is no shop's code" in said(browser.post("/wallet/shops/ask", code=code))
    assert browser.post("/wallet/shops", code=code).status_code == 400
    assert named_shops(owner.scene.issuer, owner.wallet_id) == ()


@pytest.mark.parametrize("shop", ["Corner Café", "☕", "S" * 200])
def test_a_shops_code_reads_as_it_was_written(shop: str) -> None:
    code = ShopCode(shop, NAMING_KEY)

    assert read_shop_code(write_shop_code(code)) == code
    assert repr(code) == "ShopCode()"


# The vector: Python seals, the browser opens.


def test_the_vector_opens_in_python() -> None:
    vector = read_vector()
    key = derive_receipt_key(bytes.fromhex(vector.secret), vector.number)

    assert key.private_bytes_raw().hex() == vector.private
    assert key.public_key().public_bytes_raw().hex() == vector.public
    assert open_receipt(bytes.fromhex(vector.sealed), key=key) == vector.content


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield browser
        browser.close()


@contextmanager
def signed_in(chromium: Chromium, owner: Owner, **wanted: Any) -> Iterator[tuple[BrowserContext, str]]:
    """
    Serve the wallet, and yield a browser that is signed in, in which no script fails and nothing is blocked.
    """
    complaints: list[str] = []
    app = build_app(
        wallet_routes(owner.scene.issuer, lambda: None, sandbox=True),
        log=Log("test", io.StringIO()),
        hosts=frozenset({"localhost", "127.0.0.1"}),
        lifespan=nothing,
        error_page=wallet_error_page,
    )
    with serving(app) as link, chromium.new_context(**wanted) as context:
        context.set_default_timeout(PAGE_MS_MAX)
        context.add_cookies([{"name": "handsel_wallet", "value": owner.key, "url": link.url}])
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        context.on("console", lambda line: complaints.append(line.text) if line.type in ("error", "warning") else None)
        yield context, link.url
    assert complaints == []


def see_keys_deposited(page: Page, url: str) -> None:
    with page.expect_response(lambda answer: answer.url.endswith("receipt-keys") and answer.request.method == "POST"):
        page.goto(f"{url}/wallet")


@needs_chromium
def test_the_vector_opens_in_the_browser(chromium: Chromium, owner: Owner) -> None:
    """
    And nothing but that: not with another key, not for another use, not with a bit changed.
    """
    vector = read_vector()
    script = """async ({secret, number, sealed}) => {
      const {open, publicKey} = await import("/static/hpke.js");
      const {privateBytes, fromHex, toHex} = await import("/static/receipt_keys.js");
      const own = await privateBytes(fromHex(secret), number);
      const read = (bytes, key, info) => open(bytes, key, info).then((c) => new TextDecoder().decode(c), () => null);
      const bytes = fromHex(sealed), altered = fromHex(sealed);
      altered[altered.length - 1] ^= 1;
      return [toHex(own), toHex(await publicKey(own)), await read(bytes, own, "handsel/v1/receipt"),
        await read(bytes, fromHex(secret), "handsel/v1/receipt"), await read(bytes, own, "handsel/v1/other"),
        await read(altered, own, "handsel/v1/receipt"), await read(bytes.subarray(0, 40), own, "handsel/v1/receipt")];
    }"""
    with signed_in(chromium, owner) as (context, url):
        page = context.new_page()
        see_keys_deposited(page, url)
        private, public, content, *refused = page.evaluate(
            script, {"secret": vector.secret, "number": vector.number, "sealed": vector.sealed}
        )

    assert (private, public) == (vector.private, vector.public)
    assert json.loads(content) == msgspec.to_builtins(vector.content)
    assert refused == [None] * 4


@needs_chromium
def test_a_receipt_is_opened_saved_and_read_in_another_browser(chromium: Chromium, owner: Owner) -> None:
    with signed_in(chromium, owner) as (context, url):
        page = context.new_page()
        see_keys_deposited(page, url)
        assert keys_wanted(owner.scene.issuer, owner.wallet_id).first == DEPOSIT_MAX
        receipt_id = owner.pay(shop="<b>Corner</b> Café", code=CODE, tip_minor=50)
        page.goto(f"{url}/wallet/receipts")
        expect(page.locator("[data-shop]")).to_have_text("<b>Corner</b> Café")
        expect(page.locator("[data-items]")).to_have_text("Flat white")
        page.get_by_text("More about this receipt").click()
        expect(page.locator("[data-return-code]")).to_have_text("abcd efgh ij23 4567 abcd")
        expect(page.locator("[data-tip]")).to_have_text("€0.50")
        with page.expect_download() as saved:
            page.get_by_role("button", name="Save this receipt").click()
        assert json.loads(saved.value.path().read_text()) == msgspec.to_builtins(
            receipt(shop="<b>Corner</b> Café", description="Flat white", tip_minor=50)
        )
        page.get_by_text("Show it").click()
        secret = page.locator("[data-receipt-secret]").inner_text()
    assert len(secret) == SECRET_CHARS

    with signed_in(chromium, owner) as (context, url):
        page = context.new_page()
        page.goto(f"{url}/wallet/receipts")
        expect(page.locator("[data-items]")).to_contain_text("Sealed for another browser of yours.")
        field = page.get_by_label("The receipt key of another browser of yours")
        field.fill(secret[:-1] + ("0" if secret[-1] != "0" else "1"))
        field.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("This is not a whole receipt key")
        field.fill(secret.upper())
        field.press("Enter")
        expect(page.locator("[data-shop]")).to_have_text("<b>Corner</b> Café")
        page.get_by_text("More about this receipt").click()
        page.get_by_role("button", name="Delete it for good").click()
        expect(page.locator("[data-items]")).to_contain_text("No receipt is here.")
    assert [line.receipt for line in show_receipts(owner.scene.issuer, owner.wallet_id)] == [None]
    assert receipt_id


@needs_chromium
def test_a_code_that_leads_to_another_payment_is_not_shown_and_not_saved(chromium: Chromium, owner: Owner) -> None:
    with signed_in(chromium, owner) as (context, url):
        page = context.new_page()
        see_keys_deposited(page, url)
        owner.pay(leads_to="0f" * 16)
        page.goto(f"{url}/wallet/receipts")
        page.get_by_text("More about this receipt").click()
        expect(page.locator("[data-return-code]")).to_contain_text("This receipt has none that pays back")
        with page.expect_download() as saved:
            page.get_by_role("button", name="Save this receipt").click()
        file = saved.value.path().read_text()
    assert read_receipt_file(file).return_code == ""


@needs_chromium
def test_the_page_is_read_on_the_narrowest_screen_by_day_and_by_night(chromium: Chromium, owner: Owner) -> None:
    """
    With a shop's name as long as there is, and with the keyboard alone.
    """
    viewport = {"width": NARROW, "height": 700}
    with signed_in(chromium, owner, viewport=viewport) as (context, url):
        page = context.new_page()
        see_keys_deposited(page, url)
        owner.pay(shop="Kaffeehausverwaltungsgesellschaft" * 6, description="Flat white " * 18)
        page.goto(f"{url}/wallet/receipts")
        expect(page.locator("[data-shop]")).to_contain_text("Kaffee")
        page.locator("summary").first.press("Enter")
        expect(page.locator("[data-return-code]")).to_be_visible()
        expect(page.locator("[data-tip]")).to_be_hidden()
        for path in ("", "/wallet/shops"):
            if path:
                page.goto(f"{url}{path}#{CAFE}")
                expect(page.get_by_label("The shop's code")).to_have_value(CAFE)
                assert "#" not in page.url
            assert page.evaluate("document.documentElement.scrollWidth") == NARROW
            assert illegible(by_day_and_night(page)) == {}
        page.get_by_role("button", name="Read what it means").press("Enter")
        expect(page.get_by_role("heading", level=1)).to_contain_text("Corner Café")
        assert page.evaluate("document.documentElement.scrollWidth") == NARROW
        page.get_by_role("button", name="Yes, name this shop").press("Enter")
        expect(page.get_by_role("heading", name="Corner Café")).to_be_visible()


@needs_chromium
def test_a_browser_that_cannot_open_receipts_says_so_and_deposits_nothing(chromium: Chromium, owner: Owner) -> None:
    with signed_in(chromium, owner) as (context, url):
        context.add_init_script("delete window.crypto.__proto__.subtle; delete Crypto.prototype.subtle")
        page = context.new_page()
        page.goto(f"{url}/wallet/receipts")
        expect(page.get_by_text("This browser cannot open receipts.")).to_be_visible()
    assert keys_wanted(owner.scene.issuer, owner.wallet_id).first == 0
