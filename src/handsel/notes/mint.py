"""
Make notes at the till: prepare the requests, and finish the notes from what the issuer signed.

LIMITATIONS: The issuer still sees what it signs. The message that is sent is the very message that is signed, so an
issuer that kept both could tell which charge a redeemed note came from. Blindness (RFC 9474 §4.2 and §4.4) comes in
these two functions: `prepare` will blind the message and keep the inverse in the secret, `finalize` will unblind.
Neither the shape of a request, nor that of a note, nor its check changes with it.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from handsel.errors import BodyInvalid, SignatureInvalid
from handsel.notes.denomination import split_amount
from handsel.notes.note import SERIAL_BYTES, Note, PublicNoteKeys, note_message, verify_note
from handsel.order import NoteRequest


class NoteSecret(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Keep what the till needs to finish one note. It stays in the till's journal until the note is handed over.
    """

    key_id: str
    serial: bytes

    def __repr__(self) -> str:
        """
        Return nothing of the secret.
        """
        return "NoteSecret()"


def prepare(
    amount_minor: int, *, currency: str, keys: PublicNoteKeys, random_bytes: Callable[[int], bytes]
) -> tuple[tuple[NoteSecret, ...], tuple[NoteRequest, ...]]:
    """
    Return the secrets, to keep, and the requests, to send, of notes that sum to `amount_minor`; both in one order.

    Raises `BodyInvalid` where the issuer announces no key for a denomination that is needed.
    """
    secrets: list[NoteSecret] = []
    for denomination in split_amount(amount_minor):
        key = keys.for_denomination(denomination, currency=currency)
        if key is None:
            raise BodyInvalid("the issuer announces no key for a denomination of this amount: fetch its list again")
        secrets.append(NoteSecret(key.key_id, random_bytes(SERIAL_BYTES)))
    return tuple(secrets), tuple(_request(secret) for secret in secrets)


def finalize(secret: NoteSecret, signature: bytes, *, keys: PublicNoteKeys) -> Note:
    """
    Return the note that a signature of the issuer makes of `secret`. Raises `SignatureInvalid`.
    """
    try:
        note = Note(secret.key_id, secret.serial, signature)
    except BodyInvalid as exc:
        raise SignatureInvalid("what the issuer sent is not a signature of a note") from exc
    verify_note(note, keys=keys)
    return note


def finalize_all(
    secrets: tuple[NoteSecret, ...], signatures: tuple[bytes, ...], *, keys: PublicNoteKeys
) -> tuple[Note, ...]:
    """
    Return all notes of one charge: all of them are genuine, or `SignatureInvalid` is raised.
    """
    if len(secrets) != len(signatures):
        raise SignatureInvalid("the issuer signed another number of notes than it was asked for")
    return tuple(finalize(secret, signature, keys=keys) for secret, signature in zip(secrets, signatures, strict=True))


def _request(secret: NoteSecret) -> NoteRequest:
    return NoteRequest(secret.key_id, note_message(secret.serial, key_id=secret.key_id))
