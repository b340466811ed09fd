"""
Write blocks: the files, and what the database is to say of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from handsel.ids import ID_BYTES
from handsel.matching.blocks import Blocks, digests
from handsel.matching.columns import Columns
from handsel.matching.kernels import PLANE_BITS
from handsel.matching.rows import Segment

POSITION_BYTES = 8
DIGEST_BYTES = 32
AT_ONCE_BLOCKS = 16  # Read or written at a time: 1 MB, which stays in the second-level cache.


@dataclass(frozen=True, repr=False)
class Sealed:
    """
    Hold the ids (16 bytes each), positions (8, little-endian) of the rows in blocks, and the blocks' digests (32).
    """

    ids: bytes = b""
    positions: bytes = b""
    digests: bytes = b""

    @property
    def count(self) -> int:
        """
        Return the number of rows.
        """
        return len(self.ids) // ID_BYTES

    def names(self) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """
        Return ids (count, 16) and positions (count,).
        """
        ids = np.frombuffer(self.ids, np.uint8).reshape(-1, ID_BYTES)
        return ids, np.frombuffer(self.positions, "<i8").astype(np.int64)

    def part(self, start: int, stop: int) -> Sealed:
        """
        Return blocks `start` … `stop` - 1.
        """
        first, end = start * PLANE_BITS, stop * PLANE_BITS
        return Sealed(
            self.ids[first * ID_BYTES : end * ID_BYTES],
            self.positions[first * POSITION_BYTES : end * POSITION_BYTES],
            self.digests[start * DIGEST_BYTES : stop * DIGEST_BYTES],
        )


class BlockWriter:
    """
    Write blocks behind those that are sealed already. Nothing counts before `finish`.
    """

    def __init__(self, files: Blocks, before: Sealed) -> None:
        self._files, self._parts = files, [before]
        self._blocks = before.count // PLANE_BITS

    def add(self, columns: Columns) -> None:
        """
        Write rows, a multiple of 64. Raises `StoreError`.
        """
        if not len(columns):
            return
        segment = columns.segment()
        ids, positions = columns.ids.tobytes(), columns.positions.astype("<i8", copy=False).tobytes()
        self._write(segment, Sealed(ids, positions, b"".join(digests(segment, ids, positions))))

    def copy(self, mapped: Segment, sealed: Sealed, *, count: int) -> None:
        """
        Write the first `count` blocks of other files as they are. Raises `StoreError`.
        """
        for start in range(0, count, AT_ONCE_BLOCKS):
            stop = min(start + AT_ONCE_BLOCKS, count)
            templates = mapped.templates[start * PLANE_BITS : stop * PLANE_BITS]
            segment = Segment(templates, mapped.own[start:stop], mapped.pair[start:stop])
            self._write(segment, sealed.part(start, stop))

    def finish(self) -> tuple[Segment, Sealed]:
        """
        See that all is on disk, and return it. Raises `StoreError`.
        """
        self._files.flush()
        columns = ([getattr(part, name) for part in self._parts] for name in ("ids", "positions", "digests"))
        return self._files.mapped(self._blocks), Sealed(*(b"".join(parts) for parts in columns))

    def _write(self, segment: Segment, sealed: Sealed) -> None:
        self._files.write(segment, after=self._blocks)
        self._parts.append(sealed)
        self._blocks += len(segment.own)
