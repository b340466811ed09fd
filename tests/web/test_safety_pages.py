"""
The page of PIN, passkeys and limits: what it takes, shows and refuses.
"""

from __future__ import annotations

import html
import re

import httpx
import msgspec
import pytest

from handsel.flows.issuing.approved import Approved
from handsel.flows.issuing.export_wallet import WalletExport
from handsel.ids import new_id
from tests.flows.issuing.authenticator import Authenticator
from tests.flows.issuing.scene import Scene
from tests.flows.issuing.test_second_factor import LOCKED, MUCH, NEEDED, PIN, WRONG, WRONG_PIN, pay
from tests.web.browser import Browser, said
from tests.web.test_wallet_pages import owner, visit, wallet_id_of

PAGES = ["/wallet/safety", "/wallet/approvals"]
FORMS = {
    "/wallet/pin": {"pin": PIN, "again": PIN},
    "/wallet/pin/remove": {},
    "/wallet/pin/unlock": {},
    "/wallet/limits": {"alone": "1"},
    "/wallet/passkeys/new": {},
    "/wallet/passkeys": {"response": "{}"},
    "/wallet/passkeys/remove": {"passkey": "00"},
    "/wallet/approvals": {"id": "0" * 32, "amount_minor": "1"},
    "/wallet/approvals/give": {"id": "0" * 32, "response": "{}"},
}


def payer(scene: Scene) -> Browser:
    """
    Return the browser of somebody with money and a palm.
    """
    browser = owner(scene)
    for _ in range(4):
        browser.post("/wallet/top-ups", id=new_id())
    browser.post("/wallet/consent", version="1", agreed="yes")
    scene.enrol(wallet_id_of(browser), "ada")
    return browser


def options_in(page: httpx.Response) -> str:
    found = re.search(r'data-options="([^"]*)"', page.text)
    assert found is not None
    return html.unescape(found[1])


def with_passkey(browser: Browser) -> Authenticator:
    passkey = Authenticator()
    answer = passkey.make(options_in(browser.post("/wallet/passkeys/new")))
    assert browser.post("/wallet/passkeys", response=answer).headers["location"] == "/wallet/safety"
    return passkey


@pytest.mark.parametrize("path", PAGES)
def test_a_stranger_is_sent_to_the_welcome(scene: Scene, path: str) -> None:
    assert visit(scene).get(path).headers["location"] == "/"


@pytest.mark.parametrize("path", FORMS)
def test_a_form_of_another_page_or_of_a_stranger_does_nothing(scene: Scene, path: str) -> None:
    assert payer(scene).post(path, origin="https://elsewhere.example", **FORMS[path]).status_code == 401
    assert visit(scene).post(path, **FORMS[path]).headers["location"] == "/"


def test_a_pin_is_set_shown_as_set_and_pays(scene: Scene) -> None:
    browser = payer(scene)
    assert "No PIN" in said(browser.get("/wallet/safety"))

    assert browser.post("/wallet/pin", pin=PIN, again=PIN).headers["location"] == "/wallet/safety"

    page = browser.get("/wallet/safety")
    assert "Change the PIN" in said(page)
    assert PIN not in page.text
    assert isinstance(pay(scene, MUCH, PIN), Approved)
    browser.post("/wallet/pin/remove")
    assert pay(scene, MUCH, PIN) == WRONG_PIN


@pytest.mark.parametrize(
    ("pin", "again", "words"),
    [
        ("402917", "402918", "not the same"),
        ("40291", "40291", "6 to 12 digits"),
        ("123456", "123456", "first that others would try"),
    ],
)
def test_a_pin_that_is_not_taken_says_why_and_is_not_on_the_page(
    scene: Scene, pin: str, again: str, words: str
) -> None:
    browser = owner(scene)

    answer = browser.post("/wallet/pin", pin=pin, again=again)

    assert answer.status_code == 400
    assert words in said(answer)
    assert f'value="{pin}"' not in answer.text
    assert pin not in browser.log.getvalue()
    assert "No PIN" in said(browser.get("/wallet/safety"))


def test_a_lock_is_seen_and_ended_in_the_wallet(scene: Scene) -> None:
    browser = payer(scene)
    browser.post("/wallet/pin", pin=PIN, again=PIN)
    for _ in range(3):
        pay(scene, MUCH, WRONG)
    assert pay(scene, MUCH, PIN) == LOCKED
    assert "Locked" in said(browser.get("/wallet/safety"))

    browser.post("/wallet/pin/unlock")

    assert "Locked" not in said(browser.get("/wallet/safety"))
    assert isinstance(pay(scene, MUCH, PIN), Approved)


def test_limits_are_lowered_shown_and_taken_back(scene: Scene) -> None:
    browser = payer(scene)
    assert browser.post("/wallet/limits", alone="5,00", at_a_time="", in_day="20").status_code == 303

    page = browser.get("/wallet/safety").text
    assert 'value="5.00"' in page
    assert 'value="20.00"' in page
    assert pay(scene, 5_01) == NEEDED
    browser.post("/wallet/limits", alone="", at_a_time="", in_day="")
    assert isinstance(pay(scene, 5_01), Approved)


@pytest.mark.parametrize(
    ("alone", "words"), [("50.01", "at most 50.00 EUR"), ("-1", "in digits"), ("many", "in digits")]
)
def test_a_limit_above_the_banks_or_no_amount_is_refused_in_words(scene: Scene, alone: str, words: str) -> None:
    browser = payer(scene)

    answer = browser.post("/wallet/limits", alone=alone)

    assert answer.status_code == 400
    assert words in said(answer)
    assert isinstance(pay(scene, 50_00), Approved)


def test_a_passkey_is_removed(scene: Scene) -> None:
    browser = payer(scene)
    passkey = with_passkey(browser)
    assert "Passkey 1" in said(browser.get("/wallet/safety"))

    browser.post("/wallet/passkeys/remove", passkey=passkey.id.hex())

    assert "Passkey 1" not in said(browser.get("/wallet/safety"))
    assert browser.post("/wallet/passkeys/remove", passkey="xyz").status_code == 400


def test_the_export_says_that_there_are_pin_and_passkeys_and_no_more(scene: Scene) -> None:
    browser = payer(scene)
    passkey = with_passkey(browser)
    browser.post("/wallet/pin", pin=PIN, again=PIN)

    exported = browser.get("/wallet/export.json")

    held = msgspec.json.decode(exported.content, type=WalletExport).factors
    assert held is not None
    assert held.pin_set_at_ms == scene.now_ms
    assert [line.passkey_id for line in held.passkeys] == [passkey.id.hex()]
    assert "argon2" not in exported.text


def test_a_closed_wallet_offers_nothing_to_set(scene: Scene) -> None:
    browser = payer(scene)
    browser.post("/wallet/close")

    page = browser.get("/wallet/safety").text

    for button in ("Set the PIN", "Add a passkey", "Keep these limits"):
        assert button not in page
