"""
Bring a request that was sent to its end: send it, ask what became of it, turn signatures into notes, hand them over.

An outcome that is not known stays unknown only as long as the acquirer cannot be asked. The same request is asked for
again, never another one in its place.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace

from handsel.errors import HandselError, NotFound
from handsel.notes.mint import finalize_all
from handsel.notes.note import PublicNoteKeys
from handsel.till.acquirer import (
    Acquirer,
    ChargeAnswer,
    ChargeRequest,
    DeclinedAnswer,
    EnrolledAnswer,
    EnrolmentRequest,
    PaidAnswer,
    PendingAnswer,
    RefundedAnswer,
    RefundRequest,
    ReservedAnswer,
    SignedAnswer,
)
from handsel.till.action import ChargeAction, EnrolmentAction, RefundAction
from handsel.till.card import Card
from handsel.till.journal import ChargeEntry
from handsel.till.pauses import pause_ms
from handsel.till.session import VOIDED

RESEND_MS_MAX = 30_000  # A palm is sent again for so long, and no longer: by then its owner may have gone.
PAUSE_MS_MIN = 500
PAUSE_MS_MAX = 3_000  # What acquirer and issuer have brought to an end is known here so much later.


@dataclass(frozen=True, repr=False)
class OpenCharge:
    """
    Hold a charge whose end is not known. `request` is None where it is not sent again, `keys` where none are known.
    """

    entry: ChargeEntry
    request: ChargeRequest | None = None
    keys: PublicNoteKeys | None = None
    _: KW_ONLY
    until_ms: int
    next_ms: int
    asked: int = 0

    @property
    def id(self) -> str:
        """
        Return the id that the till made.
        """
        return self.entry.charge_id

    @property
    def action(self) -> ChargeAction:
        """
        Return what is charged for.
        """
        return self.entry.action


@dataclass(frozen=True, repr=False)
class OpenRefund:
    """
    Hold an attempt of a refund whose end is not known.
    """

    action: RefundAction
    request: RefundRequest
    _: KW_ONLY
    until_ms: int
    next_ms: int
    asked: int = 0

    @property
    def id(self) -> str:
        """
        Return the id that the till made.
        """
        return self.request.attempt_id


@dataclass(frozen=True, repr=False)
class OpenEnrolment:
    """
    Hold an enrolment whose end is not known. `card` is one that was made for it, to be shown once it is enrolled.
    """

    action: EnrolmentAction
    request: EnrolmentRequest
    card: Card | None = None
    _: KW_ONLY
    until_ms: int
    next_ms: int
    asked: int = 0

    @property
    def id(self) -> str:
        """
        Return the id that the till made.
        """
        return self.request.enrolment_id


OpenRequest = OpenCharge | OpenRefund | OpenEnrolment


@dataclass(frozen=True)
class Waiting:
    """
    Say that the outcome is not known yet; `code` is None where the acquirer itself is waiting for it.
    """

    code: str | None


@dataclass(frozen=True)
class NothingDone:
    """
    Say that nothing was paid, credited or enrolled, and nothing will be; `code` says what went wrong.
    """

    code: str
    is_retryable: bool


@dataclass(frozen=True)
class NeverKnown:
    """
    Say that the till gives up asking. What became of it is known to acquirer and issuer, who end it without the till.
    """


Outcome = (
    PaidAnswer | ReservedAnswer | RefundedAnswer | EnrolledAnswer | DeclinedAnswer | NothingDone | NeverKnown | Waiting
)


def resume(entry: ChargeEntry, *, now_ms: int) -> OpenCharge:
    """
    Return a charge that was sent, or was about to be, before the till was started. Its palm is gone: it is not sent
    again, and is given up at once where the acquirer does not know it, even while it is on its way there.
    """
    return OpenCharge(entry, until_ms=0, next_ms=now_ms)


def is_due(request: OpenRequest, *, now_ms: int) -> bool:
    """
    Return whether it is time to ask for a request again: also where a clock that was set back puts it far ahead.
    """
    return not now_ms < request.next_ms <= now_ms + PAUSE_MS_MAX


def is_over(request: OpenRequest, *, now_ms: int) -> bool:
    """
    Return whether the time is over in which a request is sent again: also where a clock was set back.
    """
    return not now_ms < request.until_ms <= now_ms + RESEND_MS_MAX


def ask_again_later(request: OpenRequest, *, now_ms: int) -> OpenRequest:
    """
    Return the request as one that was asked for once more: the pause doubles, up to `PAUSE_MS_MAX`.

    What was sealed of a charge's palm is dropped when it is not sent again.
    """
    next_ms = now_ms + pause_ms(request.asked, ms_min=PAUSE_MS_MIN, ms_max=PAUSE_MS_MAX)
    later = replace(request, asked=request.asked + 1, next_ms=next_ms)
    if not isinstance(later, OpenCharge) or not is_over(later, now_ms=now_ms):
        return later
    return replace(later, request=None, until_ms=0)  # What is over stays over, also where a clock is set back.


def settle(acquirer: Acquirer, request: OpenRequest, *, now_ms: int) -> Outcome:
    """
    Ask for the outcome of `request` once. What cannot be known now is `Waiting`; no `HandselError` leaves this.
    """
    try:
        if isinstance(request, OpenCharge):
            return _settle_charge(acquirer, request, now_ms=now_ms)
        if request.asked and is_over(request, now_ms=now_ms):
            return NeverKnown()
        if isinstance(request, OpenRefund):
            return _plain(acquirer.refund(request.request))
        return _plain(acquirer.enrol(request.request))
    except HandselError as exc:
        if exc.is_retryable or request.asked or isinstance(request, OpenCharge):
            return Waiting(exc.code)
        return NothingDone(exc.code, is_retryable=False)


def _settle_charge(acquirer: Acquirer, request: OpenCharge, *, now_ms: int) -> Outcome:
    """
    Ask for the outcome of a charge.

    1. The first time it is sent. Where the acquirer refuses it, it is asked whether anything came of it nevertheless,
       and told to give it up where it never heard of it: the network may hold another copy.
    2. Later it is only asked for. The acquirer never heard of it: it is sent again while its palm is fresh. If there is
       no palm any more the acquirer is told to give it up, lest it arrive when the till has forgotten the notes'
       secrets. For that no time has to pass: what is on its way is declined when it arrives.
    3. What was signed becomes notes, and the notes are handed over. Each can be repeated.
    """
    if request.request is not None and not request.asked:
        try:
            answer = acquirer.charge(request.request)  # 1
        except HandselError as exc:
            if exc.is_retryable:
                raise
            return _after_refusal(acquirer, request, code=exc.code)
        return _finish(acquirer, request, answer)
    try:
        answer = acquirer.charge_state(request.id)  # 2
    except NotFound:
        if request.request is None or is_over(request, now_ms=now_ms):
            answer = acquirer.void_charge(request.id, payment_intent=request.action.id)
        else:
            answer = acquirer.charge(request.request)
    return _finish(acquirer, request, answer)  # 3


def _after_refusal(acquirer: Acquirer, request: OpenCharge, *, code: str) -> Outcome:
    try:
        answer = _state_or_end(acquirer, request)
    except NotFound:  # There is no such payment at this till, so that no copy can be carried out either.
        return NothingDone(code, is_retryable=False)
    return (
        NothingDone(code, is_retryable=False)
        if isinstance(answer, DeclinedAnswer)
        else _finish(acquirer, request, answer)
    )


def _state_or_end(acquirer: Acquirer, request: OpenCharge) -> ChargeAnswer:
    try:
        return acquirer.charge_state(request.id)
    except NotFound:
        return acquirer.void_charge(request.id, payment_intent=request.action.id)


def _finish(acquirer: Acquirer, request: OpenCharge, answer: ChargeAnswer) -> Outcome:
    if isinstance(answer, PaidAnswer) and request.action.hold_s:
        return ReservedAnswer()  # Captured meanwhile: here it has reserved, and what was captured is asked for later.
    if not isinstance(answer, SignedAnswer):
        return _plain(answer)
    # Where it did not work the first time, the issuer may have replaced its keys.
    keys = acquirer.note_keys() if request.keys is None or request.asked else request.keys
    notes = finalize_all(request.entry.secrets, answer.signatures, keys=keys)
    return acquirer.hand_over(request.id, notes)


def _plain(
    answer: PendingAnswer | DeclinedAnswer | PaidAnswer | ReservedAnswer | RefundedAnswer | EnrolledAnswer,
) -> Outcome:
    if isinstance(answer, PendingAnswer):
        return Waiting(None)
    if isinstance(answer, DeclinedAnswer) and answer.reason == VOIDED:
        return NothingDone(VOIDED, is_retryable=True)
    return answer
