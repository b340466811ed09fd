"""
Hold what the customer reads at a till: what happened, and what to do now.

No text names a person, a wallet or a balance: others can read the screen, too.
"""

from __future__ import annotations

from handsel.order import Way
from handsel.till.action import Action, EnrolmentAction, RefundAction
from handsel.till.hint import Hint, TillHint
from handsel.till.screen import (
    Declined,
    Enrolled,
    Idle,
    Paid,
    PutAside,
    Reading,
    Refunded,
    Screen,
    Showing,
    Trouble,
)
from handsel.till.session import (
    ATTACK_HINT,
    ATTEMPTS_USED_UP,
    CARD_LOCKED,
    CARD_UNKNOWN,
    NEVER_KNOWN,
    NO_PALM_SHOWN,
    VOIDED,
)
from handsel.vision.quality import Reason

HINTS = {
    TillHint.UNREADABLE: "The camera's picture cannot be used. Is the camera plugged in?",
    TillHint.SHOW_CARD: "Show your card first: here a palm pays together with its card.",
    TillHint.CARD_READ: "Your card was read. Now hold your open hand in front of the camera.",
    TillHint.NOT_A_CARD: "This code is not a whole Handsel card. Hold all of your card flat to the camera.",
    TillHint.OTHER_HAND: "That was another hand. Hold out the same hand until the ring is full.",
    TillHint.ONCE_MORE: "Please hold out your bare hand once more, and turn it a little from side to side.",
}

# Reasons as the acquirer passes them on; what is not here is `DECLINED`.
DECLINES = {
    "voided": "This did not go through. Nothing was paid.",
    "asked_too_often": "This till must wait a while before it looks at another palm. Please pay another way.",
    "too_many_attempts": "Too many wrong codes. Wait ten minutes, then ask for a new code in your wallet.",
    "wrong_code": "This code is not right. Compare it with the one in your wallet.",
    "code_used": "This code was used before. Ask for a new one in your wallet.",
    "code_expired": "This code is no longer valid. Ask for a new one in your wallet.",
    "bound_to_other": "Your hand was shown for something else. Please show it again.",
    "already_enrolled": "This palm is enrolled already. Delete it in its wallet first.",
    "not_recognised": "Your palm was not recognised. Please show it again, or pay another way.",
    "ambiguous": "Your palm could not be told from another. Please show it again, or pay another way.",
    "palm_paused": "This palm is paused. Wake it in your wallet, or pay another way.",
    "wallet_closed": "This wallet is closed. Please pay another way.",
    "consent_missing": "Read and give your consent in your wallet first.",
    "too_many_palms": "This wallet has both palms already. Delete one in your wallet first.",
    "gallery_full": "There is no room for one more palm just now. Please ask your bank.",
    "note_invalid": "This did not go through. Nothing was paid; please try again.",
    "note_key_expired": "This did not go through. Nothing was paid; please try again.",
    "notes_do_not_add_up": "This did not go through. Nothing was paid; please ask the shop.",
    "note_already_redeemed": "This did not go through. Nothing was credited; please ask the shop.",
    "currency_differs": "Your wallet holds another currency. Please pay another way.",
    "over_limit": "This is more than may be paid by palm now. Please pay another way.",
    "needs_second_factor": (
        "This much needs your PIN, too, or your yes in your wallet. Give one of them, and show your hand once more."
    ),
    "pin_locked": "The PIN was wrong too often. Unlock it in your wallet, wait a while, or pay another way.",
    "wrong_pin": "This is not your PIN, or your wallet has none. Try again, or say yes in your wallet.",
    "insufficient_funds": "There is not enough money in the wallet. Top it up, or pay another way.",
    NO_PALM_SHOWN: "No palm was shown in time. Type the code again when you are ready.",
    ATTEMPTS_USED_UP: "Your palm was not recognised. Please pay another way.",
    CARD_UNKNOWN: "This card does not pay any more. Look in your wallet, or pay another way.",
    CARD_LOCKED: "This card was shown too often just now. Wait a while, or pay another way.",
    ATTACK_HINT: "The till could not see your hand well enough. Try again in another light, or pay another way.",
}
DECLINED = "This was declined. Please pay another way."

# Who is paid back has nothing to pay another way; what is not here is `REFUND_DECLINED`.
REFUND_DECLINES = {
    "asked_too_often": "This till must wait a while before it looks at another palm. Please ask the shop.",
    "bound_to_other": DECLINES["bound_to_other"],
    "not_recognised": "Your palm was not recognised. Please show the one that you paid with, or ask the shop.",
    "ambiguous": "Your palm could not be told from another. Please show it again, or ask the shop.",
    "wallet_closed": "This wallet is closed. Please ask the shop.",
    CARD_UNKNOWN: "This card is not valid any more. Look in your wallet, or ask the shop.",
    CARD_LOCKED: "This card was shown too often just now. Wait a while, or ask the shop.",
    ATTEMPTS_USED_UP: "Your palm was not recognised. Please ask the shop.",
}
REFUND_DECLINED = "This did not go through. Please ask the shop."

TROUBLES = {
    "party_unavailable": "The payment service is not answering.",
    "peer_unavailable": "The payment service is not answering.",
    "peer_cheated": "The payment service cannot be trusted just now.",
    "galleries_differ": "The payment service is busy.",
    "store_full": "The till's disk is full. Please tell the shop.",
    "store_error": "The till cannot write to its disk. Please tell the shop.",
    "not_found": "The shop no longer asks for this.",
    "id_reused": "This is being paid already. Please wait, or ask the shop.",
    "access_denied": "This till is not known to its payment service. Please tell the shop.",
    "signature_invalid": "The bank's answer could not be checked. Please ask the shop.",
    NEVER_KNOWN: "The till lost touch with the payment service.",
    VOIDED: "This did not go through.",
}
TROUBLE = "Something is wrong with this till. Please tell the shop."
STILL_ASKING = "Please wait: the till keeps asking what became of it. You are never charged twice."
LOOK_FOR_PALM = "Look in your wallet whether your palm is connected."
LOOK_FOR_CARD = "If your wallet shows a card that you do not have, delete it there and begin again."
LOOK_FOR_MONEY = "Look in your wallet whether the money is back."
NOTHING_PAID = "Nothing was paid."
NOTHING_PAID_BACK = "Nothing was paid back."
PALM_CONNECTED = "Your palm is connected to your wallet. You can pay with it now."
CARD_MADE = (
    "This is your card. Photograph it with your phone, or print it: it is shown only now, and nobody else has it."
    " To pay, show it and then your hand."
)
OFFLINE = "The payment service is not answering. The till keeps trying."

HOLD_OUT = "Hold your open hand in front of the camera."


def hint_text(hint: Hint | None) -> str:
    """
    Return what the customer can do about a frame that did not count; empty where it did.
    """
    if hint is None:
        return ""
    return hint.text if isinstance(hint, Reason) else HINTS[hint]


def decline_text(reason: str) -> str:
    """
    Return why something was declined.
    """
    return DECLINES.get(reason, DECLINED)


def refund_decline_text(reason: str) -> str:
    """
    Return why a refund was declined.
    """
    return REFUND_DECLINES.get(reason, REFUND_DECLINED)


def screen_text(screen: Screen, *, is_online: bool) -> str:
    """
    Return what a screen says, beside amount and shop.
    """
    if isinstance(screen, Idle):
        return "When the shop asks for an amount, it appears here." if is_online else OFFLINE
    if isinstance(screen, Showing | Reading):
        return _ask_text(screen)
    if isinstance(screen, Paid):
        return "Paid. Thank you."
    if isinstance(screen, Refunded):
        return "The money is back in your wallet."
    if isinstance(screen, Enrolled):
        return CARD_MADE if screen.action.way is Way.HELD_KEY else PALM_CONNECTED
    if isinstance(screen, Declined):
        is_refund = isinstance(screen.action, RefundAction)
        return refund_decline_text(screen.reason) if is_refund else decline_text(screen.reason)
    if isinstance(screen, Trouble):
        return _trouble_text(screen)
    if isinstance(screen, PutAside):
        return _nothing_text(screen.action)
    return "This takes a few seconds."


def _ask_text(screen: Showing | Reading) -> str:
    if isinstance(screen.action, EnrolmentAction):
        return f"{HOLD_OUT} Move it a little until the ring is full."
    if isinstance(screen.action, RefundAction):
        return f"{HOLD_OUT} The money goes back to your wallet."
    return HOLD_OUT


def _trouble_text(screen: Trouble) -> str:
    said = TROUBLES.get(screen.code, TROUBLE)
    if screen.is_open:
        return f"{said} {STILL_ASKING}"
    if screen.code == NEVER_KNOWN:
        return f"{said} {_where_to_look(screen.action)}"
    return said if isinstance(screen.action, EnrolmentAction) else f"{said} {_nothing_text(screen.action)}"


def _where_to_look(action: Action) -> str:
    if not isinstance(action, EnrolmentAction):
        return LOOK_FOR_MONEY
    return LOOK_FOR_CARD if action.way is Way.HELD_KEY else LOOK_FOR_PALM


def _nothing_text(action: Action) -> str:
    return NOTHING_PAID_BACK if isinstance(action, RefundAction) else NOTHING_PAID
