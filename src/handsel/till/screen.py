"""
Hold what can be on a till's screen, one frozen value each. None holds a palm, a vector or a share.

A screen with `until_ms` stays at least until then.
"""

from __future__ import annotations

from dataclasses import dataclass

from handsel.till.action import Action, ChargeAction, EnrolmentAction, RefundAction, ToldAction
from handsel.till.hint import Hint


@dataclass(frozen=True)
class Idle:
    """
    Nothing is asked of anybody.
    """


@dataclass(frozen=True)
class Showing:
    """
    Say what a palm is asked for; none has been seen yet.
    """

    action: Action


@dataclass(frozen=True)
class Reading:
    """
    Look for a palm: `good` of `needed` frames count so far. `hint` is what was wrong with the last frame.
    """

    action: Action
    good: int
    needed: int
    hint: Hint | None
    frames: int
    begun_ms: int


@dataclass(frozen=True)
class Working:
    """
    Wait for the outcome. No frame is looked at.
    """

    action: Action
    until_ms: int


@dataclass(frozen=True)
class Paid:
    """
    The notes are handed over. `receipt_code` leads to the receipt; with `return_code` a shop pays back without a palm.
    """

    action: ChargeAction
    receipt_code: str
    until_ms: int
    return_code: str = ""


@dataclass(frozen=True)
class Reserved:
    """
    The amount is reserved. Nothing was paid, and there is no receipt yet.
    """

    action: ChargeAction
    until_ms: int


@dataclass(frozen=True)
class Refunded:
    """
    The customer has been credited.
    """

    action: RefundAction
    receipt_code: str
    until_ms: int


@dataclass(frozen=True)
class Enrolled:
    """
    The palm pays from now on.
    """

    action: EnrolmentAction
    until_ms: int


@dataclass(frozen=True)
class Declined:
    """
    Nothing was paid, credited or enrolled. `may_retry` says that the same may be tried again with new frames.
    """

    action: Action
    reason: str
    may_retry: bool
    until_ms: int


@dataclass(frozen=True)
class Trouble:
    """
    Something does not work; `code` is that of the exception.

    While `is_open`, what became of the last request is not known yet, and it is asked for again. Otherwise nothing
    was paid, and where `is_retryable` the action is shown again by itself.
    """

    action: Action
    code: str
    is_retryable: bool
    is_open: bool
    until_ms: int


@dataclass(frozen=True)
class PutAside:
    """
    The customer cancelled what the merchant still asks for. No frame is looked at until he asks for it again.
    """

    action: ToldAction


Screen = Idle | Showing | Reading | Working | Paid | Reserved | Refunded | Enrolled | Declined | Trouble | PutAside
