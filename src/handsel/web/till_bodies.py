"""
Hold what travels over HTTP between a till and the acquirer. What comes of a palm is sealed to others.

The notes of a charge and the issuer's note keys travel as `notes.note` has them.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from handsel.matching.message import PerMatcher
from handsel.notes.mint import NoteSecret
from handsel.notes.note import Note
from handsel.pay.decline import DeclineReason
from handsel.receipt import SignedStatement


class TipChoiceBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """
    Offer one tip; `percent` is what it was computed from, or 0.
    """

    amount_minor: int
    percent: int = 0


class ActionBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """
    Ask a till for a palm, to pay or to take back an amount; with `hold_s`, to reserve it for so many seconds at most.

    The customer may add one of `tips`, or another amount up to `tip_minor_max`, or nothing.
    """

    kind: Literal["charge", "refund"]
    id: str
    amount_minor: int
    currency: str
    merchant: str
    description: str
    hold_s: int = 0
    tips: tuple[TipChoiceBody, ...] = ()
    tip_minor_max: int = 0


class CurrentActionBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Say what a till is to show now.
    """

    action: ActionBody | None


class TillChargeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Ask to pay a payment with the palm that was shown: with three queries or, with a held key, the proof of its card.

    `secrets` are what the notes are finished with, should the till not come back to do it; `tip_minor` is what the
    customer has added to the amount. The issuer knows the charge by `order_id`, until it has ended; by `return_digest`
    the return code is known again. Order id and serials follow from charge id and `nonce`.
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


class TillVoidBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Give up a charge of this payment, whether it ever came or not.
    """

    payment_intent: str


class TillNotesBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Hand over the notes of an approved charge.
    """

    notes: tuple[Note, ...]


class TillRefundBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Ask to credit the palm that was shown. `attempt_id` is the till's attempt, and `refund` what the merchant asked for;
    `order_id` is passed on to the issuer and written nowhere.
    """

    attempt_id: str
    refund: str
    order_id: str
    order: bytes
    queries: PerMatcher | None = None
    proof: bytes | None = None


class TillEnrolmentBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Ask to enrol the palm that was shown: with three templates or, for a card, without. `order_id` is passed on to the
    issuer and written nowhere.
    """

    enrolment_id: str
    order_id: str
    order: bytes
    templates: PerMatcher | None = None


class TillCardBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Ask about a card that is shown. `request` is sealed to the issuer.
    """

    request: bytes


class CardAnswerBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="status", tag="answered"):
    """
    Answer with what the issuer sealed to the till: always as long, whatever it says.
    """

    answer: bytes


class PendingAnswerBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="status", tag="pending"):
    """
    Answer that the outcome is not known yet: ask again.
    """


class DeclinedAnswerBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="status", tag="declined"):
    """
    Answer that nothing was done, and why.
    """

    reason: DeclineReason


class SignedAnswerBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="status", tag="approved"):
    """
    Answer that the issuer debited, and what it signed.
    """

    signatures: tuple[bytes, ...]


class ReservedAnswerBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="status", tag="reserved"):
    """
    Answer that the amount is reserved, and nothing paid yet.
    """


class PapersBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Carry what a till seals a receipt with: the issuer's reply to it, the signed statement, the shop's naming secret.
    """

    reply: bytes
    signed: SignedStatement
    naming_secret: bytes

    def __repr__(self) -> str:
        """
        Return nothing of the papers.
        """
        return "PapersBody()"


class TillReceiptBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Bring a receipt that is sealed to the payer's wallet, and a line that is sealed to the issuer.
    """

    receipt_id: str
    sealed: bytes
    line: bytes


class PaidAnswerBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="status", tag="paid"):
    """
    Answer that the notes are here, and under which code the receipt is found.

    `papers` are there until the receipt has been brought.
    """

    receipt_code: str
    papers: PapersBody | None


class RefundedAnswerBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="status", tag="approved"):
    """
    Answer that the customer was credited, and under which code the receipt of the payment is found.
    """

    receipt_code: str


class EnrolledAnswerBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="status", tag="enrolled"):
    """
    Answer that the palm now pays.
    """
