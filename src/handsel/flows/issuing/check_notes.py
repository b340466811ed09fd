"""
Check notes, and requests for notes, against the keys and their periods.
"""

from __future__ import annotations

from handsel.errors import SignatureInvalid
from handsel.flows.issuing.issuer import Issuer
from handsel.notes.note import Note, PublicNoteKey, total_of_requests, verify_note
from handsel.order import NoteRequest
from handsel.pay.decline import DeclineReason


def worth_of_requests(
    issuer: Issuer, requests: tuple[NoteRequest, ...], *, currency: str, now_ms: int
) -> int | DeclineReason:
    """
    Return what the notes that are asked for are worth together, or why they are not signed.

    A key that does not sign yet is as good as unknown; one whose time is over is named as such.
    """
    keys = issuer.note_keys.public()
    total = total_of_requests(requests, currency=currency, keys=keys)
    if total is None or not all(issuer.note_keys.can_sign(request) for request in requests):
        return DeclineReason.NOTE_INVALID
    periods = tuple(keys.require(request.key_id).period for request in requests)
    if any(now_ms < period.valid_from_ms for period in periods):
        return DeclineReason.NOTE_INVALID
    if not all(period.signs_at(now_ms) for period in periods):
        return DeclineReason.NOTE_KEY_EXPIRED
    return total


def genuine_key(issuer: Issuer, note: Note, *, now_ms: int) -> PublicNoteKey | DeclineReason:
    """
    Return the key of a genuine note of this issuer's currency that is redeemed still, or why it is none.
    """
    try:
        key = verify_note(note, keys=issuer.note_keys.public())
    except SignatureInvalid:
        return DeclineReason.NOTE_INVALID
    if key.currency != issuer.currency:
        return DeclineReason.NOTE_INVALID
    return key if key.period.redeems_at(now_ms) else DeclineReason.NOTE_KEY_EXPIRED
