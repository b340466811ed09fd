"""
Promise that only a genuine note passes, and that it is checked as RFC 9474 checks a signature.
"""

from __future__ import annotations

import secrets

import msgspec
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from handsel.errors import BodyInvalid, SignatureInvalid
from handsel.notes.issue import NoteKeys
from handsel.notes.mint import finalize, prepare
from handsel.notes.note import Note, PublicNoteKey, PublicNoteKeys, key_id_of, total_of_requests, verify_note
from handsel.order import NoteRequest
from tests.notes.fresh_keys import ALWAYS, fresh_note_keys


def make_note(note_keys: NoteKeys, amount_minor: int) -> Note:
    secrets_kept, requests = prepare(
        amount_minor, currency="EUR", keys=note_keys.public(), random_bytes=secrets.token_bytes, now_ms=0
    )
    return finalize(secrets_kept[0], note_keys.sign(requests[0]), keys=note_keys.public())


def flipped(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


def test_a_genuine_note_tells_its_worth(note_keys: NoteKeys) -> None:
    key = verify_note(make_note(note_keys, 4), keys=note_keys.public())

    assert (key.denomination_minor, key.currency) == (4, "EUR")


def test_a_note_verifies_with_plain_rsassa_pss(note_keys: NoteKeys) -> None:
    """
    The parameters are written out once more here, from RFC 9474 §5: SHA-384, MGF1 with SHA-384, 48 bytes of salt.
    """
    note = make_note(note_keys, 1)
    public = load_der_public_key(note_keys.public().require(note.key_id).public)

    assert isinstance(public, RSAPublicKey)
    message = note.serial + b"handsel/v1/note\0" + note.key_id.encode()
    public.verify(note.signature, message, padding.PSS(padding.MGF1(hashes.SHA384()), 48), hashes.SHA384())


def test_a_note_with_one_bit_changed_is_not_genuine(note_keys: NoteKeys) -> None:
    note = make_note(note_keys, 1)
    other = make_note(note_keys, 2)
    forged = [
        Note(note.key_id, flipped(note.serial), note.signature),
        Note(note.key_id, note.serial, flipped(note.signature)),
        Note(other.key_id, note.serial, note.signature),  # Worth more, if it passed.
    ]

    for one in forged:
        with pytest.raises(SignatureInvalid):
            verify_note(one, keys=note_keys.public())


def test_a_note_of_another_issuer_is_not_genuine(note_keys: NoteKeys) -> None:
    foreign = fresh_note_keys(denominations=(1,))

    with pytest.raises(SignatureInvalid):
        verify_note(make_note(foreign, 1), keys=note_keys.public())


@pytest.mark.parametrize(("serial", "signature"), [(b"s" * 31, b"x" * 256), (b"s" * 32, b"x" * 255), (b"", b"")])
def test_a_truncated_note_is_refused(serial: bytes, signature: bytes) -> None:
    with pytest.raises(BodyInvalid):
        Note("0" * 32, serial, signature)


def test_a_note_travels_as_json(note_keys: NoteKeys) -> None:
    note = make_note(note_keys, 8)

    assert msgspec.json.decode(msgspec.json.encode(note), type=Note) == note
    keys = msgspec.json.decode(msgspec.json.encode(note_keys.public()), type=PublicNoteKeys)
    assert keys == note_keys.public()


def test_a_key_stands_only_under_its_own_id(note_keys: NoteKeys) -> None:
    one, two = note_keys.public().keys[:2]

    with pytest.raises(BodyInvalid):
        PublicNoteKey(two.key_id, 1, "EUR", one.public, ALWAYS)
    with pytest.raises(BodyInvalid):
        PublicNoteKey(one.key_id, 3, "EUR", one.public, ALWAYS)
    with pytest.raises(BodyInvalid):
        PublicNoteKeys((one, one))


@pytest.mark.parametrize("public", [b"", b"not a key"])
def test_what_is_not_a_key_is_refused(public: bytes) -> None:
    with pytest.raises(BodyInvalid):
        PublicNoteKey(key_id_of(public), 1, "EUR", public, ALWAYS).rsa()


def test_a_key_of_another_kind_is_refused() -> None:
    public = Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    with pytest.raises(BodyInvalid):
        PublicNoteKey(key_id_of(public), 1, "EUR", public, ALWAYS).rsa()


def test_requests_add_up_only_if_every_key_is_known_and_of_the_currency(note_keys: NoteKeys) -> None:
    keys = note_keys.public()
    _, requests = prepare(7, currency="EUR", keys=keys, random_bytes=secrets.token_bytes, now_ms=0)

    assert total_of_requests(requests, currency="EUR", keys=keys) == 7
    assert total_of_requests(requests, currency="CHF", keys=keys) is None
    unknown = (*requests, NoteRequest("0" * 32, b"m" * 64))
    assert total_of_requests(unknown, currency="EUR", keys=keys) is None
    with pytest.raises(BodyInvalid):
        keys.require("0" * 32)


def test_a_note_does_not_print_itself(note_keys: NoteKeys) -> None:
    assert repr(make_note(note_keys, 1)) == "Note()"
