"""
Hold the shares of all enrolled palms as arrays that never change: a query works on the rows it began with.

Knows nothing of disks. Rows stand in segments, which may lie anywhere, and whose partial answers add up: sealed blocks
of 64 rows, mapped from a file, and a tail that is padded with zeros to a multiple of 64, because a plane holds 64 rows
to a word. A zero row has a zero alias, so it may match and changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from handsel.errors import ensure
from handsel.ids import ID_BYTES
from handsel.matching.kernels import PLANE_BITS, Bits
from handsel.matching.message import ALIAS_BYTES
from handsel.matching.ring import Words

ALIAS_PLANES = 8 * ALIAS_BYTES


@dataclass(frozen=True, repr=False)
class Row:
    """
    Hold one matcher's share of one enrolled palm and of its alias.
    """

    enrolment_id: bytes
    position: int
    template: bytes  # D words of 16 bits, little-endian
    own: bytes
    pair: bytes


@dataclass(frozen=True, repr=False)
class Segment:
    """
    Hold the shares of a multiple of 64 rows. `source` lives as long as anybody holds a segment that it gave.
    """

    templates: Words  # (N, D)
    own: Bits  # (N / 64, 128): bit p of the aliases' shares of 64 rows
    pair: Bits
    source: object = None

    def __post_init__(self) -> None:
        """
        Refuse arrays that do not belong together. Raises `InvariantBroken`.
        """
        blocks = len(self.templates) // PLANE_BITS
        ensure(len(self.templates) == blocks * PLANE_BITS, "rows are padded")
        ensure(self.own.shape == self.pair.shape == (blocks, ALIAS_PLANES), "aliases are padded")

    @classmethod
    def build(cls, rows: Sequence[Row], *, dims: int) -> Segment:
        """
        Return the segment of rows, padded.
        """
        size = padded(len(rows))
        templates = np.zeros((size, dims), np.uint16)
        own, pair = np.zeros((size, ALIAS_BYTES), np.uint8), np.zeros((size, ALIAS_BYTES), np.uint8)
        for index, row in enumerate(rows):
            templates[index] = np.frombuffer(row.template, "<u2")
            own[index], pair[index] = np.frombuffer(row.own, np.uint8), np.frombuffer(row.pair, np.uint8)
        return cls(templates, to_planes(own), to_planes(pair))


@dataclass(frozen=True, repr=False)
class Rows:
    """
    Hold the shares of `count` enrolled palms in the order of their positions.

    `chain` names all renewals of the shares so far. `digest` names which palms stand in which order, and the renewals,
    so that three matchers can see that their shares belong together.
    """

    ids: NDArray[np.uint8]  # (count, 16)
    positions: NDArray[np.int64]  # (count,)
    segments: tuple[Segment, ...]
    chain: bytes = b""
    digest: bytes = field(init=False)

    def __post_init__(self) -> None:
        """
        Compute the digest, and refuse positions that are not in order. Raises `InvariantBroken`.
        """
        ensure(bool(np.all(np.diff(self.positions) > 0)), "rows are in the order of their positions")
        ensure(padded(self.count) == self.padded, "there is room for all rows and no more")
        content = hashlib.sha256(b"handsel/v2/rows\0" + hashlib.sha256(self.chain).digest())
        content.update(self.positions.astype("<i8").tobytes())
        content.update(self.ids.tobytes())
        object.__setattr__(self, "digest", content.digest())

    @property
    def count(self) -> int:
        """
        Return the number of palms, without the padding.
        """
        return len(self.positions)

    @property
    def padded(self) -> int:
        """
        Return the number of rows, padding included.
        """
        return sum(len(segment.templates) for segment in self.segments)

    def placed(self) -> Iterator[tuple[int, Segment]]:
        """
        Yield the segments that are not empty, each with the number of its first row.
        """
        start = 0
        for segment in self.segments:
            if len(segment.templates):
                yield start, segment
            start += len(segment.templates)

    @classmethod
    def build(cls, rows: Sequence[Row], *, dims: int) -> Rows:
        """
        Return rows, which must come in the order of their positions, as one segment.
        """
        return cls(*names_of(rows), (Segment.build(rows, dims=dims),))


def names_of(rows: Sequence[Row]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """
    Return the ids (count, 16) and positions (count,) of rows.
    """
    ids = np.frombuffer(b"".join(row.enrolment_id for row in rows), np.uint8).reshape(-1, ID_BYTES)
    return ids, np.array([row.position for row in rows], np.int64)


def padded(count: int) -> int:
    """
    Return the number of rows, padding included, that hold `count` palms.
    """
    return -(-count // PLANE_BITS) * PLANE_BITS


def to_planes(aliases: NDArray[np.uint8]) -> Bits:
    """
    Return the planes (N / 64, 128) of shares of aliases (N, 16): bit p of row 64·w + j is bit j of planes[w, p].
    """
    bits = np.unpackbits(aliases, axis=1, bitorder="little").reshape(-1, PLANE_BITS, ALIAS_PLANES)
    turned = np.ascontiguousarray(bits.transpose(0, 2, 1))
    return np.packbits(turned, axis=2, bitorder="little").view(np.uint64)[:, :, 0].copy()


def from_planes(planes: Bits) -> NDArray[np.uint8]:
    """
    Return the shares of aliases (N, 16) of their planes.
    """
    bits = np.unpackbits(planes.view(np.uint8).reshape(-1, ALIAS_PLANES, 8), axis=2, bitorder="little")
    turned = np.ascontiguousarray(bits.transpose(0, 2, 1))
    return np.packbits(turned, axis=2, bitorder="little").reshape(-1, ALIAS_BYTES)
