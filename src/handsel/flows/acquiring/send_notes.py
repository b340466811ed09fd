"""
Send the notes of a refund to the issuer, and write what came of it.
"""

from __future__ import annotations

from collections.abc import Callable

from handsel.errors import HandselError, NotFound, PartyUnavailable, ensure
from handsel.flows.acquiring.acquirer import Acquirer
from handsel.flows.acquiring.genuine_note import note_of
from handsel.flows.acquiring.ports import Credited, Unanswered, Voided
from handsel.flows.acquiring.settle_refund import conclude_refund, settle_refund, state_in
from handsel.notes.note import Note
from handsel.pay.decline import Declined
from handsel.pay.money import sum_money
from handsel.pay.refund import RefundAttempt, RefundAttemptStatus, RefundState

Send = Callable[[tuple[Note, ...]], Credited | Declined | Unanswered]


def send_notes(acquirer: Acquirer, attempt_id: str, send: Send, *, now_ms: int) -> RefundState:
    """
    Write that the notes that are reserved for an attempt are on their way, `send` them, and write the outcome.

    If the answer is lost, redeem them: where that can be done, the refund was not carried out and never will be; where
    it cannot, it was. Raises `PartyUnavailable`, or what the issuer refused with, after nothing was credited.
    """
    notes = _mark_asked(acquirer, attempt_id)
    if isinstance(notes, RefundAttempt):
        with acquirer.store.unit_of_work() as books:
            return state_in(books, notes)
    try:
        answer = send(notes)
    except PartyUnavailable:
        conclude_refund(acquirer, attempt_id, Voided(), now_ms=now_ms)
        raise
    except HandselError:
        settle_refund(acquirer, attempt_id, now_ms=now_ms)
        raise
    if isinstance(answer, Unanswered):
        return settle_refund(acquirer, attempt_id, now_ms=now_ms)
    return conclude_refund(acquirer, attempt_id, answer, now_ms=now_ms)


def _mark_asked(acquirer: Acquirer, attempt_id: str) -> tuple[Note, ...] | RefundAttempt:
    """
    Write that the notes of an attempt are on their way and return them, or the attempt where it was ended meanwhile.
    """
    with acquirer.store.unit_of_work() as books:
        attempt = books.refunds.find_attempt(attempt_id)
        refund = books.refunds.find(attempt.refund_id) if attempt else None
        if attempt is None or refund is None:
            raise NotFound("there is no refund attempt of that id")
        if attempt.status is not RefundAttemptStatus.SUBMITTED:
            return attempt
        held = books.notes.reserved_for(attempt.id)
        worth = sum_money((note.worth for note in held), currency=refund.amount.currency)
        ensure(worth == refund.amount, "what is sent for a refund is worth just that")
        books.refunds.save_attempt(attempt.asked())
        books.commit()
        return tuple(note_of(note) for note in held)
