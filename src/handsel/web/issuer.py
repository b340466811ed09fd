"""
Serve the issuer to acquirers: charges, redemptions, purchases, refunds, receipts, enrolments and cards.

Orders and answers come sealed; what goes back names no wallet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from starlette.routing import Route

from handsel.config import Secret
from handsel.flows.issuing.answer_card import answer_card
from handsel.flows.issuing.approved import Approved, Credited, Reserved, Voided
from handsel.flows.issuing.buy_notes import buy_notes
from handsel.flows.issuing.capture_charge import CaptureRequest, capture_charge
from handsel.flows.issuing.charge import charge
from handsel.flows.issuing.enrol import Enrolled, EnrolmentBegun, begin_enrolment, complete_enrolment
from handsel.flows.issuing.enrol_card import enrol_card
from handsel.flows.issuing.give_back import give_back
from handsel.flows.issuing.issuer import Issuer
from handsel.flows.issuing.redeem import redeem
from handsel.flows.issuing.refund import refund
from handsel.flows.issuing.refund_charge import ChargeRefund, refund_charge
from handsel.flows.issuing.take_receipt import take_receipt
from handsel.flows.issuing.void_charge import void_charge
from handsel.notes.announce import SignedNoteKeys
from handsel.pay.decline import Declined
from handsel.pay.money import Money
from handsel.web.app import bearer, get, post
from handsel.web.bodies import Nothing, shown_by
from handsel.web.issuer_bodies import (
    CaptureBody,
    CardAnswerBody,
    CardBody,
    ChargeBody,
    ChargeRefundBody,
    CompletionBody,
    CreditedBody,
    DeclinedBody,
    EnrolledBody,
    EnrolmentBegunBody,
    EnrolmentBody,
    PurchaseBody,
    ReceiptBody,
    RedeemedBody,
    RedemptionBody,
    RefundBody,
    RefusedNoteBody,
    ReservedBody,
    SignedBody,
    VoidedBody,
)


def issuer_routes(issuer: Issuer, acquirers: Mapping[str, Secret], deliver: Callable[[], object]) -> list[Route]:
    """
    Return the routes. `deliver` sends the orders that wait for the matchers; it is called after an enrolment.
    """
    caller = bearer(acquirers)
    return [
        *_charge_routes(issuer, acquirers),
        *_capture_routes(issuer, acquirers),
        *_note_routes(issuer, acquirers),
        *_enrolment_routes(issuer, acquirers, deliver),
        *_card_routes(issuer, acquirers),
        get("/v1/note_keys", caller, lambda _, __: _note_keys(issuer)),
    ]


def _charge_routes(issuer: Issuer, acquirers: Mapping[str, Secret]) -> list[Route]:
    caller = bearer(acquirers)

    def charged(acquirer: str, _: Mapping[str, str], body: ChargeBody) -> SignedBody | DeclinedBody | ReservedBody:
        answers = shown_by(body.answers, body.proof)
        sealed, digest = body.order, body.notes_digest
        outcome = charge(issuer, body.order_id, acquirer=acquirer, order=sealed, answers=answers, notes_digest=digest)
        return _charge_body(outcome)

    def voided(
        acquirer: str, path: Mapping[str, str], __: Nothing
    ) -> SignedBody | DeclinedBody | ReservedBody | VoidedBody:
        outcome = void_charge(issuer, path["id"], acquirer=acquirer)
        return VoidedBody() if isinstance(outcome, Voided) else _charge_body(outcome)

    def refunded(acquirer: str, _: Mapping[str, str], body: RefundBody) -> CreditedBody | DeclinedBody:
        answers = shown_by(body.answers, body.proof)
        outcome = refund(issuer, body.refund_id, acquirer=acquirer, order=body.order, answers=answers, notes=body.notes)
        return CreditedBody() if isinstance(outcome, Credited) else _declined(outcome)

    def charge_refunded(acquirer: str, path: Mapping[str, str], body: ChargeRefundBody) -> CreditedBody | DeclinedBody:
        wanted = ChargeRefund(body.refund_id, path["id"], Money(body.amount_minor, body.currency), body.notes)
        outcome = refund_charge(issuer, wanted, acquirer=acquirer)
        return CreditedBody() if isinstance(outcome, Credited) else _declined(outcome)

    def received(_: str, __: Mapping[str, str], body: ReceiptBody) -> Nothing:
        take_receipt(issuer, body.receipt_id, sealed=body.sealed, line=body.line)
        return Nothing()

    return [
        post("/v1/charges", caller, ChargeBody, charged),
        post("/v1/charges/{id}/void", caller, Nothing, voided),
        post("/v1/refunds", caller, RefundBody, refunded),
        post("/v1/charges/{id}/refunds", caller, ChargeRefundBody, charge_refunded),
        post("/v1/receipts", caller, ReceiptBody, received),
    ]


def _capture_routes(issuer: Issuer, acquirers: Mapping[str, Secret]) -> list[Route]:
    caller = bearer(acquirers)

    def captured(acquirer: str, path: Mapping[str, str], body: CaptureBody) -> SignedBody | DeclinedBody:
        wanted = CaptureRequest(path["id"], Money(body.amount_minor, body.currency), body.notes)
        outcome = capture_charge(issuer, wanted, acquirer=acquirer)
        return _declined(outcome) if isinstance(outcome, Declined) else SignedBody(outcome.signatures)

    def given_back(acquirer: str, path: Mapping[str, str], _: Nothing) -> SignedBody | VoidedBody:
        outcome = give_back(issuer, path["id"], acquirer=acquirer)
        return SignedBody(outcome.signatures) if isinstance(outcome, Approved) else VoidedBody()

    return [
        post("/v1/charges/{id}/capture", caller, CaptureBody, captured),
        post("/v1/charges/{id}/give_back", caller, Nothing, given_back),
    ]


def _note_routes(issuer: Issuer, acquirers: Mapping[str, Secret]) -> list[Route]:
    caller = bearer(acquirers)

    def redeemed(acquirer: str, _: Mapping[str, str], body: RedemptionBody) -> RedeemedBody:
        outcome = redeem(issuer, body.redemption_id, notes=body.notes, acquirer=acquirer)
        refused = tuple(RefusedNoteBody(note.serial, note.reason, note.proof) for note in outcome.refused)
        return RedeemedBody(outcome.redeemed, refused)

    def bought(acquirer: str, _: Mapping[str, str], body: PurchaseBody) -> SignedBody | DeclinedBody:
        outcome = buy_notes(issuer, body.purchase_id, requests=body.notes, acquirer=acquirer)
        return _declined(outcome) if isinstance(outcome, Declined) else SignedBody(outcome.signatures)

    return [
        post("/v1/redemptions", caller, RedemptionBody, redeemed),
        post("/v1/note_purchases", caller, PurchaseBody, bought),
    ]


def _enrolment_routes(issuer: Issuer, acquirers: Mapping[str, Secret], deliver: Callable[[], object]) -> list[Route]:
    caller = bearer(acquirers)

    def begun(
        acquirer: str, _: Mapping[str, str], body: EnrolmentBody
    ) -> EnrolmentBegunBody | EnrolledBody | DeclinedBody:
        outcome = begin_enrolment(issuer, body.enrolment_id, acquirer=acquirer, order=body.order)
        if isinstance(outcome, EnrolmentBegun):
            return EnrolmentBegunBody(outcome.alias_shares)
        return EnrolledBody() if isinstance(outcome, Enrolled) else _declined(outcome)

    def completed(_: str, path: Mapping[str, str], body: CompletionBody) -> EnrolledBody | DeclinedBody:
        outcome = complete_enrolment(issuer, path["id"], answers=body.answers)
        deliver()
        return EnrolledBody() if isinstance(outcome, Enrolled) else _declined(outcome)

    return [
        post("/v1/enrolments", caller, EnrolmentBody, begun),
        post("/v1/enrolments/{id}/complete", caller, CompletionBody, completed),
    ]


def _card_routes(issuer: Issuer, acquirers: Mapping[str, Secret]) -> list[Route]:
    caller = bearer(acquirers)

    def enrolled(acquirer: str, _: Mapping[str, str], body: EnrolmentBody) -> EnrolledBody | DeclinedBody:
        outcome = enrol_card(issuer, body.enrolment_id, acquirer=acquirer, order=body.order)
        return EnrolledBody() if isinstance(outcome, Enrolled) else _declined(outcome)

    def answered(acquirer: str, _: Mapping[str, str], body: CardBody) -> CardAnswerBody | DeclinedBody:
        answer = answer_card(issuer, acquirer=acquirer, request=body.request)
        return _declined(answer) if isinstance(answer, Declined) else CardAnswerBody(answer)

    return [
        post("/v1/card_enrolments", caller, EnrolmentBody, enrolled),
        post("/v1/cards", caller, CardBody, answered),
    ]


def _note_keys(issuer: Issuer) -> SignedNoteKeys:
    return issuer.note_keys.announced()


def _charge_body(outcome: Approved | Declined | Reserved) -> SignedBody | DeclinedBody | ReservedBody:
    if isinstance(outcome, Reserved):
        return ReservedBody(outcome.amount_minor, outcome.until_ms, outcome.reply)
    if isinstance(outcome, Declined):
        return _declined(outcome)
    return SignedBody(outcome.signatures, outcome.reply)


def _declined(declined: Declined) -> DeclinedBody:
    return DeclinedBody(declined.reason)
