"""
Say what an outcome makes of the session, and which words of it go into the log. Pure.
"""

from __future__ import annotations

from handsel.errors import ensure
from handsel.till.acquirer import DeclinedAnswer, EnrolledAnswer, PaidAnswer, RefundedAnswer, ReservedAnswer
from handsel.till.action import Action, ChargeAction, EnrolmentAction, RefundAction
from handsel.till.session import NEVER_KNOWN, Session
from handsel.till.settle import NeverKnown, NothingDone, Outcome, Waiting
from handsel.till.texts import DECLINES


def conclude(session: Session, action: Action, outcome: Outcome, *, now_ms: int, return_code: str = "") -> Session:
    """
    Return the session after the request for `action`, which has that return code, came to `outcome`.
    """
    if isinstance(outcome, Waiting):
        return session if outcome.code is None else session.waits(action, code=outcome.code, now_ms=now_ms)
    if isinstance(outcome, DeclinedAnswer):
        return session.declined(action, reason=outcome.reason, now_ms=now_ms)
    if isinstance(outcome, NothingDone):
        return session.troubled(action, code=outcome.code, is_retryable=outcome.is_retryable, now_ms=now_ms)
    if isinstance(outcome, NeverKnown):
        return session.troubled(action, code=NEVER_KNOWN, is_retryable=False, now_ms=now_ms)
    if isinstance(outcome, PaidAnswer) and isinstance(action, ChargeAction):
        return session.paid(action, receipt_code=outcome.receipt_code, return_code=return_code, now_ms=now_ms)
    if isinstance(outcome, ReservedAnswer) and isinstance(action, ChargeAction):
        return session.reserved(action, now_ms=now_ms)
    if isinstance(outcome, RefundedAnswer) and isinstance(action, RefundAction):
        return session.refunded(action, receipt_code=outcome.receipt_code, now_ms=now_ms)
    is_enrolled = isinstance(outcome, EnrolledAnswer) and isinstance(action, EnrolmentAction)
    ensure(is_enrolled, "an outcome is one of what was asked for")
    return session.enrolled(action, now_ms=now_ms) if isinstance(action, EnrolmentAction) else session


def outcome_name(outcome: Outcome) -> str:
    """
    Return the outcome's name for the log.
    """
    return OUTCOME_NAMES[type(outcome)]


def reason_name(outcome: Outcome) -> str:
    """
    Return why, for the log: a reason or an error code that this till knows, or nothing. Others' words are not logged.
    """
    if isinstance(outcome, DeclinedAnswer):
        return outcome.reason if outcome.reason in DECLINES else "unknown"
    if isinstance(outcome, NothingDone | Waiting):
        return outcome.code or ""
    return ""


OUTCOME_NAMES: dict[type[Outcome], str] = {
    PaidAnswer: "paid",
    ReservedAnswer: "reserved",
    RefundedAnswer: "refunded",
    EnrolledAnswer: "enrolled",
    DeclinedAnswer: "declined",
    NothingDone: "nothing_done",
    NeverKnown: "never_known",
    Waiting: "waiting",
}
