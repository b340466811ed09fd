"""
Hold the randomness that two matchers share without talking: what hides every message of the protocol.

1. Each pair of matchers has one static secret: X25519 of their keys, for this use only (HKDF's info).
2. Each query has a fresh key per pair: HKDF over that secret, the query's id and the fresh nonces of both. A query id
   that comes again therefore never meets the same mask again.
3. The mask is the key stream of AES-256 in counter mode. Both of a pair draw from it in the same order.

LIMITATIONS
The pair secret lasts as long as the keys do: who steals them can undo the masks of messages that it holds. Whoever only
recorded the traffic does not hold them (tls.py). Nonces are not signed here; peers.py lets only the peers speak.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from numpy.typing import NDArray

from handsel.errors import ConfigError
from handsel.keys import PartyKeys, PublicKeys
from handsel.matching.message import MATCHERS

SECRET_BYTES = 32
NONCE_BYTES = 32
_CHUNK_BYTES = 1 << 16  # Stays in the second-level cache.
_ZEROS = bytes(_CHUNK_BYTES)


@dataclass(frozen=True, repr=False)
class PairSecret:
    """
    Hold what matcher `me` and its peer `other` share: 32 bytes.
    """

    me: str
    other: str
    secret: bytes

    @classmethod
    def agree(cls, *, me: str, other: str, keys: PartyKeys, peer: PublicKeys) -> PairSecret:
        """
        Return the secret of two matchers: the same at both. Raises `ConfigError` for a peer's key that is none.
        """
        try:
            shared = keys.seal.exchange(X25519PublicKey.from_public_bytes(peer.seal))
        except ValueError as exc:
            raise ConfigError("a peer's public key is not a usable X25519 key: copy it again") from exc
        label = "-".join(sorted((me, other))).encode()
        return cls(me, other, _expand(shared, salt=b"", label=b"handsel/v1/matcher-pair/" + label))

    def mask_stream(self, *, query_id: bytes, nonces: dict[str, bytes]) -> MaskStream:
        """
        Return the masks of one query. `nonces` are those of the matchers, by name.
        """
        salt = b"".join(nonces[name] for name in sorted((self.me, self.other)))
        return MaskStream(_expand(self.secret, salt=salt, label=b"handsel/v1/matcher-masks/" + query_id))


class MaskStream:
    """
    Draw the masks that this matcher shares with one other, in one query.
    """

    def __init__(self, key: bytes) -> None:
        # The key is used once, so its counter may begin at zero.
        self._stream = Cipher(algorithms.AES256(key), modes.CTR(bytes(16))).encryptor()

    @classmethod
    def of_coin(cls, coin: bytes, label: bytes) -> MaskStream:
        """
        Return the stream that follows from a coin that was tossed, for one purpose.
        """
        return cls(_expand(coin, salt=b"", label=b"handsel/v1/coin/" + label))

    def fill(self, array: NDArray[Any]) -> None:
        """
        Overwrite a contiguous array with the next bytes of the stream.
        """
        octets = array.reshape(-1).view(np.uint8)
        for start in range(0, octets.size, _CHUNK_BYTES):
            part = octets[start : start + _CHUNK_BYTES]
            self._stream.update_into(_ZEROS[: part.size], part.data)


@dataclass(frozen=True)
class Masks:
    """
    Hold one matcher's two streams of one query: with the next matcher and with the one before (a → b → c → a).

    What one adds, the other takes away: over all three the masks sum to zero.
    """

    after: MaskStream
    before: MaskStream

    def words(self, count: int) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
        """
        Return `count` words of 16 bits from each stream.
        """
        plus, minus = np.empty(count, np.uint16), np.empty(count, np.uint16)
        self.after.fill(plus)
        self.before.fill(minus)
        return plus, minus

    def bits(self, count: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        """
        Return `count` words of 64 bits from each stream.
        """
        one, other = np.empty(count, np.uint64), np.empty(count, np.uint64)
        self.after.fill(one)
        self.before.fill(other)
        return one, other


def masks_of(me: str, secrets: Mapping[str, PairSecret], *, query_id: bytes, nonces: dict[str, bytes]) -> Masks:
    """
    Return the masks of matcher `me` in one query. `secrets` are those with its peers, and `nonces` all three's.
    """
    index = MATCHERS.index(me)
    after, before = (
        secrets[MATCHERS[(index + step) % 3]].mask_stream(query_id=query_id, nonces=nonces) for step in (1, 2)
    )
    return Masks(after=after, before=before)


def _expand(secret: bytes, *, salt: bytes, label: bytes) -> bytes:
    return HKDF(hashes.SHA256(), SECRET_BYTES, salt, label).derive(secret)
