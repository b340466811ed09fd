"""
Serve the shop's pages: sign in, charge, watch a payment, pay it back.

Each route calls one flow of the acquirer and renders what it answers. There is no customer on any of them.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from handsel.clock import Clock
from handsel.errors import AccessDenied, BodyInvalid
from handsel.flows.acquiring.acquirer import Acquirer
from handsel.flows.acquiring.capture_payment import capture_payment_intent
from handsel.flows.acquiring.prove_payments import prove_statement
from handsel.flows.acquiring.refund_by_receipt import refund_by_receipt, why_canceled
from handsel.flows.acquiring.request_payment import (
    PaymentRequest,
    cancel_payment_intent,
    count_declined_tries,
    create_payment_intent,
    find_payment_intent,
    list_payment_intents,
)
from handsel.flows.acquiring.request_refund import (
    RefundRequest,
    cancel_refund,
    create_refund,
    find_refund,
    list_refunds,
)
from handsel.flows.acquiring.show_dispute import disputes_of
from handsel.flows.acquiring.show_receipt import merchant_balance
from handsel.flows.acquiring.sign_in import sign_in_merchant
from handsel.ids import new_id, require_id
from handsel.pay.merchant import Merchant
from handsel.pay.money import EURO, Money, parse_amount
from handsel.pay.payment import DESCRIPTION_CHARS_MAX
from handsel.pay.refund import RefundWay
from handsel.pay.tip import NO_TIPS, TipOffer
from handsel.web.download import json_file
from handsel.web.errors import ErrorBody
from handsel.web.faces import SHOP
from handsel.web.merchant_bodies import HOLD_S
from handsel.web.pages import Dress, NoFields, form, go, page, remember, sentence, static_files
from handsel.web.pay_out_pages import pay_out_routes
from handsel.web.payment_view import PaymentLine, PaymentView, payment_line, payment_view
from handsel.web.receipt_page import receipt_routes
from handsel.web.shop_desk import KEY_COOKIE, ShopDesk, shop_desk, sign_out, signed_in, signed_in_form
from handsel.web.tree import number_in

PAGE_PAYMENTS = 50
TIP_PERCENTS = (5, 10, 15)  # For a shop that asks for tips, and whose settings name none.
DOUBLE_TAP_MS = 1_000  # The second tap on a button may land on the next page, just where that has its Cancel.


class KeyFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Sign in with a merchant key.
    """

    key: str

    def __repr__(self) -> str:
        """
        Return nothing of the key.
        """
        return "KeyFields()"


class ChargeFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Ask for an amount, once for each id.
    """

    id: str
    amount: str
    description: str = ""
    reserve: Literal["", "yes"] = ""
    tips: Literal["", "yes"] = ""


class CaptureFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Take an amount of what is reserved, and the tip on top where it is ticked, once for each payment.
    """

    amount: str
    tip: Literal["", "yes"] = ""


class RefundFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Pay an amount back, once for each id: to a palm or, with `way` set so, to the wallet that paid.
    """

    id: str
    amount: str
    way: RefundWay = RefundWay.PALM
    return_code: str = ""

    def __repr__(self) -> str:
        """
        Return nothing of the code.
        """
        return "RefundFields()"


class SignInView(msgspec.Struct, frozen=True):
    """
    Ask for the key; `wrong` says why one was refused.
    """

    wrong: str


class ChargeView(msgspec.Struct, frozen=True):
    """
    Ask what is to be charged, with what was typed before if that was `wrong`.
    """

    shop: str
    request_id: str
    amount: str
    description: str
    description_chars_max: int
    reserve: bool
    tips: bool
    wrong: str
    balance: tuple[Money, ...]


class PaymentsView(msgspec.Struct, frozen=True):
    """
    Show a page of payments, newest first; the next page begins after `older`, where there is one.
    """

    payments: tuple[PaymentLine, ...]
    older: str


def merchant_routes(acquirer: Acquirer, clock: Clock) -> list[BaseRoute]:
    """
    Return the routes of the shop's pages, and of the receipts that anybody with their code may see.
    """
    desk = shop_desk(acquirer, clock)
    return [
        static_files(),
        *receipt_routes(acquirer, desk.dress),
        *_door_routes(desk),
        *_charge_routes(desk),
        *_payment_routes(desk),
        *_capture_routes(desk),
        *pay_out_routes(desk),
    ]


def merchant_error_page(request: Request, status: int, body: ErrorBody) -> Response:
    """
    Return the page that says what went wrong at the shop.
    """
    return Dress(SHOP).refuse(request, status, body)


def _door_routes(desk: ShopDesk) -> list[BaseRoute]:
    def door(request: Request) -> Response:
        if KEY_COOKIE in request.cookies:
            return go("/charge")
        return desk.dress.render("merchant/sign_in.html", SignInView(""))

    def enter(request: Request, fields: KeyFields) -> Response:
        key = fields.key.strip()
        try:
            sign_in_merchant(desk.acquirer, key)
        except AccessDenied:
            wrong = SignInView("No shop has this key. Compare it with the one your acquirer gave you.")
            return desk.dress.render("merchant/sign_in.html", wrong, status=401)
        return remember(request, go("/charge"), cookie=KEY_COOKIE, value=key)

    def leave(_: Request, __: NoFields) -> Response:
        return sign_out()

    return [page("/", door), form("/sign-in", KeyFields, enter), form("/sign-out", NoFields, leave)]


def _charge_routes(desk: ShopDesk) -> list[BaseRoute]:
    def ask(_: Request, merchant: Merchant) -> Response:
        return desk.dress.render("merchant/charge.html", _charge_view(desk, merchant, None, ""))

    def charge(_: Request, merchant: Merchant, fields: ChargeFields) -> Response:
        try:
            amount = parse_amount(fields.amount, currency=EURO)
            hold_s = HOLD_S if fields.reserve else 0
            tips = _tips_of(desk, merchant) if fields.tips else NO_TIPS
            words = fields.description.strip()
            request = PaymentRequest(require_id(fields.id), amount, words, hold_s=hold_s, tips=tips)
            payment = create_payment_intent(desk.acquirer, merchant, request, now_ms=desk.clock())
        except BodyInvalid as exc:
            return desk.dress.render(
                "merchant/charge.html", _charge_view(desk, merchant, fields, sentence(exc)), status=400
            )
        return go(f"/payments/{payment.id}")

    return [
        page("/charge", signed_in(desk, ask)),
        form("/charge", ChargeFields, signed_in_form(desk, charge)),
    ]


def _payment_routes(desk: ShopDesk) -> list[BaseRoute]:
    def payments(request: Request, merchant: Merchant) -> Response:
        after = request.query_params.get("after")
        found = list_payment_intents(desk.acquirer, merchant, limit=PAGE_PAYMENTS, starting_after=after)
        older = found[-1].id if len(found) == PAGE_PAYMENTS else ""
        return desk.dress.render("merchant/payments.html", PaymentsView(tuple(map(payment_line, found)), older))

    def statement(request: Request, merchant: Merchant) -> Response:
        after = number_in(request, "after", "0")
        return json_file(prove_statement(desk.acquirer, merchant, currency=EURO, after=after), "statement.json")

    def payment(request: Request, merchant: Merchant) -> Response:
        return desk.dress.render("merchant/payment.html", _payment_view(desk, merchant, _payment_id(request)))

    def cancel(request: Request, merchant: Merchant, _: NoFields) -> Response:
        asked = find_payment_intent(desk.acquirer, merchant, _payment_id(request))
        if desk.clock() - asked.created_ms >= DOUBLE_TAP_MS:
            cancel_payment_intent(desk.acquirer, merchant, asked.id, now_ms=desk.clock())
        return go(f"/payments/{_payment_id(request)}")

    def refund(request: Request, merchant: Merchant, fields: RefundFields) -> Response:
        payment_id = _payment_id(request)
        try:
            amount = parse_amount(fields.amount, currency=EURO)
            wanted = RefundRequest(require_id(fields.id), payment_id, amount.amount_minor)
            _give_back(desk, merchant, wanted, fields)
        except BodyInvalid as exc:
            view = _payment_view(desk, merchant, payment_id)
            wrong = {"wrong_receipt" if fields.way is RefundWay.RECEIPT else "wrong": sentence(exc)}
            view = msgspec.structs.replace(view, amount=fields.amount, **wrong)
            return desk.dress.render("merchant/payment.html", view, status=400)
        return go(f"/payments/{payment_id}")

    def cancel_one_refund(request: Request, merchant: Merchant, _: NoFields) -> Response:
        asked = find_refund(desk.acquirer, merchant, str(request.path_params["refund"]))
        if desk.clock() - asked.created_ms >= DOUBLE_TAP_MS:
            cancel_refund(desk.acquirer, merchant, asked.id)
        return go(f"/payments/{_payment_id(request)}")

    return [
        page("/payments", signed_in(desk, payments)),
        page("/statement.json", signed_in(desk, statement)),
        page("/payments/{payment}", signed_in(desk, payment)),
        form("/payments/{payment}/cancel", NoFields, signed_in_form(desk, cancel)),
        form("/payments/{payment}/refunds", RefundFields, signed_in_form(desk, refund)),
        form("/payments/{payment}/refunds/{refund}/cancel", NoFields, signed_in_form(desk, cancel_one_refund)),
    ]


def _capture_routes(desk: ShopDesk) -> list[BaseRoute]:
    def capture(request: Request, merchant: Merchant, fields: CaptureFields) -> Response:
        payment_id = _payment_id(request)
        try:
            _capture(desk, merchant, payment_id, fields)
        except BodyInvalid as exc:
            view = _payment_view(desk, merchant, payment_id)
            view = msgspec.structs.replace(
                view, wrong=sentence(exc), amount=fields.amount, takes_tip=fields.tip == "yes"
            )
            return desk.dress.render("merchant/payment.html", view, status=400)
        return go(f"/payments/{payment_id}")

    return [form("/payments/{payment}/capture", CaptureFields, signed_in_form(desk, capture))]


def _capture(desk: ShopDesk, merchant: Merchant, payment_id: str, fields: CaptureFields) -> None:
    amount_minor = parse_amount(fields.amount, currency=EURO).amount_minor
    given = find_payment_intent(desk.acquirer, merchant, payment_id).tip
    tip_minor = given.amount_minor if fields.tip else 0
    capture_payment_intent(
        desk.acquirer,
        merchant,
        payment_id,
        amount_minor=amount_minor + tip_minor,
        tip_minor=tip_minor,
        now_ms=desk.clock(),
    )


def _give_back(desk: ShopDesk, merchant: Merchant, wanted: RefundRequest, fields: RefundFields) -> None:
    if fields.way is RefundWay.RECEIPT:
        refund_by_receipt(desk.acquirer, merchant, wanted, return_code=fields.return_code, now_ms=desk.clock())
    else:
        create_refund(desk.acquirer, merchant, wanted, now_ms=desk.clock())


def _charge_view(desk: ShopDesk, merchant: Merchant, typed: ChargeFields | None, wrong: str) -> ChargeView:
    return ChargeView(
        shop=merchant.name,
        request_id=new_id(),
        amount=typed.amount if typed else "",
        description=typed.description if typed else "",
        description_chars_max=DESCRIPTION_CHARS_MAX,
        reserve=typed is not None and typed.reserve == "yes",
        tips=merchant.id in desk.acquirer.tips if typed is None else typed.tips == "yes",
        wrong=wrong,
        balance=merchant_balance(desk.acquirer, merchant),
    )


def _tips_of(desk: ShopDesk, merchant: Merchant) -> TipOffer:
    usual = desk.acquirer.tips.get(merchant.id, NO_TIPS)
    return TipOffer(percents=TIP_PERCENTS) if usual == NO_TIPS else usual


def _payment_view(desk: ShopDesk, merchant: Merchant, payment_id: str) -> PaymentView:
    payment = find_payment_intent(desk.acquirer, merchant, payment_id)
    refunds = list_refunds(desk.acquirer, merchant, payment.id)
    declined_tries = count_declined_tries(desk.acquirer, payment)
    return payment_view(
        payment,
        refunds,
        declined_tries=declined_tries,
        request_id=new_id(),
        why={refund.id: why_canceled(desk.acquirer, refund) for refund in refunds},
        disputes=disputes_of(desk.acquirer, payment),
    )


def _payment_id(request: Request) -> str:
    return str(request.path_params["payment"])
