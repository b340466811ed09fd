"""
The palm's pages: consent, the code for the till, and what becomes of a palm.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from handsel import web
from handsel.flows.issuing.consent import CONSENT_VERSION
from handsel.flows.issuing.deliver_orders import deliver_orders
from handsel.flows.issuing.enrol import EnrolmentBegun, begin_enrolment
from handsel.flows.issuing.enrolment_code import CODE_VALID_MS
from handsel.ids import new_id
from handsel.pay.decline import Declined, DeclineReason
from tests.flows.issuing.scene import ACQUIRER, Scene
from tests.web.browser import COOKIE_DOMAIN, Browser, said
from tests.web.test_wallet_pages import owner, wallet_id_of

FORMS = ["consent/withdraw", "palm/code", "palms/x/pause", "palms/x/resume", "palms/x/delete"]


def code_on(browser: Browser) -> str:
    found = re.search(r'<output class="digits"[^>]*>(\d{4}) (\d{4})</output>', browser.get("/wallet/palm").text)
    return found[1] + found[2] if found else ""


def with_palm(scene: Scene, palm: str = "ada") -> Browser:
    """
    Return the browser of somebody who has agreed and shown a palm at a till.
    """
    browser = owner(scene)
    browser.post("/wallet/consent", version=CONSENT_VERSION, agreed="yes")
    scene.enrol(wallet_id_of(browser), palm)
    browser.post("/wallet/top-ups", id="0" * 32)
    return browser


def palm_id_on(browser: Browser) -> str:
    found = re.search(r"/wallet/palms/([0-9a-f]{32})/delete", browser.get("/wallet/palm").text)
    assert found is not None
    return found[1]


def test_nobody_gets_a_code_without_consent(scene: Scene) -> None:
    browser = owner(scene)

    answer = browser.post("/wallet/palm/code")

    assert answer.headers["location"] == "/wallet/consent"
    assert code_on(browser) == ""


def test_the_box_is_not_ticked_beforehand(scene: Scene) -> None:
    page = owner(scene).get("/wallet/consent")

    assert 'type="checkbox"' in page.text
    assert "checked" not in page.text
    assert "at the same price" in said(page)


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"version": CONSENT_VERSION}, "Tick the box first"),
        ({"version": CONSENT_VERSION, "agreed": "no"}, "Tick the box first"),
        ({"version": "2020-01", "agreed": "yes"}, "This text has changed"),
    ],
)
def test_consent_is_given_only_to_the_text_that_was_read(scene: Scene, fields: dict[str, str], wrong: str) -> None:
    browser = owner(scene)

    answer = browser.post("/wallet/consent", **fields)

    assert answer.status_code == 400
    assert wrong in said(answer)
    assert browser.post("/wallet/palm/code").headers["location"] == "/wallet/consent"


def test_whoever_agrees_gets_a_code_that_a_till_accepts(scene: Scene) -> None:
    browser = owner(scene)
    browser.post("/wallet/consent", version=CONSENT_VERSION, agreed="yes")
    code = code_on(browser)
    assert len(code) == 8
    assert "Your code is waiting" in said(browser.get("/wallet"))

    enrolment_id = new_id()
    _, order = scene.enrolment_order(code, enrolment_id)
    assert isinstance(begin_enrolment(scene.issuer, enrolment_id, acquirer=ACQUIRER, order=order), EnrolmentBegun)
    assert "Being read at the till" in said(browser.get("/wallet/palm"))

    assert code_on(browser) == ""
    assert "Your palm is being read" in said(browser.get("/wallet"))


def test_who_has_agreed_can_read_the_text_again_and_is_not_asked_again(scene: Scene) -> None:
    browser = owner(scene)
    assert "Agree and get a code" in said(browser.get("/wallet/consent"))
    browser.post("/wallet/consent", version=CONSENT_VERSION, agreed="yes")

    again = said(browser.get("/wallet/consent"))

    assert "You agreed to this text." in again
    assert "Agree and get a code" not in again
    browser.post("/wallet/consent/withdraw")
    assert "Agree and get a code" in said(browser.get("/wallet/consent"))


def test_an_enrolled_palm_is_shown_as_such(scene: Scene) -> None:
    browser = with_palm(scene)

    assert code_on(browser) == ""
    assert "Active: it pays" in said(browser.get("/wallet/palm"))
    assert "Your palm pays" in said(browser.get("/wallet"))


def test_a_code_is_shown_for_ten_minutes_and_no_longer(scene: Scene) -> None:
    browser = owner(scene)
    browser.post("/wallet/consent", version=CONSENT_VERSION, agreed="yes")
    shown = code_on(browser)

    scene.now_ms += CODE_VALID_MS - 1
    assert code_on(browser) == shown
    scene.now_ms += 1
    assert code_on(browser) == ""
    assert "Get a code" in said(browser.get("/wallet/palm"))


def test_a_new_code_takes_the_place_of_the_old_one(scene: Scene) -> None:
    browser = owner(scene)
    browser.post("/wallet/consent", version=CONSENT_VERSION, agreed="yes")
    old = code_on(browser)

    browser.post("/wallet/palm/code")

    assert code_on(browser) not in ("", old)


@pytest.mark.parametrize("cookie", ["", "1234", "1234.", ".1", "12.x", "1.99999999999999999"])
def test_a_cookie_that_is_no_code_shows_none(scene: Scene, cookie: str) -> None:
    browser = with_palm(scene)
    browser.cookies.set("handsel_code", cookie, domain=COOKIE_DOMAIN)

    assert browser.get("/wallet/palm").status_code == 200
    assert code_on(browser) == ""


def test_a_paused_palm_does_not_pay_until_it_is_woken(scene: Scene) -> None:
    browser = with_palm(scene)
    palm = palm_id_on(browser)

    browser.post(f"/wallet/palms/{palm}/pause")
    assert "Paused" in said(browser.get("/wallet/palm"))
    assert scene.charge(scene.show("ada", 1_00)) == Declined(DeclineReason.PALM_PAUSED)

    browser.post(f"/wallet/palms/{palm}/resume")
    assert "Active: it pays" in said(browser.get("/wallet/palm"))
    assert not isinstance(scene.charge(scene.show("ada", 1_00)), Declined)


def test_deleting_asks_first(scene: Scene) -> None:
    browser = with_palm(scene)

    page = browser.get(f"/wallet/palms/{palm_id_on(browser)}/delete")

    assert "Delete this palm?" in said(page)
    assert "Active: it pays" in said(browser.get("/wallet/palm"))


def test_a_deleted_palm_is_dead_at_once_and_its_erasure_can_be_watched(scene: Scene) -> None:
    browser = with_palm(scene)
    scene.matchers.down = {"b", "c"}

    browser.post(f"/wallet/palms/{palm_id_on(browser)}/delete")

    assert isinstance(scene.charge(scene.show("ada", 1_00)), Declined)
    assert "Being erased: 1 of 3 confirmed" in said(browser.get("/wallet/palm"))
    scene.matchers.down = set()
    deliver_orders(scene.issuer, scene.matchers)
    page = browser.get("/wallet/palm")
    assert "Your palm was erased: all three matchers have signed" in said(page)
    assert "data-moving" not in page.text


def test_withdrawing_consent_erases_every_palm_and_keeps_the_money(scene: Scene) -> None:
    browser = with_palm(scene)
    scene.enrol(wallet_id_of(browser), "other hand")
    assert "Second palm" in said(browser.get("/wallet/palm"))

    browser.post("/wallet/consent/withdraw")

    assert "Your palms were erased" in said(browser.get("/wallet/palm"))
    assert scene.balance(wallet_id_of(browser)) == 20_00
    assert browser.post("/wallet/palm/code").headers["location"] == "/wallet/consent"


def test_two_palms_are_the_most(scene: Scene) -> None:
    browser = with_palm(scene)
    scene.enrol(wallet_id_of(browser), "other hand")

    assert "Get a code" not in said(browser.get("/wallet/palm"))
    answer = browser.post("/wallet/palm/code")
    assert answer.status_code == 409
    assert "This wallet has both palms already." in said(answer)


@pytest.mark.parametrize("verb", ["pause", "resume", "delete"])
def test_nobody_touches_another_wallets_palm(scene: Scene, verb: str) -> None:
    browser, other = with_palm(scene), owner(scene)

    answer = other.post(f"/wallet/palms/{palm_id_on(browser)}/{verb}")

    assert answer.status_code == 404
    assert "Active: it pays" in said(browser.get("/wallet/palm"))


@pytest.mark.parametrize("path", FORMS)
def test_a_form_that_another_page_sent_changes_nothing(scene: Scene, path: str) -> None:
    browser = with_palm(scene)
    address = path.replace("x", palm_id_on(browser))

    assert browser.post(f"/wallet/{address}", origin="http://evil.example").status_code == 401
    assert "Active: it pays" in said(browser.get("/wallet/palm"))


def test_the_version_of_the_consent_stands_for_this_text() -> None:
    """
    Who changes the text changes the version: people agreed to what they read, and not to what it says now.
    """
    text = (Path(web.__path__[0]) / "templates" / "wallet" / "consent.html").read_text()
    read = re.search(r"<article.*</form>", text, re.DOTALL)
    assert read is not None

    assert (CONSENT_VERSION, hashlib.sha256(read[0].encode()).hexdigest()[:16]) == ("1", "baf273fc2f56e62f")
