"""
Say what a till's page is told: the screen as plain words and numbers. No palm, no vector, no share, no code, no id.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec
from msgspec.structs import replace

from handsel.till.action import Action, EnrolmentAction, RefundAction, TipChoice
from handsel.till.light import Light
from handsel.till.screen import (
    Declined,
    Enrolled,
    Idle,
    Paid,
    PutAside,
    Reading,
    Refunded,
    Reserved,
    Screen,
    Showing,
    Trouble,
    Working,
)
from handsel.till.session import Session, action_of, frames_needed
from handsel.till.texts import hint_text, screen_text

ScreenName = Literal[
    "idle",
    "showing",
    "reading",
    "working",
    "paid",
    "reserved",
    "refunded",
    "enrolled",
    "declined",
    "trouble",
    "put_aside",
]
KindName = Literal["charge", "refund", "enrolment"]
SCREEN_NAMES: dict[type[Screen], ScreenName] = {
    Idle: "idle",
    Showing: "showing",
    Reading: "reading",
    Working: "working",
    Paid: "paid",
    Reserved: "reserved",
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
    `amount_minor` is what is asked for, with the tip in it; `tips`, and any up to `tip_minor_max`, can be chosen now.
    `is_reservation` says that the amount is the most that is reserved, and that nothing is paid yet.
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
    is_reservation: bool = False
    tip_minor: int = 0
    tips: tuple[TipChoice, ...] = ()
    tip_minor_max: int = 0
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
    return_code: str = ""
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
    receipt_code = _receipt_code(screen)
    return_code = screen.return_code if isinstance(screen, Paid) else ""
    wants_frames = isinstance(screen, Showing | Reading)
    state = AgentState(
        screen=SCREEN_NAMES[type(screen)],
        session=name,
        wants_frames=wants_frames,
        message=screen_text(screen, is_online=is_online),
        light=light if wants_frames else None,
        hint=hint_text(screen.hint) if isinstance(screen, Reading) else "",
        reason=_reason(screen),
        code=screen.code if isinstance(screen, Trouble) else "",
        has_held_key=has_held_key,
        has_new_card=has_new_card,
        wants_pin=session.may_type_pin,
        has_pin=has_pin,
        good_frames=screen.good if isinstance(screen, Reading) else 0,
        receipt_code=receipt_code,
        return_code=return_code,
        receipt_url=_receipt_url(receipts_url, receipt_code, return_code),
        may_retry=session.may_retry,
        may_cancel=session.may_cancel,
        may_enrol=session.may_enrol,
        is_online=is_online,
    )
    return state if action is None else _with_action(state, action)


def _with_action(state: AgentState, action: Action) -> AgentState:
    shown = replace(state, frames_needed=frames_needed(action))
    if isinstance(action, EnrolmentAction):
        return replace(shown, kind="enrolment")
    told = replace(shown, currency=action.currency, merchant=action.merchant, description=action.description)
    if isinstance(action, RefundAction):
        return replace(told, kind="refund", amount_minor=action.amount_minor)
    charge = replace(told, kind="charge", amount_minor=action.total_minor)
    asked = replace(charge, tip_minor=action.tip_minor, is_reservation=action.hold_s > 0)
    return replace(asked, tips=action.tips, tip_minor_max=action.tip_minor_max) if state.wants_frames else asked


def _reason(screen: Screen) -> str:
    if isinstance(screen, Declined):
        return screen.reason
    return screen.hint.value if isinstance(screen, Reading) and screen.hint else ""


def _receipt_code(screen: Screen) -> str:
    # It becomes part of a link: what does not look like a code is left out.
    code = screen.receipt_code if isinstance(screen, Paid | Refunded) else ""
    return code if _RECEIPT_CODE.fullmatch(code) else ""


def _receipt_url(receipts_url: str, receipt_code: str, return_code: str) -> str:
    # What stands behind the # stays in the customer's browser: no server is sent it, and no log has it.
    if not receipt_code:
        return ""
    return f"{receipts_url}/{receipt_code}" + (f"#{return_code}" if return_code else "")
