"""
The shop's pages: who may charge, what one tap does, and what becomes of a payment.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from handsel.flows.acquiring.request_payment import cancel_payment_intent
from handsel.flows.acquiring.sign_in import register_merchant
from handsel.ids import new_id
from handsel.pay.merchant import Merchant
from handsel.pay.money import Money
from handsel.pay.payment import PaymentStatus
from handsel.pay.refund import RefundStatus
from handsel.pay.tip import NO_TIPS, TipOffer
from handsel.web.merchant_bodies import HOLD_S
from handsel.web.merchant_pages import DOUBLE_TAP_MS, TIP_PERCENTS, merchant_error_page, merchant_routes
from tests.flows.acquiring.near_issuer import Line
from tests.flows.acquiring.street import SHOP, SHOP_KEY, Street
from tests.web.browser import Browser, said

OTHER_KEY = "o" * 64
OWNED_PAGES = ["/charge", "/payments", f"/payments/{'0' * 32}"]


def visit(street: Street) -> Browser:
    return Browser(merchant_routes(street.acquirer, lambda: street.now_ms), merchant_error_page)


def shop(street: Street) -> Browser:
    """
    Return the browser at the counter, signed in.
    """
    browser = visit(street)
    browser.post("/sign-in", key=SHOP_KEY)
    return browser


def charge(browser: Browser, amount: str = "4.50", description: str = "") -> str:
    """
    Ask for an amount, and return the id of the payment.
    """
    answer = browser.post("/charge", id=new_id(), amount=amount, description=description)
    assert answer.status_code == 303
    return answer.headers["location"].removeprefix("/payments/")


@pytest.mark.parametrize("path", OWNED_PAGES)
def test_a_stranger_is_asked_for_a_key(street: Street, path: str) -> None:
    browser = visit(street)

    assert browser.get(path).headers["location"] == "/"
    assert "Merchant key" in said(browser.get("/"))


def test_the_key_opens_the_shop(street: Street) -> None:
    browser = visit(street)

    answer = browser.post("/sign-in", key=f" {SHOP_KEY} ")

    assert answer.headers["location"] == "/charge"
    assert "httponly" in answer.headers["set-cookie"].lower()
    assert "Corner Café" in said(browser.get("/charge"))
    assert browser.get("/").headers["location"] == "/charge"


@pytest.mark.parametrize("key", ["", "k" * 63, "é"])
def test_another_key_opens_nothing(street: Street, key: str) -> None:
    browser = visit(street)
    answer = browser.post("/sign-in", key=key)

    assert answer.status_code == 401
    assert "No shop has this key." in said(answer)
    assert dict(browser.cookies) == {}


def test_who_signs_out_is_out(street: Street) -> None:
    browser = shop(street)

    browser.post("/sign-out")

    assert browser.get("/charge").headers["location"] == "/"


@pytest.mark.parametrize(("typed", "minor"), [("4.50", 450), ("4,5", 450), (" 4 ", 400), ("0.01", 1)])
def test_an_amount_is_taken_as_people_write_it(street: Street, typed: str, minor: int) -> None:
    browser = shop(street)

    payment = street.payment(charge(browser, typed, " Flat white "))

    assert payment.amount.amount_minor == minor
    assert payment.description == "Flat white"


@pytest.mark.parametrize("typed", ["", "0", "0.00", "-1", "1.000", "1.234,50", "4.505", "four", "1e3", "9" * 12])
def test_an_amount_that_makes_no_sense_is_said_to_be_wrong_and_is_still_there(street: Street, typed: str) -> None:
    browser = shop(street)
    answer = browser.post("/charge", id=new_id(), amount=typed, description="Café")

    assert answer.status_code == 400
    assert 'aria-invalid="true"' in answer.text
    assert f'value="{typed}"' in answer.text
    assert 'value="Café"' in answer.text
    assert "No payments yet." in said(browser.get("/payments"))


def test_a_double_tap_makes_one_payment(street: Street) -> None:
    browser, tapped = shop(street), new_id()

    answers = [browser.post("/charge", id=tapped, amount="4.50", description="") for _ in range(2)]

    assert {answer.headers["location"] for answer in answers} == {f"/payments/{tapped}"}
    assert said(browser.get("/payments")).count("€4.50") == 1


def test_the_same_id_for_another_amount_is_refused(street: Street) -> None:
    browser, tapped = shop(street), new_id()
    browser.post("/charge", id=tapped, amount="4.50", description="")

    answer = browser.post("/charge", id=tapped, amount="5.50", description="")

    assert answer.status_code == 409
    assert "sent before, differently" in said(answer)


def test_each_charge_form_has_an_id_of_its_own(street: Street) -> None:
    browser = shop(street)
    ids = {re.findall(r'name="id" value="([0-9a-f]{32})"', browser.get("/charge").text)[0] for _ in range(3)}

    assert len(ids) == 3


def test_a_payment_is_followed_from_waiting_to_paid(street: Street) -> None:
    browser = shop(street)
    payment_id = charge(browser, "4.50", "Flat white")
    waiting = browser.get(f"/payments/{payment_id}")
    assert "Waiting for the palm" in said(waiting)
    assert "data-moving" in waiting.text

    shown = street.show("ann", street.payment(payment_id))
    approved = street.submit(shown)
    assert "A palm was shown: one moment" in said(browser.get(f"/payments/{payment_id}"))
    street.hand_over(shown, street.notes(shown, approved))

    paid = browser.get(f"/payments/{payment_id}")
    assert "PAID €4.50 Flat white" in said(paid)
    assert "data-moving" not in paid.text
    assert "€4.50" in said(browser.get("/charge"))


def test_the_part_that_follows_changes_its_version_with_every_status(street: Street) -> None:
    browser = shop(street)
    payment_id = charge(browser)

    before = live(browser.get(f"/payments/{payment_id}").text)
    assert live(browser.get(f"/payments/{payment_id}").text) == before
    street.now_ms += DOUBLE_TAP_MS
    browser.post(f"/payments/{payment_id}/cancel")
    assert live(browser.get(f"/payments/{payment_id}").text) != before


def test_the_second_tap_of_a_double_tap_does_not_cancel_what_the_first_asked_for(street: Street) -> None:
    """
    It lands on the page that comes next, at once; whoever wants to cancel reads that page first.
    """
    browser = shop(street)
    payment_id = charge(browser)

    street.now_ms += DOUBLE_TAP_MS - 1
    browser.post(f"/payments/{payment_id}/cancel")
    too_soon = street.payment(payment_id).status
    street.now_ms += 1
    browser.post(f"/payments/{payment_id}/cancel")

    assert too_soon is PaymentStatus.REQUIRES_PALM
    assert street.payment(payment_id).status is PaymentStatus.CANCELED


def test_an_open_payment_can_be_canceled_and_a_paid_one_cannot(street: Street) -> None:
    browser = shop(street)
    open_id, paid = charge(browser), street.pay()

    street.now_ms += DOUBLE_TAP_MS
    browser.post(f"/payments/{open_id}/cancel")
    browser.post(f"/payments/{paid.id}/cancel")

    assert "Cancelled" in said(browser.get(f"/payments/{open_id}"))
    assert "PAID" in said(browser.get(f"/payments/{paid.id}"))
    assert street.payment(paid.id).status is PaymentStatus.SUCCEEDED


@pytest.mark.parametrize(
    ("tries", "told"), [(1, "One try was declined at the till"), (2, "2 tries were declined at the till")]
)
def test_the_shop_is_told_that_tries_were_declined_and_not_why(street: Street, tries: int, told: str) -> None:
    browser = shop(street)
    payment_id = charge(browser)
    before = browser.get(f"/payments/{payment_id}")
    assert "declined" not in said(before)

    for _ in range(tries):
        street.submit(street.show("nobody", street.payment(payment_id)))

    page = browser.get(f"/payments/{payment_id}")
    assert told in said(page)
    assert "The till asks again." in said(page)
    assert "recogni" not in page.text
    assert live(page.text) != live(before.text)
    street.now_ms += DOUBLE_TAP_MS
    browser.post(f"/payments/{payment_id}/cancel")
    canceled = said(browser.get(f"/payments/{payment_id}"))
    assert told in canceled
    assert "The till asks again." not in canceled


def test_a_try_that_was_declined_is_forgotten_once_it_is_paid(street: Street) -> None:
    browser = shop(street)
    payment_id = charge(browser)
    street.submit(street.show("nobody", street.payment(payment_id)))

    shown = street.show("ann", street.payment(payment_id))
    street.hand_over(shown, street.notes(shown, street.submit(shown)))

    assert "declined" not in said(browser.get(f"/payments/{payment_id}"))


def live(text: str) -> str:
    """
    Return the version of the part of a page that follows the server.
    """
    found = re.search(r'data-live="([^"]*)"', text)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("typed", ["2129.93", "9999.99"])
def test_an_amount_for_which_no_notes_are_made_is_refused_in_euro(street: Street, typed: str) -> None:
    answer = shop(street).post("/charge", id=new_id(), amount=typed, description="")

    assert answer.status_code == 400
    assert "An amount is at most 2129.92 EUR." in said(answer)


def test_the_receipt_is_for_whoever_has_its_code(street: Street) -> None:
    paid = street.pay()
    stranger = visit(street)

    page = said(stranger.get(f"/receipts/{paid.receipt_code}"))

    assert "Corner Café" in page
    assert "€4.50" in page
    assert "Coffee" in page
    assert "Paid back" not in page
    assert stranger.get("/receipts/guess").status_code == 404
    assert f"/receipts/{paid.receipt_code}" in shop(street).get(f"/payments/{paid.id}").text


def test_no_receipt_code_and_no_key_is_in_the_log(street: Street) -> None:
    paid = street.pay()
    browser = shop(street)
    browser.get(f"/receipts/{paid.receipt_code}")
    browser.get(f"/receipts/{paid.receipt_code}x")

    written = browser.log.getvalue()

    assert '"route": "/receipts/{code}"' in written
    assert str(paid.receipt_code) not in written
    assert SHOP_KEY not in written


def test_a_part_is_paid_back_with_the_customers_palm(street: Street) -> None:
    browser, paid = shop(street), street.pay()
    refund_id = new_id()

    browser.post(f"/payments/{paid.id}/refunds", id=refund_id, amount="1,00")

    page = browser.get(f"/payments/{paid.id}")
    assert "Waiting for the customer's palm at the till" in said(page)
    assert "Amount, at most €3.50" in said(page)
    street.submit_refund(street.show_for_refund("ann", street.refund(refund_id)))
    assert "Paid back" in said(browser.get(f"/payments/{paid.id}"))
    assert "Paid back €1.00" in said(browser.get(f"/receipts/{paid.receipt_code}"))


def test_a_double_tap_on_refund_pays_back_once(street: Street) -> None:
    browser, paid, tapped = shop(street), street.pay(), new_id()

    for _ in range(2):
        browser.post(f"/payments/{paid.id}/refunds", id=tapped, amount="1.00")

    assert "Amount, at most €3.50" in said(browser.get(f"/payments/{paid.id}"))


@pytest.mark.parametrize(("typed", "status"), [("4.50", 303), ("4.51", 400), ("0", 400), ("", 400), ("x", 400)])
def test_no_more_is_paid_back_than_was_paid(street: Street, typed: str, status: int) -> None:
    browser, paid = shop(street), street.pay()

    answer = browser.post(f"/payments/{paid.id}/refunds", id=new_id(), amount=typed)

    assert answer.status_code == status
    assert ('aria-invalid="true"' in answer.text) == (status == 400)
    assert ("Pay back more than 0 and at most 4.50 EUR." in said(answer)) == (typed in ("4.51", "0"))


def test_a_refund_can_be_taken_back_while_no_palm_was_shown(street: Street) -> None:
    browser, paid, refund_id = shop(street), street.pay(), new_id()
    browser.post(f"/payments/{paid.id}/refunds", id=refund_id, amount="4.50")
    assert "Pay back" not in said(browser.get(f"/payments/{paid.id}"))

    street.now_ms += DOUBLE_TAP_MS
    browser.post(f"/payments/{paid.id}/refunds/{refund_id}/cancel")

    assert street.refund(refund_id).status is RefundStatus.CANCELED
    assert "Amount, at most €4.50" in said(browser.get(f"/payments/{paid.id}"))


def test_an_unpaid_payment_is_not_paid_back(street: Street) -> None:
    browser = shop(street)
    payment_id = charge(browser)

    assert "Pay back" not in said(browser.get(f"/payments/{payment_id}"))
    assert browser.post(f"/payments/{payment_id}/refunds", id=new_id(), amount="1").status_code == 400


def test_a_shop_sees_no_payment_of_another(street: Street) -> None:
    paid = street.pay()
    register_merchant(street.acquirer, Merchant("other-shop", "Other shop"), key=OTHER_KEY)
    other = visit(street)
    other.post("/sign-in", key=OTHER_KEY)

    assert "No payments yet." in said(other.get("/payments"))
    for answer in (
        other.get(f"/payments/{paid.id}"),
        other.post(f"/payments/{paid.id}/cancel"),
        other.post(f"/payments/{paid.id}/refunds", id=new_id(), amount="1"),
        other.get(f"/payments?after={paid.id}"),
    ):
        assert answer.status_code == 404


def test_payments_are_listed_newest_first(street: Street) -> None:
    browser = shop(street)
    first = charge(browser, "1.00")
    street.now_ms += 1
    second = charge(browser, "2.00")
    cancel_payment_intent(street.acquirer, SHOP, first, now_ms=street.now_ms)

    page = browser.get("/payments").text

    assert page.index(second) < page.index(first)
    assert "Cancelled" in page


def test_nothing_on_the_pages_says_who_paid(street: Street) -> None:
    paid = street.pay()
    browser = shop(street)
    pages = [browser.get(path).text for path in ("/payments", f"/payments/{paid.id}", f"/receipts/{paid.receipt_code}")]

    assert not any(street.wallets["ann"] in page or "ann" in said_words(page) for page in pages)


def reserve(street: Street, browser: Browser, amount: str = "4.50", *, tip_minor: int = 0) -> str:
    """
    Ask for a reservation, let `ann` reserve it with a tip, and return the id of the payment.
    """
    tips = {"tips": "yes"} if tip_minor else {}
    answer = browser.post("/charge", id=new_id(), amount=amount, description="", reserve="yes", **tips)
    payment_id = answer.headers["location"].removeprefix("/payments/")
    street.submit(street.show_to_reserve("ann", street.payment(payment_id), tip_minor=tip_minor))
    return payment_id


def test_a_reservation_is_taken_in_part(street: Street) -> None:
    browser = shop(street)
    payment_id = reserve(street, browser)
    reserved = browser.get(f"/payments/{payment_id}")
    assert "RESERVED €4.50 Nothing is paid yet." in said(reserved)
    assert "Amount, at most €4.50" in said(reserved)
    assert "data-moving" not in reserved.text

    answer = browser.post(f"/payments/{payment_id}/capture", amount="3,20")

    assert answer.status_code == 303
    taken = browser.get(f"/payments/{payment_id}")
    assert "PAID €3.20 Of €4.50 that were asked for" in said(taken)
    assert "Take what is used" not in said(taken)
    assert "Amount, at most €3.20" in said(taken)
    assert "€3.20" in said(browser.get(f"/receipts/{street.payment(payment_id).receipt_code}"))
    assert "€3.20" in said(browser.get("/payments"))
    assert live(taken.text) != live(reserved.text)


@pytest.mark.parametrize("typed", ["4.51", "0", "", "x"])
def test_no_more_is_taken_than_is_reserved(street: Street, typed: str) -> None:
    browser = shop(street)
    payment_id = reserve(street, browser)

    answer = browser.post(f"/payments/{payment_id}/capture", amount=typed)

    assert answer.status_code == 400
    assert 'aria-invalid="true"' in answer.text
    assert street.payment(payment_id).status is PaymentStatus.REQUIRES_CAPTURE


@pytest.mark.parametrize(
    ("amount", "ticked", "paid"),
    [("4.50", True, "€5.00 of which tip €0.50"), ("3.20", True, "€3.70 of which tip €0.50"), ("4.50", False, "€4.50")],
)
def test_the_tip_that_was_given_is_taken_on_top_or_left_out(
    street: Street, amount: str, ticked: bool, paid: str
) -> None:
    browser = shop(street)
    payment_id = reserve(street, browser, tip_minor=50)
    reserved = said(browser.get(f"/payments/{payment_id}"))
    assert "RESERVED €5.00 of which tip €0.50" in reserved
    assert "Amount without the tip, at most €4.50" in reserved
    assert "With the tip of €0.50" in reserved
    fields = {"amount": amount, **({"tip": "yes"} if ticked else {})}

    for _ in range(2):
        assert browser.post(f"/payments/{payment_id}/capture", **fields).status_code == 303

    assert f"PAID {paid}" in said(browser.get(f"/payments/{payment_id}"))
    receipt = said(browser.get(f"/receipts/{street.payment(payment_id).receipt_code}"))
    assert ("Of which tip €0.50" in receipt) is ticked


@pytest.mark.parametrize("ticked", [False, True])
def test_a_tip_is_not_taken_for_the_price_and_the_tick_stays(street: Street, ticked: bool) -> None:
    browser = shop(street)
    payment_id = reserve(street, browser, tip_minor=50)

    answer = browser.post(f"/payments/{payment_id}/capture", amount="4.51", **({"tip": "yes"} if ticked else {}))

    assert answer.status_code == 400
    assert "at most 4.50 EUR, or 5.00 EUR with the tip" in said(answer)
    assert ('value="yes" checked' in answer.text) is ticked
    assert street.payment(payment_id).status is PaymentStatus.REQUIRES_CAPTURE


def test_a_shop_adds_no_tip_where_none_was_given(street: Street) -> None:
    browser = shop(street)
    payment_id = reserve(street, browser)
    assert 'name="tip"' not in browser.get(f"/payments/{payment_id}").text

    browser.post(f"/payments/{payment_id}/capture", amount="4.50", tip="yes")

    assert street.payment(payment_id).tip_minor == 0


def test_a_reservation_is_released(street: Street) -> None:
    browser = shop(street)
    payment_id = reserve(street, browser)
    street.now_ms += DOUBLE_TAP_MS

    browser.post(f"/payments/{payment_id}/cancel")

    assert "Cancelled €4.50 Nothing was paid." in said(browser.get(f"/payments/{payment_id}"))
    assert street.available_minor() == 100_00


def test_a_reservation_that_is_over_says_so(street: Street) -> None:
    browser = shop(street)
    payment_id = reserve(street, browser)
    street.now_ms += HOLD_S * 1000

    browser.post(f"/payments/{payment_id}/capture", amount="4.50")

    assert "was not taken in time" in said(browser.get(f"/payments/{payment_id}"))


def test_what_is_being_taken_while_the_bank_is_away_cannot_be_canceled(street: Street) -> None:
    browser = shop(street)
    payment_id = reserve(street, browser)
    street.issuer.line["capture"] = Line.CUT
    browser.post(f"/payments/{payment_id}/capture", amount="4.50")

    page = browser.get(f"/payments/{payment_id}")

    assert "Being paid: one moment" in said(page)
    assert "data-moving" in page.text
    assert "/cancel" not in page.text


@pytest.mark.parametrize(("ticked", "offered"), [("", NO_TIPS), ("yes", TipOffer(percents=TIP_PERCENTS))])
def test_the_till_asks_for_a_tip_where_the_shop_has_ticked_it(street: Street, ticked: str, offered: TipOffer) -> None:
    browser = shop(street)
    fields = {"tips": ticked} if ticked else {}

    answer = browser.post("/charge", id=new_id(), amount="4.50", description="", **fields)

    assert street.payment(answer.headers["location"].removeprefix("/payments/")).tips == offered


def test_a_shop_whose_settings_name_tips_asks_with_those_unless_it_takes_the_tick_away(street: Street) -> None:
    usual = TipOffer(percents=(7,))
    street.acquirer = replace(street.acquirer, tips={SHOP.id: usual})
    browser = shop(street)

    page = browser.get("/charge").text
    ticked = browser.post("/charge", id=new_id(), amount="4.50", description="", tips="yes")
    unticked = browser.post("/charge", id=new_id(), amount="4.50", description="")

    assert re.search(r'name="tips" value="yes" checked', page)
    offers = [street.payment(each.headers["location"].removeprefix("/payments/")).tips for each in (ticked, unticked)]
    assert offers == [usual, NO_TIPS]


def test_a_tip_is_shown_apart_on_payment_and_receipt(street: Street) -> None:
    browser = shop(street)
    payment_id = new_id()
    browser.post("/charge", id=payment_id, amount="2.00", description="", tips="yes")
    shown = street.show("ann", replace(street.payment(payment_id), amount=Money(220, "EUR")))
    shown = replace(shown, sent=replace(shown.sent, tip_minor=20))
    street.hand_over(shown, street.notes(shown, street.submit(shown)))

    page = said(browser.get(f"/payments/{payment_id}"))

    assert "PAID €2.20 of which tip €0.20" in page
    assert "Amount, at most €2.20" in page
    assert "Of which tip €0.20" in said(browser.get(f"/receipts/{street.payment(payment_id).receipt_code}"))
    assert "tip" not in said(browser.get(f"/receipts/{street.pay().receipt_code}")).lower().split()


def said_words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


@pytest.mark.parametrize(
    "path", ["/charge", "/payments/x/cancel", "/payments/x/capture", "/payments/x/refunds", "/sign-in", "/sign-out"]
)
def test_a_form_that_another_page_sent_is_refused(street: Street, path: str) -> None:
    browser = shop(street)

    assert browser.post(path, origin="http://evil.example", id=new_id(), amount="1").status_code == 401
