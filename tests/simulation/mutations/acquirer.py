"""
Plant bugs in the acquirer's flows and tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from handsel.flows.acquiring import (
    accept_notes,
    accounts,
    carry_charge,
    carry_refund,
    finish_charge,
    redeem_notes,
    send_notes,
    settle_charge,
    settle_refund,
)
from handsel.flows.acquiring.acquirer import Acquirer
from handsel.flows.acquiring.for_each import for_each
from handsel.flows.acquiring.genuine_note import note_of
from handsel.flows.acquiring.ports import Credited, Voided
from handsel.pay.money import Money
from handsel.pay.payment import Charge, ChargeStatus, PaymentStatus
from handsel.store.acquirer import AcquirerBooks
from handsel.store.acquirer_notes import NoteTables
from handsel.store.acquirer_payments import PaymentTables
from tests.simulation import acquirer_party, till_party
from tests.simulation.actors import desk
from tests.simulation.mutations.mutation import Mutation
from tests.simulation.patches import Patches, patched


def _lost_answer_is_declined(patches: Patches) -> None:
    patches.put(
        carry_charge,
        "settle_charge",
        lambda acquirer, charge_id: settle_charge.conclude_charge(acquirer, charge_id, Voided()),
    )


def _unanswered_void_is_void(patches: Patches) -> None:
    right = settle_charge.settle_charge

    def wrong(acquirer: Acquirer, charge_id: str) -> Any:
        state = right(acquirer, charge_id)
        if type(state).__name__ != "Pending":
            return state
        return settle_charge.conclude_charge(acquirer, charge_id, Voided())

    patches.put(settle_charge, "settle_charge", wrong)
    patches.put(carry_charge, "settle_charge", wrong)


def _resolves_nothing(patches: Patches) -> None:
    patches.put(acquirer_party, "resolve_charges", lambda acquirer, *, now_ms: 0)


def _finishes_nothing(patches: Patches) -> None:
    patches.put(acquirer_party, "finish_charges", lambda acquirer, *, now_ms: 0)


def _finishes_by_void(patches: Patches) -> None:
    def wrong(acquirer: Acquirer, *, now_ms: int) -> int:
        with acquirer.store.unit_of_work() as books:
            due = books.payments.unfinished_charges(until_ms=now_ms - 15_000, now_ms=now_ms, limit=100)
        return len(for_each(due, lambda charge_id: _call_it_void(acquirer, charge_id)))

    patches.put(acquirer_party, "finish_charges", wrong)


def _call_it_void(acquirer: Acquirer, charge_id: str) -> None:
    with acquirer.store.unit_of_work() as books:
        charge = books.payments.find_charge(charge_id)
        if charge is not None:
            void = replace(charge, status=type(charge.status).VOIDED, signatures=(), secrets=b"", order_id=None)
            books.payments.save_charge(void)
            books.commit()


def _forgets_to_commit(patches: Patches) -> None:
    right = accept_notes.take_notes

    def wrong(acquirer: Acquirer, *values: Any, **rest: Any) -> Any:
        with _without_commits():
            return right(acquirer, *values, **rest)

    patches.put(accept_notes, "take_notes", wrong)


@contextmanager
def _without_commits() -> Iterator[None]:
    with patched() as patches:
        patches.put(AcquirerBooks, "commit", lambda books: None)
        yield


def _forgets_a_note(patches: Patches) -> None:
    right = NoteTables.add
    patches.put(NoteTables, "add", lambda self, notes, **rest: right(self, notes[:-1], **rest))


def _cancels_what_is_under_way(patches: Patches) -> None:
    def wrong(acquirer: Acquirer, merchant: Any, payment_id: str, **_: Any) -> Any:
        with acquirer.store.unit_of_work() as books:
            payment = books.payments.find(payment_id)
            if payment is not None and payment.status is not PaymentStatus.SUCCEEDED:
                payment = replace(payment, status=PaymentStatus.CANCELED)
                if books.payments.find(payment_id) != payment:
                    books.payments.save(payment)
                    books.commit()
            return payment

    patches.put(desk, "cancel_payment_intent", wrong)


def _draws_a_new_id_for_each_try(patches: Patches) -> None:
    def wrong(acquirer: Acquirer, *, now_ms: int) -> int:
        with acquirer.store.unit_of_work() as books:
            redemption = books.notes.open_redemption(attempt_id=None) or redeem_notes._draw(acquirer, books)
            if redemption is None:
                return 0
            notes = books.notes.notes_of(redemption.id)
            books.commit()
        answer = acquirer.issuer.redeem(acquirer.new_id(), notes=tuple(note_of(note) for note in notes))
        with acquirer.store.unit_of_work() as books:
            redeem_notes.book_redemption(books, redemption.id, answer, now_ms=now_ms)
            books.commit()
        return len(notes)

    patches.put(redeem_notes, "redeem_batch", wrong)


def _drops_a_note_on_retry(patches: Patches) -> None:
    right = NoteTables.notes_of
    asked = set[str]()

    def wrong(self: NoteTables, redemption_id: str) -> Any:
        notes = right(self, redemption_id)
        is_retry = redemption_id in asked
        asked.add(redemption_id)
        return notes[:-1] if is_retry and len(notes) > 1 else notes

    patches.put(NoteTables, "notes_of", wrong)


def _lost_refund_is_credited(patches: Patches) -> None:
    patches.put(
        send_notes,
        "settle_refund",
        lambda acquirer, attempt_id, *, now_ms: settle_refund.conclude_refund(
            acquirer, attempt_id, Credited(), now_ms=now_ms
        ),
    )


def _lost_refund_is_void(patches: Patches) -> None:
    patches.put(
        send_notes,
        "settle_refund",
        lambda acquirer, attempt_id, *, now_ms: settle_refund.conclude_refund(
            acquirer, attempt_id, Voided(), now_ms=now_ms
        ),
    )


def _never_believes_a_credit(patches: Patches) -> None:
    patches.put(settle_refund, "_were_credited", lambda notes, answer: False)


def _resolves_no_purchase(patches: Patches) -> None:
    patches.put(acquirer_party, "resolve_purchases", lambda acquirer, *, now_ms: 0)


def _rounds(patches: Patches) -> None:
    right = accounts.book_payment

    def wrong(books: AcquirerBooks, charge_id: str, money: Money, **rest: Any) -> None:
        right(books, charge_id, Money(round(money.amount_minor / 100 * 10) * 10, money.currency), **rest)

    patches.put(accept_notes, "book_payment", wrong)


def _clock_set_back_is_waited_for(patches: Patches) -> None:
    right = PaymentTables.unresolved_charges
    patches.put(
        PaymentTables,
        "unresolved_charges",
        lambda self, *, until_ms, now_ms, limit: right(self, until_ms=until_ms, now_ms=1 << 60, limit=limit),
    )


def _keeps_the_order_id(patches: Patches) -> None:
    patches.put(Charge, "__post_init__", lambda charge: None)
    patches.put(Charge, "paid", lambda charge: replace(charge, status=ChargeStatus.PAID, signatures=(), secrets=b""))


def _forgets_the_order_id_too_early(patches: Patches) -> None:
    right = Charge.approved
    patches.put(Charge, "__post_init__", lambda charge: None)
    patches.put(Charge, "approved", lambda charge, *values: replace(right(charge, *values), order_id=None))


def _keeps_credited_notes(patches: Patches) -> None:
    def wrong(self: NoteTables, attempt_id: str) -> None:
        self._uow.execute("UPDATE notes SET state = 'spent' WHERE attempt_id = ?", attempt_id)

    patches.put(NoteTables, "forget", wrong)


def _keeps_how_a_credit_was_found_out(patches: Patches) -> None:
    def wrong(self: NoteTables, attempt_id: str) -> None:
        self._uow.execute("UPDATE notes SET redemption_id = NULL, state = 'reserved' WHERE attempt_id = ?", attempt_id)
        self._uow.execute("DELETE FROM notes WHERE attempt_id = ?", attempt_id)
        self._uow.execute("UPDATE redemptions SET is_done = 1 WHERE attempt_id = ?", attempt_id)

    patches.put(NoteTables, "forget", wrong)


def _knows_an_attempt_by_its_order(patches: Patches) -> None:
    right = carry_refund.submit_refund

    def wrong(acquirer: Acquirer, till: Any, shown: Any, *, now_ms: int) -> Any:
        object.__setattr__(shown, "attempt_id", shown.order_id)
        return right(acquirer, till, shown, now_ms=now_ms)

    patches.put(till_party, "submit_refund", wrong)


def _makes_notes_and_takes_none(patches: Patches) -> None:
    patches.put(finish_charge, "take_notes", lambda acquirer, *_, now_ms: None)


MUTATIONS = (
    Mutation("lost-is-declined", "a lost answer of the issuer counts as a no", _lost_answer_is_declined),
    Mutation("unheard-void", "a void that nobody answered counts as done", _unanswered_void_is_void),
    Mutation("resolve-nothing", "an interrupted charge stays as it is", _resolves_nothing),
    Mutation("finish-nothing", "what a till left behind stays so", _finishes_nothing),
    Mutation("finish-by-void", "what a till left behind is called void", _finishes_by_void),
    Mutation("finish-unpaid", "the notes are made and not taken", _makes_notes_and_takes_none),
    Mutation("paid-uncommitted", "the till is told paid, and nothing is written", _forgets_to_commit),
    Mutation("note-dropped", "the last note of a payment is not kept", _forgets_a_note),
    Mutation("cancel-under-way", "a payment is canceled while its charge is under way", _cancels_what_is_under_way),
    Mutation("new-id-each-try", "a redemption that is sent again has another id", _draws_a_new_id_for_each_try),
    Mutation("note-lost-on-retry", "a redemption that is sent again lacks a note", _drops_a_note_on_retry),
    Mutation("lost-refund-credited", "a refund whose answer was lost counts as done", _lost_refund_is_credited),
    Mutation("lost-refund-void", "a refund whose answer was lost counts as not done", _lost_refund_is_void),
    Mutation("credit-disbelieved", "a refund that was credited is called void", _never_believes_a_credit),
    Mutation("purchase-forgotten", "notes that were paid for are never fetched", _resolves_no_purchase),
    Mutation("serials-kept", "the notes of a credited refund stay", _keeps_credited_notes),
    Mutation("redemption-kept", "the redemption that told of a credit stays", _keeps_how_a_credit_was_found_out),
    Mutation("order-id-kept", "an attempt is known by the id of its order", _knows_an_attempt_by_its_order),
    Mutation("rounding", "a payment is booked in full ten cents", _rounds),
    Mutation("order-kept", "a charge that is paid keeps its order id", _keeps_the_order_id),
    Mutation("order-forgotten", "a reservation forgets by which id it is captured", _forgets_the_order_id_too_early),
    Mutation("clock-set-back", "what was submitted in the future is waited for", _clock_set_back_is_waited_for),
)
