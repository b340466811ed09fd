"""
Keys: kept in private files, never printed, and a signature holds for one message and one signer.
"""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from handsel.errors import ConfigError, SignatureInvalid, StoreError, StoreFull
from handsel.keys import (
    KEY_BYTES,
    PartyKeys,
    PublicKeys,
    read_private_file,
    replace_private_file,
    verify_signature,
    write_private_file,
)
from tests.till.fakes import full_disk


def mode_of(path: Path) -> int:
    """
    Return the permission bits of `path`.
    """
    return stat.S_IMODE(path.stat().st_mode)


def test_saved_keys_are_the_keys_that_are_loaded(tmp_path: Path) -> None:
    keys = PartyKeys.generate()

    keys.save(tmp_path / "identity.key")

    assert PartyKeys.load(tmp_path / "identity.key").public() == keys.public()


def test_two_parties_have_different_keys() -> None:
    one, other = PartyKeys.generate().public(), PartyKeys.generate().public()

    assert len({one.seal, one.sign, other.seal, other.sign}) == 4


def test_the_key_file_is_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        PartyKeys.generate().save(tmp_path / "identity.key")
    finally:
        os.umask(before)

    assert mode_of(tmp_path / "identity.key") == 0o600


def test_keys_are_not_overwritten(tmp_path: Path) -> None:
    PartyKeys.generate().save(tmp_path / "identity.key")
    kept = (tmp_path / "identity.key").read_bytes()

    with pytest.raises(ConfigError, match=r"identity\.key cannot be written"):
        PartyKeys.generate().save(tmp_path / "identity.key")

    assert (tmp_path / "identity.key").read_bytes() == kept


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o602, 0o620, 0o610, 0o644, 0o777])
def test_a_file_that_others_may_open_is_refused(tmp_path: Path, mode: int) -> None:
    PartyKeys.generate().save(tmp_path / "identity.key")
    (tmp_path / "identity.key").chmod(mode)

    with pytest.raises(ConfigError, match="chmod 600"):
        PartyKeys.load(tmp_path / "identity.key")


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_that_only_its_owner_may_open_is_read(tmp_path: Path, mode: int) -> None:
    write_private_file(tmp_path / "token", b"content")
    (tmp_path / "token").chmod(mode)

    assert read_private_file(tmp_path / "token") == b"content"


def test_a_missing_file_is_said_by_name_and_without_its_directory(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        PartyKeys.load(tmp_path / "identity.key")

    assert "identity.key cannot be read" in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"null", b'{"seal": "AAAA", "sign": "AAAA"}', b'{"seal": 1, "sign": 2}', b"\xff\xfe"],
    ids=["empty", "no keys", "null", "too short", "numbers", "no text"],
)
def test_what_is_not_a_key_file_is_refused(tmp_path: Path, content: bytes) -> None:
    write_private_file(tmp_path / "identity.key", content)

    with pytest.raises(ConfigError, match="not a key file"):
        PartyKeys.load(tmp_path / "identity.key")


def test_a_key_file_with_an_unknown_field_is_refused(tmp_path: Path) -> None:
    PartyKeys.generate().save(tmp_path / "a.key")
    held = json.loads((tmp_path / "a.key").read_bytes())
    write_private_file(tmp_path / "b.key", json.dumps({**held, "note": "x"}).encode())

    with pytest.raises(ConfigError, match="not a key file"):
        PartyKeys.load(tmp_path / "b.key")


def test_private_keys_do_not_show_in_a_repr() -> None:
    keys = PartyKeys.generate()
    raw = keys.seal.private_bytes_raw()

    assert "seal" not in repr(keys)
    assert raw.hex() not in repr(keys) and repr(raw) not in repr(keys)


@pytest.mark.parametrize("length", [0, KEY_BYTES - 1, KEY_BYTES + 1])
def test_a_public_key_of_a_wrong_length_is_refused(length: int) -> None:
    with pytest.raises(ConfigError, match="32 bytes"):
        PublicKeys(seal=bytes(length), sign=bytes(KEY_BYTES))
    with pytest.raises(ConfigError, match="32 bytes"):
        PublicKeys(seal=bytes(KEY_BYTES), sign=bytes(length))


def test_a_signature_verifies() -> None:
    keys = PartyKeys.generate()

    verify_signature(b"erase", keys.signature(b"erase"), signer=keys.public())


def test_a_signature_holds_for_one_message_only() -> None:
    keys = PartyKeys.generate()

    with pytest.raises(SignatureInvalid):
        verify_signature(b"commit", keys.signature(b"erase"), signer=keys.public())


def test_a_signature_holds_for_one_signer_only() -> None:
    with pytest.raises(SignatureInvalid):
        verify_signature(b"erase", PartyKeys.generate().signature(b"erase"), signer=PartyKeys.generate().public())


@pytest.mark.parametrize("bit", [0, 255, 256, 511])
def test_a_damaged_signature_does_not_verify(bit: int) -> None:
    keys = PartyKeys.generate()
    damaged = bytearray(keys.signature(b"erase"))
    damaged[bit // 8] ^= 1 << bit % 8

    with pytest.raises(SignatureInvalid):
        verify_signature(b"erase", bytes(damaged), signer=keys.public())


@pytest.mark.parametrize("signature", [b"", bytes(63), bytes(64), bytes(65)])
def test_what_is_no_signature_does_not_verify(signature: bytes) -> None:
    with pytest.raises(SignatureInvalid):
        verify_signature(b"erase", signature, signer=PartyKeys.generate().public())


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "held"
    replace_private_file(path, b"one")
    replace_private_file(path, b"two")

    assert path.read_bytes() == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "held"
    replace_private_file(path, b"one")

    with full_disk(), pytest.raises(StoreFull):
        replace_private_file(path, b"two" * 1000)
    with pytest.raises(StoreError):
        replace_private_file(tmp_path / "missing" / "held", b"two")

    assert path.read_bytes() == b"one"
