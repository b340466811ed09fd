"""
Say what a till asks of the acquirer, and which answers there are. How it is reached is decided in `client.py`.

What a till sends of a palm is sealed to the matchers and to the issuer before it comes here.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from handsel.matching.message import PerMatcher
from handsel.notes.mint import NoteSecret
from handsel.notes.note import Note, PublicNoteKeys
from handsel.receipt import SignedStatement
from handsel.till.action import ToldAction


class ChargeRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """
    Ask to pay a payment with the palm that was shown. `order` is sealed to the issuer, which knows it by `order_id`.

    `secrets` are what the notes are finished with, for the acquirer to do it should the till not come back: none where
    the sum is only reserved. `queries` are there with an open hand, and `proof`, sealed to the issuer, with a held key.
    `tip_minor` is what the customer has added to the amount; by `return_digest` the return code is known again. Order
    id and serials follow from charge id and `nonce`.
    """

    charge_id: str
    order_id: str
    payment_intent: str
    order: bytes
    secrets: tuple[NoteSecret, ...]
    return_digest: bytes
    nonce: str
    queries: PerMatcher | None = None
    proof: bytes | None = None
    tip_minor: int = 0

    def __repr__(self) -> str:
        """
        Return nothing of what is sealed.
        """
        return "ChargeRequest()"


class RefundRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """
    Ask to credit the palm that was shown. `attempt_id` is what the acquirer knows this attempt by, and `refund` what
    the merchant asked for; `order_id` is for the issuer, and the acquirer writes it nowhere.

    `queries` and `proof` are as in a charge.
    """

    attempt_id: str
    refund: str
    order_id: str
    order: bytes
    queries: PerMatcher | None = None
    proof: bytes | None = None

    def __repr__(self) -> str:
        """
        Return nothing of what is sealed.
        """
        return "RefundRequest()"


class EnrolmentRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """
    Ask to enrol the palm that was shown, or a card: then there are no `templates`, and all of it is in the order.

    `enrolment_id` is what the acquirer knows it by; `order_id` is for issuer and matchers, and the acquirer writes it
    nowhere.
    """

    enrolment_id: str
    order_id: str
    order: bytes
    templates: PerMatcher | None = None

    def __repr__(self) -> str:
        """
        Return nothing of what is sealed.
        """
        return "EnrolmentRequest()"


class CardAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Ask about a card that is shown. `request` is sealed to the issuer.
    """

    request: bytes

    def __repr__(self) -> str:
        """
        Return nothing of what is sealed.
        """
        return "CardAsked()"


class PendingAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="status", tag="pending"):
    """
    Answer that the outcome is not known yet: ask again.
    """


class DeclinedAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="status", tag="declined"):
    """
    Answer that nothing was done, and why.
    """

    reason: str


class SignedAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="status", tag="approved"):
    """
    Answer that the issuer debited, and what it signed.
    """

    signatures: tuple[bytes, ...]

    def __repr__(self) -> str:
        """
        Return nothing of the signatures.
        """
        return "SignedAnswer()"


class PapersAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Carry what a receipt is sealed with: the issuer's reply to this till, the acquirer's signed statement, and the
    shop's naming secret.
    """

    reply: bytes
    signed: SignedStatement
    naming_secret: bytes

    def __repr__(self) -> str:
        """
        Return nothing of the papers.
        """
        return "PapersAnswer()"


class ReceiptBrought(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Bring a receipt that is sealed to the payer's wallet, and a line that is sealed to the issuer.
    """

    receipt_id: str
    sealed: bytes
    line: bytes

    def __repr__(self) -> str:
        """
        Return nothing of what is sealed.
        """
        return "ReceiptBrought()"


class PaidAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="status", tag="paid"):
    """
    Answer that the notes are handed over.

    `papers` are there until the receipt has been brought.
    """

    receipt_code: str
    papers: PapersAnswer | None = None

    def __repr__(self) -> str:
        """
        Return nothing of the receipt.
        """
        return "PaidAnswer()"


class ReservedAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="status", tag="reserved"):
    """
    Answer that the amount is reserved: nothing was paid, and the customer's part at the till has ended.
    """


class RefundedAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="status", tag="approved"):
    """
    Answer that the customer was credited.
    """

    receipt_code: str


class CardAnswered(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="status", tag="answered"):
    """
    Answer with what the issuer sealed to this till.
    """

    answer: bytes

    def __repr__(self) -> str:
        """
        Return nothing of what is sealed.
        """
        return "CardAnswered()"


class EnrolledAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="status", tag="enrolled"):
    """
    Answer that the palm, or the card with it, pays from now on.
    """


ChargeAnswer = PendingAnswer | DeclinedAnswer | SignedAnswer | PaidAnswer | ReservedAnswer
RefundAnswer = PendingAnswer | DeclinedAnswer | RefundedAnswer
EnrolmentAnswer = PendingAnswer | DeclinedAnswer | EnrolledAnswer


class Acquirer(Protocol):
    """
    Reach the acquirer. Every id is made by the till, and a repeated request has the same answer.

    Each raises `PartyUnavailable` where there is no answer, and what the acquirer refused with otherwise.
    """

    def action(self) -> ToldAction | None:
        """
        Return what the till is to show now.
        """

    def note_keys(self) -> PublicNoteKeys:
        """
        Return the keys in the issuer's list. Raises `SignatureInvalid` for one that is not signed, or is an old one.
        """

    def charge(self, request: ChargeRequest) -> ChargeAnswer:
        """
        Pay, once, however often the same request comes.
        """

    def charge_state(self, charge_id: str) -> ChargeAnswer:
        """
        Return what has become of a charge. Raises `NotFound` where the acquirer never heard of it.
        """

    def void_charge(self, charge_id: str, *, payment_intent: str) -> ChargeAnswer:
        """
        Give a charge up, even one that the acquirer never heard of, and return how it stands now for good.
        """

    def hand_over(self, charge_id: str, notes: tuple[Note, ...]) -> PaidAnswer:
        """
        Give the notes of an approved charge to the acquirer.
        """

    def refund(self, request: RefundRequest) -> RefundAnswer:
        """
        Credit, once, however often the same request comes.
        """

    def enrol(self, request: EnrolmentRequest) -> EnrolmentAnswer:
        """
        Enrol, once, however often the same request comes.
        """

    def ask_card(self, asked: CardAsked) -> CardAnswered | DeclinedAnswer:
        """
        Return the issuer's answer to a card that is shown.
        """

    def bring_receipt(self, charge_id: str, brought: ReceiptBrought) -> None:
        """
        Have a receipt brought to the issuer, once, however often the same comes.
        """
