"""
Keep the database and the blocks of one gallery in step: what the one says, the other holds.

The database keeps the story of every row, and the shares of those that are not sealed; blocks keep all other shares
(`standing.py`). A change of blocks counts from the transaction that records it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from handsel.errors import GalleryCorrupt, StoreError
from handsel.log import Log
from handsel.matching.blocks import Blocks
from handsel.matching.disk import Shredder
from handsel.matching.entry import ACTIVE, ERASED
from handsel.matching.kept import Kept, Shares
from handsel.matching.rows import Row
from handsel.matching.sealing import Sealed
from handsel.matching.signed_order import SignedOrder
from handsel.matching.standing import Standing
from handsel.matching.stored import Stored
from handsel.matching.vouched import Vouched


class Holding:
    """
    Hold what is stored of a gallery, and what stands. Safe for several threads only where they hold `lock`.
    """

    def __init__(self, directory: Path, *, dims: int, log: Log) -> None:
        """
        Open both, and check every block, and every row that is not in one. Raises `ConfigError`, `GalleryCorrupt`.
        """
        self.lock, self._leaving = threading.Lock(), list[Standing]()
        self._shredder = Shredder(log)
        self.stored = Stored(directory, dims=dims)
        self.vouched = Vouched(self.stored)
        try:
            with self.stored.transaction():
                self.stored.execute("DELETE FROM restored")  # Of what was begun, the files go below.
            self.stored.forget_log()  # Where a kill came between a change and this.
            self.standing = self._read_standing(directory, dims=dims)
            self.put_in_order()
            self.stored.buckets()  # Counted here, no query has to wait for it.
        except BaseException:
            self.stored.close()
            raise

    @contextmanager
    def changing(self) -> Iterator[None]:
        """
        Hold the lock while something is changed. When it is let go, files that do not count any more are overwritten,
        and those that could not be at an earlier time.
        """
        leaving: list[Standing] = []
        try:
            with self.lock:
                try:
                    yield
                finally:
                    leaving, self._leaving = self._leaving, []
        finally:
            leaving.clear()  # Who holds them last overwrites their files.
            self._shredder.again()

    def let_go(self, standing: Standing) -> None:
        """
        Have the files of what does not count any more overwritten as soon as no query reads them, within `changing`.
        """
        standing.retire()
        self._leaving.append(standing)

    def holds_rows(self) -> bool:
        """
        Return whether there is any row that was not erased.
        """
        return bool(self.standing.rows.count or self.stored.select("SELECT 1 FROM rows WHERE state < 3 LIMIT 1"))

    def put_in_order(self) -> None:
        """
        Write blocks anew where a row has come that belongs among them. Raises `StoreError`.
        """
        if not self.standing.is_in_order():
            after = self.standing.written_anew()
            with self.stored.transaction():
                self.record(after)
            self.replace(after)

    def take_up(self, rows: list[Row]) -> None:
        """
        Match from now on with rows that have become active, and seal what has become too long a tail.

        They are active whatever happens here: where a block cannot be written, they stay in the database.
        """
        self.standing = self.standing.with_rows(rows)
        self.put_in_order()
        try:
            after = self.standing.sealed_further()
            if after is not None:
                with self.stored.transaction():
                    self.record(after)
                self.standing = after
        except StoreError:
            return  # The next row that comes tries again.

    def erase(self, orders: Mapping[bytes, SignedOrder], *, now_ms: int) -> None:
        """
        Overwrite the shares of rows, in whatever state they are, and keep only by whose order they were erased.
        """
        kept = [(enrolment_id, self.stored.find(enrolment_id)) for enrolment_id in orders]
        alive = [(one, row) for one, row in kept if row is None or row.state != ERASED or row.order is None]
        gone = {row.position for _, row in alive if row is not None and row.position is not None}
        is_sealed = any(row is not None and row.is_sealed for _, row in alive)
        after = self.standing.written_anew(gone) if is_sealed else self.standing.without(gone)
        with self.stored.transaction():
            for enrolment_id, row in alive:
                kept_at_ms, order = row.kept_at_ms if row else now_ms, orders[enrolment_id]
                self.vouched.forget(enrolment_id, row.position if row else None)
                self.stored.write(
                    Kept(enrolment_id, ERASED, None, kept_at_ms, is_sealed=False, shares=None, order=order)
                )
            if is_sealed:
                self.record(after)
        if is_sealed:
            self.replace(after)
        else:
            self.standing = after
        # Also where nothing was left to erase: an earlier time may have failed just before this.
        self.stored.forget_log()

    def replace(self, after: Standing) -> None:
        """
        Match from now on with rows in other files, which are recorded; these go as soon as no query reads them.
        """
        before, self.standing = self.standing, after
        self.let_go(before)

    def record(self, after: Standing) -> None:
        """
        Write down which rows are in blocks, and let each row's shares lie in the database or in a block.
        """
        before, since = self.standing, self.standing.sealed.count
        if after.generation != before.generation:
            since = 0
            self.stored.execute("UPDATE generation SET number = ?", (after.generation,))
            self.stored.execute("DELETE FROM blocks")
        for block in after.blocks_since(since):
            self.stored.execute("INSERT INTO blocks VALUES (?, ?, ?, ?)", block)
        in_tail = {row.enrolment_id: row for row in after.tail}
        for row in before.tail:
            if row.enrolment_id not in in_tail:
                self.keep_active(row, is_sealed=True)
        for enrolment_id in in_tail.keys() - {row.enrolment_id for row in before.tail}:
            self.keep_active(in_tail[enrolment_id], is_sealed=False)

    def keep_active(self, row: Row, *, is_sealed: bool) -> None:
        """
        Write a row that is active with its shares, or without them where they are in a block.
        """
        kept = self.stored.find(row.enrolment_id)
        if kept is not None and kept.state == ACTIVE:
            shares = None if is_sealed else Shares(row.template, row.own, row.pair)
            self.stored.write(replace(kept, is_sealed=is_sealed, shares=shares))

    def _read_standing(self, directory: Path, *, dims: int) -> Standing:
        generation = self.stored.select("SELECT number FROM generation")[0][0]
        files = Blocks(directory, generation, dims=dims, shredder=self._shredder)
        blocks = self.stored.select("SELECT ids, positions, digest FROM blocks ORDER BY number")
        sealed = Sealed(*(b"".join(column) for column in zip(*blocks, strict=True))) if blocks else Sealed()
        if self.stored.select("SELECT count(*) FROM rows WHERE sealed <> 0 AND state = 2") != [(sealed.count,)]:
            raise GalleryCorrupt("the blocks of the gallery do not hold what they should: restore it from its backup")
        tail: Iterable[Row] = [
            kept.row() for kept in self.stored.each("sealed = 0 ORDER BY position") if kept.state == ACTIVE
        ]
        chain = self.stored.select("SELECT chain FROM renewals")[0][0]
        return Standing.open(files, sealed, tail, chain=chain)
