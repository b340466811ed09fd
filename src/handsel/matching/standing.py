"""
Hold the active rows of one matcher: those that are sealed into blocks, and the tail behind them.

Nothing here changes: every change gives another `Standing`, and the files are only appended to, or written anew beside.
The tail is kept between 64 and 127 rows long, so that commits that come a little out of their order meet it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from handsel.errors import GalleryCorrupt
from handsel.matching.blocks import Blocks, digests
from handsel.matching.columns import Columns
from handsel.matching.kernels import PLANE_BITS
from handsel.matching.message import POSITION_MAX
from handsel.matching.rows import Row, Rows, Segment, names_of
from handsel.matching.sealing import AT_ONCE_BLOCKS, POSITION_BYTES, BlockWriter, Sealed

Change = Callable[[Columns], Columns]
Block = tuple[int, bytes, bytes, bytes]  # Number, ids, positions, digest.


@dataclass(frozen=True, repr=False)
class Standing:
    """
    Hold the blocks on file, what is mapped of them, and the rows of the tail in the order of their positions.
    """

    files: Blocks
    mapped: Segment
    sealed: Sealed
    tail: tuple[Row, ...]
    chain: bytes
    rows: Rows = field(init=False)

    def __post_init__(self) -> None:
        """
        Join blocks and tail to what a query is matched with.
        """
        if self.is_in_order():
            ids, positions = self.sealed.names()
            more_ids, more_positions = names_of(self.tail)
            names = np.concatenate([ids, more_ids]), np.concatenate([positions, more_positions])
            tail = Segment.build(self.tail, dims=self.dims)
            object.__setattr__(self, "rows", Rows(*names, (self.mapped, tail), self.chain))

    @classmethod
    def open(cls, files: Blocks, sealed: Sealed, tail: Iterable[Row], *, chain: bytes) -> Standing:
        """
        Return what is on disk, all blocks checked; what is left of other generations is overwritten.

        Raises `GalleryCorrupt`, `StoreError`.
        """
        files.shred_others()
        if sealed.count % PLANE_BITS or len(sealed.positions) != sealed.count * POSITION_BYTES:
            raise GalleryCorrupt("the list of the gallery's blocks is damaged: restore the gallery from its backup")
        mapped = files.mapped(sealed.count // PLANE_BITS)
        if b"".join(digests(mapped, sealed.ids, sealed.positions)) != sealed.digests:
            raise GalleryCorrupt("a block of the gallery does not fit its digest: restore the gallery from its backup")
        return cls(files, mapped, sealed, tuple(tail), chain)

    @property
    def generation(self) -> int:
        """
        Return the number of the files.
        """
        return self.files.generation

    @property
    def dims(self) -> int:
        """
        Return the number of a palm's coordinates.
        """
        return int(self.mapped.templates.shape[1])

    def is_in_order(self) -> bool:
        """
        Return whether the whole tail stands behind the blocks.
        """
        if not self.tail or not self.sealed.count:
            return True
        last = int.from_bytes(self.sealed.positions[-POSITION_BYTES:], "little")
        return self.tail[0].position > last

    def with_rows(self, rows: Iterable[Row]) -> Standing:
        """
        Return these rows and others.
        """
        tail = sorted((*self.tail, *rows), key=lambda row: row.position)
        return replace(self, tail=tuple(tail))

    def without(self, gone: Collection[int]) -> Standing:
        """
        Return these rows less those of the tail at some positions.
        """
        tail = tuple(row for row in self.tail if row.position not in gone)
        return replace(self, tail=tail)

    def sealed_further(self) -> Standing | None:
        """
        Write full blocks of the tail to the files; None while it is not long enough. Raises `StoreError`.
        """
        count = (len(self.tail) // PLANE_BITS - 1) * PLANE_BITS
        return None if count <= 0 else self._appended(self.tail[:count], self.tail[count:])

    def written_anew(self, gone: Collection[int] = ()) -> Standing:
        """
        Return all rows in order, less those at some positions, with blocks in new files.

        Blocks before the first that is another are copied. Raises `StoreError`.
        """
        files = self.files.successor()
        try:
            return self._written_to(files, np.fromiter(gone, np.int64, len(gone)))
        except BaseException:
            files.discard()
            raise

    def emptied(self, *, chain: bytes) -> Standing:
        """
        Return no rows yet, with another chain, and new files for their blocks. Raises `StoreError`.
        """
        files = self.files.successor()
        return Standing(files, files.mapped(0), Sealed(), (), chain)

    def following(self, other: Standing, change: Change) -> Standing:
        """
        Return the rows of `other`, changed, of which those in the first blocks are here already. Raises `StoreError`.
        """
        writer, blocks = BlockWriter(self.files, self.sealed), len(other.mapped.own)
        ids, positions = other.sealed.names()
        for start in range(len(self.mapped.own), blocks, AT_ONCE_BLOCKS):
            stop = min(start + AT_ONCE_BLOCKS, blocks)
            writer.add(change(Columns.of_blocks(other.mapped, ids, positions, start=start, stop=stop)))
        tail = change(Columns.of_rows(other.tail, dims=self.dims)).rows()
        return Standing(self.files, *writer.finish(), tail, self.chain)

    def retire(self) -> None:
        """
        Overwrite and remove the files as soon as no query reads them.
        """
        self.files.retire()

    def blocks_since(self, row: int) -> Iterator[Block]:
        """
        Yield the blocks from row number `row` on, as the database keeps them.
        """
        for block in range(row // PLANE_BITS, self.sealed.count // PLANE_BITS):
            part = self.sealed.part(block, block + 1)
            yield block, part.ids, part.positions, part.digests

    def _appended(self, rows: Sequence[Row], tail: Iterable[Row]) -> Standing:
        writer = BlockWriter(self.files, self.sealed)
        writer.add(Columns.of_rows(rows, dims=self.dims))
        return Standing(self.files, *writer.finish(), tuple(tail), self.chain)

    def _written_to(self, files: Blocks, gone: NDArray[np.int64]) -> Standing:
        writer, rest = BlockWriter(files, Sealed()), Columns.of_rows((), dims=self.dims)
        same = self._blocks_before(gone)
        writer.copy(self.mapped, self.sealed, count=same)
        for columns in self._merged(gone, first=same):
            rest = rest.joined(columns)
            whole = max(0, len(rest) // PLANE_BITS - 1) * PLANE_BITS
            writer.add(rest.part(slice(whole)))
            rest = rest.part(slice(whole, None))
        return Standing(files, *writer.finish(), rest.rows(), self.chain)

    def _blocks_before(self, gone: NDArray[np.int64]) -> int:
        """
        Return how many blocks stay what they are, when rows go, or come from the tail.
        """
        _, positions = self.sealed.names()
        first = min((*gone.tolist(), *(row.position for row in self.tail)), default=POSITION_MAX)
        return int(np.searchsorted(positions, first)) // PLANE_BITS

    def _merged(self, gone: NDArray[np.int64], *, first: int) -> Iterator[Columns]:
        """
        Yield all rows from a block on in the order of their positions, less those at some positions.
        """
        ids, positions = self.sealed.names()
        waiting = Columns.of_rows(self.tail, dims=self.dims).without(gone)
        for start in range(first, len(self.mapped.own), AT_ONCE_BLOCKS):
            columns = Columns.of_blocks(self.mapped, ids, positions, start=start, stop=start + AT_ONCE_BLOCKS)
            taken = int(np.searchsorted(waiting.positions, columns.positions[-1]))
            if taken:
                columns = columns.merged(waiting.part(slice(taken)))
                waiting = waiting.part(slice(taken, None))
            yield columns.without(gone)
        yield waiting
