"""
Say what a till's page is told: the screen as plain words and numbers. No palm, no vector, no share, no code, no id.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from handsel.till.action import Action, ChargeAction, RefundAction
from handsel.till.light import Light
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
    Working,
)
from handsel.till.session import Session, action_of, frames_needed
from handsel.till.texts import hint_text, screen_text

ScreenName = Literal[
    "idle", "showing", "reading", "working", "paid", "refunded", "enrolled", "declined", "trouble", "put_aside"
]
KindName = Literal["charge", "refund", "enrolment"]
SCREEN_NAMES: dict[type[Screen], ScreenName] = {
    Idle: "idle",
    Showing: "showing",
    Reading: "reading",
    Working: "working",
    Paid: "paid",
    Refunded: "refunded",
    Enrolled: "enrolled",
    Declined: "declined",
    Trouble: "trouble",
    PutAside: "put_aside",
}
_RECEIPT_CODE = re.compile(r"[0-9A-Za-z_-]{1,64}")


class AgentState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Describe a till's screen.

    `session` names the moment that frames are taken for; frames of another one are not looked at. `reason` is that of a
    hint or a decline, `code` that of an error; `light` names the colour that the page is to show for the next frame.
    `has_held_key` says that a card was read for what is asked now, `has_new_card` that one is to be photographed;
    `wants_pin` asks for a PIN, `has_pin` says that it was typed and the hand is to follow.
    `merchant`, `currency` and other texts are empty where there are none.
    """

    screen: ScreenName
    session: str
    wants_frames: bool
    message: str
    light: Light | None = None
    kind: KindName | None = None
    amount_minor: int | None = None
    currency: str = ""
    merchant: str = ""
    description: str = ""
    hint: str = ""
    reason: str = ""
    code: str = ""
    has_held_key: bool = False
    has_new_card: bool = False
    wants_pin: bool = False
    has_pin: bool = False
    good_frames: int = 0
    frames_needed: int = 0
    receipt_code: str = ""
    receipt_url: str = ""
    may_retry: bool = False
    may_cancel: bool = False
    may_enrol: bool = False
    is_online: bool = True


def describe(
    session: Session,
    *,
    name: str,
    light: Light | None,
    receipts_url: str,
    is_online: bool,
    has_held_key: bool = False,
    has_new_card: bool = False,
    has_pin: bool = False,
) -> AgentState:
    """
    Return what the page is told of `session`, whose frames are called `name`, the next of them to be taken in `light`.
    """
    screen = session.screen
    action = action_of(screen)
    told = action if isinstance(action, ChargeAction | RefundAction) else None
    receipt_code = _receipt_code(screen)
    wants_frames = isinstance(screen, Showing | Reading)
    return AgentState(
        screen=SCREEN_NAMES[type(screen)],
        session=name,
        wants_frames=wants_frames,
        message=screen_text(screen, is_online=is_online),
        light=light if wants_frames else None,
        kind=_kind(action),
        amount_minor=told.amount_minor if told else None,
        currency=told.currency if told else "",
        merchant=told.merchant if told else "",
        description=told.description if told else "",
        hint=hint_text(screen.hint) if isinstance(screen, Reading) else "",
        reason=_reason(screen),
        code=screen.code if isinstance(screen, Trouble) else "",
        has_held_key=has_held_key,
        has_new_card=has_new_card,
        wants_pin=session.may_type_pin,
        has_pin=has_pin,
        good_frames=screen.good if isinstance(screen, Reading) else 0,
        frames_needed=0 if action is None else frames_needed(action),
        receipt_code=receipt_code,
        receipt_url=f"{receipts_url}/{receipt_code}" if receipt_code else "",
        may_retry=session.may_retry,
        may_cancel=session.may_cancel,
        may_enrol=session.may_enrol,
        is_online=is_online,
    )


def _kind(action: Action | None) -> KindName | None:
    if action is None:
        return None
    if isinstance(action, ChargeAction):
        return "charge"
    return "refund" if isinstance(action, RefundAction) else "enrolment"


def _reason(screen: Screen) -> str:
    if isinstance(screen, Declined):
        return screen.reason
    return screen.hint.value if isinstance(screen, Reading) and screen.hint else ""


def _receipt_code(screen: Screen) -> str:
    # It becomes part of a link: what does not look like a code is left out.
    code = screen.receipt_code if isinstance(screen, Paid | Refunded) else ""
    return code if _RECEIPT_CODE.fullmatch(code) else ""
