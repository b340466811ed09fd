"""
Hold a party's own private keys, and the public keys of the others.

Every party has one X25519 key, to which envelopes are sealed, and one Ed25519 key, with which it signs. Private keys
live in one file of mode 0600 in the party's own directory and are never printed.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from handsel.errors import ConfigError, SignatureInvalid

KEY_BYTES = 32  # X25519 and Ed25519 keys, RFC 7748 and RFC 8032


class _KeyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    seal: bytes
    sign: bytes


class PublicKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Carry what others know of a party's keys: 32 raw bytes each.
    """

    seal: bytes
    sign: bytes

    def __post_init__(self) -> None:
        """
        Refuse keys of a wrong length. Raises `ConfigError`.
        """
        if len(self.seal) != KEY_BYTES or len(self.sign) != KEY_BYTES:
            raise ConfigError("a public key must have 32 bytes: copy it again from the party's own directory file")


@dataclass(frozen=True, repr=False)
class PartyKeys:
    """
    Hold the private keys of one party.
    """

    seal: X25519PrivateKey
    sign: Ed25519PrivateKey

    @classmethod
    def generate(cls) -> PartyKeys:
        """
        Return fresh keys from the operating system's randomness.
        """
        return cls(X25519PrivateKey.generate(), Ed25519PrivateKey.generate())

    @classmethod
    def load(cls, path: Path) -> PartyKeys:
        """
        Read the keys from `path`. Raises `ConfigError` where the file is missing, open to others or not a key file.
        """
        try:
            raw = read_private_file(path)
            held = msgspec.json.decode(raw, type=_KeyFile)
            return cls(X25519PrivateKey.from_private_bytes(held.seal), Ed25519PrivateKey.from_private_bytes(held.sign))
        except (msgspec.MsgspecError, ValueError) as exc:
            raise ConfigError(f"{path.name} is not a key file: restore it from its backup") from exc

    def save(self, path: Path) -> None:
        """
        Write the keys to a new file of mode 0600. Raises `ConfigError` where the file exists already.
        """
        held = _KeyFile(self.seal.private_bytes_raw(), self.sign.private_bytes_raw())
        write_private_file(path, msgspec.json.encode(held))

    def public(self) -> PublicKeys:
        """
        Return the public halves.
        """
        return PublicKeys(self.seal.public_key().public_bytes_raw(), self.sign.public_key().public_bytes_raw())

    def signature(self, message: bytes) -> bytes:
        """
        Return the Ed25519 signature of `message`: 64 bytes.
        """
        return self.sign.sign(message)


def verify_signature(message: bytes, signature: bytes, *, signer: PublicKeys) -> None:
    """
    Check an Ed25519 signature of a party. Raises `SignatureInvalid`.
    """
    verify_with(signer.sign, message, signature=signature)


def verify_with(public_key: bytes, message: bytes, *, signature: bytes) -> None:
    """
    Check an Ed25519 signature made with the private half of `public_key`, 32 bytes. Raises `SignatureInvalid`.
    """
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError) as exc:
        raise SignatureInvalid("the signature does not verify; nothing was changed") from exc


def seal_public_key(keys: PublicKeys) -> X25519PublicKey:
    """
    Return the key to which envelopes for this party are sealed.
    """
    return X25519PublicKey.from_public_bytes(keys.seal)


def read_private_file(path: Path) -> bytes:
    """
    Return the bytes of a file that nobody but its owner may open. Raises `ConfigError`.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise ConfigError(f"{path.name} is open to others (mode {mode:o}): run chmod 600 on it")
        return path.read_bytes()
    except OSError as exc:
        raise ConfigError(f"{path.name} cannot be read: {exc.strerror}") from exc


def write_private_file(path: Path, content: bytes) -> None:
    """
    Write `content` to a new file of mode 0600. Raises `ConfigError` where the file exists or cannot be written.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
    except OSError as exc:
        raise ConfigError(f"{path.name} cannot be written: {exc.strerror}") from exc
