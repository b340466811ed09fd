"""
Vouch for a row: so that a matcher that has lost it can tell later whether what it is given back is just that.

1. A matcher gives both peers the same digest of a row: of the enrolment's id and of its shares of palm and alias.
2. The digest is under a key that it draws, and of which each peer gets one half: the key is the XOR of both.
3. Who gets a row back computes the digest anew, under the key that both halves make. Both peers must show the same.

One half says nothing of the key, so that to one peer alone the digest is a random number. Without a key it would
confirm guesses: a guessed palm and the peer's own share give the line, and so the share that the digest is of.

A false row passes by a digest that fits it by chance, 2^-128: who helps to restore it has one try for each order of
the issuer, does not know the key, and cannot choose the digest, which the other one shows, too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec
import numpy as np

from handsel.matching.columns import Columns
from handsel.matching.kept import Shares

DIGEST_BYTES = 16
HALF_BYTES = 32
_PURPOSE = b"handsel/voucher1"  # As long as BLAKE2b takes it.


class Voucher(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """
    Carry the digest of one row, and one half of its key.
    """

    digest: Annotated[bytes, msgspec.Meta(min_length=DIGEST_BYTES, max_length=DIGEST_BYTES)]
    half: Annotated[bytes, msgspec.Meta(min_length=HALF_BYTES, max_length=HALF_BYTES)]

    def __repr__(self) -> str:
        """
        Return nothing of either.
        """
        return "Voucher()"


@dataclass(frozen=True, repr=False)
class Vouchers:
    """
    Hold by which vouchers the next matcher and the one before have vouched for their rows of one enrolment.
    """

    after: Voucher
    before: Voucher


@dataclass(frozen=True, repr=False)
class Halves:
    """
    Hold what a matcher gives of one key to the next one and to the one before.
    """

    after: bytes
    before: bytes

    @classmethod
    def drawn(cls, secret: bytes, enrolment_id: bytes) -> Halves:
        """
        Return those for one enrolment, the same each time that it is sent again: both peers must hold the same digest,
        whichever attempt was the last that has reached each.
        """
        drawn = hashlib.blake2b(enrolment_id, key=secret, person=_PURPOSE, digest_size=2 * HALF_BYTES).digest()
        return cls(drawn[:HALF_BYTES], drawn[HALF_BYTES:])

    def key(self) -> bytes:
        """
        Return the whole key.
        """
        return joined_key(self.after, self.before)


def joined_key(one: bytes, other: bytes) -> bytes:
    """
    Return the key of which two matchers hold the halves.
    """
    return (int.from_bytes(one) ^ int.from_bytes(other)).to_bytes(HALF_BYTES)


def digest_of(enrolment_id: bytes, shares: Shares, *, key: bytes) -> bytes:
    """
    Return the digest of one row.
    """
    return _digest(enrolment_id + shares.template + shares.own + shares.pair, key)


def digests_of(columns: Columns, keys: Sequence[bytes]) -> list[bytes]:
    """
    Return the digests of rows, each under its key.
    """
    templates = columns.templates.astype("<u2", copy=False).view(np.uint8)
    contents = np.concatenate([columns.ids, templates, columns.own, columns.pair], axis=1)
    return [_digest(content.data, key) for content, key in zip(contents, keys, strict=True)]


def _digest(content: bytes | memoryview, key: bytes) -> bytes:
    return hashlib.blake2b(content, key=key, person=_PURPOSE, digest_size=DIGEST_BYTES).digest()
