"""
Compare a party's ledger with its tree and with all heads that were ever signed, and name what does not fit.

1. Every step, from the first on, is hashed again from its rows. A step that is missing is named.
2. At the size of every head, the root over these hashes is the one that was signed, and the signature is genuine.
3. Every hash in the tiles is the one that follows from the steps.
4. Nothing is left over: no tile beyond the tree, and no head beyond the ledger.

The heads decide: what fits them was in the ledger when they were signed. That no head was taken away, or put in the
place of another, is seen by comparing with one that somebody else has kept. What was booked since the last head is not
covered yet.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from handsel.errors import SignatureInvalid, StoreCorrupt
from handsel.proof.head import SignedHead, TreeHead, TreeKey
from handsel.proof.merkle import HASH_BYTES, node_hash
from handsel.proof.tiles import HEIGHT, WIDTH, Load, Place, append
from handsel.store.database import Database
from handsel.store.tree import LEAVES_MAX, load_secret, loading
from handsel.store.tree_leaves import LeafRow, hash_of_row, rows_after

FINDINGS_MAX = 100


@dataclass
class _Peaks:
    """
    Hold the hashes of the complete parts of a growing list, the greatest first: what its root is made of.
    """

    peaks: list[tuple[int, bytes]] = field(default_factory=list)

    def add(self, hashed: bytes) -> None:
        """
        Take in the next leaf.
        """
        height = 0
        while self.peaks and self.peaks[-1][0] == height:
            hashed, height = node_hash(self.peaks.pop()[1], hashed), height + 1
        self.peaks.append((height, hashed))

    def root(self) -> bytes:
        """
        Return the root of all that was taken in: at least one leaf.
        """
        hashed = self.peaks[-1][1]
        for _, peak in reversed(self.peaks[:-1]):
            hashed = node_hash(peak, hashed)
        return hashed


class _Check:
    """
    Hold how far the ledger has been compared, and what was found.
    """

    def __init__(self, database: Database, key: TreeKey, secret: bytes, heads: list[SignedHead]) -> None:
        self.findings: list[str] = []
        self._database = database
        self._key = key
        self._secret = secret
        self._heads = {each.head.size: each for each in heads}
        self._size = 0
        self._signed = max(self._heads, default=0)
        self._peaks = _Peaks()
        self._edge: dict[Place, bytes] = {}  # The last tile of each level, as it follows from the steps.
        self._differing: list[int] = []  # Since the last head: steps whose hash is not the one in the tree.
        self._last_good: int | None = 0  # The size of the last head, while all heads have fitted.

    def run(self) -> tuple[str, ...]:
        """
        Compare everything.
        """
        while self._size < self._signed and len(self.findings) < FINDINGS_MAX:
            if not self._compare_part():
                break
        else:
            self._compare_rest()
        return tuple(self.findings[:FINDINGS_MAX])

    def _compare_part(self) -> bool:
        first = self._size
        with self._database.unit_of_work() as uow:
            rows = rows_after(uow, first, limit=min(LEAVES_MAX, self._signed - first))
            leaves = [self._hash(row) for row in rows]
            is_whole = [row.sequence for row in rows] == list(
                range(first + 1, min(first + LEAVES_MAX, self._signed) + 1)
            )
            if not is_whole:
                there = {row.sequence for row in rows}
                gone = next(number for number in range(first + 1, self._signed + 1) if number not in there)
                self.findings.append(f"step {gone} of the ledger is missing")
                return False
            tiles = append(first, leaves, lambda level, place: self._edge.get((level, place), b""))
            self._compare_tiles(tiles, loading(uow), first)
        for number, leaf in enumerate(leaves, first + 1):
            self._peaks.add(leaf)
            if number in self._heads:
                self._compare_head(self._heads[number])
        self._edge |= tiles
        last = {level: max(place for at, place in self._edge if at == level) for level, _ in self._edge}
        self._edge = {(level, place): self._edge[level, place] for level, place in last.items()}
        self._size += len(leaves)
        return True

    def _hash(self, row: LeafRow) -> bytes:
        try:
            return hash_of_row(row, self._secret)
        except StoreCorrupt:
            return bytes(HASH_BYTES)  # Of no step: it fits nothing.

    def _compare_tiles(self, tiles: dict[Place, bytes], load: Load, first: int) -> None:
        for (level, place), hashes in sorted(tiles.items()):
            stored = load(level, place)[: len(hashes)]
            if stored == hashes:
                continue
            if level > 0:
                self.findings.append(f"tile {place} of level {level} of the tree was changed")
                continue
            for at in range(max(first - place * WIDTH, 0), len(hashes) // HASH_BYTES):
                part = slice(at * HASH_BYTES, (at + 1) * HASH_BYTES)
                if stored[part] != hashes[part]:
                    self._differing.append(place * WIDTH + at + 1)

    def _compare_head(self, signed: SignedHead) -> None:
        size = signed.head.size
        try:
            signed.verify(self._key)
        except SignatureInvalid:
            self.findings.append(f"the head of size {size} is not signed with this key")
        fits = self._peaks.root() == signed.head.root
        if not fits and self._last_good is not None:
            self.findings.append(
                f"the head of size {size} does not fit: of steps {self._last_good + 1} to {size}, one was changed"
            )
        word = "the hash of step {} in the tree was changed" if fits else "step {} is not what was signed"
        self.findings += [word.format(number) for number in self._differing if number <= size]
        self._differing = [number for number in self._differing if number > size]
        self._last_good = size if fits and self._last_good is not None else None

    def _compare_rest(self) -> None:
        with self._database.unit_of_work() as uow:
            tiles = uow.rows("SELECT level, number, length(hashes) FROM tree_tiles ORDER BY level, number")
            row = uow.row("SELECT COALESCE(MAX(size), 0) FROM tree_heads")  # It may have grown meanwhile.
        size = int(row[0]) if row else 0
        for level, place, length in tiles:
            count = (size >> (HEIGHT * level)) - place * WIDTH
            if length != min(max(count, 0), WIDTH) * HASH_BYTES:
                self.findings.append(f"tile {place} of level {level} of the tree holds more or less than it should")


def check_tree(database: Database, key: TreeKey) -> tuple[str, ...]:
    """
    Return a sentence for each thing that does not fit, at most `FINDINGS_MAX`; none where all does.

    It reads the ledger in parts, so that the party can go on beside it.
    """
    with database.unit_of_work() as uow:
        secret = load_secret(uow)
        rows = uow.rows("SELECT size, root, at_ms, signature FROM tree_heads ORDER BY size")
    if secret is None:
        return ("the secret of the tree is missing: nothing can be compared without it",) if rows else ()
    heads = [SignedHead(TreeHead(key.party, size, root, at_ms), signature) for size, root, at_ms, signature in rows]
    return _Check(database, key, secret, heads).run()
