"""
Bring refund attempts to an end: write an outcome or, where none is known, find it out.
"""

from __future__ import annotations

from handsel.errors import NotFound, PartyUnavailable, ensure
from handsel.flows.acquiring.accounts import book_refund
from handsel.flows.acquiring.acquirer import Acquirer
from handsel.flows.acquiring.answer_dispute import answer_by_refund
from handsel.flows.acquiring.for_each import for_each
from handsel.flows.acquiring.genuine_note import note_of
from handsel.flows.acquiring.limit_asking import NoPalm, end_asking
from handsel.flows.acquiring.ports import Credited, Redeemed, Voided
from handsel.flows.acquiring.redeem_notes import book_redemption
from handsel.pay.decline import Declined, DeclineReason
from handsel.pay.held_note import HeldNote, Redemption
from handsel.pay.payment import Pending
from handsel.pay.refund import (
    Refund,
    RefundAttempt,
    RefundAttemptStatus,
    RefundState,
    RefundStatus,
    RefundWay,
    state_of_refund,
)
from handsel.store.acquirer import AcquirerBooks


def conclude_refund(
    acquirer: Acquirer, attempt_id: str, answer: Credited | Declined | Voided | NoPalm, *, now_ms: int
) -> RefundState:
    """
    Write an answer, unless an answer has been written before; return what stands then.
    """
    with acquirer.store.unit_of_work() as books:
        state = _conclude(acquirer, books, attempt_id, answer, now_ms=now_ms)
        books.commit()
        return state


def settle_refund(acquirer: Acquirer, attempt_id: str, *, now_ms: int) -> RefundState:
    """
    Find out what became of a refund whose answer was lost, by redeeming its notes.

    1. Write a redemption of just these notes down, or find the one that was begun.
    2. Send it. Where the issuer does not answer, the attempt stays `Pending`, and is asked for by `resolve_refunds`.
    3. The issuer credits all notes of a refund or none. If every one has been redeemed already, the customer was
       credited, and notes, redemption and what was answered to it are forgotten. Otherwise the notes are balance again,
       and the same refund can never be carried out.
    """
    # 1.
    with acquirer.store.unit_of_work() as books:
        attempt = _attempt(books, attempt_id)
        if attempt.status is not RefundAttemptStatus.ASKED:
            return state_in(books, attempt)
        redemption = books.notes.open_redemption(attempt_id=attempt_id) or _plan(acquirer, books, attempt_id)
        notes = books.notes.notes_of(redemption.id)
        books.commit()
    # 2.
    try:
        answer = acquirer.issuer.redeem(redemption.id, notes=tuple(note_of(note) for note in notes))
    except PartyUnavailable:
        return Pending()
    # 3.
    with acquirer.store.unit_of_work() as books:
        outcome = Credited() if _were_credited(notes, answer) else Voided()
        state = _conclude(acquirer, books, attempt_id, outcome, now_ms=now_ms)
        book_redemption(books, redemption.id, answer, now_ms=now_ms)
        books.commit()
        return state


def resolve_refunds(acquirer: Acquirer, *, now_ms: int) -> int:
    """
    Bring attempts to an end of which nothing was heard for `unresolved_ms_min`; return how many have one now.
    """
    with acquirer.store.unit_of_work() as books:
        until_ms = now_ms - acquirer.bounds.unresolved_ms_min
        due = books.refunds.unresolved_attempts(
            until_ms=until_ms, now_ms=now_ms, limit=acquirer.bounds.resolve_batch_max
        )
    states = for_each(due, lambda attempt_id: _resolve(acquirer, attempt_id, now_ms=now_ms))
    return sum(not isinstance(state, Pending) for state in states)


def state_in(books: AcquirerBooks, attempt: RefundAttempt) -> RefundState:
    """
    Return what the till is told of an attempt that is in the books.
    """
    payment = books.payments.find(_refund(books, attempt.refund_id).payment_id)
    if payment is None:
        raise NotFound("there is no payment of that id")
    return state_of_refund(attempt, receipt_code=payment.receipt)


def _resolve(acquirer: Acquirer, attempt_id: str, *, now_ms: int) -> RefundState:
    with acquirer.store.unit_of_work() as books:
        attempt = _attempt(books, attempt_id)
        if attempt.status is RefundAttemptStatus.SUBMITTED:  # Its notes were not sent, and now they never are.
            state = _conclude(acquirer, books, attempt_id, Voided(), now_ms=now_ms)
            books.commit()
            return state
    return settle_refund(acquirer, attempt_id, now_ms=now_ms)


def _plan(acquirer: Acquirer, books: AcquirerBooks, attempt_id: str) -> Redemption:
    redemption = Redemption(acquirer.new_id(), attempt_id)
    notes = books.notes.reserved_for(attempt_id)
    ensure(bool(notes), "the notes of an attempt that was asked for are reserved for it")
    books.notes.add_redemption(redemption, serials=[note.serial for note in notes])
    return redemption


def _were_credited(notes: tuple[HeldNote, ...], answer: Redeemed) -> bool:
    spent = {refused.serial for refused in answer.refused if refused.reason is DeclineReason.NOTE_ALREADY_REDEEMED}
    return bool(notes) and spent == {note.serial for note in notes}


def _conclude(
    acquirer: Acquirer,
    books: AcquirerBooks,
    attempt_id: str,
    answer: Credited | Declined | Voided | NoPalm,
    *,
    now_ms: int,
) -> RefundState:
    attempt = _attempt(books, attempt_id)
    refund = _refund(books, attempt.refund_id)
    if attempt.is_final:
        is_lost = isinstance(answer, Credited) and attempt.status is not RefundAttemptStatus.CREDITED
        ensure(not is_lost, "a refund that was given up is never credited")
        return state_in(books, attempt)
    if refund.way is RefundWay.PALM:
        end_asking(acquirer, books, attempt.till_id, answer, asked_ms=attempt.submitted_ms)
    if isinstance(answer, Credited):
        attempt, refund = attempt.credited(), refund.succeeded()
        book_refund(books, attempt_id, refund.amount, merchant_id=refund.merchant_id, now_ms=now_ms)
        answer_by_refund(books, refund.payment_id, now_ms=now_ms)
    else:
        attempt = attempt.declined(answer.reason) if isinstance(answer, Declined) else attempt.voided()
        refund = refund.open_again()
        books.notes.release(attempt_id)
    books.refunds.save_attempt(attempt)
    if attempt.status is RefundAttemptStatus.CREDITED:
        books.notes.forget(attempt_id)
    books.refunds.save(_kept_open(acquirer, books, refund))
    return state_in(books, attempt)


def _kept_open(acquirer: Acquirer, books: AcquirerBooks, refund: Refund) -> Refund:
    if refund.way is RefundWay.RECEIPT and refund.status is RefundStatus.REQUIRES_PALM:
        return refund.canceled()  # No till waits for a palm.
    # As with a payment: a till that may try palms for ever would be an oracle for them.
    declined_often = books.refunds.count_declined(refund.id) >= acquirer.bounds.charges_declined_max
    return refund.canceled() if declined_often and refund.status is RefundStatus.REQUIRES_PALM else refund


def _attempt(books: AcquirerBooks, attempt_id: str) -> RefundAttempt:
    attempt = books.refunds.find_attempt(attempt_id)
    if attempt is None:
        raise NotFound("there is no refund attempt of that id")
    return attempt


def _refund(books: AcquirerBooks, refund_id: str) -> Refund:
    refund = books.refunds.find(refund_id)
    if refund is None:
        raise NotFound("there is no refund of that id")
    return refund
