"""
Take rows back into an empty gallery: beside it, piece by piece, and then all at once.

Blocks are written to files that do not count yet, and the stories of the rows wait in a table of their own. One
transaction makes both count. What a kill has left of it is removed at the next start.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from handsel.errors import GalleryFull, GalleryInUse
from handsel.matching.columns import Columns
from handsel.matching.entry import ACTIVE, ERASED, PENDING, Entry
from handsel.matching.holding import Holding
from handsel.matching.kept import FIELDS, Kept, Shares
from handsel.matching.kernels import PLANE_BITS
from handsel.matching.latest_order import due_order, end_order, keep_latest
from handsel.matching.message import Order, OrderKind
from handsel.matching.renewing import LONG_AGO_MS
from handsel.matching.rows import Row, Rows
from handsel.matching.sealing import BlockWriter, Sealed
from handsel.matching.signed_order import SignedOrder
from handsel.matching.standing import Standing

RESTORE: OrderKind = "restore"


class Restoring:
    """
    Keep the issuer's order to restore a gallery until it is carried out, and begin to carry it out.
    """

    def __init__(self, holding: Holding, *, palms_max: int) -> None:
        self._holding, self._palms_max = holding, palms_max

    def keep_order(self, order: Order, signed: SignedOrder, *, is_mine: bool) -> bool:
        """
        Keep an order, by which this gallery `is_mine` to be restored or helps; return False where it was kept already.

        Raises `GalleryInUse` where this one is to be restored and holds rows, `OrderTooOld`, `StoreError`.
        """
        with self._holding.lock, self._holding.stored.transaction():
            if not keep_latest(self._holding.stored, order, signed, is_due=True):
                return False
            if is_mine:
                require_empty(self._holding)
            return True

    def due(self) -> SignedOrder | None:
        """
        Return the order that is to be carried out.
        """
        with self._holding.lock:
            return due_order(self._holding.stored, RESTORE)

    def end(self) -> None:
        """
        Forget the order: it is carried out, or will not be. Raises `StoreError`.
        """
        with self._holding.lock, self._holding.stored.transaction():
            end_order(self._holding.stored, RESTORE)

    def end_of_help(self) -> None:
        """
        Forget the order, and have the shares renewed at once, so that lost ones are worthless. Raises `StoreError`.
        """
        with self._holding.lock, self._holding.stored.transaction():
            end_order(self._holding.stored, RESTORE)
            self._holding.stored.execute("UPDATE renewals SET since_ms = ?", (LONG_AGO_MS,))

    def begin(self, count: int, *, chain: bytes) -> Restoration:
        """
        Begin to take so many rows of that chain of renewals. Raises `GalleryInUse`, `GalleryFull`, `StoreError`.
        """
        if count > self._palms_max:
            raise GalleryFull("the peers hold more palms than `palms_max` in these settings: have all the same")
        return Restoration(self._holding, chain=chain)


class Restoration:
    """
    Hold what has been taken so far.
    """

    def __init__(self, holding: Holding, *, chain: bytes) -> None:
        self._holding = holding
        with holding.changing():
            require_empty(holding)
            with holding.stored.transaction():
                holding.stored.execute("DELETE FROM restored")
            self._standing = holding.standing.emptied(chain=chain)
        self._writer = BlockWriter(self._standing.files, Sealed())
        self._rest = Columns.of_rows((), dims=self._standing.dims)
        self._gone: dict[bytes, SignedOrder] = {}
        self._counts = False

    def add(self, columns: Columns, orders: Sequence[SignedOrder | None]) -> None:
        """
        Take rows behind those so far, each with the order that committed it. Raises `StoreError`.
        """
        rest = self._rest.joined(columns)
        whole = max(0, len(rest) // PLANE_BITS - 1) * PLANE_BITS
        self._writer.add(rest.part(slice(whole)))
        self._rest = rest.part(slice(whole, None))
        named = zip(columns.ids, columns.positions.tolist(), orders, strict=True)
        self._stage([Kept(one.tobytes(), ACTIVE, position, 0, True, None, order) for one, position, order in named])

    def add_gone(self, orders: Mapping[bytes, SignedOrder]) -> None:
        """
        Note that rows among those so far have been erased meanwhile, and by which orders.
        """
        self._gone |= orders

    def add_erased(self, entries: Sequence[Entry]) -> None:
        """
        Take enrolments that were erased, or aborted, of which some may be among the rows. Raises `StoreError`.
        """
        with self._holding.lock:
            taken = [entry for entry in entries if self._holding.stored.is_staged(entry.enrolment_id)]
        self._gone |= {entry.enrolment_id: entry.order for entry in taken if entry.order is not None}
        others = [entry for entry in entries if entry.enrolment_id not in self._gone]
        self._stage([Kept(entry.enrolment_id, ERASED, None, 0, False, None, entry.order) for entry in others])

    def add_waiting(self, rows: Sequence[Row], *, now_ms: int) -> None:
        """
        Take rows that wait to be committed. Raises `StoreError`.
        """
        shares = [(row.enrolment_id, Shares(row.template, row.own, row.pair)) for row in rows]
        self._stage([Kept(one, PENDING, None, now_ms, is_sealed=False, shares=its) for one, its in shares])

    def finish(self) -> Rows:
        """
        Return all rows that were taken, which do not count yet. Raises `StoreError`.
        """
        before = self._standing
        self._standing = Standing(before.files, *self._writer.finish(), self._rest.rows(), before.chain)
        return self._standing.rows

    def install(self, *, now_ms: int) -> None:
        """
        Let the rows count, all at once; the order is carried out, and the shares are to be renewed next.

        Rows that the issuer has had erased meanwhile go at once. Raises `GalleryInUse`, `StoreError`.
        """
        holding, stored = self._holding, self._holding.stored
        with holding.changing():
            require_empty(holding)
            gone = self._gone | self._erased_meanwhile()
            with stored.transaction():
                stored.execute(f"INSERT OR REPLACE INTO rows ({FIELDS}) SELECT {FIELDS} FROM restored")  # noqa: S608
                stored.execute("DELETE FROM restored")
                holding.record(self._standing)
                stored.execute(
                    "UPDATE renewals SET chain = ?, since_ms = ?, seed = NULL", (self._standing.chain, LONG_AGO_MS)
                )
                holding.vouched.forget_all()
                end_order(stored, RESTORE)
            self._counts = True
            holding.replace(self._standing)
            stored.note_all()
            if gone:
                holding.erase(gone, now_ms=now_ms)
            stored.forget_log()

    def discard(self) -> None:
        """
        Throw away what was taken, unless it counts already. Raises `StoreError`.
        """
        if self._counts:
            return
        self._standing.files.discard()
        with self._holding.lock, self._holding.stored.transaction():
            self._holding.stored.execute("DELETE FROM restored")

    def _stage(self, rows: Sequence[Kept]) -> None:
        if rows:
            with self._holding.lock, self._holding.stored.transaction():
                self._holding.stored.stage(rows)

    def _erased_meanwhile(self) -> dict[bytes, SignedOrder]:
        found = self._holding.stored.select(
            "SELECT rows.enrolment_id, rows.order_body, rows.order_signature FROM rows JOIN restored "
            "USING (enrolment_id) WHERE rows.state = 3 AND restored.state < 3 AND rows.order_body IS NOT NULL"
        )
        return {one: SignedOrder(body, signature) for one, body, signature in found}


def require_empty(holding: Holding) -> None:
    """
    Refuse a gallery with rows that were not erased. Raises `GalleryInUse`.
    """
    if holding.holds_rows():
        raise GalleryInUse(
            "this gallery holds rows, and is not written over: stop the matcher, move the directory `gallery` away, "
            "start it again, and give a new order"
        )
