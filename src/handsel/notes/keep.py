"""
Keep the issuer's note keys on its disk: each in PKCS#8, encrypted with a secret from a file of its own.

Whoever has the file of keys alone has nothing; it may be in a backup that the secret is not in. The secret is a file,
never an argument, since arguments show in lists of processes. It is random and long, so that it needs no slow hash.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_der_private_key,
)

from handsel.errors import BodyInvalid, ConfigError
from handsel.keys import read_private_file, replace_private_file
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
    Keep note keys in the file at `path`, encrypted with `secret`.
    """

    path: Path
    secret: bytes

    def open_or_make(self, *, currency: str, now_ms: int) -> NoteKeys:
        """
        Return the keys in the file, or new ones where there is no file yet. Raises what `load` and `save` raise.
        """
        if self.path.exists():
            return self.load()
        made = NoteKeys.generate(currency=currency, period=first_period(now_ms))
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
            return NoteKeys(tuple(self._restore(key) for key in stored.keys), number=stored.number)
        except (msgspec.MsgspecError, UnsupportedAlgorithm, BodyInvalid) as exc:
            raise ConfigError(f"{self.path.name} is not a file of note keys: restore it from its backup") from exc

    def save(self, keys: NoteKeys) -> None:
        """
        Write the keys to the file, in place of what is there: all of them, or nothing. Raises `StoreError`.
        """
        stored = tuple(self._store(key) for key in keys.held())
        replace_private_file(self.path, msgspec.json.encode(_KeyFile(VERSION, keys.number, stored)))

    def _store(self, key: HeldKey) -> _StoredKey:
        encryption = BestAvailableEncryption(self.secret)
        private = key.private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, encryption)
        announced = key.announced
        return _StoredKey(announced.denomination_minor, announced.currency, announced.period, private)

    def _restore(self, stored: _StoredKey) -> HeldKey:
        try:
            private = load_der_private_key(stored.private, password=self.secret)
        except TypeError as exc:
            raise ConfigError(f"{self.path.name} holds a key that is not encrypted: it is not used") from exc
        except ValueError as exc:
            raise ConfigError(f"the secret does not open {self.path.name}: it was encrypted with another") from exc
        if not isinstance(private, RSAPrivateKey):
            raise BodyInvalid("not an RSA key")
        return held_key(private, stored.denomination_minor, currency=stored.currency, period=stored.period)


def read_secret(path: Path) -> bytes:
    """
    Return the secret in a file of mode 0600, without spaces and ends of line around it. Raises `ConfigError`.
    """
    secret = read_private_file(path).strip()
    if not SECRET_BYTES_MIN <= len(secret) <= SECRET_BYTES_MAX:
        raise ConfigError(f"{path.name} must hold {SECRET_BYTES_MIN} to {SECRET_BYTES_MAX} random characters")
    return secret
