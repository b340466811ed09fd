"""
Sort the enrolments of a gallery into buckets by their ids, so that matchers see cheaply where their stories differ.

A bucket holds the enrolments whose ids begin with the same 12 bits. Its digest is over which of them were committed,
where, and which were erased. Pending ones do not count: they are nobody else's business.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated

import msgspec
import numpy as np

from handsel.ids import ID_BYTES

BUCKETS = 1 << 12
ENTRIES_AT_ONCE_MAX = 1 << 16  # 12 MB. What is left over comes later.
DIGEST_BYTES = 32
_COUNT = np.dtype("<u4")
_STALE_MAX = 64  # Where more have to be read, all are,
_READ_AT_ONCE = 256  # so many at a time: a million stories would take 300 MB.
_END = b"\xff" * (ID_BYTES + 1)  # Behind every id.

Story = tuple[bytes, int, int | None]  # Id, state and position.
Read = Callable[[bytes, bytes], Iterable[Story]]
_Digests = Annotated[bytes, msgspec.Meta(min_length=BUCKETS * DIGEST_BYTES, max_length=BUCKETS * DIGEST_BYTES)]
_Counts = Annotated[bytes, msgspec.Meta(min_length=BUCKETS * _COUNT.itemsize, max_length=BUCKETS * _COUNT.itemsize)]


class Buckets(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """
    Carry the digest of each bucket, and how many enrolments it holds (4 bytes each, little-endian).
    """

    digests: _Digests
    counts: _Counts


class Tally:
    """
    Keep the digests of one gallery's buckets, which are computed anew where rows have changed.
    """

    def __init__(self) -> None:
        self._digests = [b""] * BUCKETS
        self._counts = np.zeros(BUCKETS, _COUNT)
        self._stale = set(range(BUCKETS))

    def note(self, enrolment_id: bytes) -> None:
        """
        Note that a row may have changed.
        """
        self._stale.add(bucket_of(enrolment_id))

    def note_all(self) -> None:
        """
        Note that every row may have changed.
        """
        self._stale.update(range(BUCKETS))

    def buckets(self, read: Read) -> Buckets:
        """
        Return all buckets. `read` gives the stories of the ids from one on and before another, pending ones left out.
        """
        if len(self._stale) > _STALE_MAX:
            for first in range(0, BUCKETS, _READ_AT_ONCE):
                buckets = range(first, first + _READ_AT_ONCE)
                self._count(buckets, read(bounds_of(buckets[0])[0], bounds_of(buckets[-1])[1]))
        else:
            for bucket in self._stale:
                self._count(range(bucket, bucket + 1), read(*bounds_of(bucket)))
        self._stale.clear()
        return Buckets(b"".join(self._digests), self._counts.tobytes())

    def _count(self, buckets: Sequence[int], stories: Iterable[Story]) -> None:
        records: dict[int, list[bytes]] = {bucket: [] for bucket in buckets}
        for enrolment_id, state, position in stories:
            place = 0 if position is None else position + 1
            records[bucket_of(enrolment_id)].append(enrolment_id + bytes((state,)) + place.to_bytes(8, "big"))
        for bucket, its in records.items():
            its.sort()
            self._digests[bucket] = hashlib.sha256(b"handsel/v1/bucket\0" + b"".join(its)).digest()
            self._counts[bucket] = len(its)


def bucket_of(enrolment_id: bytes) -> int:
    """
    Return the number of the bucket in which an enrolment lies.
    """
    return int.from_bytes(enrolment_id[:2], "big") >> 4


def bounds_of(bucket: int) -> tuple[bytes, bytes]:
    """
    Return from which id on, and before which, a bucket holds all.
    """
    first, end = ((number << 4).to_bytes(3, "big")[1:] for number in (bucket, bucket + 1))
    return first, end if bucket + 1 < BUCKETS else _END


def choose(tallies: Sequence[Buckets], *, coin: bytes) -> list[int]:
    """
    Return in which buckets not all tallies are the same, and of these no more than are to be told at once.

    Which come first follows from `coin`, so that none that never become the same keep others waiting.
    """
    counts = np.max([np.frombuffer(one.counts, _COUNT) for one in tallies], axis=0)
    differing = [bucket for bucket in range(BUCKETS) if len({_digest_of(one, bucket) for one in tallies}) > 1]
    differing.sort(key=lambda bucket: hashlib.sha256(coin + bucket.to_bytes(2, "big")).digest())
    chosen, told = list[int](), 0
    for bucket in differing:
        told += int(counts[bucket])
        if chosen and told > ENTRIES_AT_ONCE_MAX:
            break
        chosen.append(bucket)
    return chosen


def _digest_of(tally: Buckets, bucket: int) -> bytes:
    return tally.digests[bucket * DIGEST_BYTES : (bucket + 1) * DIGEST_BYTES]
