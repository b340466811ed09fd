"""
Say what the acquirer asks of the other parties: three matchers and an issuer.

Only shapes; how they are reached is decided elsewhere. What the acquirer carries between them is sealed; what it gets
for itself is money, or a reason why not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from handsel.matching.message import PerMatcher
from handsel.notes.announce import SignedNoteKeys
from handsel.notes.note import Note
from handsel.order import NoteRequest, SealedProof
from handsel.pay.decline import Declined
from handsel.pay.held_note import RefusedSerial
from handsel.pay.money import Money


@dataclass(frozen=True, repr=False)
class Signed:
    """
    Answer that the issuer approved and signed, in the order of the requests. `reply` is sealed to a charge's till.
    """

    signatures: tuple[bytes, ...]
    reply: bytes | None = None


@dataclass(frozen=True, repr=False)
class Reserved:
    """
    Answer that the issuer reserved so much, until then, and debited nothing. `reply` is sealed to the charge's till.
    """

    amount_minor: int
    until_ms: int
    reply: bytes | None = None


@dataclass(frozen=True)
class Voided:
    """
    Answer that the charge was not, and never will be, carried out.
    """


@dataclass(frozen=True)
class Credited:
    """
    Answer that the customer's wallet was credited.
    """


@dataclass(frozen=True)
class Enrolled:
    """
    Answer that the palm now pays.
    """


@dataclass(frozen=True, repr=False)
class EnrolmentBegun:
    """
    Answer that the code is good, with the shares of an alias, sealed to the matchers.
    """

    alias_shares: PerMatcher


@dataclass(frozen=True, repr=False)
class Redeemed:
    """
    Answer which notes were redeemed, by serial, and which were not.
    """

    serials: tuple[bytes, ...]
    refused: tuple[RefusedSerial, ...]


@dataclass(frozen=True)
class Unanswered:
    """
    Say that the issuer may have been asked, and that its answer is not known.
    """


class Matchers(Protocol):
    """
    Reach the three matchers by name. Both calls raise `PartyUnavailable`; each may be repeated.
    """

    def answer_query(self, matcher: str, envelope: bytes) -> bytes:
        """
        Return one matcher's answer, sealed to the issuer. All three must be asked at the same time.
        """

    def enrol(self, matcher: str, *, template: bytes, alias_share: bytes) -> bytes:
        """
        Give one matcher its shares of a palm and of an alias, and return its answer, sealed to the issuer.
        """


class Issuer(Protocol):
    """
    Reach the issuer. Every id is made by the acquirer or the till, and a repeated call has the same answer. An
    `order_id` is what the issuer knows an order by: the acquirer has that of a charge while it is under way, and writes
    no other.

    `charge`, `refund` and `refund_charge` raise `PartyUnavailable` only where the issuer was certainly not asked; where
    it may have been, they return `Unanswered`. The others raise it whenever there is no answer.
    """

    def note_keys(self) -> SignedNoteKeys:
        """
        Return the list of the issuer's note keys, as its root key has signed it.
        """

    def charge(
        self, order_id: str, *, order: bytes, answers: PerMatcher | SealedProof, notes_digest: bytes
    ) -> Signed | Declined | Reserved | Unanswered:
        """
        Debit whoever showed the palm. The envelopes are the till's order, and the matchers' answers or a card's proof.
        `notes_digest` is of what the order has to ask for: one that asks for other notes is refused.
        """

    def void(self, order_id: str) -> Signed | Declined | Reserved | Voided:
        """
        Make sure that a charge is never carried out from now on, or return what became of it before.
        """

    def capture(self, order_id: str, *, amount: Money, requests: tuple[NoteRequest, ...]) -> Signed | Declined:
        """
        Turn what a charge has reserved, or a part of it, into notes; the rest is given back.
        """

    def give_back(self, order_id: str) -> Signed | Voided:
        """
        Give back what a charge has reserved, or return what was signed when it was captured before.
        """

    def redeem(self, redemption_id: str, *, notes: tuple[Note, ...]) -> Redeemed:
        """
        Turn notes into balance, each once and for ever.
        """

    def buy_notes(self, purchase_id: str, *, requests: tuple[NoteRequest, ...]) -> Signed | Declined:
        """
        Turn balance into notes.
        """

    def refund(
        self, order_id: str, *, order: bytes, answers: PerMatcher | SealedProof, notes: tuple[Note, ...]
    ) -> Credited | Declined | Unanswered:
        """
        Redeem the notes into the wallet of whoever showed the palm: all of them, or none.
        """

    def refund_charge(
        self, order_id: str, *, charge_order_id: str, amount: Money, notes: tuple[Note, ...]
    ) -> Credited | Declined | Unanswered:
        """
        Redeem the notes into the wallet that paid a charge: all of them, or none.
        """

    def take_receipt(self, receipt_id: str, *, sealed: bytes, line: bytes) -> None:
        """
        Keep a receipt for the wallet to whose key it is sealed.
        """

    def begin_enrolment(self, order_id: str, *, order: bytes) -> EnrolmentBegun | Enrolled | Declined:
        """
        Check the code in the till's order, or return how the enrolment has ended.
        """

    def complete_enrolment(self, order_id: str, *, answers: PerMatcher) -> Enrolled | Declined:
        """
        Finish an enrolment with what the matchers answered.
        """

    def enrol_card(self, order_id: str, *, order: bytes) -> Enrolled | Declined:
        """
        Join the card in the till's order to the wallet of its code.
        """

    def answer_card(self, request: bytes) -> bytes | Declined:
        """
        Return the answer to a card that is shown, sealed to the till.
        """
