"""
Sign notes blindly: the issuer's private keys, one for each denomination and currency.

What is signed is blinded, and says nothing about the note that comes of it.

The keys live in one file of mode 0600 in the issuer's own directory. They never leave its process and are never
printed.

LIMITATIONS: The file is not encrypted, and a key has no period yet after which it is replaced.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from handsel.errors import BodyInvalid, ConfigError
from handsel.keys import read_private_file, write_private_file
from handsel.notes.blind_sign import BlindSigner
from handsel.notes.denomination import DENOMINATIONS
from handsel.notes.note import KEY_BITS, PublicNoteKey, PublicNoteKeys, key_id_of
from handsel.order import NoteRequest

PUBLIC_EXPONENT = 65537  # NIST FIPS 186-5 A.1.1


class _StoredKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    denomination_minor: int
    currency: str
    private: bytes


@dataclass(frozen=True, repr=False)
class _NoteKey:
    announced: PublicNoteKey
    private: RSAPrivateKey
    signer: BlindSigner


@dataclass(frozen=True, repr=False)
class NoteKeys:
    """
    Hold the private keys with which an issuer signs notes.
    """

    _held: tuple[_NoteKey, ...]

    @classmethod
    def generate(cls, *, currency: str, denominations: tuple[int, ...] = DENOMINATIONS) -> NoteKeys:
        """
        Return a fresh key for each denomination, from the operating system's randomness.
        """
        fresh = ((value, generate_private_key(PUBLIC_EXPONENT, KEY_BITS)) for value in denominations)
        return cls(tuple(_note_key(value, currency=currency, private=private) for value, private in fresh))

    @classmethod
    def load(cls, path: Path) -> NoteKeys:
        """
        Read the keys from `path`. Raises `ConfigError` where the file is missing, open to others or not a key file.
        """
        try:
            stored = msgspec.json.decode(read_private_file(path), type=tuple[_StoredKey, ...])
            return cls(tuple(_restore(key) for key in stored))
        except (msgspec.MsgspecError, ValueError, TypeError, UnsupportedAlgorithm, BodyInvalid) as exc:
            raise ConfigError(f"{path.name} is not a file of note keys: restore it from its backup") from exc

    def save(self, path: Path) -> None:
        """
        Write the keys to a new file of mode 0600. Raises `ConfigError` where the file exists already.
        """
        write_private_file(path, msgspec.json.encode(tuple(_store(key) for key in self._held)))

    def public(self) -> PublicNoteKeys:
        """
        Return the list that is announced.
        """
        return PublicNoteKeys(tuple(key.announced for key in self._held))

    def can_sign(self, request: NoteRequest) -> bool:
        """
        Return whether there is a key for the request, and its message is one that this key signs.
        """
        key = self._find(request.key_id)
        return key is not None and key.signer.can_sign(request.message)

    def sign(self, request: NoteRequest) -> bytes:
        """
        Return the blind signature of one note: 256 bytes. Raises `BodyInvalid` for an unknown key or an ill-formed
        message.

        The same request has the same signature, however often it comes.
        """
        key = self._find(request.key_id)
        if key is None or not key.signer.can_sign(request.message):
            raise BodyInvalid("a note of that key, or with that message, is not signed: fetch the keys again")
        return key.signer.sign(request.message)

    def _find(self, key_id: str) -> _NoteKey | None:
        return next((held for held in self._held if held.announced.key_id == key_id), None)


def _note_key(denomination_minor: int, *, currency: str, private: RSAPrivateKey) -> _NoteKey:
    public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return _NoteKey(
        PublicNoteKey(key_id_of(public), denomination_minor, currency, public), private, BlindSigner(private)
    )


def _store(key: _NoteKey) -> _StoredKey:
    private = key.private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return _StoredKey(key.announced.denomination_minor, key.announced.currency, private)


def _restore(stored: _StoredKey) -> _NoteKey:
    private = load_der_private_key(stored.private, password=None)
    if not isinstance(private, RSAPrivateKey):
        raise TypeError("not an RSA key")
    return _note_key(stored.denomination_minor, currency=stored.currency, private=private)
