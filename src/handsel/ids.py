"""
Make and check ids: 128 random bits, made by the client before it sends.

The id of a request is its idempotency key. An id means nothing outside the two who share it.
"""

from __future__ import annotations

import re
import secrets

from handsel.errors import BodyInvalid

ID_BYTES = 16
_ID_TEXT = re.compile(r"[0-9a-f]{32}")


def new_id() -> str:
    """
    Return a fresh random id: 32 lower-case hexadecimal digits.
    """
    return secrets.token_hex(ID_BYTES)


def require_id(text: str) -> str:
    """
    Return `text` if it is an id. Raises `BodyInvalid`.
    """
    if not _ID_TEXT.fullmatch(text):
        raise BodyInvalid("an id must be 32 lower-case hexadecimal digits")
    return text


def require_order_id(text: str, *, other_than: str) -> str:
    """
    Return the id of an order, by which the issuer knows what the acquirer knows by the id `other_than`. Raises
    `BodyInvalid` where it is no id, or the same: then the records of the two would be joined by it.
    """
    if require_id(text) == other_than:
        raise BodyInvalid("an order has an id of its own, not the one that the acquirer keeps")
    return text


def id_to_bytes(text: str) -> bytes:
    """
    Return the 16 bytes of an id. Raises `BodyInvalid`.
    """
    return bytes.fromhex(require_id(text))
