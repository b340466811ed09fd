"""
Hold the reasons for which a charge, a refund or an enrolment is declined.

A decline is an everyday outcome, not an error. What the customer is told stands in `till/texts.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class DeclineReason(StrEnum):
    """
    Say why something was declined. Ordered by precedence: where several apply, the first is the answer.

    What an order alone decides comes before anything that is said about a palm, so that nobody learns of a palm with an
    order that could never be carried out. `OVER_LIMIT`, too, comes before the palm where no wallet could pay so much.

    `INSUFFICIENT_FUNDS` comes last: beyond what a palm pays alone, nobody without the second factor learns whether
    there is as much in the wallet, as nobody learned it before there was one.
    """

    VOIDED = "voided"
    ASKED_TOO_OFTEN = "asked_too_often"
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    WRONG_CODE = "wrong_code"
    CODE_USED = "code_used"
    CODE_EXPIRED = "code_expired"
    NOTE_INVALID = "note_invalid"
    NOTE_KEY_EXPIRED = "note_key_expired"
    NOTES_DO_NOT_ADD_UP = "notes_do_not_add_up"
    NOTE_ALREADY_REDEEMED = "note_already_redeemed"
    CURRENCY_DIFFERS = "currency_differs"
    BOUND_TO_OTHER = "bound_to_other"
    ALREADY_ENROLLED = "already_enrolled"
    NOT_RECOGNISED = "not_recognised"
    AMBIGUOUS = "ambiguous"
    PALM_PAUSED = "palm_paused"
    WALLET_CLOSED = "wallet_closed"
    CONSENT_MISSING = "consent_missing"
    TOO_MANY_PALMS = "too_many_palms"
    GALLERY_FULL = "gallery_full"
    OVER_LIMIT = "over_limit"
    NEEDS_SECOND_FACTOR = "needs_second_factor"
    PIN_LOCKED = "pin_locked"
    WRONG_PIN = "wrong_pin"
    INSUFFICIENT_FUNDS = "insufficient_funds"


@dataclass(frozen=True)
class Declined:
    """
    Answer that nothing was paid, credited or enrolled, and why.
    """

    reason: DeclineReason
