"""
Promise that private keys of notes stand on the disk encrypted, all of them, and only with a secret from a file.
"""

from __future__ import annotations

import json
import secrets
import stat
from base64 import b64decode, b64encode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from handsel.errors import ConfigError, StoreError
from handsel.notes.issue import NoteKeys
from handsel.notes.keep import NoteKeyFile, read_secret
from handsel.notes.mint import finalize, prepare
from handsel.notes.period import first_period
from tests.notes.fresh_keys import fresh_note_keys

SECRET = b"0123456789abcdef" * 4
NOW_MS = 1_800_000_000_000


@pytest.fixture
def kept(tmp_path: Path) -> NoteKeyFile:
    """
    A place for a file, which is not there yet.
    """
    return NoteKeyFile(tmp_path / "notes.key", SECRET, Ed25519PrivateKey.generate())


def alter(kept: NoteKeyFile, private: bytes) -> None:
    """
    Put another private key in place of the first.
    """
    content = json.loads(kept.path.read_bytes())
    content["keys"][0]["private"] = b64encode(private).decode()
    kept.path.write_text(json.dumps(content))


def test_keys_are_saved_for_their_owner_alone_and_loaded_again(kept: NoteKeyFile, note_keys: NoteKeys) -> None:
    kept.save(note_keys)

    loaded = kept.load()

    assert stat.S_IMODE(kept.path.stat().st_mode) == 0o600
    assert (loaded.public(), loaded.number) == (note_keys.public(), note_keys.number)
    public = note_keys.public()
    (secret,), (request,) = prepare(1, currency="EUR", keys=public, random_bytes=secrets.token_bytes, now_ms=0)
    finalize(secret, loaded.sign(request), keys=public)


def test_nothing_of_a_key_stands_in_the_file_in_the_clear(kept: NoteKeyFile, note_keys: NoteKeys) -> None:
    kept.save(note_keys)

    for stored, held in zip(json.loads(kept.path.read_bytes())["keys"], note_keys.held(), strict=True):
        octets = b64decode(stored["private"])
        assert held.private.private_numbers().p.to_bytes(128, "big") not in octets
        with pytest.raises(TypeError):
            load_der_private_key(octets, password=None)


def test_another_secret_opens_nothing(kept: NoteKeyFile, note_keys: NoteKeys) -> None:
    kept.save(note_keys)

    with pytest.raises(ConfigError, match="secret does not open"):
        NoteKeyFile(kept.path, SECRET[::-1], kept.root).load()


def test_a_file_that_an_older_version_left_unencrypted_is_refused_by_name(kept: NoteKeyFile) -> None:
    kept.path.write_text('[{"denomination_minor": 1, "currency": "EUR", "private": "AAAA"}]')
    kept.path.chmod(0o600)

    with pytest.raises(ConfigError, match="is not encrypted"):
        kept.load()


def test_one_key_in_the_clear_is_one_too_many(kept: NoteKeyFile, note_keys: NoteKeys) -> None:
    kept.save(note_keys)
    alter(kept, note_keys.held()[0].private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))

    with pytest.raises(ConfigError, match="not encrypted"):
        kept.load()


def test_a_key_of_another_kind_is_refused(kept: NoteKeyFile, note_keys: NoteKeys) -> None:
    kept.save(note_keys)
    other = Ed25519PrivateKey.generate()
    alter(kept, other.private_bytes(Encoding.DER, PrivateFormat.PKCS8, BestAvailableEncryption(SECRET)))

    with pytest.raises(ConfigError):
        kept.load()


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"version": 2, "number": 1, "keys": []}'])
def test_a_damaged_key_file_is_refused(kept: NoteKeyFile, content: bytes) -> None:
    kept.path.write_bytes(content)
    kept.path.chmod(0o600)

    with pytest.raises(ConfigError):
        kept.load()


def test_a_key_file_that_others_may_read_is_refused(kept: NoteKeyFile, note_keys: NoteKeys) -> None:
    kept.save(note_keys)
    kept.path.chmod(0o640)

    with pytest.raises(ConfigError):
        kept.load()


def test_keys_are_made_once(kept: NoteKeyFile) -> None:
    made = kept.open_or_make(currency="EUR", now_ms=NOW_MS)

    assert kept.open_or_make(currency="EUR", now_ms=NOW_MS).public() == made.public()
    assert {key.period for key in made.public().keys} == {first_period(NOW_MS)}


def test_the_next_keys_are_on_the_disk_before_they_are_used(kept: NoteKeyFile) -> None:
    keys = fresh_note_keys(denominations=(1,), period=first_period(NOW_MS))
    kept.save(keys)
    end_ms = keys.public().keys[0].period.signs_until_ms

    assert not kept.renew(keys, now_ms=NOW_MS)
    assert kept.renew(keys, now_ms=end_ms)

    assert (len(keys.public().keys), keys.number) == (2, 2)
    assert kept.load().public() == keys.public()


def test_keys_that_cannot_be_kept_are_not_used(kept: NoteKeyFile) -> None:
    keys = fresh_note_keys(denominations=(1,), period=first_period(0))

    with pytest.raises(StoreError):
        NoteKeyFile(kept.path / "not-a-folder", SECRET, kept.root).renew(keys, now_ms=NOW_MS)

    assert keys.number == 1


@pytest.mark.parametrize("secret", [b"s" * 32, b"s" * 1023, b" " + b"s" * 32 + b"\n"])
def test_a_secret_is_long_and_stands_in_a_file(tmp_path: Path, secret: bytes) -> None:
    path = tmp_path / "notes.secret"
    path.write_bytes(secret)
    path.chmod(0o600)

    assert read_secret(path) == secret.strip()


@pytest.mark.parametrize("secret", [b"", b"s" * 31, b"s" * 31 + b"\n", b"s" * 1024])
def test_a_short_secret_or_one_that_others_read_is_refused(tmp_path: Path, secret: bytes) -> None:
    path = tmp_path / "notes.secret"
    path.write_bytes(secret)
    path.chmod(0o600)
    with pytest.raises(ConfigError):
        read_secret(path)
    path.write_bytes(SECRET)
    path.chmod(0o644)
    with pytest.raises(ConfigError):
        read_secret(path)
    with pytest.raises(ConfigError):
        read_secret(tmp_path / "missing")
