"""
Serve the acquirer to its tills: what to show, charges, notes, receipts, refunds and enrolments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from starlette.requests import Request
from starlette.routing import Route

from handsel.clock import Clock
from handsel.flows.acquiring.accept_notes import accept_notes
from handsel.flows.acquiring.acquirer import Acquirer
from handsel.flows.acquiring.carry_card import carry_card
from handsel.flows.acquiring.carry_charge import ShownForCharge, charge_state, give_up_charge, submit_charge
from handsel.flows.acquiring.carry_enrolment import ShownForEnrolment, submit_enrolment
from handsel.flows.acquiring.carry_receipt import SealedForWallet, carry_receipt
from handsel.flows.acquiring.carry_refund import ShownForRefund, submit_refund
from handsel.flows.acquiring.show_action import Action, current_action
from handsel.flows.acquiring.sign_in import find_till
from handsel.ids import require_id
from handsel.notes.announce import SignedNoteKeys
from handsel.pay.decline import Declined
from handsel.pay.merchant import Till
from handsel.pay.payment import Approved, ChargeState, Paid, Pending, Reserved
from handsel.web.app import bearer_token, get, post
from handsel.web.bodies import Nothing, shown_by
from handsel.web.till_bodies import (
    ActionBody,
    CardAnswerBody,
    CurrentActionBody,
    DeclinedAnswerBody,
    EnrolledAnswerBody,
    PaidAnswerBody,
    PapersBody,
    PendingAnswerBody,
    RefundedAnswerBody,
    ReservedAnswerBody,
    SignedAnswerBody,
    TillCardBody,
    TillChargeBody,
    TillEnrolmentBody,
    TillNotesBody,
    TillReceiptBody,
    TillRefundBody,
    TillVoidBody,
    TipChoiceBody,
)

ChargeAnswerBody = PendingAnswerBody | SignedAnswerBody | DeclinedAnswerBody | PaidAnswerBody | ReservedAnswerBody
Path = Mapping[str, str]


def till_api_routes(acquirer: Acquirer, clock: Clock) -> list[Route]:
    """
    Return the routes. A till is known by its token.
    """

    def caller(request: Request) -> Till:
        return find_till(acquirer, bearer_token(request))

    def action(till: Till, _: Path) -> CurrentActionBody:
        found = current_action(acquirer, till, now_ms=clock())
        return CurrentActionBody(None if found is None else _action_body(found))

    def note_keys(_: Till, __: Path) -> SignedNoteKeys:
        return acquirer.keys.signed_at(clock())

    def refunded(
        till: Till, _: Path, body: TillRefundBody
    ) -> PendingAnswerBody | RefundedAnswerBody | DeclinedAnswerBody:
        palm = shown_by(body.queries, body.proof)
        shown = ShownForRefund(body.attempt_id, body.refund, body.order_id, body.order, palm)
        outcome = submit_refund(acquirer, till, shown, now_ms=clock())
        if isinstance(outcome, Pending):
            return PendingAnswerBody()
        if isinstance(outcome, Declined):
            return DeclinedAnswerBody(outcome.reason)
        return RefundedAnswerBody(outcome.receipt_code)

    def enrolled(till: Till, _: Path, body: TillEnrolmentBody) -> EnrolledAnswerBody | DeclinedAnswerBody:
        shown = ShownForEnrolment(body.enrolment_id, body.order_id, body.order, body.templates)
        outcome = submit_enrolment(acquirer, till, shown, now_ms=clock())
        return DeclinedAnswerBody(outcome.reason) if isinstance(outcome, Declined) else EnrolledAnswerBody()

    def shown(till: Till, _: Path, body: TillCardBody) -> CardAnswerBody | DeclinedAnswerBody:
        answer = carry_card(acquirer, till, body.request, now_ms=clock())
        return DeclinedAnswerBody(answer.reason) if isinstance(answer, Declined) else CardAnswerBody(answer)

    return [
        get("/v1/till/action", caller, action),
        get("/v1/till/note_keys", caller, note_keys),
        *_charge_routes(acquirer, caller, clock),
        post("/v1/till/refunds", caller, TillRefundBody, refunded),
        post("/v1/till/enrolments", caller, TillEnrolmentBody, enrolled),
        post("/v1/till/cards", caller, TillCardBody, shown),
    ]


def _charge_routes(acquirer: Acquirer, caller: Callable[[Request], Till], clock: Clock) -> list[Route]:
    def charged(till: Till, _: Path, body: TillChargeBody) -> ChargeAnswerBody:
        palm = shown_by(body.queries, body.proof)
        shown = ShownForCharge(
            *(body.charge_id, body.order_id, body.payment_intent, body.order, palm, body.secrets),
            *(body.return_digest, body.nonce, body.tip_minor),
        )
        return _charge_body(submit_charge(acquirer, till, shown, now_ms=clock()))

    def charge(till: Till, path: Path) -> ChargeAnswerBody:
        return _charge_body(charge_state(acquirer, till, path["id"]))

    def given_up(till: Till, path: Path, body: TillVoidBody) -> ChargeAnswerBody:
        charge_id = require_id(path["id"])
        state = give_up_charge(acquirer, till, charge_id, payment_id=body.payment_intent, now_ms=clock())
        return _charge_body(state)

    def handed_over(till: Till, path: Path, body: TillNotesBody) -> PaidAnswerBody:
        return _paid_body(accept_notes(acquirer, till, path["id"], body.notes, now_ms=clock()))

    def brought(till: Till, path: Path, body: TillReceiptBody) -> Nothing:
        carry_receipt(acquirer, till, path["id"], SealedForWallet(body.receipt_id, body.sealed, body.line))
        return Nothing()

    return [
        post("/v1/till/charges", caller, TillChargeBody, charged),
        get("/v1/till/charges/{id}", caller, charge),
        post("/v1/till/charges/{id}/void", caller, TillVoidBody, given_up),
        post("/v1/till/charges/{id}/notes", caller, TillNotesBody, handed_over),
        post("/v1/till/charges/{id}/receipt", caller, TillReceiptBody, brought),
    ]


def _action_body(action: Action) -> ActionBody:
    return ActionBody(
        action.kind,
        action.id,
        action.amount.amount_minor,
        action.amount.currency,
        action.merchant_name,
        action.description,
        action.hold_s,
        tuple(TipChoiceBody(choice.amount_minor, choice.percent) for choice in action.tips),
        action.tip_minor_max,
    )


def _paid_body(paid: Paid) -> PaidAnswerBody:
    papers = paid.papers
    body = None if papers is None else PapersBody(papers.reply, papers.signed, papers.naming_secret)
    return PaidAnswerBody(paid.receipt_code, body)


def _charge_body(state: ChargeState) -> ChargeAnswerBody:
    if isinstance(state, Pending):
        return PendingAnswerBody()
    if isinstance(state, Approved):
        return SignedAnswerBody(state.signatures)
    if isinstance(state, Paid):
        return _paid_body(state)
    if isinstance(state, Reserved):
        return ReservedAnswerBody()
    return DeclinedAnswerBody(state.reason)
