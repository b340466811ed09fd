"""
Hold the active rows of one matcher: those that are sealed into blocks, and the tail behind them.

Nothing here changes: every change gives another `Standing`, and the files are only appended to, or written anew beside.
The tail is kept between 64 and 127 rows long, so that commits that come a little out of their order meet it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from handsel.errors import GalleryCorrupt
from handsel.ids import ID_BYTES
from handsel.matching.blocks import Blocks, digests
from handsel.matching.kernels import PLANE_BITS
from handsel.matching.rows import Row, Rows, Segment, from_planes, names_of

_POSITION_BYTES = 8
_DIGEST_BYTES = 32
_ANEW_BLOCKS = 256  # Written at a time.

Renew = Callable[[Row], Row]
Block = tuple[int, bytes, bytes, bytes]  # Number, ids, positions, digest.


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
            tail = Segment.build(self.tail, dims=self.mapped.templates.shape[1])
            object.__setattr__(self, "rows", Rows(*names, (self.mapped, tail), self.chain))

    @classmethod
    def open(
        cls, directory: Path, generation: int, sealed: Sealed, tail: Iterable[Row], *, chain: bytes, dims: int
    ) -> Standing:
        """
        Return what is on disk, all blocks checked; what is left of other generations is overwritten.

        Raises `GalleryCorrupt`, `StoreError`.
        """
        files = Blocks(directory, generation, dims=dims)
        files.shred_others()
        if sealed.count % PLANE_BITS or len(sealed.positions) != sealed.count * _POSITION_BYTES:
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

    def is_in_order(self) -> bool:
        """
        Return whether the whole tail stands behind the blocks.
        """
        if not self.tail or not self.sealed.count:
            return True
        last = int.from_bytes(self.sealed.positions[-_POSITION_BYTES:], "little")
        return self.tail[0].position > last

    def with_rows(self, rows: Iterable[Row]) -> Standing:
        """
        Return these rows and others.
        """
        tail = sorted((*self.tail, *rows), key=lambda row: row.position)
        return replace(self, tail=tuple(tail))

    def without(self, gone: frozenset[bytes]) -> Standing:
        """
        Return these rows less some of the tail.
        """
        tail = tuple(row for row in self.tail if row.enrolment_id not in gone)
        return replace(self, tail=tail)

    def sealed_further(self) -> Standing | None:
        """
        Write full blocks of the tail to the files; None while it is not long enough. Raises `StoreError`.
        """
        count = (len(self.tail) // PLANE_BITS - 1) * PLANE_BITS
        return None if count <= 0 else self._appended(self.tail[:count], self.tail[count:])

    def written_anew(
        self, without: frozenset[bytes], *, renew: Renew | None = None, chain: bytes | None = None
    ) -> Standing:
        """
        Return all rows in order, less some, with blocks in new files; where they are renewed, with a new `chain`.

        Raises `StoreError`.
        """
        files = self.files.successor()
        standing = Standing(files, files.mapped(0), Sealed(), (), self.chain if chain is None else chain)
        waiting: list[Row] = []
        for row in self._merged(without):
            waiting.append(row if renew is None else renew(row))
            if len(waiting) == (_ANEW_BLOCKS + 1) * PLANE_BITS:
                standing = standing._appended(waiting[:-PLANE_BITS], ())
                waiting = waiting[-PLANE_BITS:]
        count = max(0, (len(waiting) // PLANE_BITS - 1) * PLANE_BITS)
        if count:
            standing = standing._appended(waiting[:count], ())
        return replace(standing, tail=tuple(waiting[count:]))

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
            yield (
                block,
                _part(self.sealed.ids, block, PLANE_BITS * ID_BYTES),
                _part(self.sealed.positions, block, PLANE_BITS * _POSITION_BYTES),
                _part(self.sealed.digests, block, _DIGEST_BYTES),
            )

    def _appended(self, rows: Iterable[Row], tail: Iterable[Row]) -> Standing:
        new = tuple(rows)
        segment = Segment.build(new, dims=self.mapped.templates.shape[1])
        self.files.append(segment, after=self.sealed.count // PLANE_BITS)
        ids = b"".join(row.enrolment_id for row in new)
        positions = b"".join(row.position.to_bytes(_POSITION_BYTES, "little") for row in new)
        sealed = Sealed(
            self.sealed.ids + ids,
            self.sealed.positions + positions,
            self.sealed.digests + b"".join(digests(segment, ids, positions)),
        )
        mapped = self.files.mapped(sealed.count // PLANE_BITS)
        return Standing(self.files, mapped, sealed, tuple(tail), self.chain)

    def _merged(self, without: frozenset[bytes]) -> Iterator[Row]:
        """
        Yield all rows in the order of their positions, less some.
        """
        ids, positions = self.sealed.names()
        own, pair = from_planes(self.mapped.own), from_planes(self.mapped.pair)
        waiting = [row for row in reversed(self.tail) if row.enrolment_id not in without]
        for number, position in enumerate(positions.tolist()):
            while waiting and waiting[-1].position < position:
                yield waiting.pop()
            enrolment_id = ids[number].tobytes()
            if enrolment_id not in without:
                template = self.mapped.templates[number].astype("<u2").tobytes()
                yield Row(enrolment_id, position, template, own[number].tobytes(), pair[number].tobytes())
        while waiting:
            yield waiting.pop()


def _part(content: bytes, number: int, size: int) -> bytes:
    return content[number * size : (number + 1) * size]
