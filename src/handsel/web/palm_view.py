"""
Say in words where a wallet's palms stand.

There is nothing of a palm here: a state, a moment, and how many of the three matchers have confirmed an erasure.
"""

from __future__ import annotations

import msgspec

from handsel.flows.issuing.enrolment_code import CODE_VALID_MS, PALMS_MAX
from handsel.flows.issuing.show_wallet import PalmLine, WalletView
from handsel.matching.message import MATCHERS

_NAMES = ("First palm", "Second palm")


class PalmCard(msgspec.Struct, frozen=True):
    """
    Show one palm and what can be done with it. `confirmations` is empty unless the palm is being erased.
    """

    palm_id: str
    name: str
    tone: str
    title: str
    text: str
    actions: tuple[str, ...]
    confirmations: tuple[bool, ...]


class WaitingCode(msgspec.Struct, frozen=True):
    """
    Show a code that no till has taken yet.
    """

    code: str
    expires_at_ms: int

    def __repr__(self) -> str:
        """
        Return nothing of the code.
        """
        return "WaitingCode()"


class PalmSummary(msgspec.Struct, frozen=True):
    """
    Say in one line, on the wallet's first page, how it stands with paying by palm.
    """

    tone: str
    title: str
    text: str
    has_palm: bool


def read_code(cookie: str, *, now_ms: int) -> WaitingCode | None:
    """
    Return the code that the browser was given, `12345678.<expiry in ms>`, if it is whole and good at `now_ms`.
    """
    code, _, expires = cookie.partition(".")
    is_whole = code.isascii() and code.isdigit() and expires.isascii() and expires.isdigit() and len(expires) < 16
    return WaitingCode(code, int(expires)) if is_whole and now_ms < int(expires) else None


def waiting_code(cookie: str, wallet: WalletView, *, now_ms: int) -> WaitingCode | None:
    """
    Return the code for a palm that the browser was given, if a till may still be told it.
    """
    waiting = read_code(cookie, now_ms=now_ms)
    if waiting is None or not can_add_palm(wallet):
        return None
    # A palm that came after the code was given is the one that the code was for.
    given_at_ms = waiting.expires_at_ms - CODE_VALID_MS
    is_used = any(palm.state in ("pending", "active") and palm.changed_at_ms >= given_at_ms for palm in wallet.palms)
    return None if is_used else waiting


def cards_of(wallet: WalletView) -> tuple[PalmCard, ...]:
    """
    Return a card for each palm that is enrolled or being erased.
    """
    living = tuple(palm for palm in wallet.palms if palm.state != "erased")
    names = ("Your palm",) if len(living) == 1 else _NAMES
    cards = tuple(_card(palm, name) for palm, name in zip(living, names, strict=False))
    return cards + tuple(_erased_card(palm) for palm in wallet.palms if is_being_erased(palm))


def count_erased(wallet: WalletView) -> int:
    """
    Return how many palms of this wallet were erased at all three matchers.
    """
    return sum(palm.state == "erased" and not is_being_erased(palm) for palm in wallet.palms)


def can_add_palm(wallet: WalletView) -> bool:
    """
    Return whether the wallet may have one more palm, once its owner agrees.
    """
    return wallet.closed_at_ms is None and sum(palm.state != "erased" for palm in wallet.palms) < PALMS_MAX


def is_being_erased(palm: PalmLine) -> bool:
    """
    Return whether a matcher has yet to confirm that its part is gone.
    """
    return palm.state == "erased" and palm.erasures_confirmed < len(MATCHERS)


def summarise(wallet: WalletView, *, is_awaited: bool) -> PalmSummary:
    """
    Return the one line that matters most. `is_awaited` says that an enrolment code is out.
    """
    states = {palm.state for palm in wallet.palms}
    if "active" in states:
        return PalmSummary("good", "Your palm pays", "Hold out your hand at a till, and that is it.", True)
    if "paused" in states:
        return PalmSummary("", "Your palm is paused", "It does not pay until you wake it.", True)
    if "pending" in states:
        return PalmSummary(
            "wait", "Your palm is being read", "Hold your hand still until the till says it is done.", True
        )
    if any(is_being_erased(palm) for palm in wallet.palms):
        return PalmSummary("wait", "Your palm is being erased", "It no longer pays. Watch the matchers confirm.", True)
    if is_awaited:
        return PalmSummary("wait", "Your code is waiting", "Type it at a till, and show your palm there.", False)
    if wallet.closed_at_ms is not None:
        return PalmSummary("", "No palm", "A closed wallet has none.", False)
    return PalmSummary("", "No palm yet", "You can pay without a card and without a phone, if you want to.", False)


def _card(palm: PalmLine, name: str) -> PalmCard:
    if palm.state == "pending":
        text = "Hold your hand in front of the camera until the till says it is done."
        return PalmCard(palm.palm_id, name, "wait", "Being read at the till", text, (), ())
    if palm.state == "paused":
        text = "It does not pay until you wake it. Refunds still reach you."
        return PalmCard(palm.palm_id, name, "", "Paused", text, ("resume", "delete"), ())
    text = "Hold out this hand at a till, and that is it."
    return PalmCard(palm.palm_id, name, "good", "Active: it pays", text, ("pause", "delete"), ())


def _erased_card(palm: PalmLine) -> PalmCard:
    done = palm.erasures_confirmed
    title = f"Being erased: {done} of {len(MATCHERS)} confirmed"
    text = "It no longer pays, from now on. Each matcher erases its part and signs that it did."
    confirmations = tuple(number < done for number in range(len(MATCHERS)))
    return PalmCard(palm.palm_id, "Deleted palm", "wait", title, text, (), confirmations)
