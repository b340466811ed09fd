"""
Announce note keys: the list that an issuer's root key has signed, and how others come to trust it.

The root key is an Ed25519 key of its own. Its public half stands in the settings of acquirer and till, so that who
carries the list can change nothing in it, and cannot bring back one in which a key still stood that has been withdrawn.
The module holds no private key: whoever signs passes it in.
"""

from __future__ import annotations

import threading
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from handsel.errors import BodyInvalid, ConfigError, SignatureInvalid
from handsel.keys import read_private_file, replace_private_file
from handsel.notes.note import PublicNoteKeys
from handsel.notes.redeemed import RedeemedBefore, RedemptionProof, open_proof

CONTEXT = b"handsel/v1/note-keys\0"


class SignedNoteKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Carry a list and its signature (issuer → acquirer → till). `content` is opened only after the signature is checked.
    """

    content: bytes
    signature: bytes


class _Numbered(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    number: int
    keys: PublicNoteKeys

    def __post_init__(self) -> None:
        if self.number < 1:
            raise BodyInvalid("lists of note keys are numbered from one")


def sign_list(keys: PublicNoteKeys, *, number: int, root: Ed25519PrivateKey) -> SignedNoteKeys:
    """
    Return the list as it is announced. A later list has a higher number.
    """
    content = msgspec.msgpack.encode(_Numbered(number, keys))
    return SignedNoteKeys(content, root.sign(CONTEXT + content))


class TrustedNoteKeys:
    """
    Open lists that the root key has signed, and none that is older than the last. Safe for several threads.

    The last list is kept in a file, so that a start does not forget how far it had come.
    """

    def __init__(self, root: bytes, path: Path) -> None:
        self._root = root
        self._path = path
        self._turn = threading.Lock()
        self._last = self._kept()

    def open(self, signed: SignedNoteKeys) -> PublicNoteKeys:
        """
        Return the keys in a list.

        1. The root key has signed it.
        2. It is not older than the last one, and not another of the same number.
        3. It is kept, where it is newer.

        Raises `SignatureInvalid`, and `StoreError` where 3 fails: then the last list is as it was.
        """
        opened = _open(signed, root=self._root)  # 1
        with self._turn:
            last = self._last
            if last is not None and opened.number < _number(last):
                raise SignatureInvalid("the list of note keys is older than the last one: it is not used")  # 2
            if last is not None and opened.number == _number(last) and signed.content != last.content:
                raise SignatureInvalid("there are two lists of note keys of one number: ask the issuer why")
            if last is None or opened.number > _number(last):
                replace_private_file(self._path, msgspec.json.encode(signed))  # 3
                self._last = signed
        return opened.keys

    def open_proof(self, proof: RedemptionProof, *, serial: bytes) -> RedeemedBefore:
        """
        Return what the root key has stated of a note. Raises `SignatureInvalid`.
        """
        return open_proof(proof, root=self._root, serial=serial)

    def _kept(self) -> SignedNoteKeys | None:
        if not self._path.exists():
            return None
        try:
            signed = msgspec.json.decode(read_private_file(self._path), type=SignedNoteKeys)
            _open(signed, root=self._root)
        except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
            raise ConfigError(f"{self._path.name} is not a list of note keys: move it away") from exc
        except SignatureInvalid as exc:
            raise ConfigError(
                f"{self._path.name} was signed by another root key than the settings name: move it away if that changed"
            ) from exc
        return signed


def _open(signed: SignedNoteKeys, *, root: bytes) -> _Numbered:
    try:
        Ed25519PublicKey.from_public_bytes(root).verify(signed.signature, CONTEXT + signed.content)
        return msgspec.msgpack.decode(signed.content, type=_Numbered)
    except (InvalidSignature, ValueError, BodyInvalid, msgspec.MsgspecError) as exc:
        raise SignatureInvalid("the list of note keys is not signed by its issuer: it is not used") from exc


def _number(signed: SignedNoteKeys) -> int:
    return msgspec.msgpack.decode(signed.content, type=_Numbered).number
