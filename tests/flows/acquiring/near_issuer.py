"""
Join the acquirer to the real issuer's flows in one process, with a line between them that can fail.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar

from msgspec.msgpack import encode

from handsel.errors import HandselError, PartyUnavailable
from handsel.flows.acquiring import ports
from handsel.flows.issuing import approved as issued
from handsel.flows.issuing.answer_card import answer_card
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
from handsel.matching.message import PerMatcher
from handsel.notes.announce import SignedNoteKeys
from handsel.notes.note import Note
from handsel.order import NoteRequest, SealedProof
from handsel.pay.decline import Declined, DeclineReason
from handsel.pay.held_note import RefusedSerial
from handsel.pay.money import Money

ACQUIRER = "street"

T = TypeVar("T")


class Line(Enum):
    """
    Say what the line does to a call.
    """

    REFUSED = "refused"  # There is no connection: the issuer is not asked.
    LOST = "lost"  # The request does not arrive, and nobody knows.
    CUT = "cut"  # The request arrives and is carried out; the answer does not come back.


class Crash(Exception):
    """
    The acquirer's machine stops here.
    """


@dataclass
class NearIssuer:
    """
    Call the issuer's flows as the wire would. `line` says what fails, by the name of the call.
    """

    issuer: Issuer
    line: dict[str, Line] = field(default_factory=dict)
    crash_before: str = ""
    crash_after: str = ""
    raises: dict[str, HandselError] = field(default_factory=dict)
    declines: list[DeclineReason] = field(default_factory=list)  # Of the next captures, before any is carried out.
    calls: Counter[str] = field(default_factory=Counter)
    on_answer: Callable[[str], None] = lambda name: None

    def note_keys(self) -> SignedNoteKeys:
        return self._certain("note_keys", self.issuer.note_keys.announced)

    def charge(
        self, order_id: str, *, order: bytes, answers: PerMatcher | SealedProof, notes_digest: bytes
    ) -> ports.Signed | Declined | ports.Reserved | ports.Unanswered:
        def act() -> issued.Approved | Declined | issued.Reserved:
            return charge(
                self.issuer, order_id, acquirer=ACQUIRER, order=order, answers=answers, notes_digest=notes_digest
            )

        answer = self._call("charge", act)
        return ports.Unanswered() if answer is None else _charged(answer)

    def void(self, order_id: str) -> ports.Signed | Declined | ports.Reserved | ports.Voided:
        answer = self._certain("void", lambda: void_charge(self.issuer, order_id, acquirer=ACQUIRER))
        return ports.Voided() if isinstance(answer, issued.Voided) else _charged(answer)

    def capture(self, order_id: str, *, amount: Money, requests: tuple[NoteRequest, ...]) -> ports.Signed | Declined:
        if self.declines:
            return Declined(self.declines.pop(0))
        wanted = CaptureRequest(order_id, amount, requests)
        return _signed(self._certain("capture", lambda: capture_charge(self.issuer, wanted, acquirer=ACQUIRER)))

    def give_back(self, order_id: str) -> ports.Signed | ports.Voided:
        answer = self._certain("give_back", lambda: give_back(self.issuer, order_id, acquirer=ACQUIRER))
        return ports.Voided() if isinstance(answer, issued.Voided) else ports.Signed(answer.signatures)

    def redeem(self, redemption_id: str, *, notes: tuple[Note, ...]) -> ports.Redeemed:
        answer = self._certain("redeem", lambda: redeem(self.issuer, redemption_id, notes=notes, acquirer=ACQUIRER))
        return ports.Redeemed(
            answer.redeemed,
            tuple(
                RefusedSerial(each.serial, each.reason, None if each.proof is None else encode(each.proof))
                for each in answer.refused
            ),
        )

    def buy_notes(self, purchase_id: str, *, requests: tuple[NoteRequest, ...]) -> ports.Signed | Declined:
        return _signed(
            self._certain(
                "buy_notes", lambda: buy_notes(self.issuer, purchase_id, requests=requests, acquirer=ACQUIRER)
            )
        )

    def refund(
        self, refund_id: str, *, order: bytes, answers: PerMatcher | SealedProof, notes: tuple[Note, ...]
    ) -> ports.Credited | Declined | ports.Unanswered:
        answer = self._call(
            "refund",
            lambda: refund(self.issuer, refund_id, acquirer=ACQUIRER, order=order, answers=answers, notes=notes),
        )
        if answer is None:
            return ports.Unanswered()
        return answer if isinstance(answer, Declined) else ports.Credited()

    def refund_charge(
        self, order_id: str, *, charge_order_id: str, amount: Money, notes: tuple[Note, ...]
    ) -> ports.Credited | Declined | ports.Unanswered:
        wanted = ChargeRefund(order_id, charge_order_id, amount, notes)
        answer = self._call("refund_charge", lambda: refund_charge(self.issuer, wanted, acquirer=ACQUIRER))
        if answer is None:
            return ports.Unanswered()
        return answer if isinstance(answer, Declined) else ports.Credited()

    def take_receipt(self, receipt_id: str, *, sealed: bytes, line: bytes) -> None:
        def take() -> bool:
            take_receipt(self.issuer, receipt_id, sealed=sealed, line=line)
            return True

        self._certain("take_receipt", take)

    def begin_enrolment(self, enrolment_id: str, *, order: bytes) -> ports.EnrolmentBegun | ports.Enrolled | Declined:
        answer = self._certain(
            "begin_enrolment", lambda: begin_enrolment(self.issuer, enrolment_id, acquirer=ACQUIRER, order=order)
        )
        if isinstance(answer, EnrolmentBegun):
            shares = answer.alias_shares
            return ports.EnrolmentBegun(PerMatcher(shares.a, shares.b, shares.c))
        return _enrolled(answer)

    def complete_enrolment(self, enrolment_id: str, *, answers: PerMatcher) -> ports.Enrolled | Declined:
        return _enrolled(
            self._certain(
                "complete_enrolment",
                lambda: complete_enrolment(self.issuer, enrolment_id, answers=answers),
            )
        )

    def enrol_card(self, enrolment_id: str, *, order: bytes) -> ports.Enrolled | Declined:
        return _enrolled(
            self._certain("enrol_card", lambda: enrol_card(self.issuer, enrolment_id, acquirer=ACQUIRER, order=order))
        )

    def answer_card(self, request: bytes) -> bytes | Declined:
        return self._certain("answer_card", lambda: answer_card(self.issuer, acquirer=ACQUIRER, request=request))

    def _certain(self, name: str, act: Callable[[], T]) -> T:
        answer = self._call(name, act)
        if answer is None:
            raise PartyUnavailable("the issuer does not answer")
        return answer

    def _call(self, name: str, act: Callable[[], T]) -> T | None:
        if self.crash_before == name:
            raise Crash
        if name in self.raises:
            raise self.raises[name]
        if self.line.get(name) is Line.REFUSED:
            raise PartyUnavailable("the issuer cannot be reached")
        if self.line.get(name) is Line.LOST:
            return None
        self.calls[name] += 1
        answer = act()
        self.on_answer(name)
        if self.crash_after == name:
            raise Crash
        return None if self.line.get(name) is Line.CUT else answer


def _charged(answer: issued.Approved | Declined | issued.Reserved) -> ports.Signed | Declined | ports.Reserved:
    if isinstance(answer, issued.Reserved):
        return ports.Reserved(answer.amount_minor, answer.until_ms, answer.reply)
    return _signed(answer)


def _signed(answer: issued.Approved | Declined) -> ports.Signed | Declined:
    return answer if isinstance(answer, Declined) else ports.Signed(answer.signatures, answer.reply)


def _enrolled(answer: Enrolled | Declined) -> ports.Enrolled | Declined:
    return answer if isinstance(answer, Declined) else ports.Enrolled()
