"""
Promise that the issuer signs only what can be a note, and keeps its keys to itself.
"""

from __future__ import annotations

import secrets
import stat
from pathlib import Path

import pytest

from handsel.errors import BodyInvalid, ConfigError
from handsel.notes.issue import NoteKeys
from handsel.notes.mint import finalize, prepare
from handsel.order import NoteRequest


def test_keys_are_saved_for_their_owner_alone_and_loaded_again(note_keys: NoteKeys, tmp_path: Path) -> None:
    path = tmp_path / "note-keys.json"
    note_keys.save(path)

    loaded = NoteKeys.load(path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert loaded.public() == note_keys.public()
    kept, requests = prepare(1, currency="EUR", keys=note_keys.public(), random_bytes=secrets.token_bytes)
    finalize(kept[0], loaded.sign(requests[0]), keys=note_keys.public())


def test_keys_are_never_overwritten(note_keys: NoteKeys, tmp_path: Path) -> None:
    path = tmp_path / "note-keys.json"
    note_keys.save(path)

    with pytest.raises(ConfigError):
        note_keys.save(path)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b'[{"denomination_minor": 1, "currency": "EUR", "private": "AAAA"}]', b"\xff"]
)
def test_a_damaged_key_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "note-keys.json"
    path.write_bytes(content)
    path.chmod(0o600)

    with pytest.raises(ConfigError):
        NoteKeys.load(path)


def test_a_key_file_that_others_may_read_is_refused(note_keys: NoteKeys, tmp_path: Path) -> None:
    path = tmp_path / "note-keys.json"
    note_keys.save(path)
    path.chmod(0o640)

    with pytest.raises(ConfigError):
        NoteKeys.load(path)


def test_a_blinded_message_has_the_length_of_the_modulus_and_is_less(note_keys: NoteKeys) -> None:
    key = note_keys.public().keys[0]
    modulus = key.rsa().public_numbers().n
    good, bad = modulus - 1, (modulus.to_bytes(256, "big"), b"m" * 64, b"\x01" * 255, bytes(257))

    assert len(note_keys.sign(NoteRequest(key.key_id, good.to_bytes(256, "big")))) == 256
    for message in bad:
        assert not note_keys.can_sign(NoteRequest(key.key_id, message))
        with pytest.raises(BodyInvalid):
            note_keys.sign(NoteRequest(key.key_id, message))


def test_the_same_request_has_the_same_signature(note_keys: NoteKeys) -> None:
    _, (request,) = prepare(4, currency="EUR", keys=note_keys.public(), random_bytes=secrets.token_bytes)

    assert note_keys.sign(request) == note_keys.sign(request)


def test_an_unknown_key_signs_nothing(note_keys: NoteKeys) -> None:
    with pytest.raises(BodyInvalid):
        note_keys.sign(NoteRequest("0" * 32, b"m" * 64))


def test_private_keys_are_not_printed(note_keys: NoteKeys) -> None:
    assert "RSAPrivateKey" not in repr(note_keys)
