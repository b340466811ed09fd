"""
Keep one matcher's rows on disk: its shares of enrolled palms, and what became of each enrolment.

1. A row goes pending → active → erased and never back, so two copies of its story always have a later one.
2. A change is on disk (SQLite, WAL, synchronous=FULL) before anybody is told. A query goes on with the rows it began
   with.
3. Pending rows, and the last 64 to 127 active ones, have their shares in the database; from there they are sealed into
   blocks of 64, in files that are mapped and only ever appended (`standing.py`, `blocks.py`). A block counts from the
   moment that the database says so.
4. An erased row keeps its id and loses its shares: they are overwritten in the database and in its log; blocks are
   written anew without it, and the old ones overwritten.
5. Every row and every block carries a checksum. One that does not fit stops the matcher at its start: no answer beats a
   wrong one.

The directory is for its owner alone and for one process at a time.

LIMITATIONS
To erase a row copies the blocks from its own on. Nothing here encrypts the files.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from handsel.errors import (
    ConfigError,
    GalleriesDiffer,
    GalleryCorrupt,
    GalleryFull,
    IdReused,
    NotFound,
    StoreError,
)
from handsel.matching.entry import ACTIVE, ERASED, PENDING, Entry
from handsel.matching.kept import Kept, Shares
from handsel.matching.renewal import Renewal, digest_of_seed, next_chain
from handsel.matching.rows import Row, Rows
from handsel.matching.standing import Sealed, Standing
from handsel.matching.stored import Stored

PENDING_S_MAX = 3600  # An enrolment that its issuer has not committed by then is dropped.


class Gallery:
    """
    Keep the rows of one matcher in its directory. Safe for several threads.
    """

    def __init__(self, directory: Path, *, me: str, dims: int, palms_max: int) -> None:
        """
        Open the gallery of matcher `me`, or make an empty one, and read all its rows.

        Raises `ConfigError` where the directory is open to others or in use, or holds more than `palms_max` palms, and
        `GalleryCorrupt` where a row is damaged.
        """
        self._me, self._dims, self._palms_max = me, dims, palms_max
        self._lock = threading.Lock()
        self._stored = Stored(directory, dims=dims)
        try:
            self._stored.forget_log()  # Where a kill came between a change and this.
            self._standing = self._read_standing(directory)
            self._put_in_order()
            if self._standing.rows.count > palms_max:
                raise ConfigError(
                    f"the gallery holds {self._standing.rows.count} palms and palms_max is {palms_max}: plan it anew "
                    "with `handsel capacity`, and write its threshold and palms_max into the settings of all parties"
                )
        except BaseException:
            self._stored.close()
            raise

    def close(self) -> None:
        """
        Close the file.
        """
        with self._lock:
            self._stored.close()

    def rows(self) -> Rows:
        """
        Return the active rows as they are now; what is returned never changes. Raises `StoreError`.
        """
        with self._lock:
            self._put_in_order()
            return self._standing.rows

    def entries(self) -> tuple[Entry, ...]:
        """
        Return the state and position of every enrolment that this matcher knows.
        """
        with self._lock:
            found = self._stored.select("SELECT enrolment_id, state, position FROM rows ORDER BY enrolment_id")
            return tuple(Entry(*fields) for fields in found)

    def require_enrollable(self, enrolment_id: bytes, shares: Shares) -> None:
        """
        Refuse an enrolment that has come to its end, or that was begun with other shares. Raises `IdReused`.
        """
        with self._lock:
            self._require_enrollable(enrolment_id, shares)

    def keep_pending(self, enrolments: Iterable[tuple[bytes, Shares]], *, now_ms: int) -> None:
        """
        Keep the shares of new enrolments until the issuer commits them; those kept already stay as they are.

        Raises `IdReused`, `StoreFull`, `StoreError`; then nothing was changed.
        """
        with self._lock, self._stored.transaction():
            for enrolment_id, shares in enrolments:
                self._stored.require_lengths(shares)
                if self._require_enrollable(enrolment_id, shares) is None:
                    self._stored.write(Kept(enrolment_id, PENDING, None, now_ms, is_sealed=False, shares=shares))

    def commit(self, enrolment_id: bytes, *, position: int) -> None:
        """
        Make a pending row active, at `position`; one that is active there already stays so.

        Raises `NotFound` where no such row waits, `IdReused` where it, or another one, has another position,
        `GalleryFull` where one more is too many, as while an erasure has not come here yet.
        """
        with self._lock:
            self._put_in_order()
            kept = self._stored.find(enrolment_id)
            if kept is None or kept.state == ERASED:
                raise NotFound("no pending enrolment has that id")
            if kept.state == ACTIVE:
                if kept.position != position:
                    raise IdReused("the enrolment was committed before, at another position")
                return
            if self._standing.rows.count >= self._palms_max:
                raise GalleryFull("the gallery holds as many palms as it may: erase one first")
            with self._stored.transaction():
                active = self._activate(kept, position)
            self._take_up([active])

    def abort(self, enrolment_id: bytes, *, now_ms: int) -> None:
        """
        End an enrolment that was never committed, whether or not it has come here yet.

        Raises `NotFound` where it is active.
        """
        with self._lock:
            kept = self._stored.find(enrolment_id)
            if kept is not None and kept.state == ACTIVE:
                raise NotFound("no pending enrolment has that id")
            self._erase_all([enrolment_id], now_ms=now_ms)

    def erase(self, enrolment_id: bytes, *, now_ms: int) -> None:
        """
        Overwrite the shares of an enrolment, in whatever state it is, and keep only that it was erased.
        """
        with self._lock:
            self._erase_all([enrolment_id], now_ms=now_ms)

    def advance(self, entries: Iterable[Entry], *, now_ms: int) -> None:
        """
        Bring rows to a later state that they have reached at a peer.

        Raises `GalleriesDiffer` where a row is active there and has never been here, or its position is taken.
        """
        with self._lock:
            found = [(entry, self._stored.find(entry.enrolment_id)) for entry in entries]
            later = [(entry, kept) for entry, kept in found if kept is None or entry.state > kept.state]
            if erased := [entry.enrolment_id for entry, kept in later if entry.state == ERASED and kept is not None]:
                self._erase_all(erased, now_ms=now_ms)
            if activated := [(entry, kept) for entry, kept in later if entry.state == ACTIVE]:
                with self._stored.transaction():
                    active = [self._advance_active(entry, kept) for entry, kept in activated]
                self._take_up(active)

    def drop_expired(self, *, now_ms: int) -> None:
        """
        Drop the pending rows that are too old.

        To be called only when all three matchers have just been seen to hold the same active rows: else one that a peer
        holds as committed could be dropped here.
        """
        oldest_ms = now_ms - PENDING_S_MAX * 1000
        with self._lock:
            if self._stored.select("SELECT 1 FROM rows WHERE state = 1 AND kept_at_ms < ? LIMIT 1", oldest_ms):
                with self._stored.transaction():
                    self._stored.execute("DELETE FROM rows WHERE state = 1 AND kept_at_ms < ?", (oldest_ms,))
                self._stored.forget_log()

    def renewed_since_ms(self) -> int:
        """
        Return when shares were last renewed, 0 if never.
        """
        with self._lock:
            since_ms: int = self._stored.select("SELECT since_ms FROM renewals")[0][0]
            return since_ms

    def renew_from(self, since_ms: int) -> None:
        """
        Count the age of the shares from another moment. Raises `StoreError`.
        """
        with self._lock, self._stored.transaction():
            self._stored.execute("UPDATE renewals SET since_ms = ?", (since_ms,))

    def keep_seed(self, seed: bytes, *, digest: bytes) -> None:
        """
        Keep what all active rows are to be renewed with, if they are still those of `digest`.

        From then on peers may renew theirs; rows that become active meanwhile are not renewed, here as there. Raises
        `GalleriesDiffer` where other rows are active by now.
        """
        with self._lock:
            self._put_in_order()
            if self._standing.rows.digest != digest:
                raise GalleriesDiffer("rows have changed while shares were to be renewed: it is tried again later")
            with self._stored.transaction():
                self._stored.execute("UPDATE renewals SET seed = ?", (seed,))
                self._stored.execute("DELETE FROM not_renewed")

    def seed_digest(self) -> bytes:
        """
        Return the digest of the seed that is kept for a renewal, or nothing.
        """
        with self._lock:
            seed = self._seed()
            return b"" if seed is None else digest_of_seed(seed)

    def renew(self, *, now_ms: int) -> None:
        """
        Renew all shares with the seed that is kept, and forget both; without one it is done. Raises `StoreError`.
        """
        with self._lock:
            seed = self._seed()
            if seed is not None:
                self._renew(seed, now_ms=now_ms)

    def catch_up(self, peers: Sequence[tuple[bytes, bytes]], *, now_ms: int) -> None:
        """
        Renew the shares where one of both peers has done it with the same seed, and the other has too, or keeps it.

        Each peer shows its chain and the digest of its seed. One peer's word alone renews nothing.
        """
        with self._lock:
            seed = self._seed()
            if seed is None:
                return
            following = next_chain(self._standing.chain, seed)
            is_ahead = [chain == following for chain, _ in peers]
            agrees = [ahead or kept == digest_of_seed(seed) for ahead, (_, kept) in zip(is_ahead, peers, strict=True)]
            if any(is_ahead) and all(agrees):
                self._renew(seed, now_ms=now_ms)

    def _seed(self) -> bytes | None:
        seed: bytes | None = self._stored.select("SELECT seed FROM renewals")[0][0]
        return seed

    def _renew(self, seed: bytes, *, now_ms: int) -> None:
        self._put_in_order()
        since = {one for (one,) in self._stored.select("SELECT enrolment_id FROM not_renewed")}
        renewal, chain = Renewal(self._me, seed), next_chain(self._standing.chain, seed)
        after = self._standing.written_anew(
            frozenset(), renew=lambda row: row if row.enrolment_id in since else renewal(row), chain=chain
        )
        with self._stored.transaction():
            self._record(after)
            for row in after.tail:
                self._keep_active(row, is_sealed=False)
            self._stored.execute(
                "UPDATE renewals SET count = count + 1, chain = ?, since_ms = ?, seed = NULL", (chain, now_ms)
            )
            self._stored.execute("DELETE FROM not_renewed")
        self._replace(after)
        self._stored.forget_log()

    def _require_enrollable(self, enrolment_id: bytes, shares: Shares) -> Kept | None:
        kept = self._stored.find(enrolment_id)
        if kept is not None and (kept.state != PENDING or kept.shares != shares):
            raise IdReused("that enrolment id was used before: begin a new enrolment")
        return kept

    def _read_standing(self, directory: Path) -> Standing:
        """
        Return the active rows, having checked every block, and every row that is not in one.
        """
        generation = self._stored.select("SELECT number FROM generation")[0][0]
        blocks = self._stored.select("SELECT ids, positions, digest FROM blocks ORDER BY number")
        sealed = Sealed(*(b"".join(column) for column in zip(*blocks, strict=True))) if blocks else Sealed()
        if self._stored.select("SELECT count(*) FROM rows WHERE sealed <> 0 AND state = 2") != [(sealed.count,)]:
            raise GalleryCorrupt("the blocks of the gallery do not hold what they should: restore it from its backup")
        tail = [kept.row() for kept in self._stored.each("sealed = 0 ORDER BY position") if kept.state == ACTIVE]
        chain = self._stored.select("SELECT chain FROM renewals")[0][0]
        return Standing.open(directory, generation, sealed, tail, chain=chain, dims=self._dims)

    def _take_up(self, rows: list[Row]) -> None:
        """
        Match from now on with rows that have become active, and seal what has become too long a tail.

        They are active whatever happens here: where a block cannot be written, they stay in the database.
        """
        self._standing = self._standing.with_rows(rows)
        self._put_in_order()
        try:
            after = self._standing.sealed_further()
            if after is not None:
                with self._stored.transaction():
                    self._record(after)
                self._standing = after
        except StoreError:
            return  # The next row that comes tries again.

    def _put_in_order(self) -> None:
        """
        Write blocks anew where a row has come that belongs among them.
        """
        if not self._standing.is_in_order():
            after = self._standing.written_anew(frozenset())
            with self._stored.transaction():
                self._record(after)
            self._replace(after)

    def _replace(self, after: Standing) -> None:
        before, self._standing = self._standing, after
        before.retire()

    def _record(self, after: Standing) -> None:
        """
        Write down which rows are in blocks, and let each row's shares lie in the database or in a block.
        """
        before, since = self._standing, self._standing.sealed.count
        if after.generation != before.generation:
            since = 0
            self._stored.execute("UPDATE generation SET number = ?", (after.generation,))
            self._stored.execute("DELETE FROM blocks")
        for block in after.blocks_since(since):
            self._stored.execute("INSERT INTO blocks VALUES (?, ?, ?, ?)", block)
        in_tail = {row.enrolment_id: row for row in after.tail}
        for row in before.tail:
            if row.enrolment_id not in in_tail:
                self._keep_active(row, is_sealed=True)
        for enrolment_id in in_tail.keys() - {row.enrolment_id for row in before.tail}:
            self._keep_active(in_tail[enrolment_id], is_sealed=False)

    def _keep_active(self, row: Row, *, is_sealed: bool) -> None:
        kept = self._stored.find(row.enrolment_id)
        if kept is not None and kept.state == ACTIVE:
            shares = None if is_sealed else Shares(row.template, row.own, row.pair)
            self._stored.write(
                Kept(row.enrolment_id, ACTIVE, row.position, kept.kept_at_ms, is_sealed=is_sealed, shares=shares)
            )

    def _activate(self, kept: Kept, position: int) -> Row:
        if self._stored.select("SELECT 1 FROM rows WHERE position = ?", position):
            raise IdReused("another enrolment has that position")
        active = Kept(kept.enrolment_id, ACTIVE, position, kept.kept_at_ms, is_sealed=False, shares=kept.shares)
        self._stored.write(active)
        self._stored.execute(
            "INSERT OR IGNORE INTO not_renewed SELECT ? FROM renewals WHERE seed IS NOT NULL", (kept.enrolment_id,)
        )
        return active.row()

    def _advance_active(self, entry: Entry, kept: Kept | None) -> Row:
        if kept is None or entry.position is None:
            raise GalleriesDiffer(
                "a peer holds an enrolment that never came here: restore this gallery or erase it there"
            )
        try:
            return self._activate(kept, entry.position)
        except IdReused as exc:
            raise GalleriesDiffer("a peer holds another row at a position that is taken here") from exc

    def _erase_all(self, enrolment_ids: list[bytes], *, now_ms: int) -> None:
        kept = [(enrolment_id, self._stored.find(enrolment_id)) for enrolment_id in enrolment_ids]
        alive = [(enrolment_id, row) for enrolment_id, row in kept if row is None or row.state != ERASED]
        gone = frozenset(enrolment_id for enrolment_id, row in alive if row is not None and row.state == ACTIVE)
        is_sealed = any(row is not None and row.is_sealed for _, row in alive)
        after = self._standing.written_anew(gone) if is_sealed else self._standing.without(gone)
        with self._stored.transaction():
            for enrolment_id, row in alive:
                kept_at_ms = row.kept_at_ms if row else now_ms
                self._stored.write(Kept(enrolment_id, ERASED, None, kept_at_ms, is_sealed=False, shares=None))
            if is_sealed:
                self._record(after)
        if is_sealed:
            self._replace(after)
        else:
            self._standing = after
        # Also where nothing was left to erase: an earlier time may have failed just before this.
        self._stored.forget_log()
