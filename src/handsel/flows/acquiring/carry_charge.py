"""
Carry a charge: from the till to the matchers, from them to the issuer, and the outcome back.

What is carried is sealed; it passes through and is stored nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.msgpack import encode

from handsel.errors import BodyInvalid, HandselError, IdReused, NotFound, PalmInvalid, PartyUnavailable
from handsel.flows.acquiring.acquirer import Acquirer
from handsel.flows.acquiring.ask_matchers import answers_to
from handsel.flows.acquiring.limit_asking import NoPalm, begin_asking
from handsel.flows.acquiring.ports import Unanswered, Voided
from handsel.flows.acquiring.promised_notes import promised_notes
from handsel.flows.acquiring.settle_charge import conclude_charge, settle_charge
from handsel.flows.acquiring.write_receipt import write_receipt
from handsel.matching.message import PerMatcher
from handsel.notes.denomination import AMOUNT_MINOR_MAX, NOTES_MAX
from handsel.notes.mint import NoteSecret
from handsel.notes.note import PublicNoteKeys, total_of_requests
from handsel.order import NoteRequest, SealedProof, digest_of_notes
from handsel.pay.decline import Declined, DeclineReason
from handsel.pay.merchant import Till
from handsel.pay.money import Money
from handsel.pay.payment import (
    Charge,
    ChargeState,
    ChargeStatus,
    Paid,
    PaymentIntent,
    PaymentStatus,
    state_of_charge,
)
from handsel.return_code import RETURN_DIGEST_BYTES, order_id_from
from handsel.store.acquirer import AcquirerBooks


@dataclass(frozen=True, repr=False)
class ShownForCharge:
    """
    Carry what a till sends of a palm that was shown for a charge: an order for the issuer, and a query for each matcher
    or, with a held key, a proof for the issuer. `tip_minor` is what the customer adds to the amount of the payment.

    `secrets` are what makes notes of the issuer's signatures: they are kept until the charge has ended, so that
    `finish_charges` can do what its till cannot do any more. There are none where the sum is only reserved. `order_id`,
    by which the issuer knows the charge, is kept as long; `return_digest` for ever, and `nonce`, from which order id
    and serials follow, not at all.
    """

    charge_id: str
    order_id: str
    payment_id: str
    order: bytes
    queries: PerMatcher | SealedProof
    secrets: tuple[NoteSecret, ...]
    return_digest: bytes
    nonce: str
    tip_minor: int = 0

    def __post_init__(self) -> None:
        """
        Refuse too many notes, an ill-formed digest, and an order's id that is not of this charge. Raises `BodyInvalid`.
        """
        if self.order_id != order_id_from(self.nonce, charge_id=self.charge_id):
            raise BodyInvalid("an order has the id that follows from its charge and the nonce")
        if len(self.return_digest) != RETURN_DIGEST_BYTES:
            raise BodyInvalid(f"a return digest has {RETURN_DIGEST_BYTES} bytes")
        if len(self.secrets) > NOTES_MAX:
            raise BodyInvalid(f"a charge is paid with 1 to {NOTES_MAX} notes")


def submit_charge(acquirer: Acquirer, till: Till, shown: ShownForCharge, *, now_ms: int) -> ChargeState:
    """
    Try to pay a payment with the palm that was shown: once, however often the same charge comes.

    1. Make sure that what the till gave makes notes of just the sum. Write that there is such a charge: from now on no
       other can begin on the same payment. If the till has asked too often, the charge is declined here, and the
       matchers hear nothing of it.
    2. Ask the three matchers, unless a held key was shown. If one does not answer, the issuer will not be asked: void
       the charge, here.
    3. Ask the issuer, which refuses an order for other notes. If its answer is lost, have the charge voided, or learn
       what became of it.
    4. Write the outcome.

    What is interrupted between two of these is ended by `resolve_charges`. Raises `NotFound`, `IdReused`, `BodyInvalid`
    before anything has happened, and `PartyUnavailable` or what a party refused with after nothing was paid.
    """
    # 1.
    notes = _begin(acquirer, till, shown, now_ms=now_ms)
    if not isinstance(notes, tuple):
        return notes
    # 2.
    try:
        answers = answers_to(acquirer.matchers, shown.queries)
    except HandselError as exc:
        conclude_charge(acquirer, shown.charge_id, NoPalm() if isinstance(exc, PalmInvalid) else Voided())
        raise
    # 3.
    try:
        digest = digest_of_notes(notes)
        answer = acquirer.issuer.charge(shown.order_id, order=shown.order, answers=answers, notes_digest=digest)
    except PartyUnavailable:
        conclude_charge(acquirer, shown.charge_id, Voided())
        raise
    except HandselError:
        settle_charge(acquirer, shown.charge_id)
        raise
    if isinstance(answer, Unanswered):
        return settle_charge(acquirer, shown.charge_id)
    # 4.
    return conclude_charge(acquirer, shown.charge_id, answer)


def _begin(
    acquirer: Acquirer, till: Till, shown: ShownForCharge, *, now_ms: int
) -> tuple[NoteRequest, ...] | ChargeState:
    """
    Write that there is a charge, and return the notes that its order has to ask for; or what became of it before.
    """
    keys, ids = acquirer.keys.at(now_ms), {"charge_id": shown.charge_id, "nonce": shown.nonce}
    notes = promised_notes(shown.secrets, **ids, keys=keys)  # Outside: it is slow, and reads nothing.
    with acquirer.store.unit_of_work() as books:
        known = _known_state(books, till, shown)
        if known is not None:
            return known
        payment = _open_payment(books, till, shown)
        if isinstance(payment, Declined):
            return payment
        _require_worth(payment, shown.tip_minor, notes, keys=keys)
        charge = _submitted(till, shown, now_ms=now_ms)
        refused = begin_asking(acquirer, books, till.id, now_ms=now_ms)
        books.payments.add_charge(charge)
        if refused is not None:
            books.payments.save_charge(charge.declined(refused.reason))
            books.commit()
            return refused
        books.payments.save(payment.processing())
        books.commit()
    return notes


def charge_state(acquirer: Acquirer, till: Till, charge_id: str) -> ChargeState:
    """
    Return what has become of a till's charge, for a till that lost the answer, or that wants to know whether what was
    reserved was captured. Raises `NotFound`.

    An approved charge keeps its signatures until the notes are handed over: the till can fetch them again and again.
    """
    with acquirer.store.unit_of_work() as books:
        charge = books.payments.find_charge(charge_id)
        payment = books.payments.find(charge.payment_id) if charge else None
        if charge is None or payment is None or charge.till_id != till.id:
            raise NotFound("there is no charge of that id")
        state = state_of_charge(charge, payment)
        return write_receipt(acquirer, books, charge, payment) if isinstance(state, Paid) else state


def give_up_charge(acquirer: Acquirer, till: Till, charge_id: str, *, payment_id: str, now_ms: int) -> ChargeState:
    """
    Bring a till's charge to its end, even one that never came here: should it still be on its way, it will be declined.

    What was approved or paid stays so, and is returned. Raises `NotFound` for what is not this till's.
    """
    with acquirer.store.unit_of_work() as books:
        charge = books.payments.find_charge(charge_id)
        payment = books.payments.find(payment_id)
        if payment is None or payment.till_id != till.id:
            raise NotFound("this till was not asked for such a payment")
        if charge is None:
            books.payments.add_charge(Charge(charge_id, payment_id, till.id, now_ms, ChargeStatus.VOIDED))
            books.commit()
            return Declined(DeclineReason.VOIDED)
    if charge.status is ChargeStatus.SUBMITTED:
        return settle_charge(acquirer, charge_id)
    return charge_state(acquirer, till, charge_id)


def _submitted(till: Till, shown: ShownForCharge, *, now_ms: int) -> Charge:
    kept = encode(shown.secrets) if shown.secrets else b""
    return Charge(
        shown.charge_id,
        shown.payment_id,
        till.id,
        now_ms,
        secrets=kept,
        tip_minor=shown.tip_minor,
        order_id=shown.order_id,
        return_digest=shown.return_digest,
    )


def _known_state(books: AcquirerBooks, till: Till, shown: ShownForCharge) -> ChargeState | None:
    charge = books.payments.find_charge(shown.charge_id)
    if charge is None:
        return None
    payment = books.payments.find(charge.payment_id)
    known, sent = (charge.payment_id, charge.till_id, charge.tip_minor), (shown.payment_id, till.id, shown.tip_minor)
    if payment is None or known != sent:
        raise IdReused("that id stands for another charge: make a new one")
    return state_of_charge(charge, payment)


def _require_offered(payment: PaymentIntent, tip_minor: int) -> None:
    most_minor = payment.tips.most(payment.amount, total_minor_max=AMOUNT_MINOR_MAX)
    if not 0 <= tip_minor <= most_minor:
        raise BodyInvalid(f"a tip on this payment is at most {Money(most_minor, payment.amount.currency)}")


def _open_payment(books: AcquirerBooks, till: Till, shown: ShownForCharge) -> PaymentIntent | Declined:
    payment = books.payments.find(shown.payment_id)
    if payment is None or payment.till_id != till.id:
        raise NotFound("this till is not asked for such a payment")
    if payment.status is PaymentStatus.CANCELED:
        return Declined(DeclineReason.VOIDED)
    if payment.status is not PaymentStatus.REQUIRES_PALM:
        raise IdReused("this payment has a charge already: ask for the state of that one")
    if bool(shown.secrets) == bool(payment.hold_s):
        raise BodyInvalid("a charge comes with what makes its notes, and one that only reserves without")
    _require_offered(payment, shown.tip_minor)
    return payment


def _require_worth(
    payment: PaymentIntent, tip_minor: int, notes: tuple[NoteRequest, ...], *, keys: PublicNoteKeys
) -> None:
    total = payment.processing().tipped(tip_minor).total
    if notes and total_of_requests(notes, currency=total.currency, keys=keys) != total.amount_minor:
        raise BodyInvalid("the notes are not worth the amount of the payment and its tip")
