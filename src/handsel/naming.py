"""
Hold the tags by which a till finds out that a payer wants its shop named, and no till that of another shop.

A shop has a naming secret, 32 bytes that its acquirer and its tills have, and a naming key, the X25519 public half
that it shows to everybody. For each charge the issuer has such a pair of its own. Both sides make the same tag, each of
its own secret and the other's key (RFC 7748 §6.1); who has neither secret cannot tell a tag from random bytes, though
they know the shop's key. The module knows no wallet, no shop and no database.
"""

from __future__ import annotations

import hmac

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from handsel.errors import BodyInvalid
from handsel.ids import id_to_bytes

NAMING_TAG_BYTES = 16
NAMING_TAGS = 8  # In every answer to a charge, so that their number says nothing.


def naming_key_of(secret: bytes) -> bytes:
    """
    Return the key that belongs to a secret: 32 bytes, for everybody to know.
    """
    return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def naming_tag(secret: bytes, *, other: bytes, order_id: str) -> bytes:
    """
    Return the tag of a charge that the owners of `secret` and of the key `other` have in common: 16 bytes.

    Raises `BodyInvalid` for a key with which nothing can be had in common.
    """
    try:
        shared = X25519PrivateKey.from_private_bytes(secret).exchange(X25519PublicKey.from_public_bytes(other))
    except ValueError as exc:
        raise BodyInvalid("this is no shop's naming key: copy it again from the shop") from exc
    message = b"handsel/v1/naming\0" + id_to_bytes(order_id)
    return hmac.digest(shared, message, "sha256")[:NAMING_TAG_BYTES]
