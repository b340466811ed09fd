"""
The pages on which a passkey says yes to a payment: which amount they show, and what they refuse.
"""

from __future__ import annotations

import pytest

from handsel.flows.issuing.approved import Approved
from handsel.ids import new_id
from tests.flows.issuing.scene import Scene
from tests.flows.issuing.test_second_factor import MUCH, NEEDED, pay
from tests.web.browser import said
from tests.web.test_safety_pages import options_in, payer, with_passkey
from tests.web.test_wallet_pages import request_id_in


def test_a_payment_waits_on_the_page_and_a_passkey_allows_it_once(scene: Scene) -> None:
    browser = payer(scene)
    passkey = with_passkey(browser)
    assert "Nothing waits" in said(browser.get("/wallet/approvals"))
    pay(scene)
    assert "€73.20" in said(browser.get("/wallet"))

    page = browser.get("/wallet/approvals")
    asked = browser.post("/wallet/approvals", id=request_id_in(page), amount_minor=str(MUCH))
    assert "Allow €73.20 once?" in said(asked)
    answer = passkey.sign(options_in(asked))
    given = browser.post("/wallet/approvals/give", id=request_id_in(asked), response=answer)

    assert given.headers["location"] == "/wallet/approvals"
    assert "Allowed until" in said(browser.get("/wallet/approvals"))
    assert isinstance(pay(scene), Approved)
    assert "Nothing waits" in said(browser.get("/wallet/approvals"))


def test_who_has_no_passkey_is_told_what_to_do(scene: Scene) -> None:
    browser = payer(scene)
    pay(scene)

    assert "Type your PIN at the till, or add a passkey first." in said(browser.get("/wallet/approvals"))


def test_an_answer_that_is_none_is_refused_in_words_and_never_written_down(scene: Scene) -> None:
    browser = payer(scene)
    with_passkey(browser)
    pay(scene)
    asked = browser.post("/wallet/approvals", id=new_id(), amount_minor=str(MUCH))

    answer = browser.post("/wallet/approvals/give", id=request_id_in(asked), response='{"secret": 1}')

    assert answer.status_code == 400
    assert "is not one to what was asked" in said(answer)
    assert "secret" not in answer.text + browser.log.getvalue()
    assert pay(scene) == NEEDED


@pytest.mark.parametrize("amount", ["", "-1", "7.5", "x", "9" * 13, "１"])
def test_an_amount_that_no_page_has_is_refused(scene: Scene, amount: str) -> None:
    browser = payer(scene)
    with_passkey(browser)

    assert browser.post("/wallet/approvals", id=new_id(), amount_minor=amount).status_code == 400
