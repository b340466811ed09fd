"""
Keep the hashes of a growing list in tiles of 256: what is complete is never written again, and any hash is near.

A tile of level 0 holds the hashes of leaves, one of level 1 each the hash above 256 leaves, one of level 2 each that
above 65,536. What lies between is hashed again when it is asked for: 255 hashes at most. To append a batch takes the
batch, and one tile of each level. Where tiles are stored is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from handsel.errors import StoreCorrupt, ensure
from handsel.proof.merkle import HASH_BYTES, left_of, node_hash

HEIGHT = 8
WIDTH = 1 << HEIGHT

Place = tuple[int, int]  # A level, and the number of the tile in it.
Load = Callable[[int, int], bytes]


class Tiles:
    """
    Return the hash of any part of the first `size` leaves. `load` returns a tile, as far as it was written.
    """

    def __init__(self, size: int, load: Load) -> None:
        self.size = size
        self._load = load
        self._tiles: dict[Place, bytes] = {}

    def hash_of(self, first: int, last: int) -> bytes:
        """
        Return the hash above the leaves from `first` up to, and without, `last`: a part as the tree is divided.

        Raises `StoreCorrupt` where a tile is not there.
        """
        ensure(0 <= first < last <= self.size, "what is hashed is in the list")
        count = last - first
        if count & (count - 1) == 0:
            return self._node(count.bit_length() - 1, first // count)
        middle = first + left_of(count)
        return node_hash(self.hash_of(first, middle), self.hash_of(middle, last))

    def _node(self, height: int, place: int) -> bytes:
        level, rest = divmod(height, HEIGHT)
        tile, first = divmod(place << rest, WIDTH)
        hashes = self._tile(level, tile)[first * HASH_BYTES : (first + (1 << rest)) * HASH_BYTES]
        if len(hashes) != HASH_BYTES << rest:
            raise StoreCorrupt("the tree of the ledger lacks hashes: restore the database from its backup")
        return folded(hashes)

    def _tile(self, level: int, place: int) -> bytes:
        if (level, place) not in self._tiles:
            self._tiles[level, place] = self._load(level, place)
        return self._tiles[level, place]


def append(size: int, leaves: Sequence[bytes], load: Load) -> dict[Place, bytes]:
    """
    Return the tiles that change when `leaves`, hashes, are added to a list of `size`, as they are then.
    """
    changed: dict[Place, bytes] = {}
    level, first, hashes = 0, size, list(leaves)
    while hashes:
        begun, last = first // WIDTH, first + len(hashes)
        before = load(level, begun)[: (first % WIDTH) * HASH_BYTES] if first % WIDTH else b""
        ensure(len(before) == (first % WIDTH) * HASH_BYTES, "a list is continued where it ends")
        joined = before + b"".join(hashes)
        step = WIDTH * HASH_BYTES
        parts = [joined[at : at + step] for at in range(0, len(joined), step)]
        changed |= {(level, begun + number): part for number, part in enumerate(parts)}
        hashes = [folded(part) for part in parts if len(part) == step]
        level, first = level + 1, first // WIDTH
        ensure(first + len(hashes) == last // WIDTH, "a tile that is full has a hash above it")
    return changed


def folded(hashes: bytes) -> bytes:
    """
    Return the hash above as many hashes, one after another, as a power of two.
    """
    row = [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]
    while len(row) > 1:
        row = [node_hash(left, right) for left, right in zip(row[::2], row[1::2], strict=True)]
    return row[0]
