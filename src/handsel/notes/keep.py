"""
Keep the issuer's note keys, and its root key, on its disk: each in PKCS#8, encrypted with a secret from a file.

Whoever has the file of keys alone has nothing; it may be in a backup that the secret is not in. The secret is a file,
never an argument, since arguments show in lists of processes. It is random and long, so that it needs no slow hash.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_der_private_key,
)

from handsel.errors import BodyInvalid, ConfigError
from handsel.keys import read_private_file, replace_private_file, write_private_file
from handsel.notes.issue import HeldKey, NoteKeys, held_key
from handsel.notes.period import Period, first_period

VERSION = 1
SECRET_BYTES_MIN = 32  # As 32 or more random characters, 128 bits or more.
SECRET_BYTES_MAX = 1023  # OpenSSL takes no longer password.


class _StoredKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    denomination_minor: int
    currency: str
    period: Period
    private: bytes


class _KeyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    number: int
    keys: tuple[_StoredKey, ...]


@dataclass(frozen=True, repr=False)
class NoteKeyFile:
    """
    Keep note keys in the file at `path`, encrypted with `secret`; `root` signs their list.
    """

    path: Path
    secret: bytes
    root: Ed25519PrivateKey

    def open_or_make(self, *, currency: str, now_ms: int) -> NoteKeys:
        """
        Return the keys in the file, or new ones where there is no file yet. Raises what `load` and `save` raise.
        """
        if self.path.exists():
            return self.load()
        made = NoteKeys.generate(currency=currency, period=first_period(now_ms), root=self.root)
        self.save(made)
        return made

    def renew(self, keys: NoteKeys, *, now_ms: int) -> bool:
        """
        Make the keys of the next period when it is time, and have `keys` use them; return whether it was time.

        They are on the disk before anybody hears of them.
        """
        renewed = keys.renewed(now_ms=now_ms)
        if renewed is None:
            return False
        self.save(renewed)
        keys.adopt(renewed)
        return True

    def load(self) -> NoteKeys:
        """
        Read the keys. Raises `ConfigError` where the file is missing, open to others, not encrypted or not with this
        secret.
        """
        raw = read_private_file(self.path)
        if raw.lstrip().startswith(b"["):
            raise ConfigError(
                f"{self.path.name} is not encrypted, an older version wrote it: move it away, and new keys are made"
            )
        try:
            stored = msgspec.json.decode(raw, type=_KeyFile)
            if stored.version != VERSION:
                raise ConfigError(f"{self.path.name} is of another version of Handsel: start the version that wrote it")
            return NoteKeys(tuple(map(self._restore, stored.keys)), root=self.root, number=stored.number)
        except (msgspec.MsgspecError, BodyInvalid) as exc:
            raise ConfigError(f"{self.path.name} is not a file of note keys: restore it from its backup") from exc

    def save(self, keys: NoteKeys) -> None:
        """
        Write the keys to the file, in place of what is there: all of them, or nothing. Raises `StoreError`.
        """
        stored = tuple(self._store(key) for key in keys.held())
        replace_private_file(self.path, msgspec.json.encode(_KeyFile(VERSION, keys.number, stored)))

    def _store(self, key: HeldKey) -> _StoredKey:
        private = _encrypted(key.private, self.secret)
        announced = key.announced
        return _StoredKey(announced.denomination_minor, announced.currency, announced.period, private)

    def _restore(self, stored: _StoredKey) -> HeldKey:
        private = _decrypted(stored.private, self.secret, name=self.path.name)
        if not isinstance(private, RSAPrivateKey):
            raise BodyInvalid("not an RSA key")
        return held_key(private, stored.denomination_minor, currency=stored.currency, period=stored.period)


def make_root(path: Path, secret: bytes) -> bytes:
    """
    Write a fresh root key to a new file, and return its public half. Raises `ConfigError` where the file exists.
    """
    root = Ed25519PrivateKey.generate()
    write_private_file(path, _encrypted(root, secret))
    return root.public_key().public_bytes_raw()


def load_root(path: Path, secret: bytes) -> Ed25519PrivateKey:
    """
    Return the root key in a file. Raises `ConfigError`.
    """
    root = _decrypted(read_private_file(path), secret, name=path.name)
    if not isinstance(root, Ed25519PrivateKey):
        raise ConfigError(f"{path.name} is not a root key: restore it from its backup")
    return root


def make_secret(path: Path) -> bytes:
    """
    Write a fresh secret to a new file, and return it. Raises `ConfigError` where the file exists.
    """
    secret = secrets.token_hex(SECRET_BYTES_MIN).encode()
    write_private_file(path, secret)
    return secret


def read_secret(path: Path) -> bytes:
    """
    Return the secret in a file of mode 0600, without spaces and ends of line around it. Raises `ConfigError`.
    """
    secret = read_private_file(path).strip()
    if not SECRET_BYTES_MIN <= len(secret) <= SECRET_BYTES_MAX:
        raise ConfigError(f"{path.name} must hold {SECRET_BYTES_MIN} to {SECRET_BYTES_MAX} random characters")
    return secret


def _encrypted(private: RSAPrivateKey | Ed25519PrivateKey, secret: bytes) -> bytes:
    return private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, BestAvailableEncryption(secret))


def _decrypted(stored: bytes, secret: bytes, *, name: str) -> PrivateKeyTypes:
    try:
        return load_der_private_key(stored, password=secret)
    except TypeError as exc:
        raise ConfigError(f"{name} holds a key that is not encrypted: it is not used") from exc
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise ConfigError(f"the secret does not open {name}: it was encrypted with another, or is damaged") from exc
