"""
Reach the issuer and the matchers over HTTP, as the acquirer does.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.json import Decoder
from msgspec.msgpack import encode

from handsel.config import Link
from handsel.flows.acquiring.ports import (
    Credited,
    Enrolled,
    EnrolmentBegun,
    Redeemed,
    Reserved,
    Signed,
    Unanswered,
    Voided,
)
from handsel.ids import require_id
from handsel.matching.message import PerMatcher
from handsel.notes.announce import SignedNoteKeys
from handsel.notes.note import Note
from handsel.notes.redeemed import RedemptionProof
from handsel.order import NoteRequest, SealedProof
from handsel.pay.decline import Declined
from handsel.pay.held_note import RefusedSerial
from handsel.pay.money import Money
from handsel.web import issuer_bodies as bodies
from handsel.web.bodies import Nothing, proof_of
from handsel.web.matcher_bodies import AnswerBody, MatcherEnrolmentBody, QueryBody
from handsel.web.party_link import Lost, PartyLink, link_matchers

MATCHER_TIMEOUT_S = 8.0
ISSUER_TIMEOUT_S = 8.0

_ANSWER = Decoder(AnswerBody)
_KEYS = Decoder(SignedNoteKeys)
_NOTHING = Decoder(Nothing)
_REDEEMED = Decoder(bodies.RedeemedBody)
_SIGNED: Decoder[bodies.SignedBody | bodies.DeclinedBody] = Decoder(bodies.SignedBody | bodies.DeclinedBody)
_CHARGED: Decoder[bodies.SignedBody | bodies.DeclinedBody | bodies.ReservedBody] = Decoder(
    bodies.SignedBody | bodies.DeclinedBody | bodies.ReservedBody
)
_VOIDED: Decoder[bodies.SignedBody | bodies.DeclinedBody | bodies.ReservedBody | bodies.VoidedBody] = Decoder(
    bodies.SignedBody | bodies.DeclinedBody | bodies.ReservedBody | bodies.VoidedBody
)
_GIVEN_BACK: Decoder[bodies.SignedBody | bodies.VoidedBody] = Decoder(bodies.SignedBody | bodies.VoidedBody)
_CREDITED: Decoder[bodies.CreditedBody | bodies.DeclinedBody] = Decoder(bodies.CreditedBody | bodies.DeclinedBody)
_BEGUN: Decoder[bodies.EnrolmentBegunBody | bodies.EnrolledBody | bodies.DeclinedBody] = Decoder(
    bodies.EnrolmentBegunBody | bodies.EnrolledBody | bodies.DeclinedBody
)
_CARD: Decoder[bodies.CardAnswerBody | bodies.DeclinedBody] = Decoder(bodies.CardAnswerBody | bodies.DeclinedBody)
_ENROLLED: Decoder[bodies.EnrolledBody | bodies.DeclinedBody] = Decoder(bodies.EnrolledBody | bodies.DeclinedBody)


class HttpMatchers:
    """
    Reach the three matchers with a query or an enrolment.
    """

    def __init__(self, links: Mapping[str, Link], *, timeout_s: float = MATCHER_TIMEOUT_S) -> None:
        self._links = link_matchers(links, timeout_s=timeout_s)

    def answer_query(self, matcher: str, envelope: bytes) -> bytes:
        """
        Return one matcher's answer, sealed to the issuer. Raises `PartyUnavailable`.
        """
        return self._links[matcher].post("/v1/queries", QueryBody(envelope), _ANSWER).answer

    def enrol(self, matcher: str, *, template: bytes, alias_share: bytes) -> bytes:
        """
        Give one matcher its shares of a palm and of an alias. Raises `PartyUnavailable`.
        """
        body = MatcherEnrolmentBody(template, alias_share)
        return self._links[matcher].post("/v1/enrolments", body, _ANSWER).answer

    def close(self) -> None:
        """
        Close the connections.
        """
        for link in self._links.values():
            link.close()


class HttpIssuer:
    """
    Reach the issuer. Raises what the issuer refused with, and `PartyUnavailable` as the port says.
    """

    def __init__(self, link: Link, *, timeout_s: float = ISSUER_TIMEOUT_S) -> None:
        self._link = PartyLink(link, party="the issuer", timeout_s=timeout_s)

    def note_keys(self) -> SignedNoteKeys:
        """
        Return the list of the issuer's note keys, as its root key has signed it.
        """
        return self._link.get("/v1/note_keys", _KEYS)

    def charge(
        self, order_id: str, *, order: bytes, answers: PerMatcher | SealedProof, notes_digest: bytes
    ) -> Signed | Declined | Reserved | Unanswered:
        """
        Debit whoever showed the palm.
        """
        body = bodies.ChargeBody(order_id, order, notes_digest, *proof_of(answers))
        answer = self._link.post_once("/v1/charges", body, _CHARGED)
        return Unanswered() if isinstance(answer, Lost) else _charged(answer)

    def void(self, order_id: str) -> Signed | Declined | Reserved | Voided:
        """
        Make sure that a charge is never carried out from now on, or return what became of it before.
        """
        answer = self._link.post(f"/v1/charges/{require_id(order_id)}/void", Nothing(), _VOIDED)
        return Voided() if isinstance(answer, bodies.VoidedBody) else _charged(answer)

    def capture(self, order_id: str, *, amount: Money, requests: tuple[NoteRequest, ...]) -> Signed | Declined:
        """
        Turn what a charge has reserved, or a part of it, into notes.
        """
        body = bodies.CaptureBody(amount.amount_minor, amount.currency, requests)
        return _signed(self._link.post(f"/v1/charges/{require_id(order_id)}/capture", body, _SIGNED))

    def give_back(self, order_id: str) -> Signed | Voided:
        """
        Give back what a charge has reserved, or return what was signed when it was captured before.
        """
        answer = self._link.post(f"/v1/charges/{require_id(order_id)}/give_back", Nothing(), _GIVEN_BACK)
        return Voided() if isinstance(answer, bodies.VoidedBody) else Signed(answer.signatures)

    def redeem(self, redemption_id: str, *, notes: tuple[Note, ...]) -> Redeemed:
        """
        Turn notes into balance, each once and for ever.
        """
        answer = self._link.post("/v1/redemptions", bodies.RedemptionBody(redemption_id, notes), _REDEEMED)
        refused = tuple(RefusedSerial(each.serial, each.reason, _encoded(each.proof)) for each in answer.refused)
        return Redeemed(answer.redeemed, refused)

    def buy_notes(self, purchase_id: str, *, requests: tuple[NoteRequest, ...]) -> Signed | Declined:
        """
        Turn balance into notes.
        """
        return _signed(self._link.post("/v1/note_purchases", bodies.PurchaseBody(purchase_id, requests), _SIGNED))

    def refund(
        self, order_id: str, *, order: bytes, answers: PerMatcher | SealedProof, notes: tuple[Note, ...]
    ) -> Credited | Declined | Unanswered:
        """
        Redeem the notes into the wallet of whoever showed the palm: all of them, or none.
        """
        body = bodies.RefundBody(order_id, order, notes, *proof_of(answers))
        answer = self._link.post_once("/v1/refunds", body, _CREDITED)
        return _credited(answer)

    def refund_charge(
        self, order_id: str, *, charge_order_id: str, amount: Money, notes: tuple[Note, ...]
    ) -> Credited | Declined | Unanswered:
        """
        Redeem the notes into the wallet that paid a charge: all of them, or none.
        """
        body = bodies.ChargeRefundBody(order_id, amount.amount_minor, amount.currency, notes)
        answer = self._link.post_once(f"/v1/charges/{require_id(charge_order_id)}/refunds", body, _CREDITED)
        return _credited(answer)

    def take_receipt(self, receipt_id: str, *, sealed: bytes, line: bytes) -> None:
        """
        Keep a receipt for the wallet to whose key it is sealed.
        """
        self._link.post("/v1/receipts", bodies.ReceiptBody(receipt_id, sealed, line), _NOTHING)

    def begin_enrolment(self, order_id: str, *, order: bytes) -> EnrolmentBegun | Enrolled | Declined:
        """
        Check the code in the till's order.
        """
        answer = self._link.post("/v1/enrolments", bodies.EnrolmentBody(order_id, order), _BEGUN)
        if isinstance(answer, bodies.EnrolmentBegunBody):
            return EnrolmentBegun(answer.alias_shares)
        return _enrolled(answer)

    def complete_enrolment(self, order_id: str, *, answers: PerMatcher) -> Enrolled | Declined:
        """
        Finish an enrolment with what the matchers answered.
        """
        path = f"/v1/enrolments/{require_id(order_id)}/complete"
        return _enrolled(self._link.post(path, bodies.CompletionBody(answers), _ENROLLED))

    def enrol_card(self, order_id: str, *, order: bytes) -> Enrolled | Declined:
        """
        Join the card in the till's order to the wallet of its code.
        """
        body = bodies.EnrolmentBody(order_id, order)
        return _enrolled(self._link.post("/v1/card_enrolments", body, _ENROLLED))

    def answer_card(self, request: bytes) -> bytes | Declined:
        """
        Return the answer to a card that is shown, sealed to the till.
        """
        answer = self._link.post("/v1/cards", bodies.CardBody(request), _CARD)
        return Declined(answer.reason) if isinstance(answer, bodies.DeclinedBody) else answer.answer

    def close(self) -> None:
        """
        Close the connections.
        """
        self._link.close()


def _charged(answer: bodies.SignedBody | bodies.DeclinedBody | bodies.ReservedBody) -> Signed | Declined | Reserved:
    if isinstance(answer, bodies.ReservedBody):
        return Reserved(answer.amount_minor, answer.until_ms, answer.reply)
    return _signed(answer)


def _signed(answer: bodies.SignedBody | bodies.DeclinedBody) -> Signed | Declined:
    return Signed(answer.signatures, answer.reply) if isinstance(answer, bodies.SignedBody) else Declined(answer.reason)


def _credited(answer: bodies.CreditedBody | bodies.DeclinedBody | Lost) -> Credited | Declined | Unanswered:
    if isinstance(answer, Lost):
        return Unanswered()
    return Declined(answer.reason) if isinstance(answer, bodies.DeclinedBody) else Credited()


def _enrolled(answer: bodies.EnrolledBody | bodies.DeclinedBody) -> Enrolled | Declined:
    return Declined(answer.reason) if isinstance(answer, bodies.DeclinedBody) else Enrolled()


def _encoded(proof: RedemptionProof | None) -> bytes | None:
    return None if proof is None else encode(proof)
