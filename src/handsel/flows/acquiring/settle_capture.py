"""
Bring what is reserved to an end: have the issuer capture it, or give it back, and write which of the two it was.

Exactly one happens, at the issuer. Whoever finds out writes the same, however often, and in whatever order.
"""

from __future__ import annotations

from handsel.errors import NotFound, PartyUnavailable, ensure
from handsel.flows.acquiring.accounts import book_payment
from handsel.flows.acquiring.acquirer import Acquirer
from handsel.flows.acquiring.for_each import for_each
from handsel.flows.acquiring.mint_notes import finish_notes, prepare_papers, requests_in
from handsel.flows.acquiring.ports import Signed
from handsel.pay.capture import CaptureOrder, CaptureStatus
from handsel.pay.decline import DeclineReason
from handsel.pay.held_note import HeldNote
from handsel.pay.money import Money
from handsel.pay.payment import CancelReason, Charge, PaymentIntent, PaymentStatus
from handsel.store.acquirer import AcquirerBooks

KEY_CHANGES_MAX = 2  # In one go: keys end once in three months.


def settle_capture(acquirer: Acquirer, charge_id: str, *, now_ms: int) -> PaymentIntent:
    """
    Ask the issuer for a capture that was ordered, and return the payment as it stands then.

    1. Signed: the notes are finished and held, the merchant is paid, the receipt is made.
    2. The keys of its notes have ended, and sign nothing any more: it is ordered with others, and asked for again.
    3. Its time is over, or it was given back: the payment is canceled, and says why.

    Raises `PartyUnavailable` where the issuer does not answer: then the same is asked for again.
    """
    for _ in range(KEY_CHANGES_MAX):
        with acquirer.store.unit_of_work() as books:
            charge, payment = charge_and_payment(books, charge_id)
            capture = books.captures.find(charge_id)
        if capture is None or capture.status is not CaptureStatus.ORDERED:
            return payment
        amount = _ordered_amount(payment)
        answer = acquirer.issuer.capture(charge.order, amount=amount, requests=requests_in(capture.secrets))
        if isinstance(answer, Signed):  # 1
            held = finish_notes(acquirer, capture.secrets, answer.signatures, source_id=charge_id, now_ms=now_ms)
            return _write_captured(acquirer, charge_id, held, now_ms=now_ms)
        if answer.reason is not DeclineReason.NOTE_KEY_EXPIRED:
            break
        _renew(acquirer, capture, amount, now_ms=now_ms)  # 2
    else:
        raise PartyUnavailable("the issuer's note keys change just now: ask again")
    is_over = answer.reason in (DeclineReason.VOIDED, DeclineReason.RESERVATION_EXPIRED)
    ensure(is_over, "an issuer signs notes for what is reserved with the keys that it announces")
    return give_back(acquirer, charge_id, reason=CancelReason.GIVEN_BACK, now_ms=now_ms)  # 3


def give_back(acquirer: Acquirer, charge_id: str, *, reason: CancelReason, now_ms: int) -> PaymentIntent:
    """
    Have the issuer give back what a charge has reserved, and return the payment as it stands then: canceled, unless it
    was captured before. A time that is over is the reason before any other. Raises `PartyUnavailable`.
    """
    with acquirer.store.unit_of_work() as books:
        charge, payment = charge_and_payment(books, charge_id)
    if charge.order_id is None:
        return payment
    answer = acquirer.issuer.give_back(charge.order_id)
    with acquirer.store.unit_of_work() as books:
        charge, payment = charge_and_payment(books, charge_id)
        if isinstance(answer, Signed) or payment.status in (PaymentStatus.SUCCEEDED, PaymentStatus.CANCELED):
            ensure(
                isinstance(answer, Signed) == (payment.status is not PaymentStatus.CANCELED),
                "what is reserved is captured or given back, and never both",
            )
            return payment
        is_over = payment.reserved_until_ms is not None and now_ms >= payment.reserved_until_ms
        canceled = payment.given_back(CancelReason.EXPIRED if is_over else reason)
        capture = books.captures.find(charge_id)
        if capture is not None:
            books.captures.save(capture.declined())
        books.payments.save_charge(charge.given_back())
        books.payments.save(canceled)
        books.commit()
        return canceled


def resolve_captures(acquirer: Acquirer, *, now_ms: int) -> int:
    """
    Ask again for captures of which nothing was heard for `unresolved_ms_min`; return how many have ended now.
    """
    with acquirer.store.unit_of_work() as books:
        until_ms = now_ms - acquirer.bounds.unresolved_ms_min
        due = books.captures.unresolved(until_ms=until_ms, now_ms=now_ms, limit=acquirer.bounds.resolve_batch_max)
    return len(for_each(due, lambda charge_id: settle_capture(acquirer, charge_id, now_ms=now_ms)))


def expire_reservations(acquirer: Acquirer, *, now_ms: int) -> int:
    """
    Give back what nobody captured in time, cancel these payments, and return how many. The wiring's loop calls this.

    The issuer gives it back by itself at the same moment; it is asked because its clock is another, and so that both
    say the same.
    """
    with acquirer.store.unit_of_work() as books:
        due = books.payments.reserved_until(now_ms, limit=acquirer.bounds.resolve_batch_max)
        live = [books.payments.live_charge(payment_id) for payment_id in due]
    charges = [charge.id for charge in live if charge is not None]
    return len(
        for_each(
            charges,
            lambda charge_id: give_back(acquirer, charge_id, reason=CancelReason.EXPIRED, now_ms=now_ms),
        )
    )


def charge_and_payment(books: AcquirerBooks, charge_id: str) -> tuple[Charge, PaymentIntent]:
    """
    Return a charge and what it pays. Raises `NotFound`.
    """
    charge = books.payments.find_charge(charge_id)
    payment = books.payments.find(charge.payment_id) if charge else None
    if charge is None or payment is None:
        raise NotFound("there is no charge of that id")
    return charge, payment


def _ordered_amount(payment: PaymentIntent) -> Money:
    ensure(payment.captured_minor is not None, "a capture has an amount")
    return Money(payment.captured_minor or 0, payment.amount.currency)


def _renew(acquirer: Acquirer, capture: CaptureOrder, amount: Money, *, now_ms: int) -> None:
    papers = prepare_papers(acquirer, amount, now_ms=now_ms)
    with acquirer.store.unit_of_work() as books:
        # Somebody else may have renewed it meanwhile: then theirs is asked for.
        if books.captures.find(capture.charge_id) == capture:
            books.captures.save(capture.renewed(papers))
            books.commit()


def _write_captured(acquirer: Acquirer, charge_id: str, held: tuple[HeldNote, ...], *, now_ms: int) -> PaymentIntent:
    with acquirer.store.unit_of_work() as books:
        charge, payment = charge_and_payment(books, charge_id)
        capture = books.captures.find(charge_id)
        if capture is None or capture.status is CaptureStatus.SIGNED:
            return payment
        paid = payment.succeeded(receipt_code=acquirer.new_id(), now_ms=now_ms)
        books.notes.add(held, attempt_id=None)
        books.captures.save(capture.signed())
        books.payments.save_charge(charge.paid())
        books.payments.save(paid)
        book_payment(books, paid.id, paid.received, merchant_id=paid.merchant_id, now_ms=now_ms)
        books.commit()
        return paid
