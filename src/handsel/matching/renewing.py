"""
Renew the rows of one gallery, while it is matched with.

1. The seed is kept on disk before anybody renews. Rows that become active from then on are not renewed, here as there.
2. The blocks are written beside, renewed, while queries, commits and erasures go on with the old ones.
3. Each has vouched to both others for its rows as they will be, and keeps their vouchers, which count after the switch.
4. When all three have done so, each switches, in one transaction: blocks that were sealed since, and the tail, are
   renewed in it. Where blocks have been written anew since, as for an erasure, or after a restart, all is done in it.
5. Who has missed the switch catches up with its peers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from handsel.errors import GalleriesDiffer
from handsel.matching.columns import Columns
from handsel.matching.holding import Holding
from handsel.matching.latest_order import keep_latest
from handsel.matching.message import Order
from handsel.matching.renewal import Renewal, digest_of_seed, next_chain, renewing_all_but
from handsel.matching.signed_order import SignedOrder
from handsel.matching.standing import Standing
from handsel.matching.vouched import Batch

LONG_AGO_MS = 1
PREPARED_MAX = 3  # Times, while rows that are in blocks are erased; then it is done where queries wait for it.


@dataclass(frozen=True, repr=False)
class Beside:
    """
    Hold the rows in the blocks of `base`, renewed with the seed of that digest: written, but they do not count yet.
    """

    base: Standing
    renewed: Standing
    seed_digest: bytes

    def fits(self, standing: Standing, seed: bytes) -> bool:
        """
        Return whether blocks have only been added since, and the seed is still the same.
        """
        return standing.files is self.base.files and self.seed_digest == digest_of_seed(seed)


class _Overtaken(Exception):
    """
    Blocks have been written anew while their rows were being renewed.
    """


class Renewing:
    """
    Renew the rows of matcher `me`. Safe for several threads.
    """

    def __init__(self, me: str, holding: Holding) -> None:
        self._me, self._holding, self._lock = me, holding, holding.lock
        self._beside: Beside | None = None

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
        with self._holding.changing():
            self._holding.put_in_order()
            if self._holding.standing.rows.digest != digest:
                raise GalleriesDiffer("rows have changed while shares were to be renewed: it is tried again later")
            self._forget_beside()
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

    def keep_vouched(self, chain: bytes, positions: NDArray[np.int64], *, after: Batch, before: Batch) -> None:
        """
        Keep what the peers vouch for of rows at some positions, as they will be when `chain` names their renewals.

        Raises `StoreError`.
        """
        with self._lock, self._holding.stored.transaction():
            self._holding.vouched.keep_renewed(chain, positions, after=after, before=before)

    def forget_old_vouched(self) -> None:
        """
        Forget what was vouched for of rows as they were before the last renewal, or would have been after one that did
        not come: piece by piece, so that no query waits for it. Raises `StoreError`.
        """
        is_left = True
        while is_left:
            with self._lock, self._holding.stored.transaction():
                is_left = self._holding.vouched.forget_piece(self._holding.standing.chain)
        with self._lock:
            self._holding.stored.forget_log()

    def prepare(self) -> None:
        """
        Write the blocks beside, renewed with the seed that is kept, while queries and orders go on with the old ones.

        Where blocks are written anew meanwhile, it begins again, and gives up in the end. Raises `StoreError`.
        """
        for _ in range(PREPARED_MAX):
            with self._holding.changing():
                self._holding.put_in_order()
                seed, base, left = self._seed(), self._holding.standing, self._not_renewed()
                self._forget_beside()
            if seed is None:
                return
            try:
                renewed = self._written_beside(base, seed, left)
            except _Overtaken:
                continue
            with self._lock:
                self._beside = Beside(base, renewed, digest_of_seed(seed))
                return

    def renew(self, *, now_ms: int) -> None:
        """
        Match from now on with renewed shares, and forget the seed and the old ones; without a seed it is done.

        What was not prepared is done here, where queries wait for it. Raises `StoreError`.
        """
        with self._holding.changing():
            seed = self._seed()
            if seed is not None:
                self._renew(seed, now_ms=now_ms)

    def catch_up(self, peers: Sequence[tuple[bytes, bytes]], *, now_ms: int) -> None:
        """
        Renew the shares where one of both peers has done it with the same seed, and the other has too, or keeps it.

        Each peer shows its chain and the digest of its seed. One peer's word alone renews nothing.
        """
        with self._holding.changing():
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

    def _written_beside(self, base: Standing, seed: bytes, left: NDArray[np.int64]) -> Standing:
        change = renewing_all_but(Renewal(self._me, seed), left)

        def change_while_it_counts(columns: Columns) -> Columns:
            if self._holding.standing.files is not base.files:
                raise _Overtaken
            return change(columns)

        empty = base.emptied(chain=next_chain(base.chain, seed))
        try:
            return empty.following(replace(base, tail=()), change_while_it_counts)
        except BaseException:
            empty.files.discard()
            raise

    def _forget_beside(self) -> None:
        beside, self._beside = self._beside, None
        if beside is not None:
            self._holding.let_go(beside.renewed)

    def _renew(self, seed: bytes, *, now_ms: int) -> None:
        holding, stored = self._holding, self._holding.stored
        holding.put_in_order()
        before, beside = holding.standing, self._beside
        left, chain = self._not_renewed(), next_chain(before.chain, seed)
        change = renewing_all_but(Renewal(self._me, seed), left)
        # Where not all is, as a peer has said too early that it has switched, all are renewed once more.
        is_vouched = holding.vouched.count(chain) == before.rows.count - len(left)
        is_ready = beside is not None and beside.fits(before, seed)
        begun = beside.renewed if beside is not None and is_ready else before.emptied(chain=chain)
        try:
            after = begun.following(before, change)
            self._record(after, since_ms=now_ms if is_vouched else LONG_AGO_MS)
        except BaseException:
            if not is_ready:
                holding.let_go(begun)
            raise
        if is_ready:
            self._beside = None  # Its files are those that count now.
        self._forget_beside()
        holding.replace(after)
        stored.forget_log()

    def _record(self, after: Standing, *, since_ms: int) -> None:
        stored = self._holding.stored
        with stored.transaction():
            self._holding.record(after)
            for row in after.tail:
                self._holding.keep_active(row, is_sealed=False)
            renewed = "UPDATE renewals SET count = count + 1, chain = ?, since_ms = ?, seed = NULL"
            stored.execute(renewed, (after.chain, since_ms))
            self._holding.vouched.forget_renewed()
            stored.execute("DELETE FROM not_renewed")
