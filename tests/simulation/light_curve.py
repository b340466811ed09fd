"""
Stand for X25519 with numbers that are multiplied: whoever has one secret and the other's key has the same number.

Everybody can divide; nobody in the simulation does. It takes a fiftieth of the time.
"""

from __future__ import annotations

PRIME = 2**255 - 19
BASE = 9
KEY_BYTES = 32


class LightPublicKey:
    """
    Be the public half: the base times the secret.
    """

    def __init__(self, public: bytes) -> None:
        self._public = public

    @classmethod
    def from_public_bytes(cls, public: bytes) -> LightPublicKey:
        """
        Raise `ValueError` for what has not the length of a key, and for zero.
        """
        if len(public) != KEY_BYTES or not int.from_bytes(public, "big"):
            raise ValueError("no key")
        return cls(public)

    def public_bytes_raw(self) -> bytes:
        return self._public


class LightPrivateKey:
    """
    Be a secret number below the prime, and not zero.
    """

    def __init__(self, secret: int) -> None:
        self._secret = secret

    @classmethod
    def from_private_bytes(cls, private: bytes) -> LightPrivateKey:
        return cls(int.from_bytes(private, "big") % (PRIME - 1) + 1)

    @classmethod
    def generate(cls) -> LightPrivateKey:
        """
        Return a key that is no secret: it is only tried whether something can be had in common with it.
        """
        return cls(BASE)

    def public_key(self) -> LightPublicKey:
        return LightPublicKey((BASE * self._secret % PRIME).to_bytes(KEY_BYTES, "big"))

    def exchange(self, other: LightPublicKey) -> bytes:
        return (int.from_bytes(other.public_bytes_raw(), "big") * self._secret % PRIME).to_bytes(KEY_BYTES, "big")
