"""
Hold the shares of many rows at a time, to be put in another order, renewed or written: never row by row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from handsel.matching.kernels import PLANE_BITS
from handsel.matching.message import ALIAS_BYTES
from handsel.matching.ring import Words
from handsel.matching.rows import Row, Rows, Segment, from_planes, names_of, padded, to_planes

Octets16 = NDArray[np.uint8]  # (n, 16)


@dataclass(frozen=True, repr=False)
class Columns:
    """
    Hold n rows, of which each column is an array that is not changed.
    """

    ids: Octets16
    positions: NDArray[np.int64]  # (n,)
    templates: Words  # (n, D)
    own: Octets16
    pair: Octets16

    def __len__(self) -> int:
        """
        Return the number of rows.
        """
        return len(self.positions)

    @classmethod
    def of_rows(cls, rows: Sequence[Row], *, dims: int) -> Columns:
        """
        Return rows as columns.
        """
        templates = np.frombuffer(b"".join(row.template for row in rows), "<u2").astype(np.uint16).reshape(-1, dims)
        own, pair = (
            np.frombuffer(b"".join(parts), np.uint8).reshape(-1, ALIAS_BYTES)
            for parts in ([row.own for row in rows], [row.pair for row in rows])
        )
        return cls(*names_of(rows), templates, own, pair)

    @classmethod
    def of_blocks(
        cls, mapped: Segment, ids: Octets16, positions: NDArray[np.int64], *, start: int, stop: int
    ) -> Columns:
        """
        Return the rows of blocks `start` … `stop` - 1 of a segment whose rows, without its padding, have these names.
        """
        rows = slice(start * PLANE_BITS, min(stop * PLANE_BITS, len(positions)))
        size = max(0, rows.stop - rows.start)
        own, pair = (from_planes(planes[start:stop])[:size] for planes in (mapped.own, mapped.pair))
        return cls(ids[rows], positions[rows], mapped.templates[rows], own, pair)

    @classmethod
    def of(cls, rows: Rows, *, start: int, stop: int) -> Columns:
        """
        Return rows number `start`, a multiple of 64, to `stop` - 1.
        """
        found = cls.of_rows((), dims=rows.segments[0].templates.shape[1])
        for first, segment in rows.placed():
            begin, end = max(start, first) - first, min(stop, first + len(segment.templates)) - first
            if begin < end:
                ids, positions = rows.ids[first : first + end], rows.positions[first : first + end]
                blocks = (begin // PLANE_BITS, padded(end) // PLANE_BITS)
                found = found.joined(cls.of_blocks(segment, ids, positions, start=blocks[0], stop=blocks[1]))
        return found

    def part(self, chosen: slice | NDArray[np.bool_] | NDArray[np.intp]) -> Columns:
        """
        Return some of the rows, or all in another order.
        """
        return Columns(
            self.ids[chosen], self.positions[chosen], self.templates[chosen], self.own[chosen], self.pair[chosen]
        )

    def joined(self, others: Columns) -> Columns:
        """
        Return these rows and others behind them.
        """
        return Columns(
            np.concatenate([self.ids, others.ids]),
            np.concatenate([self.positions, others.positions]),
            np.concatenate([self.templates, others.templates]),
            np.concatenate([self.own, others.own]),
            np.concatenate([self.pair, others.pair]),
        )

    def merged(self, others: Columns) -> Columns:
        """
        Return these rows and others in the order of their positions.
        """
        both = self.joined(others)
        return both.part(np.argsort(both.positions))

    def without(self, positions: NDArray[np.int64]) -> Columns:
        """
        Return the rows less those at some positions.
        """
        gone = np.isin(self.positions, positions)
        return self.part(~gone) if gone.any() else self

    def segment(self) -> Segment:
        """
        Return whole blocks of rows as they are matched.
        """
        return Segment(np.ascontiguousarray(self.templates), to_planes(self.own), to_planes(self.pair))

    def rows(self) -> tuple[Row, ...]:
        """
        Return the rows one by one.
        """
        names = zip(self.ids, self.positions.tolist(), strict=True)
        shares = zip(self.templates.astype("<u2", copy=False), self.own, self.pair, strict=True)
        return tuple(
            Row(one.tobytes(), position, template.tobytes(), own.tobytes(), pair.tobytes())
            for (one, position), (template, own, pair) in zip(names, shares, strict=True)
        )
