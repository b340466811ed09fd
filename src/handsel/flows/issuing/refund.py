"""
Refund: redeem the notes that a merchant gives back into the wallet of whoever shows the palm.

The issuer learns an amount and a time, not the shop. A paused palm receives all the same; an erased one is not
recognised.
"""

from __future__ import annotations

from handsel.envelope import open_envelope
from handsel.errors import BodyInvalid, EnvelopeInvalid, IdReused, InvariantBroken
from handsel.flows.issuing.approved import Credited
from handsel.flows.issuing.check_notes import genuine_key
from handsel.flows.issuing.issuer import Issuer, digest_of
from handsel.flows.issuing.limit_asking import begin_asking, end_asking
from handsel.flows.issuing.recognise import recognise_payee
from handsel.ids import require_id
from handsel.matching.message import PerMatcher
from handsel.notes.denomination import NOTES_MAX
from handsel.notes.note import Note, PublicNoteKey
from handsel.order import REFUND, RefundOrder, SealedProof
from handsel.pay.account import notes_in_circulation, wallet_account
from handsel.pay.decline import Declined, DeclineReason
from handsel.pay.ledger import Refused, Transfer, derive_id
from handsel.pay.money import Money, require_positive
from handsel.store import issuer_note, ledger
from handsel.store.database import UnitOfWork
from handsel.store.issuer import WalletRow
from handsel.store.issuer_note import RefundRow

Presented = tuple[tuple[Note, PublicNoteKey | DeclineReason], ...]


def refund(
    issuer: Issuer,
    refund_id: str,
    *,
    acquirer: str,
    order: bytes,
    answers: PerMatcher | SealedProof,
    notes: tuple[Note, ...],
) -> Credited | Declined:
    """
    Credit whoever showed the palm with the notes, all of them or none. `acquirer` is who asks.

    1. The order opens, is for this refund and is well formed. Raises `EnvelopeInvalid` and `BodyInvalid`.
    2. An id that came before has the same outcome; with another order or other notes it raises `IdReused`.
    3. The acquirer has not asked too often, or too often in vain.
    4. The notes are genuine, add up to the sum that was bound, and none was redeemed before. This comes before anything
       about the palm, so that a refund that fails anyway tells nobody whether a palm is enrolled.
    5. The three answers open, belong together and are bound to this very order; with a held key, what its card signed
       does, and is checked in their place. They hold an alias that was given out,
       of a palm that is enrolled, in a wallet that is open.
    6. They are redeemed: notes in circulation → wallet. The outcome is kept.

    Where 3, 4 or 5 does not hold, the refund is declined for good and the notes are as good as before.
    """
    wanted = _open_order(issuer, refund_id, order)  # 1
    if not 0 < len(notes) <= NOTES_MAX:
        raise BodyInvalid(f"a refund has 1 to {NOTES_MAX} notes")
    now_ms = issuer.clock()
    presented = tuple((note, genuine_key(issuer, note, now_ms=now_ms)) for note in notes)
    digest = digest_of(wanted, *notes)
    with issuer.database.unit_of_work() as uow:
        earlier = issuer_note.find_refund(uow, refund_id)  # 2
        if earlier is not None:
            return repeat_refund(earlier, digest)
        refused = begin_asking(issuer, uow, acquirer, now_ms=now_ms)  # 3
        amiss = refused or refuse_notes(issuer, uow, wanted, presented)  # 4
        wallet = amiss or recognise_payee(issuer, uow, wanted, answers)  # 5
        if refused is None:
            end_asking(issuer, uow, acquirer, wallet, asked_ms=now_ms)
        reason = wallet.reason if isinstance(wallet, Declined) else None
        if not isinstance(wallet, Declined):
            credit(issuer, uow, wanted, wallet, presented, now_ms=now_ms)  # 6
        row = RefundRow(digest, None if reason is None else reason.value)
        issuer_note.add_refund(uow, refund_id, row, now_ms=now_ms)
        uow.commit()
    return Credited() if reason is None else Declined(reason)


def _open_order(issuer: Issuer, refund_id: str, order: bytes) -> RefundOrder:
    wanted = open_envelope(order, RefundOrder, keys=issuer.keys, purpose=REFUND)
    if wanted.order_id != require_id(refund_id):
        raise EnvelopeInvalid("the order is for another refund")
    require_positive(Money(wanted.amount_minor, wanted.currency))
    return wanted


def repeat_refund(earlier: RefundRow, digest: bytes) -> Credited | Declined:
    """
    Return what came of a refund before. Raises `IdReused` where it was another.
    """
    if earlier.digest != digest:
        raise IdReused("that id was used for another refund: make a new one")
    return Credited() if earlier.reason is None else Declined(DeclineReason(earlier.reason))


def refuse_notes(issuer: Issuer, uow: UnitOfWork, wanted: RefundOrder, presented: Presented) -> Declined | None:
    """
    Return why the notes do not pay the sum back, or None.
    """
    refused = {key for _note, key in presented if isinstance(key, DeclineReason)}
    for reason in DeclineReason:  # In their precedence.
        if reason in refused:
            return Declined(reason)
    keys = tuple(key for _note, key in presented if isinstance(key, PublicNoteKey))
    if sum(key.denomination_minor for key in keys) != wanted.amount_minor:
        return Declined(DeclineReason.NOTES_DO_NOT_ADD_UP)
    serials = {note.serial for note, _key in presented}
    if len(serials) != len(presented) or any(issuer_note.is_redeemed(uow, serial) for serial in serials):
        return Declined(DeclineReason.NOTE_ALREADY_REDEEMED)
    return None if wanted.currency == issuer.currency else Declined(DeclineReason.CURRENCY_DIFFERS)


def credit(
    issuer: Issuer, uow: UnitOfWork, wanted: RefundOrder, wallet: WalletRow, presented: Presented, *, now_ms: int
) -> None:
    """
    Redeem notes that nothing is amiss with into a wallet.
    """
    for note, key in presented:
        if isinstance(key, PublicNoteKey):
            issuer_note.mark_redeemed(uow, note, key=key, request_id=wanted.order_id, now_ms=now_ms)
    transfer = Transfer(
        derive_id("refund", wanted.order_id),
        notes_in_circulation(issuer.currency).id,
        wallet_account(wallet.id, currency=wallet.currency).id,
        Money(wanted.amount_minor, wanted.currency),
        "refund",
    )
    if isinstance(ledger.post(uow, transfer, now_ms=now_ms), Refused):
        raise InvariantBroken("notes that were signed can be redeemed")
