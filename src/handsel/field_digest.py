"""
Hash several fields as one, so that nothing can move from one field into the next.
"""

from __future__ import annotations

import hashlib


def digest_of_fields(use: bytes, *fields: bytes) -> bytes:
    """
    Return a hash of `fields`, each prefixed by its length: 32 bytes, SHA-256. `use` says what for: one hash never
    stands for two things.
    """
    digest = hashlib.sha256(b"handsel/v1/" + use + b"\0")
    for field in fields:
        digest.update(len(field).to_bytes(4, "big") + field)
    return digest.digest()
