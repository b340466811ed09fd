"""
Hold the reasons for which a charge, a refund or an enrolment is declined, and what the customer is told.

A decline is an everyday outcome, not an error. The texts name no person, no wallet and no balance: they are shown at
the till, where others can read them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class DeclineReason(StrEnum):
    """
    Say why something was declined. Ordered by precedence: where several apply, the first is the answer.
    """

    VOIDED = "voided"
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    WRONG_CODE = "wrong_code"
    CODE_USED = "code_used"
    CODE_EXPIRED = "code_expired"
    BOUND_TO_OTHER = "bound_to_other"
    ALREADY_ENROLLED = "already_enrolled"
    NOT_RECOGNISED = "not_recognised"
    AMBIGUOUS = "ambiguous"
    PALM_PAUSED = "palm_paused"
    WALLET_CLOSED = "wallet_closed"
    CONSENT_MISSING = "consent_missing"
    TOO_MANY_PALMS = "too_many_palms"
    NOTE_INVALID = "note_invalid"
    NOTES_DO_NOT_ADD_UP = "notes_do_not_add_up"
    NOTE_ALREADY_REDEEMED = "note_already_redeemed"
    CURRENCY_DIFFERS = "currency_differs"
    OVER_LIMIT = "over_limit"
    INSUFFICIENT_FUNDS = "insufficient_funds"


@dataclass(frozen=True)
class Declined:
    """
    Answer that nothing was paid, credited or enrolled, and why.
    """

    reason: DeclineReason


_TEXTS: dict[DeclineReason, str] = {
    DeclineReason.VOIDED: "This payment was cancelled. Nothing was paid.",
    DeclineReason.TOO_MANY_ATTEMPTS: "Too many wrong codes. Wait ten minutes, then ask for a new code in your wallet.",
    DeclineReason.WRONG_CODE: "This code is not right. Compare it with the one in your wallet.",
    DeclineReason.CODE_USED: "This code was used before. Ask for a new one in your wallet.",
    DeclineReason.CODE_EXPIRED: "This code is no longer valid. Ask for a new one in your wallet.",
    DeclineReason.BOUND_TO_OTHER: "Your hand was shown for something else. Please show it again.",
    DeclineReason.ALREADY_ENROLLED: "This palm is enrolled already. Delete it in its wallet first.",
    DeclineReason.NOT_RECOGNISED: "Your palm was not recognised. Please show it again, or pay another way.",
    DeclineReason.AMBIGUOUS: "Your palm could not be told from another. Please show it again, or pay another way.",
    DeclineReason.PALM_PAUSED: "This palm is paused. Wake it in your wallet, or pay another way.",
    DeclineReason.WALLET_CLOSED: "This wallet is closed. Please pay another way.",
    DeclineReason.CONSENT_MISSING: "Read and give your consent in your wallet first.",
    DeclineReason.TOO_MANY_PALMS: "This wallet has both palms already. Delete one in your wallet first.",
    DeclineReason.NOTE_INVALID: "The till's notes are not valid. Nothing was paid; please try again.",
    DeclineReason.NOTES_DO_NOT_ADD_UP: "The till asked for another sum than it showed. Nothing was paid.",
    DeclineReason.NOTE_ALREADY_REDEEMED: "The till's notes were used before. Nothing was credited.",
    DeclineReason.CURRENCY_DIFFERS: "Your wallet holds another currency. Please pay another way.",
    DeclineReason.OVER_LIMIT: "This is more than may be paid by palm alone today. Please pay another way.",
    DeclineReason.INSUFFICIENT_FUNDS: "There is not enough money in the wallet. Top it up, or pay another way.",
}


def customer_text(reason: DeclineReason) -> str:
    """
    Return what the customer is told: what happened, and what to do now.
    """
    return _TEXTS[reason]
