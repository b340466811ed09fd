"""
Check what a till gives along with a charge: it makes just the notes that the issuer is asked for.

The acquirer cannot read the order, which is sealed to the issuer. So it makes anew, of what the till gave, what the
order has to ask for, and the issuer is told a hash of that: it refuses an order that asks for anything else, before
anybody is debited. What is approved can then be paid, whatever becomes of its till and whatever that intended.
"""

from __future__ import annotations

import msgspec

from handsel.errors import BodyInvalid
from handsel.notes.mint import NoteSecret, request_again
from handsel.notes.note import PublicNoteKeys
from handsel.order import NoteRequest
from handsel.pay.payment import Charge
from handsel.return_code import note_serial


def promised_notes(
    secrets: tuple[NoteSecret, ...], *, charge_id: str, nonce: str, keys: PublicNoteKeys
) -> tuple[NoteRequest, ...]:
    """
    Return the notes that the order of a charge has to ask for: none where it only reserves.

    Raises `BodyInvalid` where a key is not announced, or a serial is not that of this charge.
    """
    return tuple(
        _promised(secret, note_serial(nonce, charge_id=charge_id, index=index), keys=keys)
        for index, secret in enumerate(secrets)
    )


def secrets_of(charge: Charge) -> tuple[NoteSecret, ...]:
    """
    Return what a till gave to make the notes of its charge: nothing where that has ended, or only reserves.
    """
    return msgspec.msgpack.decode(charge.secrets, type=tuple[NoteSecret, ...]) if charge.secrets else ()


def _promised(secret: NoteSecret, serial: bytes, *, keys: PublicNoteKeys) -> NoteRequest:
    key = keys.find(secret.key_id)
    if key is None:
        raise BodyInvalid("a note of this charge is of a key that its issuer does not announce")
    if secret.serial != serial:
        raise BodyInvalid("a note has the serial that follows from its charge and the nonce")
    return request_again(secret, key=key)
