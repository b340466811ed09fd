"""
Give a row new shares of the same palm and alias: all three add, each at its own point, a line that is zero at zero.

The line is random, and follows from a seed that the three tossed together and forget; so a share from before and one
from after say nothing together (proactive refresh, Herzberg, Jarecki, Krawczyk, Yung, CRYPTO 1995). Rows are told apart
by their positions, so that each may be renewed for itself.

LIMITATIONS: Whoever is in one matcher while it renews has its shares of before and after, as who is there on both days.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from handsel.matching.message import ALIAS_BYTES, MATCHERS
from handsel.matching.ring import POINTS, multiply_words
from handsel.matching.rows import Row

SEED_BYTES = 32
_LABEL = b"handsel/v1/renewal"


@dataclass(frozen=True, repr=False)
class Renewal:
    """
    Renew the rows of one matcher with a seed that all three hold.
    """

    me: str
    seed: bytes
    _key: bytes = field(init=False)

    def __post_init__(self) -> None:
        """
        Derive the key.
        """
        key = HKDF(hashes.SHA256(), SEED_BYTES, b"", _LABEL).derive(self.seed)
        object.__setattr__(self, "_key", key)

    def __call__(self, row: Row) -> Row:
        """
        Return the row with its new shares.
        """
        index = MATCHERS.index(self.me)
        drawn = self._drawn(row.position, len(row.template) + 2 * ALIAS_BYTES)
        slope = np.frombuffer(drawn[: len(row.template)], "<u2").astype(np.uint16)
        template = np.frombuffer(row.template, "<u2") + multiply_words(slope, POINTS[index])
        first, second = drawn[len(row.template) : -ALIAS_BYTES], drawn[-ALIAS_BYTES:]
        added = (first, second, _xor(first, second))  # Of a, b and c: nothing, together.
        own = _xor(row.own, added[index])
        pair = _xor(row.pair, _xor(added[index], added[(index + 1) % 3]))
        return Row(row.enrolment_id, row.position, template.astype("<u2").tobytes(), own, pair)

    def _drawn(self, position: int, size: int) -> bytes:
        # The counter's upper half is the row's, its lower half counts the row's blocks.
        stream = Cipher(algorithms.AES256(self._key), modes.CTR(position.to_bytes(8, "big") + bytes(8))).encryptor()
        return stream.update(bytes(size))


def _xor(a: bytes, b: bytes) -> bytes:
    return bytes(x ^ y for x, y in zip(a, b, strict=True))


def next_chain(chain: bytes, seed: bytes) -> bytes:
    """
    Return what names all renewals up to the one with `seed`, after those that `chain` names.
    """
    return hashlib.sha256(b"handsel/v1/renewals\0" + len(chain).to_bytes(1, "big") + chain + seed).digest()


def digest_of_seed(seed: bytes) -> bytes:
    """
    Return what is told of a seed, so that others can see whether it is theirs.
    """
    return hashlib.sha256(b"handsel/v1/renewal-seed\0" + seed).digest()
