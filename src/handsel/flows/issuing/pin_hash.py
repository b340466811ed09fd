"""
Hash PINs, and compare what was typed with a hash: Argon2id, keyed with a secret that is not in the database.

A PIN has so few digits that whoever has hash and key finds it. The key lies in a file of its own, so that the database
alone, or a backup of it, does not give the digits away.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import argon2
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError
from argon2.profiles import RFC_9106_LOW_MEMORY
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from handsel.errors import StoreCorrupt, Unavailable

# RFC 9106 §4, the second recommended choice: 64 MiB, three passes, four lanes. More than the 19 MiB and two passes that
# the OWASP Password Storage Cheat Sheet asks for at least.
PARAMETERS = RFC_9106_LOW_MEMORY
AT_ONCE_MAX = 2  # 128 MiB, and 64 MiB for one that is being set.
WAIT_S_MAX = 4.0  # An acquirer waits eight seconds for the issuer.
KEY_BYTES = 32


class PinHasher:
    """
    Hash PINs with a key that is derived from `secret`. Safe for several threads.

    It is a class in order to bound how many are hashed at once: each takes 64 MiB.
    """

    def __init__(self, secret: bytes, *, parameters: argon2.Parameters = PARAMETERS) -> None:
        """
        Derive the key, and hash nothing for those who have no PIN.
        """
        kdf = HKDF(SHA256(), KEY_BYTES, salt=None, info=b"handsel/v1/pin")
        self._key = kdf.derive(secret)
        self._hasher = argon2.PasswordHasher.from_parameters(parameters)
        self._turns = threading.BoundedSemaphore(AT_ONCE_MAX)  # For who pays; who sets a PIN has a turn of its own.
        self._turn_to_set = threading.BoundedSemaphore(1)
        self._nobodys = self._hasher.hash(self._keyed(""))  # No PIN is empty.

    def __repr__(self) -> str:
        """
        Return nothing of the key.
        """
        return "PinHasher()"

    def hash_pin(self, pin: str) -> str:
        """
        Return what is stored of a PIN. Raises `Unavailable` where too many are hashed just now.
        """
        with _turn(self._turn_to_set):
            return self._hasher.hash(self._keyed(pin))

    def is_right(self, pin: str, *, stored: str | None) -> bool:
        """
        Return whether `pin` is the one that was stored. Without one it is wrong, and that takes as long to say.

        Raises `Unavailable` where too many are hashed just now, and `StoreCorrupt` for what is no hash.
        """
        with _turn(self._turns):
            try:
                return self._hasher.verify(self._nobodys if stored is None else stored, self._keyed(pin))
            except VerifyMismatchError:
                return False
            except (VerificationError, InvalidHashError) as exc:
                raise StoreCorrupt("what is stored of a PIN cannot be read: have its owner set a new one") from exc

    def _keyed(self, pin: str) -> bytes:
        return hmac.new(self._key, pin.encode(), hashlib.sha256).digest()


@contextmanager
def _turn(turns: threading.BoundedSemaphore) -> Iterator[None]:
    if not turns.acquire(timeout=WAIT_S_MAX):
        raise Unavailable("too many PINs are hashed just now: wait a moment and ask again")
    try:
        yield
    finally:
        turns.release()
