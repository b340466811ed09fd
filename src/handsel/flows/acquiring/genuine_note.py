"""
Turn notes that arrive into notes that are held, and back: what is held was genuine, and its worth is known.
"""

from __future__ import annotations

from handsel.errors import SignatureInvalid
from handsel.notes.note import Note, PublicNoteKeys, verify_note
from handsel.notes.period import DAY_MS
from handsel.pay.held_note import HeldNote
from handsel.pay.money import Money

REDEEM_MS_MAX = (
    DAY_MS  # How long a note may be held before it is redeemed, the issuer being away for some time included.
)


def held_note(note: Note, *, keys: PublicNoteKeys, source_id: str, now_ms: int) -> HeldNote:
    """
    Return a genuine note as it is held.

    Raises `SignatureInvalid` where it is not genuine, its key is not announced now, or it cannot be redeemed for as
    long as that may take.
    """
    key = verify_note(note, keys=keys)
    if not key.period.redeems_at(now_ms + REDEEM_MS_MAX):
        raise SignatureInvalid("the note is of a key whose time is over: it is worth nothing any more")
    worth = Money(key.denomination_minor, key.currency)
    return HeldNote(note.key_id, note.serial, note.signature, worth, source_id)


def note_of(held: HeldNote) -> Note:
    """
    Return a held note as it is sent.
    """
    return Note(held.key_id, held.serial, held.signature)
