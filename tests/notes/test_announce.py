"""
Promise that a list of note keys is trusted only as its issuer's root key has signed it, and never an older one again.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from handsel.errors import ConfigError, SignatureInvalid, StoreError
from handsel.notes.announce import CONTEXT, SignedNoteKeys, TrustedNoteKeys, sign_list
from handsel.notes.issue import NoteKeys
from handsel.notes.note import PublicNoteKeys


@pytest.fixture
def root() -> Ed25519PrivateKey:
    """
    A root key.
    """
    return Ed25519PrivateKey.generate()


def trusted(root: Ed25519PrivateKey, directory: Path) -> TrustedNoteKeys:
    """
    Return what somebody trusts who has the root's public half, as after a start.
    """
    return TrustedNoteKeys(root.public_key().public_bytes_raw(), directory / "note-keys.json")


def test_a_signed_list_is_opened(note_keys: NoteKeys, tmp_path: Path) -> None:
    found = TrustedNoteKeys(note_keys.root(), tmp_path / "note-keys.json").open(note_keys.announced())

    assert found == note_keys.public()


def test_a_list_of_another_root_is_refused(note_keys: NoteKeys, root: Ed25519PrivateKey, tmp_path: Path) -> None:
    with pytest.raises(SignatureInvalid):
        trusted(root, tmp_path).open(note_keys.announced())


def test_an_altered_list_is_refused(note_keys: NoteKeys, root: Ed25519PrivateKey, tmp_path: Path) -> None:
    signed = sign_list(note_keys.public(), number=1, root=root)
    period = msgspec.msgpack.encode(note_keys.public().keys[0].period)
    later = msgspec.msgpack.encode(msgspec.structs.replace(note_keys.public().keys[0].period, valid_from_ms=1))
    assert period in signed.content

    for content in (signed.content.replace(period, later), signed.content[:-1], signed.content + b"\0", b""):
        with pytest.raises(SignatureInvalid):
            trusted(root, tmp_path).open(SignedNoteKeys(content, signed.signature))
    for signature in (b"", bytes(64), signed.signature[::-1]):
        with pytest.raises(SignatureInvalid):
            trusted(root, tmp_path).open(SignedNoteKeys(signed.content, signature))


def test_what_the_root_signed_for_something_else_is_no_list(
    note_keys: NoteKeys, root: Ed25519PrivateKey, tmp_path: Path
) -> None:
    content = sign_list(note_keys.public(), number=1, root=root).content

    with pytest.raises(SignatureInvalid):
        trusted(root, tmp_path).open(SignedNoteKeys(content, root.sign(content)))
    unnumbered = content.replace(b"number\x01", b"number\x00")
    assert unnumbered != content
    for nonsense in (b"\xc0", b"\x80", unnumbered):
        with pytest.raises(SignatureInvalid):
            trusted(root, tmp_path).open(SignedNoteKeys(nonsense, root.sign(CONTEXT + nonsense)))


def test_a_list_does_not_go_back(note_keys: NoteKeys, root: Ed25519PrivateKey, tmp_path: Path) -> None:
    fewer = PublicNoteKeys(note_keys.public().keys[1:])
    one, two = (sign_list(keys, number=number, root=root) for number, keys in ((1, note_keys.public()), (2, fewer)))
    till = trusted(root, tmp_path)

    assert till.open(one) == note_keys.public()
    assert till.open(two) == till.open(two) == fewer
    for later in (till, trusted(root, tmp_path)):  # After a start, too.
        with pytest.raises(SignatureInvalid):
            later.open(one)
        assert later.open(two) == fewer


def test_two_lists_of_one_number_are_one_too_many(note_keys: NoteKeys, root: Ed25519PrivateKey, tmp_path: Path) -> None:
    till = trusted(root, tmp_path)
    till.open(sign_list(note_keys.public(), number=3, root=root))

    with pytest.raises(SignatureInvalid):
        till.open(sign_list(PublicNoteKeys(note_keys.public().keys[1:]), number=3, root=root))


def test_a_list_that_cannot_be_kept_is_not_used(note_keys: NoteKeys, root: Ed25519PrivateKey, tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        trusted(root, tmp_path / "missing").open(sign_list(note_keys.public(), number=1, root=root))


def test_a_kept_list_of_another_root_or_none_is_a_wrong_setting(
    note_keys: NoteKeys, root: Ed25519PrivateKey, tmp_path: Path
) -> None:
    trusted(root, tmp_path).open(sign_list(note_keys.public(), number=1, root=root))
    with pytest.raises(ConfigError):
        trusted(Ed25519PrivateKey.generate(), tmp_path)
    (tmp_path / "note-keys.json").write_text("{}")
    with pytest.raises(ConfigError):
        trusted(root, tmp_path)
