"""
Renew the rows of one gallery: keep the seed on disk, renew with it, or catch up with peers that have.

The seed is kept before anybody renews. Rows that become active from then on are not renewed, here as there.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from handsel.errors import GalleriesDiffer
from handsel.matching.holding import Holding
from handsel.matching.latest_order import keep_latest
from handsel.matching.message import Order
from handsel.matching.renewal import Renewal, digest_of_seed, next_chain, renewing_all_but
from handsel.matching.signed_order import SignedOrder

LONG_AGO_MS = 1


class Renewing:
    """
    Renew the rows of matcher `me`. Safe for several threads: the lock is its gallery's.
    """

    def __init__(self, me: str, holding: Holding, lock: threading.Lock) -> None:
        self._me, self._holding, self._lock = me, holding, lock

    def since_ms(self) -> int:
        """
        Return when shares were last renewed, 0 if never.
        """
        with self._lock:
            since_ms: int = self._holding.stored.select("SELECT since_ms FROM renewals")[0][0]
            return since_ms

    def count_from(self, since_ms: int) -> None:
        """
        Count the age of the shares from another moment. Raises `StoreError`.
        """
        with self._lock, self._holding.stored.transaction():
            self._holding.stored.execute("UPDATE renewals SET since_ms = ?", (since_ms,))

    def make_due(self, order: Order, signed: SignedOrder) -> None:
        """
        Have the shares renewed next, as the issuer orders; the same order again changes nothing.

        Raises `OrderTooOld`, `StoreError`.
        """
        with self._lock, self._holding.stored.transaction():
            if keep_latest(self._holding.stored, order, signed):
                self._holding.stored.execute("UPDATE renewals SET since_ms = ?", (LONG_AGO_MS,))

    def keep_seed(self, seed: bytes, *, digest: bytes) -> None:
        """
        Keep what all active rows are to be renewed with, if they are still those of `digest`.

        From then on peers may renew theirs; rows that become active meanwhile are not renewed, here as there. Raises
        `GalleriesDiffer` where other rows are active by now.
        """
        with self._lock:
            self._holding.put_in_order()
            if self._holding.standing.rows.digest != digest:
                raise GalleriesDiffer("rows have changed while shares were to be renewed: it is tried again later")
            with self._holding.stored.transaction():
                self._holding.stored.execute("UPDATE renewals SET seed = ?", (seed,))
                self._holding.stored.execute("DELETE FROM not_renewed")

    def seed_digest(self) -> bytes:
        """
        Return the digest of the seed that is kept, or nothing.
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
            following = next_chain(self._holding.standing.chain, seed)
            is_ahead = [chain == following for chain, _ in peers]
            agrees = [ahead or kept == digest_of_seed(seed) for ahead, (_, kept) in zip(is_ahead, peers, strict=True)]
            if any(is_ahead) and all(agrees):
                self._renew(seed, now_ms=now_ms)

    def _seed(self) -> bytes | None:
        seed: bytes | None = self._holding.stored.select("SELECT seed FROM renewals")[0][0]
        return seed

    def _not_renewed(self) -> NDArray[np.int64]:
        """
        Return the positions of the rows that have become active since the seed is kept.
        """
        query = "SELECT position FROM rows JOIN not_renewed USING (enrolment_id) WHERE position IS NOT NULL"
        return np.array([position for (position,) in self._holding.stored.select(query)], np.int64)

    def _renew(self, seed: bytes, *, now_ms: int) -> None:
        holding, stored = self._holding, self._holding.stored
        holding.put_in_order()
        change = renewing_all_but(Renewal(self._me, seed), self._not_renewed())
        chain = next_chain(holding.standing.chain, seed)
        after = holding.standing.written_anew(change=change, chain=chain)
        with stored.transaction():
            holding.record(after)
            for row in after.tail:
                holding.keep_active(row, is_sealed=False)
            renewed = "UPDATE renewals SET count = count + 1, chain = ?, since_ms = ?, seed = NULL"
            stored.execute(renewed, (chain, now_ms))
            stored.execute("DELETE FROM not_renewed")
        holding.replace(after)
        stored.forget_log()
