"""
Renew the shares of all rows, together with the peers, when they are old enough or the issuer has ordered it.

1. The three agree on the rows that are active, and toss a seed.
2. Each keeps the seed on disk, and says so. Nobody renews before all have said it: so who is killed in between can do
   it later, when a peer's opening shows that it is a renewal behind.
3. Each vouches to both others for its renewed rows (`vouching.py`), and keeps what they vouch for, which does not count
   yet. It writes its rows beside, while queries go on with the old ones at all three, and says that it is ready.
4. When all have said it, each matches with the new ones, and forgets the seed and the old shares.

It begins after a query that all three have answered, since each then knows that the others are there.
"""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from handsel.clock import Clock
from handsel.errors import HandselError, PeerCheated
from handsel.log import Log
from handsel.matching.dialogue import Dialogue, Seat, exchange, toss
from handsel.matching.frame import dialogue_name
from handsel.matching.gallery import Gallery
from handsel.matching.opening import agree
from handsel.matching.peers import Peers
from handsel.matching.renewal import Renewal, digest_of_seed, next_chain
from handsel.matching.renewing import LONG_AGO_MS
from handsel.matching.rows import Rows
from handsel.matching.vouched import Batch
from handsel.matching.vouching import vouch_for_renewed

_SUBJECT = hashlib.sha256(b"handsel/v1/renewal-of-shares").digest()
_READY = b"handsel/v1/renewal-ready\0"
SILENCE_S = 120.0  # For which the others wait while one writes; a million rows take some seconds.
_MINUTE_MS = 60_000


@dataclass(frozen=True)
class Freshness:
    """
    Say when all shares were last renewed, None where that is not known, and how often they are; and whether the issuer
    has ordered it since.
    """

    renewed_ms: int | None
    is_ordered: bool
    every_ms: int


@dataclass(frozen=True, repr=False)
class Begun:
    """
    Hold what all three keep: the seed, and the rows that are renewed with it, as they were then.
    """

    seed: bytes
    rows: Rows


class Refresher:
    """
    Renew one matcher's shares in the background.
    """

    def __init__(self, me: str, peers: Peers, gallery: Gallery, *, every_ms: int, clock: Clock, log: Log) -> None:
        self._seat, self._peers, self._gallery = Seat(me), peers, gallery
        self._every_ms, self._clock, self._log = every_ms, clock, log
        self._background = ThreadPoolExecutor(1)
        self._tried_minute = -1

    def after_query(self) -> None:
        """
        Begin to renew, if it is time: after a query the peers are there. Once a minute at most.
        """
        minute = self._clock() // _MINUTE_MS
        if minute != self._tried_minute and self._is_due():
            self._tried_minute = minute
            self._background.submit(self._renew, minute)

    def freshness(self) -> Freshness:
        """
        Return how old the shares are. Raises `StoreError`.
        """
        chain, since_ms = self._gallery.rows().chain, self._gallery.renewing.since_ms()
        is_ordered = since_ms == LONG_AGO_MS
        # Before the first renewal the age counts from the first query, which is nobody's business.
        return Freshness(since_ms if chain and not is_ordered else None, is_ordered, self._every_ms)

    def close(self) -> None:
        """
        Begin nothing more, and wait for what is being done.
        """
        self._background.shutdown(cancel_futures=True)

    def _is_due(self) -> bool:
        now_ms, since_ms = self._clock(), self._gallery.renewing.since_ms()
        if since_ms == 0:
            self._gallery.renewing.count_from(now_ms)
        return since_ms != 0 and now_ms - since_ms >= self._every_ms

    def _renew(self, minute: int) -> None:
        if minute != self._clock() // _MINUTE_MS or not self._is_due():
            return
        # An attempt has one name at all three: the minute, and the renewals so far.
        attempt = minute.to_bytes(8, "big") + self._gallery.rows().chain
        try:
            begun = self._peers.carry_out(self.begin(), query_id=dialogue_name("begin to renew", attempt))
            switch = self.complete(begun)
            del begun  # Whoever holds its rows keeps what is erased meanwhile from being overwritten.
            self._peers.carry_out_at_length(
                switch, query_id=dialogue_name("complete renewal", attempt), silence_s=SILENCE_S
            )
        except HandselError as exc:  # It is tried again after the next query.
            self._log.event("shares_not_renewed", code=exc.code)
        else:
            self._log.event("shares_renewed")

    def begin(self) -> Dialogue[Begun]:
        """
        Toss a seed together with both peers, and return it once all three keep it.

        Raises what `opening.agree` raises, `PeerCheated`, `StoreError`.
        """
        agreed = yield from agree(
            self._seat.me, subject=_SUBJECT, held=self._gallery, random_bytes=os.urandom, now_ms=self._clock()
        )
        seed = yield from toss(self._seat, random_bytes=os.urandom)
        self._gallery.renewing.keep_seed(seed, digest=agreed.rows.digest)
        yield from self._same(digest_of_seed(seed))
        return Begun(seed, agreed.rows)

    def complete(self, begun: Begun) -> Dialogue[None]:
        """
        Vouch for the renewed rows, write them beside, and match with them once all three have.

        Raises `PeerCheated`, `EnvelopeInvalid`, `StoreError`.
        """
        self._gallery.renewing.forget_old_vouched()  # What a failure has left.
        ready = _READY + digest_of_seed(begun.seed)
        vouching = self._vouch(begun)
        del begun
        ready += yield from vouching
        self._gallery.renewing.prepare()
        yield from self._same(hashlib.sha256(ready).digest())
        self._gallery.renewing.renew(now_ms=self._clock())
        self._gallery.renewing.forget_old_vouched()

    def _vouch(self, begun: Begun) -> Dialogue[bytes]:
        chain = next_chain(begun.rows.chain, begun.seed)

        def keep(positions: NDArray[np.int64], after: Batch, before: Batch) -> None:
            self._gallery.renewing.keep_vouched(chain, positions, after=after, before=before)

        renewal = Renewal(self._seat.me, begun.seed)
        return vouch_for_renewed(self._seat, begun.rows, renewal, random_bytes=os.urandom, keep=keep)

    def _same(self, digest: bytes) -> Dialogue[None]:
        said = yield from exchange(self._seat, digest)
        if len({bytes(theirs) for theirs in said.values()}) > 1:
            raise PeerCheated("the three matchers do not renew with the same seed, or one vouches for different rows")
