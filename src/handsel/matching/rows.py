"""
Hold the shares of all enrolled palms as arrays that never change: a query works on the rows it began with.

Knows nothing of disks. Rows are padded with zeros to a multiple of 64, because a plane holds 64 rows to a word; a zero
row has a zero alias, so it may match and changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handsel.errors import ensure
from handsel.ids import ID_BYTES
from handsel.matching.kernels import PLANE_BITS, Bits
from handsel.matching.message import ALIAS_BYTES
from handsel.matching.ring import Words


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
class Rows:
    """
    Hold the shares of `count` enrolled palms in the order of their positions.

    `digest` names which palms stand in which order, so that three matchers can see that they hold the same rows.
    """

    ids: NDArray[np.uint8]  # (count, 16)
    positions: NDArray[np.int64]  # (count,)
    templates: Words  # (N, D), N the next multiple of 64
    own: Bits  # (N / 64, 128): bit p of the aliases' shares of 64 rows
    pair: Bits
    digest: bytes = field(init=False)

    def __post_init__(self) -> None:
        """
        Compute the digest, and refuse positions that are not in order.
        """
        ensure(bool(np.all(np.diff(self.positions) > 0)), "rows are in the order of their positions")
        ensure(len(self.templates) == padded(self.count), "rows are padded")
        ensure(len(self.own) == len(self.pair) == padded(self.count) // PLANE_BITS, "aliases are padded")
        content = self.positions.astype("<i8").tobytes() + self.ids.tobytes()
        object.__setattr__(self, "digest", hashlib.sha256(b"handsel/v1/rows\0" + content).digest())

    @property
    def count(self) -> int:
        """
        Return the number of palms, without the padding.
        """
        return len(self.positions)

    @classmethod
    def build(cls, rows: Iterable[Row], *, count: int, dims: int) -> Rows:
        """
        Return the arrays of `count` rows, which must come in the order of their positions. Each is read once.
        """
        ids, positions = np.zeros((count, ID_BYTES), np.uint8), np.zeros(count, np.int64)
        templates, own, pair = np.zeros((padded(count), dims), np.uint16), _no_aliases(count), _no_aliases(count)
        for index, row in zip(range(count), rows, strict=True):
            ids[index], positions[index] = np.frombuffer(row.enrolment_id, np.uint8), row.position
            templates[index] = np.frombuffer(row.template, "<u2")
            own[index], pair[index] = np.frombuffer(row.own, np.uint8), np.frombuffer(row.pair, np.uint8)
        return cls(ids, positions, templates, to_planes(own), to_planes(pair))

    def with_row(self, row: Row) -> Rows:
        """
        Return these rows and one more, at its place.
        """
        at = int(np.searchsorted(self.positions, row.position))
        return Rows(
            _insert(self.ids, at, np.frombuffer(row.enrolment_id, np.uint8)),
            _insert(self.positions, at, np.int64(row.position)),
            self._padded_insert(self.templates, at, np.frombuffer(row.template, "<u2").astype(np.uint16)),
            to_planes(self._padded_insert(from_planes(self.own), at, np.frombuffer(row.own, np.uint8))),
            to_planes(self._padded_insert(from_planes(self.pair), at, np.frombuffer(row.pair, np.uint8))),
        )

    def without_row(self, enrolment_id: bytes) -> Rows:
        """
        Return these rows less the one of `enrolment_id`.
        """
        keep = np.any(self.ids != np.frombuffer(enrolment_id, np.uint8), axis=1)  # (count,)
        return Rows(
            self.ids[keep],
            self.positions[keep],
            _padded_keep(self.templates, keep),
            *(to_planes(_padded_keep(from_planes(planes), keep)) for planes in (self.own, self.pair)),
        )

    def _padded_insert(self, array: NDArray[Any], at: int, row: NDArray[Any]) -> NDArray[Any]:
        grown = np.zeros((padded(self.count + 1), array.shape[1]), array.dtype)
        grown[:at], grown[at] = array[:at], row
        grown[at + 1 : self.count + 1] = array[at : self.count]
        return grown


def padded(count: int) -> int:
    """
    Return the number of rows, padding included, that hold `count` palms.
    """
    return -(-count // PLANE_BITS) * PLANE_BITS


def to_planes(aliases: NDArray[np.uint8]) -> Bits:
    """
    Return the planes (N / 64, 128) of shares of aliases (N, 16): bit p of row 64·w + j is bit j of planes[w, p].
    """
    bits = np.unpackbits(aliases, axis=1, bitorder="little").reshape(-1, PLANE_BITS, 8 * ALIAS_BYTES)
    turned = np.ascontiguousarray(bits.transpose(0, 2, 1))
    return np.packbits(turned, axis=2, bitorder="little").view(np.uint64)[:, :, 0].copy()


def from_planes(planes: Bits) -> NDArray[np.uint8]:
    """
    Return the shares of aliases (N, 16) of their planes.
    """
    bits = np.unpackbits(planes.view(np.uint8).reshape(-1, 8 * ALIAS_BYTES, 8), axis=2, bitorder="little")
    return np.packbits(bits.transpose(0, 2, 1), axis=2, bitorder="little").reshape(-1, ALIAS_BYTES)


def _no_aliases(count: int) -> NDArray[np.uint8]:
    return np.zeros((padded(count), ALIAS_BYTES), np.uint8)


def _insert(array: NDArray[Any], at: int, row: Any) -> NDArray[Any]:
    return np.insert(array, at, row, axis=0)


def _padded_keep(array: NDArray[Any], keep: NDArray[np.bool_]) -> NDArray[Any]:
    count = int(keep.sum())
    kept = np.zeros((padded(count), array.shape[1]), array.dtype)
    kept[:count] = array[: len(keep)][keep]
    return kept
