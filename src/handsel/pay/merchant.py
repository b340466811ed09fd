"""
Hold merchants and their tills, and how each proves who it is.

Keys and tokens are 256 random bits, so that a plain SHA-256 of them is safe to store; they themselves are kept nowhere.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from handsel.errors import BodyInvalid

NAME_CHARS_MAX = 80
SECRET_CHARS_MIN = 32
_MERCHANT_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


@dataclass(frozen=True, repr=False)
class Merchant:
    """
    Name a shop: `id` is given by the acquirer, `name` is what customers read.
    """

    id: str
    name: str

    def __post_init__(self) -> None:
        """
        Refuse an ill-formed id or name. Raises `BodyInvalid`.
        """
        if not _MERCHANT_ID.fullmatch(self.id):
            raise BodyInvalid("a merchant's id has 1 to 40 lower-case letters, digits, - and _")
        _require_name(self.name)


@dataclass(frozen=True, repr=False)
class Till:
    """
    Name one till of a merchant. `id` is the merchant's id and the till's name: `corner-cafe/till-1`.
    """

    merchant_id: str
    name: str

    def __post_init__(self) -> None:
        """
        Refuse an ill-formed name. Raises `BodyInvalid`.
        """
        _require_name(self.name)

    @property
    def id(self) -> str:
        """
        Return what the till is called here.
        """
        return f"{self.merchant_id}/{self.name}"


def hash_secret(secret: str) -> bytes:
    """
    Return what is stored of a merchant key or a till token: SHA-256, 32 bytes.
    """
    return hashlib.sha256(b"handsel/v1/secret\0" + secret.encode()).digest()


def _require_name(name: str) -> None:
    if not 0 < len(name) <= NAME_CHARS_MAX or not name.isprintable():
        raise BodyInvalid(f"a name has 1 to {NAME_CHARS_MAX} printable characters")
