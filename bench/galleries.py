"""
Write the galleries of three matchers for random palms, fast: a million enrolments, one by one, would take an hour.

The files are those that `handsel.matching.gallery` writes, made with the same parts of it, but all blocks at once and
without a transaction for each row. A matcher opens them as it opens any gallery, and checks every block.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from handsel.ids import ID_BYTES
from handsel.log import Log
from handsel.matching.blocks import Blocks, digests
from handsel.matching.disk import Shredder
from handsel.matching.entry import ACTIVE
from handsel.matching.gallery_file import FILE_NAME, open_file
from handsel.matching.kept import FIELDS, Kept, Shares
from handsel.matching.kernels import PLANE_BITS
from handsel.matching.message import ALIAS_BYTES, MATCHERS
from handsel.matching.ring import Words
from handsel.matching.rows import Segment, to_planes
from handsel.matching.split import split_rows, to_wire
from handsel.matching.template import quantise

CHUNK_ROWS = 1 << 14  # Split and written at a time.
_MARKS = ", ".join("?" * len(FIELDS.split(", ")))
_INSERT_ROW = f"INSERT INTO rows ({FIELDS}) VALUES ({_MARKS})"  # noqa: S608 - constant names
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Palms:
    """
    Hold palms in the clear, as drawn (N, D) and quantised, and their aliases (N, 16).
    """

    drawn: Floats
    quantised: NDArray[np.int8]
    aliases: NDArray[np.uint8]


@dataclass(frozen=True)
class Part:
    """
    Hold one matcher's shares of some rows.
    """

    templates: Words  # (n, D)
    own: NDArray[np.uint8]  # (n, 16)
    pair: NDArray[np.uint8]

    def segment(self) -> Segment:
        """
        Return the shares as blocks hold them.
        """
        return Segment(self.templates, to_planes(self.own), to_planes(self.pair))


def draw_palms(generator: np.random.Generator, *, rows: int, dims: int) -> Palms:
    """
    Draw palms: unit vectors in random directions.
    """
    drawn = np.empty((rows, dims), np.float32)
    quantised = np.empty((rows, dims), np.int8)
    for start in range(0, rows, CHUNK_ROWS):
        part = drawn[start : start + CHUNK_ROWS]
        generator.standard_normal(dtype=np.float32, out=part)
        part /= np.linalg.norm(part, axis=1, keepdims=True)
        quantised[start : start + CHUNK_ROWS] = quantise(part)
    return Palms(drawn, quantised, generator.integers(0, 256, (rows, ALIAS_BYTES), np.uint8))


def write_galleries(root: Path, palms: Palms, generator: np.random.Generator) -> None:
    """
    Write the galleries of a, b and c below `root`. All rows but the last 64 to 127 are sealed.
    """
    rows, dims = palms.drawn.shape
    sealed = max(0, rows // PLANE_BITS - 1) * PLANE_BITS
    _write_rows(root / MATCHERS[0], sealed)
    for name in MATCHERS[1:]:
        (root / name).mkdir(mode=0o700)
        shutil.copy(root / MATCHERS[0] / FILE_NAME, root / name / FILE_NAME)
    files = {name: Blocks(root / name, 0, dims=dims, shredder=Shredder(Log("bench"))) for name in MATCHERS}
    for start in range(0, sealed, CHUNK_ROWS):
        for name, part in _parts(palms, start, min(start + CHUNK_ROWS, sealed), generator):
            segment = part.segment()
            files[name].append(segment, after=start // PLANE_BITS)
            _write_blocks(root / name, segment, start // PLANE_BITS)
    for name, part in _parts(palms, sealed, rows, generator):
        _write_tail(root / name, part, sealed)


def linked(source: Path, target: Path) -> None:
    """
    Make a second set of galleries of which the blocks are the same files: no matcher here erases anything.
    """
    for name in MATCHERS:
        shutil.copytree(
            source / name,
            target / name,
            copy_function=lambda one, other: (
                shutil.copy(one, other) if Path(one).name == FILE_NAME else Path(other).hardlink_to(one)
            ),
        )


def id_of(number: int) -> bytes:
    """
    Return the enrolment id of row `number`.
    """
    return number.to_bytes(ID_BYTES, "big")


def _parts(palms: Palms, start: int, stop: int, generator: np.random.Generator) -> Iterator[tuple[str, Part]]:
    shares = split_rows(
        palms.quantised[start:stop], random_words=lambda shape: generator.integers(0, 1 << 16, shape, np.uint16)
    )
    own = [generator.integers(0, 256, (stop - start, ALIAS_BYTES), np.uint8) for _ in range(2)]
    own.append(palms.aliases[start:stop] ^ own[0] ^ own[1])
    for index, name in enumerate(MATCHERS):
        yield name, Part(shares[index], own[index], own[index] ^ own[(index + 1) % 3])


def _write_rows(directory: Path, sealed: int) -> None:
    """
    Write down that so many rows are active and sealed: the same at all three.
    """
    connection = open_file(directory)
    connection.execute("BEGIN IMMEDIATE")
    fields = (Kept(id_of(at), ACTIVE, at, 0, is_sealed=True, shares=None).fields() for at in range(sealed))
    connection.executemany(_INSERT_ROW, fields)
    connection.execute("COMMIT")
    connection.close()


def _write_blocks(directory: Path, segment: Segment, first: int) -> None:
    """
    Write down blocks `first` … and their digests.
    """
    begin, end = first * PLANE_BITS, first * PLANE_BITS + len(segment.templates)
    ids = b"".join(id_of(at) for at in range(begin, end))
    positions = np.arange(begin, end, dtype="<i8").tobytes()
    connection = open_file(directory)
    connection.execute("BEGIN IMMEDIATE")
    for block, digest in enumerate(digests(segment, ids, positions)):
        their_ids = ids[block * PLANE_BITS * ID_BYTES :][: PLANE_BITS * ID_BYTES]
        their_positions = positions[block * PLANE_BITS * 8 :][: PLANE_BITS * 8]
        values = (first + block, their_ids, their_positions, digest)
        connection.execute("INSERT INTO blocks VALUES (?, ?, ?, ?)", values)
    connection.execute("COMMIT")
    connection.close()


def _write_tail(directory: Path, part: Part, first: int) -> None:
    connection = open_file(directory)
    connection.execute("BEGIN IMMEDIATE")
    for at, (template, own, pair) in enumerate(zip(part.templates, part.own, part.pair, strict=True)):
        shares = Shares(to_wire(template), own.tobytes(), pair.tobytes())
        kept = Kept(id_of(first + at), ACTIVE, first + at, 0, is_sealed=False, shares=shares)
        connection.execute(_INSERT_ROW, kept.fields())
    connection.execute("COMMIT")
    connection.close()
