"""
Serve the acquirer to a merchant's own software, in Stripe's words: payment intents, refunds, balance.

Every request carries the id that its sender made; sending it again changes nothing. Currencies are written in lower
case, as Stripe does, and taken either way.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from handsel.clock import Clock
from handsel.errors import BodyInvalid
from handsel.flows.acquiring.acquirer import Acquirer
from handsel.flows.acquiring.capture_payment import capture_payment_intent
from handsel.flows.acquiring.prove_payments import prove_pay_out, prove_statement
from handsel.flows.acquiring.refund_by_receipt import refund_by_receipt, why_canceled
from handsel.flows.acquiring.request_payment import (
    PaymentRequest,
    cancel_payment_intent,
    create_payment_intent,
    find_payment_intent,
    list_payment_intents,
)
from handsel.flows.acquiring.request_refund import RefundRequest, cancel_refund, create_refund, find_refund
from handsel.flows.acquiring.show_receipt import merchant_balance
from handsel.flows.acquiring.sign_in import sign_in_merchant
from handsel.ids import require_id
from handsel.pay.decline import DeclineReason
from handsel.pay.merchant import Merchant
from handsel.pay.money import Money
from handsel.pay.payment import PaymentIntent
from handsel.pay.refund import Refund
from handsel.pay.tip import TipOffer
from handsel.web.app import bearer_token, get, json_response, post
from handsel.web.bodies import Nothing
from handsel.web.merchant_bodies import (
    AmountDetailsBody,
    BalanceBody,
    BalancesBody,
    CaptureRequestBody,
    MerchantRefundBody,
    PaymentIntentBody,
    PaymentIntentRequestBody,
    PaymentIntentsBody,
    RefundRequestBody,
    TipBody,
    TipChoicesBody,
    hold_s_of,
)
from handsel.web.tree import number_in

LISTED = 50
Path = Mapping[str, str]


def merchant_api_routes(acquirer: Acquirer, clock: Clock) -> list[Route]:
    """
    Return the routes. A merchant is known by its key.
    """

    def caller(request: Request) -> Merchant:
        return sign_in_merchant(acquirer, bearer_token(request))

    def created(merchant: Merchant, _: Path, body: PaymentIntentRequestBody) -> PaymentIntentBody:
        amount = Money(body.amount, body.currency.upper())
        tips = _tip_offer(body.tip_choices)
        request = PaymentRequest(require_id(body.id), amount, body.description, body.till, hold_s_of(body), tips)
        return _payment_body(create_payment_intent(acquirer, merchant, request, now_ms=clock()))

    def listed(merchant: Merchant, _: Path) -> PaymentIntentsBody:
        found = list_payment_intents(acquirer, merchant, limit=LISTED)
        return PaymentIntentsBody(tuple(map(_payment_body, found)), len(found) == LISTED)

    def shown(merchant: Merchant, path: Path) -> PaymentIntentBody:
        return _payment_body(find_payment_intent(acquirer, merchant, require_id(path["id"])))

    def canceled(merchant: Merchant, path: Path, _: Nothing) -> PaymentIntentBody:
        return _payment_body(cancel_payment_intent(acquirer, merchant, require_id(path["id"]), now_ms=clock()))

    def captured(merchant: Merchant, path: Path, body: CaptureRequestBody) -> PaymentIntentBody:
        payment = capture_payment_intent(
            acquirer,
            merchant,
            require_id(path["id"]),
            amount_minor=body.amount_to_capture,
            tip_minor=None if body.amount_details is None else body.amount_details.tip.amount,
            now_ms=clock(),
        )
        return _payment_body(payment)

    def balance(merchant: Merchant, _: Path) -> BalancesBody:
        owed = merchant_balance(acquirer, merchant)
        return BalancesBody(tuple(BalanceBody(each.amount_minor, each.currency.lower()) for each in owed))

    return [
        post("/v1/payment_intents", caller, PaymentIntentRequestBody, created),
        get("/v1/payment_intents", caller, listed),
        get("/v1/payment_intents/{id}", caller, shown),
        post("/v1/payment_intents/{id}/cancel", caller, Nothing, canceled),
        post("/v1/payment_intents/{id}/capture", caller, CaptureRequestBody, captured),
        get("/v1/balance", caller, balance),
        *_refund_routes(acquirer, clock),
        _statement_route(acquirer),
    ]


def _statement_route(acquirer: Acquirer) -> Route:
    def shown(request: Request) -> Response:
        merchant = sign_in_merchant(acquirer, bearer_token(request))
        if "payout" in request.query_params:
            if request.query_params.keys() != {"payout"}:
                raise BodyInvalid("the statement of a pay-out is asked for by payout alone: where it begins follows")
            return json_response(prove_pay_out(acquirer, merchant, require_id(request.query_params["payout"])))
        currency = request.query_params.get("currency", "").upper()
        after = number_in(request, "after", "0")
        return json_response(prove_statement(acquirer, merchant, currency=currency, after=after))

    return Route("/v1/statement", shown, methods=["GET"])


def _refund_routes(acquirer: Acquirer, clock: Clock) -> list[Route]:
    def caller(request: Request) -> Merchant:
        return sign_in_merchant(acquirer, bearer_token(request))

    def created(merchant: Merchant, _: Path, body: RefundRequestBody) -> MerchantRefundBody:
        request = RefundRequest(require_id(body.id), require_id(body.payment_intent), body.amount, body.till)
        if body.return_code is None:
            return refund_body(create_refund(acquirer, merchant, request, now_ms=clock()))
        code = body.return_code
        return refund_body(refund_by_receipt(acquirer, merchant, request, return_code=code, now_ms=clock()).refund)

    def refund_body(refund: Refund) -> MerchantRefundBody:
        return _refund_body(refund, why_canceled(acquirer, refund))

    def shown(merchant: Merchant, path: Path) -> MerchantRefundBody:
        return refund_body(find_refund(acquirer, merchant, require_id(path["id"])))

    def canceled(merchant: Merchant, path: Path, _: Nothing) -> MerchantRefundBody:
        return refund_body(cancel_refund(acquirer, merchant, require_id(path["id"])))

    return [
        post("/v1/refunds", caller, RefundRequestBody, created),
        get("/v1/refunds/{id}", caller, shown),
        post("/v1/refunds/{id}/cancel", caller, Nothing, canceled),
    ]


def _tip_offer(asked: TipChoicesBody | None) -> TipOffer | None:
    return None if asked is None else TipOffer(asked.percentages, asked.fixed_amounts)


def _payment_body(payment: PaymentIntent) -> PaymentIntentBody:
    return PaymentIntentBody(
        id=payment.id,
        amount=payment.amount.amount_minor,
        currency=payment.amount.currency.lower(),
        description=payment.description,
        status=payment.status.value,
        created_ms=payment.created_ms,
        till=payment.till_id.partition("/")[2],
        receipt=None if payment.receipt_code is None else f"/receipts/{payment.receipt_code}",
        capture_method="manual" if payment.hold_s else "automatic",
        amount_capturable=payment.capturable.amount_minor,
        amount_received=payment.received.amount_minor,
        amount_details=AmountDetailsBody(TipBody(payment.tip.amount_minor)),
        capture_before_ms=payment.reserved_until_ms if payment.capturable.amount_minor else None,
        cancellation_reason=payment.cancel_reason.value if payment.cancel_reason else None,
    )


def _refund_body(refund: Refund, why: DeclineReason | None) -> MerchantRefundBody:
    return MerchantRefundBody(
        id=refund.id,
        payment_intent=refund.payment_id,
        amount=refund.amount.amount_minor,
        currency=refund.amount.currency.lower(),
        status=refund.status.value,
        created_ms=refund.created_ms,
        way=refund.way.value,
        reason=why.value if why else None,
    )
