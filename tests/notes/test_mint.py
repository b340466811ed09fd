"""
Promise that the till ends with notes of the very amount, all genuine, or with none.
"""

from __future__ import annotations

import secrets

import pytest

from handsel.errors import BodyInvalid, SignatureInvalid
from handsel.notes.issue import NoteKeys
from handsel.notes.mint import NoteSecret, finalize, finalize_all, prepare, request_again
from handsel.notes.note import PublicNoteKeys, verify_note
from handsel.order import NoteRequest

Prepared = tuple[tuple[NoteSecret, ...], tuple[NoteRequest, ...]]


def prepared(note_keys: NoteKeys, amount_minor: int) -> Prepared:
    return prepare(amount_minor, currency="EUR", keys=note_keys.public(), random_bytes=secrets.token_bytes, now_ms=0)


def test_the_notes_are_worth_the_amount(note_keys: NoteKeys) -> None:
    kept, requests = prepared(note_keys, 13)
    signatures = tuple(note_keys.sign(request) for request in requests)

    notes = finalize_all(kept, signatures, keys=note_keys.public())

    assert sum(verify_note(note, keys=note_keys.public()).denomination_minor for note in notes) == 13
    assert len({note.serial for note in notes}) == len(notes) == 3


def test_signatures_in_another_order_or_number_make_no_notes(note_keys: NoteKeys) -> None:
    kept, requests = prepared(note_keys, 3)
    signatures = tuple(note_keys.sign(request) for request in requests)

    with pytest.raises(SignatureInvalid):
        finalize_all(kept, signatures[::-1], keys=note_keys.public())
    with pytest.raises(SignatureInvalid):
        finalize_all(kept, signatures[:1], keys=note_keys.public())


@pytest.mark.parametrize("signature", [b"", b"x" * 255, b"x" * 256])
def test_what_is_no_signature_makes_no_note(note_keys: NoteKeys, signature: bytes) -> None:
    kept, _ = prepared(note_keys, 1)

    with pytest.raises(SignatureInvalid):
        finalize(kept[0], signature, keys=note_keys.public())


def test_without_a_key_for_each_denomination_nothing_is_asked(note_keys: NoteKeys) -> None:
    with pytest.raises(BodyInvalid):
        prepared(note_keys, 16)
    with pytest.raises(BodyInvalid):
        prepare(1, currency="CHF", keys=note_keys.public(), random_bytes=secrets.token_bytes, now_ms=0)


def test_the_issuer_is_shown_nothing_of_a_note(note_keys: NoteKeys) -> None:
    kept, requests = prepared(note_keys, 13)
    notes = finalize_all(kept, tuple(note_keys.sign(request) for request in requests), keys=note_keys.public())

    shown = b"".join(request.message + note_keys.sign(request) for request in requests)
    for note in notes:
        assert note.serial not in shown and note.signature not in shown


def test_a_note_asked_for_with_a_key_that_is_gone_is_not_finished(note_keys: NoteKeys) -> None:
    kept, (request,) = prepared(note_keys, 1)
    without = PublicNoteKeys(note_keys.public().keys[1:])

    with pytest.raises(SignatureInvalid):
        finalize(kept[0], note_keys.sign(request), keys=without)


def test_a_secret_does_not_print_itself(note_keys: NoteKeys) -> None:
    kept, _ = prepared(note_keys, 1)

    assert repr(kept[0]) == "NoteSecret()"


def test_what_was_asked_for_is_made_anew_of_the_secrets(note_keys: NoteKeys) -> None:
    kept, requests = prepared(note_keys, 13)
    keys = note_keys.public()

    assert tuple(request_again(secret, key=keys.require(secret.key_id)) for secret in kept) == requests


def test_serials_are_those_that_are_given(note_keys: NoteKeys) -> None:
    kept, requests = prepare(
        13,
        currency="EUR",
        keys=note_keys.public(),
        random_bytes=secrets.token_bytes,
        now_ms=0,
        serial_at=lambda index: bytes([index]) * 32,
    )

    assert [secret.serial[0] for secret in kept] == [0, 1, 2]
    notes = finalize_all(kept, tuple(note_keys.sign(request) for request in requests), keys=note_keys.public())
    assert {note.serial for note in notes} == {secret.serial for secret in kept}
