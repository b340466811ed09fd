"""
Say what the issuer needs of the world outside: the three matchers.
"""

from __future__ import annotations

from typing import Protocol

import msgspec


class SignedConfirmation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Carry a matcher's word that it carried out an order: a `Confirmation` in MessagePack, and its Ed25519 signature.
    """

    confirmation: bytes
    signature: bytes


class Matchers(Protocol):
    """
    Reach the matchers.
    """

    def carry_out(self, matcher: str, *, order: bytes, signature: bytes) -> SignedConfirmation:
        """
        Have one matcher carry out an order: an `Order` in MessagePack and the issuer's Ed25519 signature of these
        bytes.

        An order that was carried out before is confirmed again. Raises `Unavailable` where the matcher does not answer.
        """
        ...
