"""
Make notes at the till: prepare the requests, and finish the notes from what the issuer signed.

The message of a note is its serial, which nobody else can guess, and what it is: it is prepared as RFC 9474 §4.1 says.
The issuer gets it blinded; the inverse that unblinds stays in the secret. So the issuer never sees what it signs, and
cannot tell which charge a redeemed note came from.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from handsel.errors import BodyInvalid, SignatureInvalid
from handsel.notes.blind import blind, blind_again, draw_factor, unblind
from handsel.notes.denomination import split_amount
from handsel.notes.note import (
    SALT_BYTES,
    SERIAL_BYTES,
    Note,
    PublicNoteKey,
    PublicNoteKeys,
    note_message,
    verify_note,
)
from handsel.order import NoteRequest


class NoteSecret(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Keep what finishes one note. It stays in the till's journal, and in the acquirer's books, until the note is there.

    Whoever has the `inverse` can tell the note from what the issuer saw: it is as secret as the note. With the `salt`
    what was asked for can be made anew; a secret from before has none.
    """

    key_id: str
    serial: bytes
    inverse: bytes
    salt: bytes = b""

    def __repr__(self) -> str:
        """
        Return nothing of the secret.
        """
        return "NoteSecret()"


def prepare(
    amount_minor: int,
    *,
    currency: str,
    keys: PublicNoteKeys,
    random_bytes: Callable[[int], bytes],
    now_ms: int,
    serial_at: Callable[[int], bytes] | None = None,
) -> tuple[tuple[NoteSecret, ...], tuple[NoteRequest, ...]]:
    """
    Return the secrets, to keep, and the requests, to send, of notes that sum to `amount_minor`; both in one order.

    The serials are random or, with `serial_at`, those that it returns for the first, the second and so on, from 0.
    Raises `BodyInvalid` where the issuer announces no key that signs at `now_ms` for a denomination that is needed.
    """
    made: list[tuple[NoteSecret, NoteRequest]] = []
    for index, denomination in enumerate(split_amount(amount_minor)):
        key = keys.for_denomination(denomination, currency=currency, now_ms=now_ms)
        if key is None:
            raise BodyInvalid("no key signs a denomination of this amount now: fetch the issuer's list again")
        serial = serial_at(index) if serial_at else random_bytes(SERIAL_BYTES)
        made.append(_prepare_one(key, serial, random_bytes=random_bytes))
    return tuple(secret for secret, _ in made), tuple(request for _, request in made)


def request_again(secret: NoteSecret, *, key: PublicNoteKey) -> NoteRequest:
    """
    Return what `prepare` has made to send along with `secret`, whose key is `key`. Raises `BodyInvalid`.
    """
    if len(secret.serial) != SERIAL_BYTES or len(secret.salt) != SALT_BYTES:
        raise BodyInvalid(f"a note is asked for with a serial of {SERIAL_BYTES} bytes, and a salt of {SALT_BYTES}")
    message = note_message(secret.serial, key_id=key.key_id)
    return NoteRequest(key.key_id, blind_again(message, key=key.rsa(), salt=secret.salt, inverse=secret.inverse))


def finalize(secret: NoteSecret, signature: bytes, *, keys: PublicNoteKeys) -> Note:
    """
    Return the note that a blind signature of the issuer makes of `secret`. Raises `SignatureInvalid`.
    """
    key = keys.find(secret.key_id)
    if key is None:
        raise SignatureInvalid("the note was asked for with a key that its issuer does not announce")
    note = Note(secret.key_id, secret.serial, unblind(signature, inverse=secret.inverse, key=key.rsa()))
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


def _prepare_one(
    key: PublicNoteKey, serial: bytes, *, random_bytes: Callable[[int], bytes]
) -> tuple[NoteSecret, NoteRequest]:
    salt = random_bytes(SALT_BYTES)
    blinded = blind(
        note_message(serial, key_id=key.key_id),
        key=key.rsa(),
        salt=salt,
        factor=draw_factor(key.rsa(), random_bytes=random_bytes),
    )
    return NoteSecret(key.key_id, serial, blinded.inverse, salt), NoteRequest(key.key_id, blinded.message)
