"""
Encode a message as EMSA-PSS does, with SHA-384 for digest and mask: RFC 8017 §9.1.1 and appendix B.2.1.

`cryptography` encodes only what it signs itself at once. Who blinds needs the encoded message, and signs nothing. To
check a signature nothing of this is used: that is left to `cryptography`.
"""

from __future__ import annotations

import hashlib

from handsel.errors import BodyInvalid

DIGEST_BYTES = 48  # SHA-384
TRAILER = b"\xbc"


def encode_pss(message: bytes, *, bits: int, salt: bytes) -> bytes:
    """
    Return the encoding of `message` as a number of at most `bits` bits, one less than the modulus has.

    Raises `BodyInvalid` where a modulus is too short for digest and salt.
    """
    size = (bits + 7) // 8
    if size < DIGEST_BYTES + len(salt) + 2:
        raise BodyInvalid("a key of that size is too short for notes")
    digest = hashlib.sha384(bytes(8) + hashlib.sha384(message).digest() + salt).digest()
    block = bytes(size - DIGEST_BYTES - len(salt) - 2) + b"\x01" + salt
    masked = bytearray(a ^ b for a, b in zip(block, _mask(digest, len(block)), strict=True))
    masked[0] &= 0xFF >> (8 * size - bits)
    return bytes(masked) + digest + TRAILER


def _mask(seed: bytes, size: int) -> bytes:
    blocks = (hashlib.sha384(seed + number.to_bytes(4, "big")).digest() for number in range(-(-size // DIGEST_BYTES)))
    return b"".join(blocks)[:size]
