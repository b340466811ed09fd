"""
Keep the sealed rows of a gallery: blocks of 64 in three files, of templates and of both alias shares; they only grow.

What is on file is mapped, never copied: a query reads the pages that are there. Which blocks count is said by the
gallery's database, with a digest of each; what lies behind them is the rest of an append that did not come to its end.
To take a row out, all is written anew beside the old files (`Blocks.successor`), and the old ones are overwritten and
removed as soon as no query reads them any more.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import weakref
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handsel.errors import GalleryCorrupt, StoreError
from handsel.matching.disk import Shredder, shred, sync_folder, translated
from handsel.matching.kernels import PLANE_BITS, Bits
from handsel.matching.ring import Words
from handsel.matching.rows import ALIAS_PLANES, Segment

_NAMES = ("templates", "own", "pair")
_FOLDER = "blocks-{}"
_GENERATIONS_MAX = 64  # At a time: one that counts, one that is written beside, and those that are still read.


class _Source:
    """
    Be held by all segments of one generation.
    """


class Blocks:
    """
    Hold the files of one generation.
    """

    def __init__(self, directory: Path, generation: int, *, dims: int, shredder: Shredder) -> None:
        """
        Open them, or make empty ones. Raises `StoreError`.
        """
        self._directory, self.generation, self._dims, self._shredder = directory, generation, dims, shredder
        self._source: _Source | None = _Source()
        self._folder = directory / _FOLDER.format(generation)
        with translated():
            self._folder.mkdir(mode=0o700, exist_ok=True)
            for name in _NAMES:
                os.close(os.open(self._folder / name, os.O_WRONLY | os.O_CREAT, 0o600))

    def append(self, segment: Segment, *, after: int) -> None:
        """
        Write blocks behind the first `after`, and see that they are on disk. Raises `StoreError`, `StoreFull`.
        """
        self.write(segment, after=after)
        self.flush()

    def write(self, segment: Segment, *, after: int) -> None:
        """
        Write blocks behind the first `after`. Raises `StoreError`, `StoreFull`.
        """
        arrays = (segment.templates, segment.own, segment.pair)
        with translated():
            for name, array, size in zip(_NAMES, arrays, self._block_bytes(), strict=True):
                with (self._folder / name).open("r+b") as file:
                    file.seek(after * size)
                    file.write(np.ascontiguousarray(array).data)

    def flush(self) -> None:
        """
        See that all that was written is on disk. Raises `StoreError`, `StoreFull`.
        """
        with translated():
            for name in _NAMES:
                with (self._folder / name).open("r+b") as file:
                    os.fsync(file.fileno())
            sync_folder(self._folder)

    def mapped(self, count: int) -> Segment:
        """
        Return the first `count` blocks. Raises `GalleryCorrupt` where there are fewer.
        """
        arrays: list[NDArray[Any]] = []
        shapes = ((count * PLANE_BITS, self._dims), (count, ALIAS_PLANES), (count, ALIAS_PLANES))
        for name, shape, size in zip(_NAMES, shapes, self._block_bytes(), strict=True):
            kind = np.uint16 if name == "templates" else np.uint64
            path = self._folder / name
            if path.stat().st_size < count * size:
                raise GalleryCorrupt("a file of the gallery is too short: restore the gallery from its backup")
            arrays.append(np.asarray(np.memmap(path, kind, "r", shape=shape)) if count else np.zeros(shape, kind))
        templates, own, pair = arrays
        return Segment(templates, own, pair, self._source)

    def successor(self) -> Blocks:
        """
        Return empty files of a later generation, beside any that are there. Raises `StoreError`.
        """
        for generation in range(self.generation + 1, self.generation + 1 + _GENERATIONS_MAX):
            with translated(), contextlib.suppress(FileExistsError):
                (self._directory / _FOLDER.format(generation)).mkdir(mode=0o700)
                return Blocks(self._directory, generation, dims=self._dims, shredder=self._shredder)
        raise StoreError("old files of the gallery cannot be removed: look at its disk")

    def retire(self) -> None:
        """
        Overwrite and remove the files when nobody holds a segment of them any more.
        """
        source, self._source = self._source, None
        if source is not None:
            weakref.finalize(source, self._shredder.shred, self._folder)

    def discard(self) -> None:
        """
        Overwrite and remove the files, which nobody is to read any more, at once.
        """
        self._source = None
        self._shredder.shred(self._folder)

    def shred_others(self) -> None:
        """
        Overwrite and remove the files of all other generations. Raises `StoreError`.
        """
        for folder in sorted(self._directory.glob(_FOLDER.format("*"))):
            if folder != self._folder:
                shred(folder)

    def _block_bytes(self) -> tuple[int, int, int]:
        return 2 * PLANE_BITS * self._dims, 8 * ALIAS_PLANES, 8 * ALIAS_PLANES


def digests(segment: Segment, ids: bytes, positions: bytes) -> list[bytes]:
    """
    Return the digest of each block of a segment with the ids (16 bytes) and positions (8) of its rows.
    """
    found = []
    for block in range(len(segment.own)):
        rows = slice(block * PLANE_BITS, (block + 1) * PLANE_BITS)
        content = hashlib.sha256(b"handsel/v2/gallery-block\0")
        content.update(ids[16 * rows.start : 16 * rows.stop])
        content.update(positions[8 * rows.start : 8 * rows.stop])
        parts: tuple[Words | Bits, ...] = (segment.templates[rows], segment.own[block], segment.pair[block])
        for part in parts:
            content.update(np.ascontiguousarray(part).data)
        found.append(content.digest())
    return found
