"""
Redeem notes for an acquirer: each once, ever, whoever else presents it in the same moment.
"""

from __future__ import annotations

import msgspec

from handsel.errors import BodyInvalid, IdReused, InvariantBroken
from handsel.flows.issuing.check_notes import genuine_key
from handsel.flows.issuing.issuer import Issuer, digest_of
from handsel.ids import require_id
from handsel.notes.note import Note, PublicNoteKey
from handsel.notes.redeemed import RedeemedBefore, RedemptionProof, redemption_digest
from handsel.pay.account import notes_in_circulation, settlement_account
from handsel.pay.decline import DeclineReason
from handsel.pay.ledger import Refused, Transfer, derive_id
from handsel.pay.money import Money
from handsel.store import issuer_note, ledger
from handsel.store.database import UnitOfWork
from handsel.store.issuer_note import RedeemedRow, RedemptionRow

REDEMPTION_NOTES_MAX = 1000  # About 0.1 s of checking.


class RefusedNote(msgspec.Struct, frozen=True):
    """
    Say why one note was refused: note_invalid, note_key_expired or note_already_redeemed, and then with a proof of it.
    """

    serial: bytes
    reason: DeclineReason
    proof: RedemptionProof | None = None


class Redemption(msgspec.Struct, frozen=True):
    """
    Answer which notes were credited, and which were refused.
    """

    redeemed: tuple[bytes, ...]
    refused: tuple[RefusedNote, ...]


def redeem(issuer: Issuer, redemption_id: str, *, notes: tuple[Note, ...], acquirer: str) -> Redemption:
    """
    Redeem the notes that are genuine and were not redeemed before, and credit the acquirer with their sum.

    The same request has the same outcome; the same id with other notes raises `IdReused`. A note that stands twice in
    one request is redeemed once and refused once. Whoever presents a note that was redeemed before gets a proof of it,
    the same each time. Raises `BodyInvalid`.
    """
    require_id(redemption_id)
    if not 0 < len(notes) <= REDEMPTION_NOTES_MAX:
        raise BodyInvalid(f"a redemption has 1 to {REDEMPTION_NOTES_MAX} notes")
    now_ms = issuer.clock()
    genuine = tuple(genuine_key(issuer, note, now_ms=now_ms) for note in notes)
    digest = digest_of(acquirer, *notes)
    with issuer.database.unit_of_work() as uow:
        earlier = issuer_note.find_redemption(uow, redemption_id)
        if earlier is not None:
            return _repeat(earlier, digest)
        outcome, sum_minor = _redeem_each(
            issuer, uow, tuple(zip(notes, genuine, strict=True)), redemption_id=redemption_id, now_ms=now_ms
        )
        _credit(issuer, uow, redemption_id, acquirer=acquirer, sum_minor=sum_minor, now_ms=now_ms)
        row = RedemptionRow(digest, msgspec.msgpack.encode(outcome))
        issuer_note.add_redemption(uow, redemption_id, row, now_ms=now_ms)
        uow.commit()
    return outcome


def _redeem_each(
    issuer: Issuer,
    uow: UnitOfWork,
    presented: tuple[tuple[Note, PublicNoteKey | DeclineReason], ...],
    *,
    redemption_id: str,
    now_ms: int,
) -> tuple[Redemption, int]:
    redeemed, refused, sum_minor = list[bytes](), list[RefusedNote](), 0
    for note, key in presented:
        if isinstance(key, DeclineReason):
            refused.append(RefusedNote(note.serial, key))
        elif (earlier := issuer_note.find_redeemed(uow, note.serial)) is not None:
            proof = _proof(issuer, note, earlier)
            refused.append(RefusedNote(note.serial, DeclineReason.NOTE_ALREADY_REDEEMED, proof))
        else:
            issuer_note.mark_redeemed(uow, note, key=key, request_id=redemption_id, now_ms=now_ms)
            redeemed.append(note.serial)
            sum_minor += key.denomination_minor
    return Redemption(tuple(redeemed), tuple(refused)), sum_minor


def _proof(issuer: Issuer, note: Note, earlier: RedeemedRow) -> RedemptionProof:
    digest = redemption_digest(earlier.request_id)
    return issuer.note_keys.prove(RedeemedBefore(note.serial, earlier.key_id, digest, earlier.at_ms))


def _credit(issuer: Issuer, uow: UnitOfWork, redemption_id: str, *, acquirer: str, sum_minor: int, now_ms: int) -> None:
    if sum_minor == 0:
        return
    account = settlement_account(acquirer, currency=issuer.currency)
    ledger.open_account(uow, account, now_ms=now_ms)
    transfer = Transfer(
        derive_id("redemption", redemption_id),
        notes_in_circulation(issuer.currency).id,
        account.id,
        Money(sum_minor, issuer.currency),
        "redemption",
    )
    if isinstance(ledger.post(uow, transfer, now_ms=now_ms), Refused):
        raise InvariantBroken("notes that were signed can be redeemed")


def _repeat(earlier: RedemptionRow, digest: bytes) -> Redemption:
    if earlier.digest != digest:
        raise IdReused("that id was used for another redemption: make a new one")
    return msgspec.msgpack.decode(earlier.outcome, type=Redemption)
