"""
A shop's own software asks for payments and refunds in Stripe's words, each once, and sees nobody else's.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from handsel.flows.acquiring.sign_in import register_merchant, register_till
from handsel.ids import new_id
from handsel.pay.merchant import Merchant, Till
from handsel.pay.money import Money
from handsel.web.merchant_api import merchant_api_routes
from tests.flows.acquiring.street import SHOP_KEY, TILL_TOKEN, Street
from tests.web.api import Api, code_of

OTHER_KEY = "o" * 64


def api(street: Street, key: str = SHOP_KEY) -> Api:
    return Api(merchant_api_routes(street.acquirer, lambda: street.now_ms), key)


def intent(**changes: object) -> dict[str, object]:
    return {"id": new_id(), "amount": 450, "currency": "eur", "description": "Coffee", **changes}


@pytest.mark.parametrize("key", ["", "x" * 64, TILL_TOKEN])
def test_only_a_merchants_key_is_let_in(street: Street, key: str) -> None:
    stranger = api(street, key)

    assert code_of(stranger.get("/v1/balance")) == (401, "access_denied")
    assert code_of(stranger.get("/v1/payment_intents")) == (401, "access_denied")
    assert code_of(stranger.post("/v1/payment_intents", intent())) == (401, "access_denied")
    assert code_of(stranger.post("/v1/refunds", {"id": new_id(), "payment_intent": new_id()})) == (401, "access_denied")


def test_a_payment_is_asked_for_once_however_often_it_is_sent(street: Street) -> None:
    shop, body = api(street), intent()

    first, second = shop.post("/v1/payment_intents", body), shop.post("/v1/payment_intents", body)

    assert first.json() == second.json()
    assert first.json() == {
        **body,
        "status": "requires_palm",
        "created_ms": street.now_ms,
        "till": "till-1",
        "receipt": None,
        "capture_method": "automatic",
        "amount_capturable": 0,
        "amount_received": 0,
        "amount_details": {"tip": {"amount": 0}},
        "capture_before_ms": None,
        "cancellation_reason": None,
    }
    assert [each["id"] for each in shop.get("/v1/payment_intents").json()["payment_intents"]] == [body["id"]]


def test_one_id_does_not_stand_for_two_payments(street: Street) -> None:
    shop, body = api(street), intent()
    shop.post("/v1/payment_intents", body)

    assert code_of(shop.post("/v1/payment_intents", {**body, "amount": 451})) == (409, "id_reused")


@pytest.mark.parametrize(
    "changes",
    [{"id": "x"}, {"amount": 0}, {"amount": -1}, {"amount": 4.5}, {"amount": "450"}, {"currency": "xxx"}, {"more": 1}],
    ids=str,
)
def test_what_is_no_request_is_refused(street: Street, changes: dict[str, object]) -> None:
    status, code = code_of(api(street).post("/v1/payment_intents", intent(**changes)))

    assert (status, code) == (400, "body_invalid")
    assert api(street).get("/v1/payment_intents").json() == {"payment_intents": [], "has_more": False}


def test_a_paid_payment_has_a_receipt_and_is_owed_to_the_shop(street: Street) -> None:
    paid = street.pay("ann", 450)

    shown = api(street).get(f"/v1/payment_intents/{paid.id}").json()

    assert (shown["status"], shown["receipt"]) == ("succeeded", f"/receipts/{paid.receipt_code}")
    assert api(street).get("/v1/balance").json() == {"available": [{"amount": 450, "currency": "eur"}]}


def test_an_open_payment_can_be_canceled_and_a_paid_one_cannot(street: Street) -> None:
    open_one, paid = street.ask(), street.pay()

    canceled = api(street).post(f"/v1/payment_intents/{open_one.id}/cancel").json()
    kept = api(street).post(f"/v1/payment_intents/{paid.id}/cancel").json()

    assert (canceled["status"], kept["status"]) == ("canceled", "succeeded")


def test_a_refund_is_for_what_is_left_unless_it_says_how_much(street: Street) -> None:
    shop, paid = api(street), street.pay("ann", 450)

    part = shop.post("/v1/refunds", {"id": new_id(), "payment_intent": paid.id, "amount": 100}).json()
    rest = shop.post("/v1/refunds", {"id": new_id(), "payment_intent": paid.id}).json()

    assert [(each["amount"], each["currency"], each["status"]) for each in (part, rest)] == [
        (100, "eur", "requires_palm"),
        (350, "eur", "requires_palm"),
    ]
    assert shop.get(f"/v1/refunds/{part['id']}").json() == part
    assert shop.post(f"/v1/refunds/{rest['id']}/cancel").json()["status"] == "canceled"
    more = {"id": new_id(), "payment_intent": paid.id, "amount": 351}
    assert code_of(shop.post("/v1/refunds", more)) == (400, "body_invalid")


def test_another_merchant_finds_nothing(street: Street) -> None:
    register_merchant(street.acquirer, Merchant("bakery", "Bakery"), key=OTHER_KEY)
    register_till(street.acquirer, Till("bakery", "till-1"), token="b" * 64)
    paid = street.pay()
    refund = street.ask_refund(paid, 1)
    other = api(street, OTHER_KEY)

    assert code_of(other.get(f"/v1/payment_intents/{paid.id}")) == (404, "not_found")
    assert code_of(other.post(f"/v1/payment_intents/{paid.id}/cancel")) == (404, "not_found")
    assert code_of(other.post("/v1/refunds", {"id": new_id(), "payment_intent": paid.id})) == (404, "not_found")
    assert code_of(other.get(f"/v1/refunds/{refund.id}")) == (404, "not_found")
    assert code_of(other.post(f"/v1/refunds/{refund.id}/cancel")) == (404, "not_found")
    assert other.get("/v1/payment_intents").json()["payment_intents"] == []
    assert other.get("/v1/balance").json() == {"available": []}


def reserved(street: Street, shop: Api, *, tip_minor: int = 0, **changes: object) -> dict[str, object]:
    """
    Ask for a payment that only reserves, let `ann` reserve it with a tip, and return it as it is shown then.
    """
    body = intent(capture_method="manual", **changes)
    assert shop.post("/v1/payment_intents", body).json()["capture_method"] == "manual"
    payment = street.payment(str(body["id"]))
    street.submit(street.show_to_reserve("ann", payment, tip_minor=tip_minor))
    shown: dict[str, object] = shop.get(f"/v1/payment_intents/{payment.id}").json()
    return shown


def test_what_is_reserved_is_captured_in_part(street: Street) -> None:
    shop = api(street)
    shown = reserved(street, shop)

    captured = shop.post(f"/v1/payment_intents/{shown['id']}/capture", {"amount_to_capture": 320}).json()

    assert (shown["status"], shown["amount_capturable"], shown["amount_received"]) == ("requires_capture", 450, 0)
    assert shown["capture_before_ms"] == street.now_ms + 86_400_000
    assert (captured["status"], captured["amount_capturable"], captured["amount_received"]) == ("succeeded", 0, 320)
    assert (captured["amount"], captured["capture_before_ms"]) == (450, None)
    assert captured["receipt"] is not None


def test_all_is_captured_unless_it_says_how_much(street: Street) -> None:
    shop = api(street)
    shown = reserved(street, shop, hold_s=3_600)

    assert shop.post(f"/v1/payment_intents/{shown['id']}/capture", {}).json()["amount_received"] == 450
    assert code_of(shop.post(f"/v1/payment_intents/{shown['id']}/capture", {"amount_to_capture": 1})) == (
        409,
        "id_reused",
    )


def test_what_is_reserved_and_canceled_says_why(street: Street) -> None:
    shop = api(street)
    shown = reserved(street, shop)

    canceled = shop.post(f"/v1/payment_intents/{shown['id']}/cancel").json()

    assert (canceled["status"], canceled["cancellation_reason"]) == ("canceled", "requested_by_merchant")
    late = shop.post(f"/v1/payment_intents/{shown['id']}/capture", {}).json()
    assert late == canceled


@pytest.mark.parametrize(
    "changes",
    [
        {"capture_method": "later"},
        {"hold_s": 3_600},
        {"capture_method": "automatic", "hold_s": 3_600},
        {"capture_method": "manual", "hold_s": 0},
        {"capture_method": "manual", "hold_s": 3_601},
        {"capture_method": "manual", "hold_s": -3_600},
    ],
    ids=str,
)
def test_a_reservation_that_makes_no_sense_is_refused(street: Street, changes: dict[str, object]) -> None:
    assert code_of(api(street).post("/v1/payment_intents", intent(**changes))) == (400, "body_invalid")


def test_only_what_is_reserved_is_captured_and_only_by_its_shop(street: Street) -> None:
    register_merchant(street.acquirer, Merchant("bakery", "Bakery"), key=OTHER_KEY)
    shop = api(street)
    shown = reserved(street, shop)
    paid = street.pay()

    assert code_of(shop.post(f"/v1/payment_intents/{paid.id}/capture", {})) == (400, "body_invalid")
    assert code_of(shop.post(f"/v1/payment_intents/{shown['id']}/capture", {"amount_to_capture": 451})) == (
        400,
        "body_invalid",
    )
    other = api(street, OTHER_KEY)
    assert code_of(other.post(f"/v1/payment_intents/{shown['id']}/capture", {})) == (404, "not_found")


def test_tips_are_offered_as_asked_and_shown_apart(street: Street) -> None:
    shop = api(street)
    body = intent(amount=400, tip_choices={"percentages": [5, 10]})
    payment = street.payment(shop.post("/v1/payment_intents", body).json()["id"])
    shown = street.show("ann", replace(payment, amount=Money(440, "EUR")))
    shown = replace(shown, sent=replace(shown.sent, tip_minor=40))
    street.hand_over(shown, street.notes(shown, street.submit(shown)))

    paid = shop.get(f"/v1/payment_intents/{payment.id}").json()

    assert (paid["amount"], paid["amount_received"]) == (400, 440)
    assert paid["amount_details"] == {"tip": {"amount": 40}}
    assert shop.get("/v1/balance").json() == {"available": [{"amount": 440, "currency": "eur"}]}
    refund = shop.post("/v1/refunds", {"id": new_id(), "payment_intent": payment.id}).json()
    assert refund["amount"] == 440


@pytest.mark.parametrize(
    "choices",
    [
        {"percentages": [5], "fixed_amounts": [100]},
        {"percentages": [0]},
        {"percentages": [101]},
        {"percentages": [1, 2, 3, 4]},
        {"fixed_amounts": [-1]},
        {"percentages": ["5"]},
        {"more": []},
        [5],
    ],
    ids=str,
)
def test_tips_that_make_no_sense_are_refused(street: Street, choices: object) -> None:
    assert code_of(api(street).post("/v1/payment_intents", intent(tip_choices=choices))) == (400, "body_invalid")


def test_a_capture_may_say_what_of_it_is_a_tip(street: Street) -> None:
    shop = api(street)
    shown = reserved(street, shop, tip_minor=50, tip_choices={"fixed_amounts": [50]})
    path = f"/v1/payment_intents/{shown['id']}/capture"
    too_much = {"amount_to_capture": 400, "amount_details": {"tip": {"amount": 51}}}
    as_price = {"amount_to_capture": 500, "amount_details": {"tip": {"amount": 0}}}
    for refused in (too_much, as_price):
        assert code_of(shop.post(path, refused)) == (400, "body_invalid")

    captured = shop.post(path, {"amount_to_capture": 400, "amount_details": {"tip": {"amount": 30}}}).json()

    assert (shown["amount"], shown["amount_capturable"]) == (450, 500)
    assert (captured["amount_received"], captured["amount_details"]) == (400, {"tip": {"amount": 30}})
