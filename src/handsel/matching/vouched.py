"""
Keep what both peers have vouched for, in the gallery's database.

Vouchers of an enrolment are kept with its pending row. Those of renewed rows come in pieces, named by the chain of
renewals after which they hold: so they count from the moment that the gallery is of that chain, all at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from handsel.matching.stored import Stored
from handsel.matching.voucher import DIGEST_BYTES, Voucher, Vouchers

_POSITION = np.dtype("<i8")
_PIECE = "positions, after_digests, after_half, before_digests, before_half"


@dataclass(frozen=True, repr=False)
class Batch:
    """
    Hold what one peer has vouched for: the digests of some rows (n, 16), and its half of the key of all of them.
    """

    digests: NDArray[np.uint8]
    half: bytes

    @classmethod
    def of(cls, digests: bytes | memoryview | bytearray, half: bytes) -> Batch:
        """
        Return what was stored, or sent.
        """
        return cls(np.frombuffer(digests, np.uint8).reshape(-1, DIGEST_BYTES), half)

    def fields(self, chosen: NDArray[np.bool_]) -> tuple[bytes, bytes]:
        """
        Return what is stored of some of the rows.
        """
        return self.digests[chosen].tobytes(), self.half

    def voucher(self, row: int) -> Voucher:
        """
        Return the voucher for one row.
        """
        return Voucher(self.digests[row].tobytes(), self.half)


class Vouched:
    """
    Hold the vouchers of one gallery. Not safe for several threads; what changes them is within a transaction.
    """

    def __init__(self, stored: Stored) -> None:
        self._stored = stored

    def keep(self, enrolment_id: bytes, vouchers: Vouchers) -> None:
        """
        Keep the vouchers of an enrolment, in place of those that it had.
        """
        after, before = vouchers.after, vouchers.before
        self._stored.execute(
            "INSERT OR REPLACE INTO vouchers VALUES (?, ?, ?, ?, ?)",
            (enrolment_id, after.digest, after.half, before.digest, before.half),
        )

    def keep_renewed(self, chain: bytes, positions: NDArray[np.int64], *, after: Batch, before: Batch) -> None:
        """
        Keep the vouchers of rows at some positions, in order, which hold after the renewals that `chain` names.

        Of rows that are gone by now nothing is kept.
        """
        if not len(positions):
            return
        first, last = int(positions[0]), int(positions[-1])
        query = "SELECT position FROM rows WHERE position BETWEEN ? AND ?"
        here = np.isin(positions, [position for (position,) in self._stored.select(query, first, last)])
        self._stored.execute(
            f"INSERT OR REPLACE INTO renewed_vouchers (chain, first, last, {_PIECE}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
            (chain, first, last, _octets(positions[here]), *after.fields(here), *before.fields(here)),
        )

    def forget(self, enrolment_id: bytes, position: int | None) -> None:
        """
        Forget the vouchers of a row.
        """
        self._stored.execute("DELETE FROM vouchers WHERE enrolment_id = ?", (enrolment_id,))
        if position is None:
            return
        query = f"SELECT rowid, {_PIECE} FROM renewed_vouchers WHERE first <= ? AND last >= ?"  # noqa: S608
        for number, *fields in self._stored.select(query, position, position):
            positions, after, before = _read(*fields)
            left = positions != position
            self._stored.execute(
                "UPDATE renewed_vouchers SET positions = ?, after_digests = ?, before_digests = ? WHERE rowid = ?",
                (_octets(positions[left]), after.fields(left)[0], before.fields(left)[0], number),
            )

    def forget_expired(self, oldest_ms: int) -> None:
        """
        Forget the vouchers of pending rows that are older.
        """
        self._stored.execute(
            "DELETE FROM vouchers WHERE enrolment_id IN "
            "(SELECT enrolment_id FROM rows WHERE state = 1 AND kept_at_ms < ?)",
            (oldest_ms,),
        )

    def forget_all(self) -> None:
        """
        Forget all vouchers.
        """
        self._stored.execute("DELETE FROM vouchers")
        self._stored.execute("DELETE FROM renewed_vouchers")

    def forget_piece(self, chain: bytes) -> bool:
        """
        Forget a piece of vouchers that hold after other renewals than those that `chain` names; return whether any was
        left.
        """
        found = self._stored.select("SELECT rowid FROM renewed_vouchers WHERE chain <> ? LIMIT 1", chain)
        for (number,) in found:
            self._stored.execute("DELETE FROM renewed_vouchers WHERE rowid = ?", (number,))
        return bool(found)

    def forget_renewed(self) -> None:
        """
        Forget the vouchers of enrolments whose rows are being renewed.
        """
        is_active = "SELECT 1 FROM rows WHERE rows.enrolment_id = vouchers.enrolment_id AND state = 2"
        self._stored.execute(
            f"DELETE FROM vouchers WHERE EXISTS ({is_active}) "  # noqa: S608 - constant
            "AND enrolment_id NOT IN (SELECT enrolment_id FROM not_renewed)"
        )

    def count(self, chain: bytes) -> int:
        """
        Return for how many rows there are vouchers that hold after some renewals. Raises `StoreError`.
        """
        query = "SELECT coalesce(sum(length(positions)), 0) FROM renewed_vouchers WHERE chain = ?"
        size: int = self._stored.select(query, chain)[0][0]
        return size // _POSITION.itemsize

    def of_enrolment(self, enrolment_id: bytes) -> Vouchers | None:
        """
        Return the vouchers of an enrolment, if its row has not been renewed since. Raises `StoreError`.
        """
        query = "SELECT after_digest, after_half, before_digest, before_half FROM vouchers WHERE enrolment_id = ?"
        for after, after_half, before, before_half in self._stored.select(query, enrolment_id):
            return Vouchers(Voucher(after, after_half), Voucher(before, before_half))
        return None

    def of(self, first: int, last: int, *, chain: bytes) -> dict[int, Vouchers]:
        """
        Return the vouchers of the rows between two positions, by position. Raises `StoreError`.
        """
        query = (
            "SELECT position, after_digest, after_half, before_digest, before_half FROM rows JOIN vouchers "
            "USING (enrolment_id) WHERE position BETWEEN ? AND ?"
        )
        found = {
            position: Vouchers(Voucher(after, after_half), Voucher(before, before_half))
            for position, after, after_half, before, before_half in self._stored.select(query, first, last)
        }
        query = f"SELECT {_PIECE} FROM renewed_vouchers WHERE chain = ? AND first <= ? AND last >= ?"  # noqa: S608
        for fields in self._stored.select(query, chain, last, first):
            positions, after, before = _read(*fields)
            for row in np.flatnonzero((positions >= first) & (positions <= last)).tolist():
                found[int(positions[row])] = Vouchers(after.voucher(row), before.voucher(row))
        return found


def _octets(positions: NDArray[np.int64]) -> bytes:
    return positions.astype(_POSITION, copy=False).tobytes()


def _read(
    positions: bytes, after: bytes, after_half: bytes, before: bytes, before_half: bytes
) -> tuple[NDArray[np.int64], Batch, Batch]:
    numbers = np.frombuffer(positions, _POSITION).astype(np.int64)
    return numbers, Batch.of(after, after_half), Batch.of(before, before_half)
