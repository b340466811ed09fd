"""
The wallet's bank pages: what is shown to fill a wallet, what a mandate says, and that no account is shown again.
"""

from __future__ import annotations

import re
from dataclasses import replace

import httpx
import msgspec
import pytest

from handsel.bank.orders import OwnAccount
from handsel.bank.reference import parse_reference
from handsel.flows.issuing.export_wallet import WalletExport
from handsel.flows.issuing.mandate import MANDATE_VERSION
from handsel.ids import new_id
from handsel.web.wallet_pages import wallet_error_page, wallet_routes
from tests.bank.camt import OURS, THEIRS
from tests.flows.issuing.at_bank import OWN, AtBank
from tests.flows.issuing.scene import Scene
from tests.web.browser import Browser, said

GIVEN = {"version": MANDATE_VERSION, "holder": "Ann", "iban": THEIRS, "agreed": "yes"}


@pytest.fixture
def bank(scene: Scene) -> AtBank:
    return AtBank(scene)


def owner(scene: Scene) -> Browser:
    browser = Browser(wallet_routes(scene.issuer, lambda: None, sandbox=False), wallet_error_page)
    browser.post("/wallets")
    browser.post("/wallet/key/kept")
    return browser


def reference_in(page: httpx.Response) -> str:
    found = re.search(r"RF[0-9]{2}(?: [0-9A-Z]{4}){3}", page.text)
    assert found is not None
    return parse_reference(found[0])


def export_of(browser: Browser) -> WalletExport:
    return msgspec.json.decode(browser.get("/wallet/export.json").content, type=WalletExport)


def test_a_transfer_finds_the_wallet_by_what_its_page_shows(scene: Scene, bank: AtBank) -> None:
    browser = owner(scene)
    assert "Money from your bank" in said(browser.get("/wallet"))
    page = browser.get("/wallet/bank")
    assert "Example Bank" in said(page) and OWN.holder.iban.spelled in said(page)

    bank.say(bank.comes(20_00, reference_in(page)))

    assert "€20.00" in said(browser.get("/wallet"))
    assert "Bank transfer" in said(browser.get("/wallet/entries"))
    old = reference_in(page)
    browser.post("/wallet/bank/reference")
    assert reference_in(browser.get("/wallet/bank")) != old
    assert [(each.kind, each.content) for each in export_of(browser).identities] == [("bank_account", f"{THEIRS} Ann")]
    shown = said(browser.get("/wallet/export"))
    assert f"bank account {THEIRS} Ann kept by law" in shown
    assert "Movements at banks 1 Mandates 0 Direct debits 0" in shown
    assert "bank account" in said(browser.get("/wallet/erase"))


def test_a_mandate_is_given_used_and_ended(scene: Scene, bank: AtBank) -> None:
    browser = owner(scene)
    assert OWN.creditor_id in said(browser.get("/wallet/bank/mandate"))

    browser.post("/wallet/bank/mandate", id=new_id(), **GIVEN)

    page = browser.get("/wallet/bank")
    assert THEIRS not in page.text and f"…{THEIRS[-4:]}" in said(page)
    browser.post("/wallet/bank/collections", id=new_id(), amount="20")
    assert "Waiting for the next file to the bank" in said(browser.get("/wallet/bank"))
    browser.post("/wallet/bank/mandate/end")
    assert "Read the mandate" in said(browser.get("/wallet/bank"))


@pytest.mark.parametrize(
    ("changed", "said_why"),
    [
        ({"iban": THEIRS[:-1] + "2"}, "This is not an IBAN"),
        ({"holder": " "}, "The name of an account's holder has 1 to 70 characters."),
        ({"holder": "x" * 71}, "The name of an account's holder has 1 to 70 characters."),
        ({"agreed": ""}, "Tick the box first"),
        ({"version": "debit-0"}, "The text has changed"),
    ],
)
def test_what_is_no_mandate_is_refused_with_a_reason(
    scene: Scene, bank: AtBank, changed: dict[str, str], said_why: str
) -> None:
    browser = owner(scene)

    answer = browser.post("/wallet/bank/mandate", id=new_id(), **{**GIVEN, **changed})

    assert answer.status_code == 400
    assert said_why in said(answer)
    assert THEIRS[:-2] not in answer.text
    assert export_of(browser).identities == ()


@pytest.mark.parametrize("amount", ["0", "150.01", "-1", "20.001", "much"])
def test_an_amount_that_is_not_collected_is_refused(scene: Scene, bank: AtBank, amount: str) -> None:
    browser = owner(scene)
    browser.post("/wallet/bank/mandate", id=new_id(), **GIVEN)

    assert browser.post("/wallet/bank/collections", id=new_id(), amount=amount).status_code == 400
    assert "Waiting" not in said(browser.get("/wallet/bank"))


def test_where_there_is_no_bank_there_is_no_page(scene: Scene) -> None:
    browser = owner(scene)

    assert "Money from your bank" not in said(browser.get("/wallet"))
    assert browser.get("/wallet/bank").status_code == 404
    assert browser.get("/wallet/bank/mandate").status_code == 404
    assert browser.post("/wallet/bank/mandate", id=new_id(), **GIVEN).status_code == 404


def test_who_does_not_collect_asks_for_no_account(scene: Scene) -> None:
    scene.issuer = replace(scene.issuer, bank=OwnAccount(OWN.holder))
    browser = owner(scene)

    assert "direct debit" not in said(browser.get("/wallet/bank")).lower()
    assert browser.get("/wallet/bank/mandate").status_code == 404


def test_a_stranger_sees_nothing(scene: Scene, bank: AtBank) -> None:
    browser = Browser(wallet_routes(scene.issuer, lambda: None, sandbox=False), wallet_error_page)

    for path in ("/wallet/bank", "/wallet/bank/mandate"):
        assert browser.get(path).headers["location"] == "/"
    assert browser.post("/wallet/bank/mandate", id=new_id(), **GIVEN).headers["location"] == "/"


def test_nothing_of_an_account_is_in_the_log(scene: Scene, bank: AtBank) -> None:
    browser = owner(scene)
    browser.get("/wallet/bank")
    browser.post("/wallet/bank/mandate", id=new_id(), **GIVEN)

    written = browser.log.getvalue()
    assert written
    for secret in (THEIRS, OURS, "Ann", "RF"):
        assert secret not in written
