"""
Turn notes that arrive into notes that are held, and back: what is held was genuine, and its worth is known.
"""

from __future__ import annotations

from handsel.notes.note import Note, PublicNoteKeys, verify_note
from handsel.pay.held_note import HeldNote
from handsel.pay.money import Money


def held_note(note: Note, *, keys: PublicNoteKeys, source_id: str) -> HeldNote:
    """
    Return a genuine note as it is held. Raises `SignatureInvalid` where it is not, or its key is not announced now.
    """
    key = verify_note(note, keys=keys)
    worth = Money(key.denomination_minor, key.currency)
    return HeldNote(note.key_id, note.serial, note.signature, worth, source_id)


def note_of(held: HeldNote) -> Note:
    """
    Return a held note as it is sent.
    """
    return Note(held.key_id, held.serial, held.signature)
