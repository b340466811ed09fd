"""
Take the notes that a till hands over for an approved charge: the moment at which a payment is paid.
"""

from __future__ import annotations

from handsel.errors import BodyInvalid, IdReused, NotFound
from handsel.flows.acquiring.accounts import book_payment
from handsel.flows.acquiring.acquirer import Acquirer
from handsel.flows.acquiring.genuine_note import held_note
from handsel.flows.acquiring.promised_notes import secrets_of
from handsel.flows.acquiring.write_receipt import write_receipt
from handsel.notes.denomination import NOTES_MAX
from handsel.notes.note import Note
from handsel.pay.merchant import Till
from handsel.pay.money import sum_money
from handsel.pay.payment import Charge, ChargeStatus, Paid, PaymentIntent
from handsel.store.acquirer import AcquirerBooks


def accept_notes(acquirer: Acquirer, till: Till, charge_id: str, notes: tuple[Note, ...], *, now_ms: int) -> Paid:
    """
    Take the notes of an approved charge, once, however often the same notes come.

    1. Every note is genuine, of a key that the issuer announces now, and can be redeemed for a day or more.
    2. The charge is this till's and approved, or was paid with the very same notes. They are those that it was begun
       with: another's would leave that one without an end.
    3. The notes are worth just the amount of the payment and the tip that came with the charge.
    4. No note has been here before, ever.
    5. Write it all as one: notes, booking, payment, receipt.

    Raises `SignatureInvalid`, `NotFound`, `BodyInvalid` or `IdReused`; then nothing has changed.
    """
    return take_notes(acquirer, till.id, charge_id, notes, now_ms=now_ms)


def take_notes(acquirer: Acquirer, till_id: str, charge_id: str, notes: tuple[Note, ...], *, now_ms: int) -> Paid:
    """
    Take the notes of an approved charge of a till, whoever made them: in the steps of `accept_notes`.
    """
    # 1.
    if not 0 < len(notes) <= NOTES_MAX or len({note.serial for note in notes}) != len(notes):
        raise BodyInvalid(f"a charge is paid with 1 to {NOTES_MAX} notes, each once")
    keys = acquirer.keys.at(now_ms)
    held = tuple(held_note(note, keys=keys, source_id=charge_id, now_ms=now_ms) for note in notes)
    with acquirer.store.unit_of_work() as books:
        # 2.
        charge, payment = _charge_of(books, till_id, charge_id)
        if charge.status is ChargeStatus.PAID and payment.reserved_until_ms is None:
            _require_same(books, charge_id, notes)
            return write_receipt(acquirer, books, charge, payment)
        if charge.status is not ChargeStatus.APPROVED:
            raise BodyInvalid("this charge was not approved: nothing is to be paid for it")
        if payment.reserved_until_ms is not None:
            raise BodyInvalid("this charge only reserves: it is captured, and not paid with a till's notes")
        promised = {secret.serial for secret in secrets_of(charge)}
        if promised and promised != {note.serial for note in notes}:
            raise BodyInvalid("these notes are not those that this charge was begun with")
        # 3.
        tipped = payment.tipped(charge.tip_minor)
        if sum_money((each.worth for each in held), currency=payment.amount.currency) != tipped.total:
            raise BodyInvalid("the notes are not worth the amount of the payment and its tip")
        # 4. The serials are unique in the books, whichever way a note came: `add` raises `IdReused`.
        books.notes.add(held, attempt_id=None)
        # 5.
        paid = tipped.succeeded(receipt_code=acquirer.new_id(), now_ms=now_ms)
        books.payments.save_charge(charge.paid())
        books.payments.save(paid)
        book_payment(books, payment.id, paid.received, merchant_id=payment.merchant_id, now_ms=now_ms)
        answer = write_receipt(acquirer, books, charge.paid(), paid)
        books.commit()
    return answer


def _charge_of(books: AcquirerBooks, till_id: str, charge_id: str) -> tuple[Charge, PaymentIntent]:
    charge = books.payments.find_charge(charge_id)
    payment = books.payments.find(charge.payment_id) if charge else None
    if charge is None or payment is None or charge.till_id != till_id:
        raise NotFound("there is no charge of that id")
    return charge, payment


def _require_same(books: AcquirerBooks, charge_id: str, notes: tuple[Note, ...]) -> None:
    if books.notes.serials_of(charge_id) != {note.serial for note in notes}:
        raise IdReused("this charge was paid with other notes")
