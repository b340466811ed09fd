"""
The card's pages: consent to this way, the code for the till, and what becomes of a lost card.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

import pytest

from handsel import web
from handsel.flows.issuing.approved import Approved
from handsel.flows.issuing.consent import CARD_CONSENT_VERSION, CONSENT_VERSION
from handsel.flows.issuing.enrol import Enrolled
from handsel.ids import new_id
from handsel.till.card import Card
from tests.flows.issuing.scene import Scene
from tests.flows.issuing.test_cards import NOBODY, order_of, pay, send
from tests.web.browser import Browser, said
from tests.web.test_wallet_pages import owner

FORMS = ["code", "consent/withdraw", "pause", "resume", "revoke"]
PAGES = ["", "/consent", "/consent/withdraw", "/revoke"]


def code_on(browser: Browser) -> str:
    found = re.search(r'<output class="digits"[^>]*>(\d{4}) (\d{4})</output>', browser.get("/wallet/card").text)
    return found[1] + found[2] if found else ""


def agree(browser: Browser) -> str:
    """
    Agree to a card, and return the code.
    """
    browser.post("/wallet/card/consent", version=CARD_CONSENT_VERSION, agreed="yes")
    return code_on(browser)


def with_card(scene: Scene) -> tuple[Browser, Card]:
    """
    Return the browser of somebody who has a card.
    """
    browser = owner(scene)
    browser.post("/wallet/top-ups", id="0" * 32)
    card = Card.draw(os.urandom)
    assert send(scene, order_of(card, agree(browser), new_id())) == Enrolled()
    return browser, card


def test_nobody_gets_a_code_without_consent_to_this_way(scene: Scene) -> None:
    browser = owner(scene)
    browser.post("/wallet/consent", version=CONSENT_VERSION, agreed="yes")

    answer = browser.post("/wallet/card/code")

    assert answer.headers["location"] == "/wallet/card/consent"
    assert code_on(browser) == ""
    assert "Read and decide" in said(browser.get("/wallet/card"))


@pytest.mark.parametrize("fields", [{"version": CARD_CONSENT_VERSION}, {"version": CONSENT_VERSION, "agreed": "yes"}])
def test_consent_takes_a_tick_and_the_text_in_force(scene: Scene, fields: dict[str, str]) -> None:
    browser = owner(scene)

    answer = browser.post("/wallet/card/consent", **fields)

    assert answer.status_code == 400
    assert 'id="wrong"' in answer.text and " checked" not in answer.text


def test_the_text_has_the_version_under_which_it_is_agreed_to() -> None:
    """
    Change the text, and change `CARD_CONSENT_VERSION` and this digest with it.
    """
    text = (Path(web.__path__[0]) / "templates" / "wallet" / "card_consent.html").read_text()
    article = text[text.index("<article") : text.index("</article>")]

    assert (CARD_CONSENT_VERSION, hashlib.sha256(article.encode()).hexdigest()[:16]) == ("card-1", "ca09b6e86023d67a")


def test_a_code_is_shown_until_a_till_has_taken_it(scene: Scene) -> None:
    browser = owner(scene)
    code = agree(browser)
    assert len(code) == 8 and code_on(browser) == code
    assert "It is shown once." in said(browser.get("/wallet/card"))

    assert send(scene, order_of(Card.draw(os.urandom), code, new_id())) == Enrolled()

    assert code_on(browser) == ""
    page = said(browser.get("/wallet/card"))
    assert "Card since" in page and "Active: it pays, with your hand" in page
    assert "Your card pays, with your hand" in said(browser.get("/wallet"))


def test_a_code_for_a_palm_ends_one_for_a_card(scene: Scene) -> None:
    browser = owner(scene)
    agree(browser)

    browser.post("/wallet/consent", version=CONSENT_VERSION, agreed="yes")

    assert code_on(browser) == ""
    assert "Your code for the till" in said(browser.get("/wallet/palm"))
    agree(browser)
    assert "Your code for the till" not in said(browser.get("/wallet/palm"))


def test_a_card_is_paused_and_woken(scene: Scene) -> None:
    browser, card = with_card(scene)

    browser.post("/wallet/card/pause")
    assert not isinstance(pay(scene, card, 1_00), Approved)
    assert "Paused" in said(browser.get("/wallet/card"))
    assert "Your card is paused" in said(browser.get("/wallet"))
    browser.post("/wallet/card/resume")

    assert isinstance(pay(scene, card, 1_00), Approved)


def test_a_lost_card_is_deleted_after_a_question_and_renewed(scene: Scene) -> None:
    browser, lost = with_card(scene)
    assert 'href="/wallet/card/revoke"' in browser.get("/wallet/card").text
    assert "whoever holds it" in said(browser.get("/wallet/card/revoke"))

    assert browser.post("/wallet/card/revoke").headers["location"] == "/wallet/card"

    assert pay(scene, lost, 1_00) == NOBODY
    assert "Lost your card?" not in said(browser.get("/wallet/card"))
    browser.post("/wallet/card/code")
    renewed = Card.draw(os.urandom)
    assert send(scene, order_of(renewed, code_on(browser), new_id())) == Enrolled()
    assert isinstance(pay(scene, renewed, 1_00), Approved)


def test_withdrawing_consent_deletes_the_card(scene: Scene) -> None:
    browser, card = with_card(scene)
    assert "You agreed to this text." in said(browser.get("/wallet/card/consent"))

    browser.post("/wallet/card/consent/withdraw")

    assert pay(scene, card, 1_00) == NOBODY
    assert "Read and decide" in said(browser.get("/wallet/card"))


def test_a_closed_wallet_has_no_card(scene: Scene) -> None:
    browser, card = with_card(scene)

    browser.post("/wallet/close")

    assert pay(scene, card, 1_00) == NOBODY
    assert "A closed wallet has no card." in said(browser.get("/wallet/card"))


@pytest.mark.parametrize("path", PAGES)
def test_a_stranger_sees_nothing(scene: Scene, path: str) -> None:
    browser = owner(scene)
    browser.cookies.clear()

    assert browser.get(f"/wallet/card{path}").headers["location"] == "/"


@pytest.mark.parametrize("path", FORMS)
def test_a_stranger_changes_nothing(scene: Scene, path: str) -> None:
    browser, card = with_card(scene)
    browser.cookies.clear()

    assert browser.post(f"/wallet/card/{path}").headers["location"] == "/"
    assert isinstance(pay(scene, card, 1_00), Approved)


def test_nothing_of_a_card_is_on_the_pages_or_in_the_log(scene: Scene) -> None:
    browser, card = with_card(scene)
    seen = "".join(browser.get(f"/wallet/card{path}").text for path in PAGES) + browser.log.getvalue()

    for secret in (card.id.hex(), card.text, card.public_key.hex()):
        assert secret not in seen
