"""
Give a row new shares of the same palm and alias: all three add, each at its own point, a line that is zero at zero.

The line is random, and follows from a seed that the three tossed together and forget; so a share from before and one
from after say nothing together (proactive refresh, Herzberg, Jarecki, Krawczyk, Yung, CRYPTO 1995). Rows are told apart
by their positions, so that each may be renewed for itself.

LIMITATIONS: Whoever is in one matcher while it renews has its shares of before and after, as who is there on both days.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from numpy.typing import NDArray

from handsel.matching.columns import Columns
from handsel.matching.message import ALIAS_BYTES, MATCHERS
from handsel.matching.ring import POINTS, add_line

SEED_BYTES = 32
_BLOCK_BYTES = 16  # Of AES.
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

    def renewed(self, columns: Columns) -> Columns:
        """
        Return rows with their new shares.
        """
        index, size = MATCHERS.index(self.me), 2 * columns.templates.shape[1]
        drawn = self._drawn(columns.positions, size + 2 * ALIAS_BYTES)
        templates = columns.templates.copy()
        add_line(templates, drawn[:, :size].view("<u2").astype(np.uint16, copy=False), POINTS[index])
        first, second = drawn[:, size:-ALIAS_BYTES], drawn[:, -ALIAS_BYTES:]
        added = (first, second, first ^ second)  # Of a, b and c: nothing, together.
        own, pair = columns.own ^ added[index], columns.pair ^ added[index] ^ added[(index + 1) % 3]
        return Columns(columns.ids, columns.positions, templates, own, pair)

    def _drawn(self, positions: NDArray[np.int64], size: int) -> NDArray[np.uint8]:
        """
        Return `size` bytes for each row, (n, size): AES in counter mode, where a row's first counter is its position
        and 64 bits of zeros. All counters are encrypted in one go, which is what that mode does with each.
        """
        blocks = -(-size // _BLOCK_BYTES)
        counters = np.empty((len(positions), blocks, 2), ">u8")
        counters[:, :, 0], counters[:, :, 1] = positions[:, None], np.arange(blocks)
        drawn = np.empty(counters.nbytes + _BLOCK_BYTES, np.uint8)  # OpenSSL wants a block more.
        cipher = Cipher(algorithms.AES256(self._key), modes.ECB()).encryptor()  # noqa: S305 - of counters
        cipher.update_into(counters.reshape(-1).view(np.uint8).data, drawn.data)
        return drawn[: counters.nbytes].reshape(len(positions), blocks * _BLOCK_BYTES)[:, :size]


def renewing_all_but(renewal: Renewal, positions: NDArray[np.int64]) -> Callable[[Columns], Columns]:
    """
    Return what renews all rows but those at some positions.
    """

    def change(columns: Columns) -> Columns:
        left = columns.part(np.isin(columns.positions, positions))
        renewed = renewal.renewed(columns.without(positions))
        return renewed.merged(left) if len(left) else renewed

    return change


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
