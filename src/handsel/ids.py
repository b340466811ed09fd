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


def id_to_bytes(text: str) -> bytes:
    """
    Return the 16 bytes of an id. Raises `BodyInvalid`.
    """
    return bytes.fromhex(require_id(text))
