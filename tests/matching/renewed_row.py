"""
Renew one row, step by step as it is written down: what the fast way is compared with.
"""

from __future__ import annotations

import numpy as np
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from handsel.matching.message import ALIAS_BYTES, MATCHERS
from handsel.matching.ring import POINTS, multiply_words
from handsel.matching.rows import Row


def renewed_row(me: str, seed: bytes, row: Row) -> Row:
    """
    Return a row with its new shares.
    """
    index = MATCHERS.index(me)
    key = HKDF(hashes.SHA256(), 32, b"", b"handsel/v1/renewal").derive(seed)
    # The counter's upper half is the row's, its lower half counts the row's blocks.
    stream = Cipher(algorithms.AES256(key), modes.CTR(row.position.to_bytes(8, "big") + bytes(8))).encryptor()
    drawn = stream.update(bytes(len(row.template) + 2 * ALIAS_BYTES))
    slope = np.frombuffer(drawn[: len(row.template)], "<u2").astype(np.uint16)
    template = np.frombuffer(row.template, "<u2") + multiply_words(slope, POINTS[index])
    first, second = drawn[len(row.template) : -ALIAS_BYTES], drawn[-ALIAS_BYTES:]
    added = (first, second, _xor(first, second))  # Of a, b and c: nothing, together.
    own = _xor(row.own, added[index])
    pair = _xor(row.pair, _xor(added[index], added[(index + 1) % 3]))
    return Row(row.enrolment_id, row.position, template.astype("<u2").tobytes(), own, pair)


def _xor(a: bytes, b: bytes) -> bytes:
    return bytes(x ^ y for x, y in zip(a, b, strict=True))
