"""
Keep one matcher's rows on disk: its shares of enrolled palms, and what became of each enrolment.

1. A row goes pending → active → erased and never back, so two copies of its story always have a later one.
2. A change is on disk (SQLite, WAL, synchronous=FULL) before anybody is told. A query goes on with the rows it began
   with.
3. Pending rows, and the last 64 to 127 active ones, have their shares in the database; from there they are sealed into
   blocks of 64, in files that are mapped and only ever appended (`holding.py`, `standing.py`, `blocks.py`). A block
   counts from the moment that the database says so.
4. An erased row keeps its id and loses its shares: they are overwritten in the database and in its log; blocks are
   written anew without it, and the old ones overwritten.
5. Every row and every block carries a checksum. One that does not fit stops the matcher at its start: no answer beats a
   wrong one.

The directory is for its owner alone and for one process at a time.

LIMITATIONS
To erase a row copies the blocks from its own on. Nothing here encrypts the files.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from handsel.errors import (
    ConfigError,
    GalleriesDiffer,
    GalleryEmpty,
    GalleryFull,
    IdReused,
    InvariantBroken,
    NotFound,
    PeerCheated,
)
from handsel.keys import PublicKeys
from handsel.log import Log
from handsel.matching.buckets import BUCKETS, Buckets
from handsel.matching.entry import ACTIVE, ERASED, PENDING, Entry
from handsel.matching.holding import Holding
from handsel.matching.kept import Kept, Shares
from handsel.matching.renewing import Renewing
from handsel.matching.restored import Restoring
from handsel.matching.rows import Row, Rows
from handsel.matching.signed_order import SignedOrder
from handsel.matching.voucher import Vouchers

ADVANCED_AT_ONCE_MAX = 4096  # By peers' entries, whose orders are verified in half a second. Others come later.
PENDING_S_MAX = 3600  # An enrolment that its issuer has not committed by then is dropped.


class Gallery:
    """
    Keep the rows of one matcher in its directory. Safe for several threads.
    """

    def __init__(self, directory: Path, *, me: str, issuer: PublicKeys, dims: int, palms_max: int, log: Log) -> None:
        """
        Open the gallery of matcher `me`, or make an empty one, and read all its rows. `issuer` signs the orders.

        Raises `ConfigError` where the directory is open to others or in use, or holds more than `palms_max` palms, and
        `GalleryCorrupt` where a row is damaged.
        """
        self._issuer, self._palms_max = issuer, palms_max
        self._holding = Holding(directory, dims=dims, log=log)
        self._stored, self._lock = self._holding.stored, self._holding.lock
        self.renewing, self.restoring = Renewing(me, self._holding), Restoring(self._holding, palms_max=palms_max)
        self._lacks_rows = False  # That its peers had when they last met.
        if (count := self._holding.standing.rows.count) > palms_max:
            self._stored.close()
            raise ConfigError(
                f"the gallery holds {count} palms and palms_max is {palms_max}: plan it anew "
                "with `handsel capacity`, and write its threshold and palms_max into the settings of all parties"
            )

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
            if self._holding.standing.is_in_order():
                return self._holding.standing.rows
        with self._holding.changing():
            self._holding.put_in_order()
            return self._holding.standing.rows

    def buckets(self) -> Buckets:
        """
        Return the digests of all buckets of enrolments.
        """
        with self._lock:
            return self._stored.buckets()

    def entries(self, buckets: Iterable[int] = range(BUCKETS)) -> tuple[Entry, ...]:
        """
        Return what this matcher knows of every enrolment in some buckets.
        """
        with self._lock:
            return tuple(entry for bucket in buckets for entry in self._stored.entries(bucket))

    def entries_of(self, enrolment_ids: Sequence[bytes]) -> tuple[Entry, ...]:
        """
        Return what this matcher knows of some enrolments.
        """
        with self._lock:
            found = (self._stored.entry(enrolment_id) for enrolment_id in enrolment_ids)
            return tuple(entry for entry in found if entry is not None)

    def vouchers(self, first: int, last: int, *, chain: bytes) -> dict[int, Vouchers]:
        """
        Return what the peers have vouched for of the rows between two positions, by position.

        Raises `GalleriesDiffer` where shares have been renewed since they were those that `chain` names.
        """
        with self._lock:
            if self._holding.standing.chain != chain:
                raise GalleriesDiffer("shares were renewed while others were restored: it is tried again")
            return self._holding.vouched.of(first, last, chain=chain)

    def waiting(self, limit: int) -> dict[bytes, tuple[Row, Vouchers]]:
        """
        Return the first pending rows in the order of their ids, by id, and by what the peers have vouched for theirs.
        """
        with self._lock:
            found = {}
            which = "state = 1 AND enrolment_id IN (SELECT enrolment_id FROM vouchers) ORDER BY enrolment_id LIMIT"
            for kept in self._stored.each(f"{which} {limit:d}"):
                vouchers = self._holding.vouched.of_enrolment(kept.enrolment_id)
                if kept.shares is not None and vouchers is not None:
                    shares = (kept.shares.template, kept.shares.own, kept.shares.pair)
                    found[kept.enrolment_id] = (Row(kept.enrolment_id, 0, *shares), vouchers)
            return found

    def has_lost_rows(self) -> bool:
        """
        Return whether this gallery has none, and a peer had one when they last met, by the issuer's order.
        """
        with self._lock:
            return self._lacks_rows and not self._holding.holds_rows()

    def require_enrollable(self, enrolment_id: bytes, shares: Shares) -> None:
        """
        Refuse an enrolment that has come to its end, or that was begun with other shares. Raises `IdReused`.
        """
        with self._lock:
            self._require_enrollable(enrolment_id, shares)

    def keep_pending(self, enrolments: Iterable[tuple[bytes, Shares, Vouchers]], *, now_ms: int) -> None:
        """
        Keep the shares of new enrolments, and what the peers vouch for theirs by, until the issuer commits them.

        Shares that are kept already stay as they are.

        Raises `IdReused`, `StoreFull`, `StoreError`; then nothing was changed.
        """
        with self._lock, self._stored.transaction():
            for enrolment_id, shares, vouchers in enrolments:
                self._stored.require_lengths(shares)
                if self._require_enrollable(enrolment_id, shares) is None:
                    self._stored.write(Kept(enrolment_id, PENDING, None, now_ms, is_sealed=False, shares=shares))
                self._holding.vouched.keep(enrolment_id, vouchers)

    def commit(self, enrolment_id: bytes, *, position: int, order: SignedOrder) -> None:
        """
        Make a pending row active, at `position`; one that is active there already stays so, and gets the order that an
        earlier version has not kept.

        Raises `NotFound` where no such row waits, `IdReused` where it, or another one, has another position,
        `GalleryFull` where one more is too many, as while an erasure has not come here yet.
        """
        with self._holding.changing():
            self._holding.put_in_order()
            kept = self._stored.find(enrolment_id)
            if kept is None or kept.state == ERASED:
                raise NotFound("no pending enrolment has that id")
            if kept.state == ACTIVE:
                if kept.position != position:
                    raise IdReused("the enrolment was committed before, at another position")
                if kept.order is None:
                    with self._stored.transaction():
                        self._stored.write(replace(kept, order=order))
                return
            if self._holding.standing.rows.count >= self._palms_max:
                raise GalleryFull("the gallery holds as many palms as it may: erase one first")
            with self._stored.transaction():
                active = self._activate(kept, position, order)
            self._holding.take_up([active])

    def abort(self, enrolment_id: bytes, *, order: SignedOrder, now_ms: int) -> None:
        """
        End an enrolment that was never committed, whether or not it has come here yet.

        Raises `NotFound` where it is active.
        """
        with self._holding.changing():
            kept = self._stored.find(enrolment_id)
            if kept is not None and kept.state == ACTIVE:
                raise NotFound("no pending enrolment has that id")
            self._holding.erase({enrolment_id: order}, now_ms=now_ms)

    def erase(self, enrolment_id: bytes, *, order: SignedOrder, now_ms: int) -> None:
        """
        Overwrite the shares of an enrolment, in whatever state it is, and keep only by which order it was erased.
        """
        with self._holding.changing():
            self._holding.erase({enrolment_id: order}, now_ms=now_ms)

    def advance(self, entries: Iterable[Entry], *, now_ms: int) -> None:
        """
        Bring rows to a later state that they have reached at a peer, where it shows the issuer's order for that.

        Raises `GalleriesDiffer` where it shows none, where a row is active there and has never been here, or where its
        position is taken; `GalleryEmpty` where no row at all is here; `PeerCheated` where it shows a wrong one. Then
        nothing was changed.
        """
        with self._holding.changing():
            found = [(entry, self._stored.find(entry.enrolment_id)) for entry in entries]
            later = [(entry, kept) for entry, kept in found if _is_news(entry, kept)][:ADVANCED_AT_ONCE_MAX]
            self._require_known(later)
            for entry, kept in later:
                self._require_ordered(entry, kept)
            if activated := [(entry, kept) for entry, kept in later if entry.state == ACTIVE]:
                with self._stored.transaction():
                    active = [self._advance_active(entry, kept) for entry, kept in activated]
                self._holding.take_up(active)
            erased = [entry for entry, _ in later if entry.state == ERASED]
            if orders := {entry.enrolment_id: entry.order for entry in erased if entry.order is not None}:
                self._holding.erase(orders, now_ms=now_ms)

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
                    self._holding.vouched.forget_expired(oldest_ms)
                    self._stored.execute("DELETE FROM rows WHERE state = 1 AND kept_at_ms < ?", (oldest_ms,))
                self._stored.forget_log()

    def seed_digest(self) -> bytes:
        """
        Return the digest of the seed that is kept for a renewal, or nothing.
        """
        return self.renewing.seed_digest()

    def catch_up(self, peers: Sequence[tuple[bytes, bytes]], *, now_ms: int) -> None:
        """
        Renew the shares where both peers show that it is to be done: `Renewing.catch_up`.
        """
        self.renewing.catch_up(peers, now_ms=now_ms)

    def _require_enrollable(self, enrolment_id: bytes, shares: Shares) -> Kept | None:
        kept = self._stored.find(enrolment_id)
        if kept is not None and (kept.state != PENDING or kept.shares != shares):
            raise IdReused("that enrolment id was used before: begin a new enrolment")
        return kept

    def _activate(self, kept: Kept, position: int, order: SignedOrder) -> Row:
        if self._stored.select("SELECT 1 FROM rows WHERE position = ?", position):
            raise IdReused("another enrolment has that position")
        active = replace(kept, state=ACTIVE, position=position, order=order)
        self._stored.write(active)
        self._stored.execute(
            "INSERT OR IGNORE INTO not_renewed SELECT ? FROM renewals WHERE seed IS NOT NULL", (kept.enrolment_id,)
        )
        return active.row()

    def _require_known(self, later: Iterable[tuple[Entry, Kept | None]]) -> None:
        for entry, kept in later:
            if kept is None and entry.state == ACTIVE:
                entry.verified(self._issuer)
                self._lacks_rows = True
                if self._holding.holds_rows():
                    raise GalleriesDiffer(
                        "a peer holds an enrolment that never came here: restore this gallery, or erase it there"
                    )
                raise GalleryEmpty(
                    "this matcher has no rows, and its peers have: they are to be restored, or are being so; ask again"
                )

    def _require_ordered(self, entry: Entry, kept: Kept | None) -> None:
        order = entry.verified(self._issuer)
        if kept is not None and kept.state == ACTIVE and order.kind == "abort":
            raise PeerCheated("a matcher's peer showed an abort of an enrolment that the issuer has committed")

    def _advance_active(self, entry: Entry, kept: Kept | None) -> Row:
        if kept is None or entry.position is None or entry.order is None:
            raise InvariantBroken("what a peer shows of a row is verified before it is done")
        try:
            return self._activate(kept, entry.position, entry.order)
        except IdReused as exc:
            raise GalleriesDiffer("a peer holds another row at a position that is taken here") from exc


def _is_news(entry: Entry, kept: Kept | None) -> bool:
    """
    Return whether an entry says more than is known here. An erasure of what never came here counts if it was ordered.
    """
    if kept is None:
        return entry.state == ACTIVE or (entry.state == ERASED and entry.order is not None)
    return entry.state > kept.state
