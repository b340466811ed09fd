"""
Hold what travels over HTTP between acquirer and issuer. Orders and answers in it are sealed; the rest is money.
"""

from __future__ import annotations

import msgspec

from handsel.matching.message import PerMatcher
from handsel.notes.note import Note
from handsel.notes.redeemed import RedemptionProof
from handsel.order import NoteRequest
from handsel.pay.decline import DeclineReason


class ChargeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """
    Ask the issuer to debit whoever showed the palm: with three answers or, with a held key, the proof of its card.

    `notes_digest` is of the notes that the acquirer expects to be asked for.
    """

    order_id: str
    order: bytes
    notes_digest: bytes
    answers: PerMatcher | None = None
    proof: bytes | None = None


class CaptureBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Capture this much of what a charge has reserved, in these notes; the rest is given back.
    """

    amount_minor: int
    currency: str
    notes: tuple[NoteRequest, ...]


class RedemptionBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Present notes, to be redeemed once and for ever.
    """

    redemption_id: str
    notes: tuple[Note, ...]


class RefusedNoteBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Name a note that was not redeemed, and why; with a proof, where it was redeemed before.
    """

    serial: bytes
    reason: DeclineReason
    proof: RedemptionProof | None = None


class RedeemedBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Answer which notes were redeemed, by serial, and which were not.
    """

    redeemed: tuple[bytes, ...]
    refused: tuple[RefusedNoteBody, ...]


class PurchaseBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Buy notes with the balance of redeemed ones.
    """

    purchase_id: str
    notes: tuple[NoteRequest, ...]


class RefundBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """
    Ask the issuer to credit whoever showed the palm with these notes.
    """

    refund_id: str
    order: bytes
    notes: tuple[Note, ...]
    answers: PerMatcher | None = None
    proof: bytes | None = None


class ChargeRefundBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Ask the issuer to credit the wallet that paid a charge with these notes.
    """

    refund_id: str
    amount_minor: int
    currency: str
    notes: tuple[Note, ...]


class EnrolmentBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Ask the issuer to check the code of an enrolment.
    """

    enrolment_id: str
    order: bytes


class CardBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Ask the issuer about a card that is shown at a till. `request` is sealed by that till.
    """

    request: bytes


class CardAnswerBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="status", tag="answered"):
    """
    Answer with what only that till can open: always as long, whatever it says.
    """

    answer: bytes


class CompletionBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Finish an enrolment with what the matchers answered.
    """

    answers: PerMatcher


class SignedBody(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="status", tag="approved"
):
    """
    Answer that the issuer debited, and what it signed. `reply` is sealed to the till of a charge.
    """

    signatures: tuple[bytes, ...]
    reply: bytes | None = None


class ReceiptBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Bring a receipt to the issuer, sealed to a wallet's key, and a line that is sealed to the issuer.
    """

    receipt_id: str
    sealed: bytes
    line: bytes


class ReservedBody(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="status", tag="reserved"
):
    """
    Answer that the issuer reserved the sum, and until when it can be captured. `reply` is sealed to the till.
    """

    amount_minor: int
    until_ms: int
    reply: bytes | None = None


class CreditedBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="status", tag="approved"):
    """
    Answer that the wallet was credited.
    """


class DeclinedBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="status", tag="declined"):
    """
    Answer that nothing was done, and why.
    """

    reason: DeclineReason


class VoidedBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="status", tag="voided"):
    """
    Answer that a charge was not, and never will be, carried out.
    """


class EnrolmentBegunBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="status", tag="pending"):
    """
    Answer that the code is good, with a share of an alias for each matcher, sealed to it.
    """

    alias_shares: PerMatcher


class EnrolledBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="status", tag="enrolled"):
    """
    Answer that the palm now pays.
    """
