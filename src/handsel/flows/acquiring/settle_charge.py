"""
Bring charges to an end: write an outcome or, where none is known, have the issuer say it.
"""

from __future__ import annotations

from handsel.errors import PartyUnavailable, ensure
from handsel.flows.acquiring.acquirer import Acquirer
from handsel.flows.acquiring.for_each import for_each
from handsel.flows.acquiring.limit_asking import NoPalm, end_asking
from handsel.flows.acquiring.ports import Reserved, Signed, Voided
from handsel.flows.acquiring.settle_capture import charge_and_payment
from handsel.pay.decline import Declined
from handsel.pay.payment import (
    CancelReason,
    Charge,
    ChargeState,
    ChargeStatus,
    PaymentIntent,
    Pending,
    state_of_charge,
)
from handsel.store.acquirer import AcquirerBooks

Answer = Signed | Reserved | Declined | Voided | NoPalm
SECOND_MS = 1000


def conclude_charge(acquirer: Acquirer, charge_id: str, answer: Answer) -> ChargeState:
    """
    Write the issuer's answer, unless an answer has been written before; return what stands then.

    What was reserved and is not what the payment asks for, is given back, and the charge voided. Raises
    `PartyUnavailable` where the issuer does not answer to that: it is asked again.
    """
    answer = _wanted_answer(acquirer, charge_id, answer)
    with acquirer.store.unit_of_work() as books:
        charge, payment = charge_and_payment(books, charge_id)
        if charge.status is not ChargeStatus.SUBMITTED:
            has_ended = charge.status in (ChargeStatus.VOIDED, ChargeStatus.DECLINED)
            ensure(not (has_ended and isinstance(answer, Signed)), "what the issuer voided or declined it never signs")
            return state_of_charge(charge, payment)
        end_asking(acquirer, books, charge.till_id, answer, asked_ms=charge.submitted_ms)
        charge = _answered(charge, answer)
        books.payments.save_charge(charge)
        if isinstance(answer, Reserved):
            until_ms = _whole_second(answer.until_ms)
            payment = payment.reserved(until_ms=until_ms, tip_minor=charge.tip_minor)
            books.payments.save(payment)
        elif charge.status is not ChargeStatus.APPROVED:
            payment = _freed(acquirer, books, payment)
            books.payments.save(payment)
        books.commit()
        return state_of_charge(charge, payment)


def settle_charge(acquirer: Acquirer, charge_id: str) -> ChargeState:
    """
    Have the issuer void a charge of which nothing is known, or say what became of it. What is known is returned.

    Where the issuer does not answer either, the charge stays `Pending`, and is asked for again by `resolve_charges`.
    """
    with acquirer.store.unit_of_work() as books:
        charge, payment = charge_and_payment(books, charge_id)
    if charge.status is not ChargeStatus.SUBMITTED:
        return state_of_charge(charge, payment)
    try:
        answer = acquirer.issuer.void(charge.order)
    except PartyUnavailable:
        return Pending()
    return conclude_charge(acquirer, charge_id, answer)


def resolve_charges(acquirer: Acquirer, *, now_ms: int) -> int:
    """
    Bring charges to an end of which nothing was heard for `unresolved_ms_min`; return how many have one now.

    After this a charge is approved, declined or voided. An approved one waits for its till to hand over the notes, and
    no longer than that: `finish_charges` makes them here.
    """
    with acquirer.store.unit_of_work() as books:
        until_ms = now_ms - acquirer.bounds.unresolved_ms_min
        due = books.payments.unresolved_charges(
            until_ms=until_ms, now_ms=now_ms, limit=acquirer.bounds.resolve_batch_max
        )
    states = for_each(due, lambda charge_id: settle_charge(acquirer, charge_id))
    return sum(not isinstance(state, Pending) for state in states)


def _wanted_answer(acquirer: Acquirer, charge_id: str, answer: Answer) -> Answer:
    if not isinstance(answer, Reserved):
        return answer
    with acquirer.store.unit_of_work() as books:
        charge, payment = charge_and_payment(books, charge_id)
    is_wanted = payment.hold_s > 0 and payment.amount.amount_minor + charge.tip_minor == answer.amount_minor
    is_kept = is_wanted or charge.status is not ChargeStatus.SUBMITTED
    return answer if is_kept else acquirer.issuer.give_back(charge.order)


def _whole_second(until_ms: int) -> int:
    # Issuer and acquirer keep until when a sum was reserved: one number at both would join their records as an id does.
    return -(-until_ms // SECOND_MS) * SECOND_MS


def _answered(charge: Charge, answer: Answer) -> Charge:
    if isinstance(answer, Signed):
        return charge.approved(answer.signatures, answer.reply)
    if isinstance(answer, Reserved):
        return charge.approved((), answer.reply)
    if isinstance(answer, Declined):
        return charge.declined(answer.reason)
    return charge.voided()


def _freed(acquirer: Acquirer, books: AcquirerBooks, payment: PaymentIntent) -> PaymentIntent:
    opened = payment.open_again()
    declined_often = books.payments.count_declined(payment.id) >= acquirer.bounds.charges_declined_max
    return opened.canceled(CancelReason.DECLINED) if declined_often else opened
