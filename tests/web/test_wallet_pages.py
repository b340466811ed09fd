"""
The wallet's pages: who sees a wallet, what stands in it, and what a tap does.
"""

from __future__ import annotations

import re

import httpx
import msgspec
import pytest

from handsel.flows.issuing.capture_charge import capture_charge
from handsel.flows.issuing.consent import CONSENT_VERSION, give_consent
from handsel.flows.issuing.deliver_orders import deliver_orders
from handsel.flows.issuing.export_wallet import WalletExport
from handsel.flows.issuing.show_wallet import HISTORY_PAGE
from handsel.ids import new_id
from handsel.web.wallet_desk import spell, unspell
from handsel.web.wallet_pages import wallet_error_page, wallet_routes
from tests.flows.issuing.scene import ACQUIRER, Scene
from tests.web.browser import COOKIE_DOMAIN, Browser, said

OWNED_PAGES = ["/wallet", "/wallet/key", "/wallet/entries", "/wallet/entries/1", "/wallet/close"]
OWNED_PAGES += ["/wallet/export", "/wallet/export.json", "/wallet/statement.json", "/wallet/erase"]
OWNED_FORMS = ["/wallet/top-ups", "/wallet/close", "/wallet/erase"]


def visit(scene: Scene, *, sandbox: bool = True) -> Browser:
    def deliver() -> None:
        deliver_orders(scene.issuer, scene.matchers)

    return Browser(wallet_routes(scene.issuer, deliver, sandbox=sandbox), wallet_error_page)


def owner(scene: Scene) -> Browser:
    """
    Return a browser in which a wallet was just opened, and its key written down.
    """
    browser = visit(scene)
    browser.post("/wallets")
    browser.post("/wallet/key/kept")
    return browser


def wallet_id_of(browser: Browser) -> str:
    held = msgspec.json.decode(browser.get("/wallet/export.json").content, type=WalletExport)
    return held.wallet.wallet_id


def newest_entry(browser: Browser) -> str:
    """
    Return the address of the newest entry of the history.
    """
    found = re.search(r'href="(/wallet/entries/\d+)"', browser.get("/wallet/entries").text)
    assert found is not None
    return found[1]


def request_id_in(page: httpx.Response) -> str:
    found = re.search(r'name="id" value="([0-9a-f]{32})"', page.text)
    assert found is not None
    return found[1]


def test_a_stranger_is_told_what_this_is_and_sees_no_wallet(scene: Scene) -> None:
    page = visit(scene).get("/")

    assert page.status_code == 200
    assert "Pay with your palm. Nobody keeps it, nobody follows you." in said(page)
    assert "A wallet is a number and a key." in said(page)
    assert 'type="text"' not in page.text  # Nothing asks for a name.


@pytest.mark.parametrize("path", OWNED_PAGES)
def test_a_page_of_a_wallet_sends_a_stranger_to_the_welcome(scene: Scene, path: str) -> None:
    answer = visit(scene).get(path)

    assert (answer.status_code, answer.headers["location"]) == (303, "/")


@pytest.mark.parametrize("path", OWNED_FORMS)
def test_a_form_of_a_wallet_sends_a_stranger_to_the_welcome(scene: Scene, path: str) -> None:
    fields = {"id": new_id()} if path == "/wallet/top-ups" else {}
    answer = visit(scene).post(path, **fields)

    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_an_opened_wallet_tells_its_key_until_it_is_written_down_and_never_again(scene: Scene) -> None:
    browser = visit(scene)
    browser.post("/wallets")
    key = spell(browser.cookies["handsel_wallet"])

    assert key in said(browser.get("/wallet/key"))
    assert key in said(browser.get("/wallet/key"))
    browser.post("/wallet/key/kept")
    assert browser.get("/wallet/key").headers["location"] == "/wallet"
    assert "Your wallet" in said(browser.get("/wallet"))
    assert unspell(key) not in browser.get("/wallet").text


def test_the_key_opens_the_wallet_on_another_device_however_it_is_typed(scene: Scene) -> None:
    first = owner(scene)
    second = visit(scene)

    second.post("/sign-in", key=f"  {spell(first.cookies['handsel_wallet']).upper().replace(' ', '-')} ")

    assert wallet_id_of(second) == wallet_id_of(first)


@pytest.mark.parametrize("key", ["", "x", "0" * 64, "é" * 64])
def test_a_key_that_opens_nothing_is_said_to_be_wrong(scene: Scene, key: str) -> None:
    browser = visit(scene)
    answer = browser.post("/sign-in", key=key)

    assert answer.status_code == 401
    assert "No wallet has this key." in said(answer)
    assert dict(browser.cookies) == {}


def test_signing_out_leaves_nothing_in_the_browser(scene: Scene) -> None:
    browser = owner(scene)

    browser.post("/sign-out")

    assert dict(browser.cookies) == {}
    assert browser.get("/wallet").headers["location"] == "/"


def test_a_cookie_that_opens_nothing_is_taken_away(scene: Scene) -> None:
    browser = visit(scene)
    browser.cookies.set("handsel_wallet", "0" * 64, domain=COOKIE_DOMAIN)

    assert browser.get("/").headers["location"] == "/wallet"
    assert browser.get("/wallet").headers["location"] == "/"
    assert browser.get("/").status_code == 200


def test_a_double_tap_adds_demo_money_once(scene: Scene) -> None:
    browser = owner(scene)
    tapped = request_id_in(browser.get("/wallet"))

    browser.post("/wallet/top-ups", id=tapped)
    browser.post("/wallet/top-ups", id=tapped)

    assert scene.balance(wallet_id_of(browser)) == 20_00
    assert request_id_in(browser.get("/wallet")) != tapped


def test_outside_the_sandbox_there_is_no_demo_money(scene: Scene) -> None:
    browser = visit(scene, sandbox=False)
    browser.post("/wallets")

    assert "demo money" not in said(browser.get("/wallet"))
    assert browser.post("/wallet/top-ups", id=new_id()).status_code == 404
    assert scene.balance(wallet_id_of(browser)) == 0


@pytest.mark.parametrize("bad", ["", "x" * 32, "0" * 31])
def test_demo_money_needs_an_id(scene: Scene, bad: str) -> None:
    assert owner(scene).post("/wallet/top-ups", id=bad).status_code == 400


def test_the_history_has_kind_amount_and_time_and_no_shop(scene: Scene) -> None:
    browser = owner(scene)
    browser.post("/wallet/top-ups", id=new_id())
    wallet_id = wallet_id_of(browser)
    browser.post("/wallet/consent", version=CONSENT_VERSION, agreed="yes")
    scene.enrol(wallet_id, "ada")
    scene.charge(scene.show("ada", 4_50))

    page = said(browser.get("/wallet/entries"))
    entry = said(browser.get(newest_entry(browser)))

    assert "Paid by palm −€4.50" in page
    assert "Demo money +€20.00" in page
    assert "Paid by palm −€4.50" in entry
    assert "€15.50" in entry
    assert "your bank does not know it" in entry


@pytest.mark.parametrize("number", ["0", "9", "x", "-1", "1e3", "9" * 15, "9" * 40])
def test_an_entry_that_is_not_there_is_not_found(scene: Scene, number: str) -> None:
    assert owner(scene).get(f"/wallet/entries/{number}").status_code == 404


def test_an_entry_of_another_wallet_is_not_shown(scene: Scene) -> None:
    rich, poor = owner(scene), owner(scene)
    rich.post("/wallet/top-ups", id=new_id())

    assert rich.get(newest_entry(rich)).status_code == 200
    assert poor.get(newest_entry(rich)).status_code == 404
    assert "€20.00" not in said(poor.get("/wallet/entries"))


def test_a_long_history_has_several_pages(scene: Scene) -> None:
    browser = owner(scene)
    for _ in range(HISTORY_PAGE):
        browser.post("/wallet/top-ups", id=new_id())
    first = browser.get("/wallet/entries")
    older = re.search(r'href="(/wallet/entries\?before=\d+)"', first.text)

    assert first.text.count("+€20.00") == HISTORY_PAGE
    assert older is not None
    assert "Nothing yet." in said(browser.get(older[1]))


def test_everything_that_is_held_can_be_taken_along(scene: Scene) -> None:
    browser = owner(scene)
    browser.post("/wallet/top-ups", id=new_id())

    answer = browser.get("/wallet/export.json")
    held = msgspec.json.decode(answer.content, type=WalletExport)

    assert "attachment" in answer.headers["content-disposition"]
    assert [line.amount_minor for line in held.history] == [20_00]


def test_a_closed_wallet_pays_out_says_so_and_can_be_erased(scene: Scene) -> None:
    browser = owner(scene)
    browser.post("/wallet/top-ups", id=new_id())
    key = browser.cookies["handsel_wallet"]
    assert "€20.00 in it is paid back" in said(browser.get("/wallet/close"))

    browser.post("/wallet/close")

    page = said(browser.get("/wallet"))
    assert "This wallet is closed." in page
    assert "A closed wallet has none." in page
    assert "€0.00" in page
    assert "Add €20.00" not in page
    browser.post("/wallet/erase")
    assert dict(browser.cookies) == {}
    assert browser.post("/sign-in", key=key).status_code == 401


def test_no_key_code_or_wallet_is_in_the_log(scene: Scene) -> None:
    browser = owner(scene)
    wallet_id = wallet_id_of(browser)
    browser.post("/wallet/consent", version=CONSENT_VERSION, agreed="yes")
    code = browser.cookies["handsel_code"].strip('"').partition(".")[0]
    browser.post("/sign-in", key=browser.cookies["handsel_wallet"])

    written = browser.log.getvalue()

    assert '"route": "/wallet/consent"' in written
    assert not any(secret in written for secret in (browser.cookies["handsel_wallet"], wallet_id, code))


def test_what_a_shop_has_reserved_is_shown_until_it_is_captured(scene: Scene) -> None:
    browser = owner(scene)
    wallet_id = wallet_id_of(browser)
    for _ in range(2):
        browser.post("/wallet/top-ups", id=new_id())
    give_consent(scene.issuer, wallet_id, version=CONSENT_VERSION)
    scene.enrol(wallet_id, "ada")
    shown = scene.show_to_reserve("ada", 30_00)
    scene.charge(shown)

    reserved = said(browser.get("/wallet"))
    asked = browser.get("/wallet/close")
    refused = browser.post("/wallet/close")
    wanted, _kept = scene.to_capture(shown, 12_50)
    capture_charge(scene.issuer, wanted, acquirer=ACQUIRER)
    captured = said(browser.get("/wallet"))

    assert "Reserved €30.00 until" in reserved
    assert "reserved for a payment under way" not in reserved
    assert 'action="/wallet/close"' not in asked.text
    assert refused.status_code == 400
    assert "A shop has reserved some of this money" in said(refused)
    assert "Reserved" not in captured
    assert "−€12.50" in captured
