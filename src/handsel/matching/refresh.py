"""
Renew the shares of all rows, together with the peers, when they are old enough or the issuer has ordered it.

1. The three agree on the rows that are active, and toss a seed.
2. Each keeps the seed on disk, and says so. Nobody renews before all have said it: so who is killed in between can do
   it later, when a peer's opening shows that it is a renewal behind.
3. Each renews, and forgets the seed and the old shares.

It begins after a query that all three have answered, since each then knows that the others are there.
"""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from handsel.clock import Clock
from handsel.errors import HandselError, PeerCheated
from handsel.log import Log
from handsel.matching.dialogue import Dialogue, Seat, exchange, toss
from handsel.matching.frame import dialogue_name
from handsel.matching.gallery import Gallery
from handsel.matching.opening import agree
from handsel.matching.peers import Peers
from handsel.matching.renewal import digest_of_seed

_SUBJECT = hashlib.sha256(b"handsel/v1/renewal-of-shares").digest()
_LONG_AGO_MS = 1
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

    def make_due(self) -> None:
        """
        Have the shares renewed after the next query. Raises `StoreError`.
        """
        self._gallery.renew_from(_LONG_AGO_MS)

    def freshness(self) -> Freshness:
        """
        Return how old the shares are. Raises `StoreError`.
        """
        chain, since_ms = self._gallery.rows().chain, self._gallery.renewed_since_ms()
        is_ordered = since_ms == _LONG_AGO_MS
        # Before the first renewal the age counts from the first query, which is nobody's business.
        return Freshness(since_ms if chain and not is_ordered else None, is_ordered, self._every_ms)

    def close(self) -> None:
        """
        Begin nothing more, and wait for what is being done.
        """
        self._background.shutdown(cancel_futures=True)

    def _is_due(self) -> bool:
        now_ms, since_ms = self._clock(), self._gallery.renewed_since_ms()
        if since_ms == 0:
            self._gallery.renew_from(now_ms)
        return since_ms != 0 and now_ms - since_ms >= self._every_ms

    def _renew(self, minute: int) -> None:
        if not self._is_due():
            return
        # An attempt has one name at all three: the minute, and the renewals so far.
        name = dialogue_name("renew", minute.to_bytes(8, "big") + self._gallery.rows().chain)
        try:
            self._peers.carry_out(self.dialogue(), query_id=name)
        except HandselError as exc:  # It is tried again after the next query.
            self._log.event("shares_not_renewed", code=exc.code)
        else:
            self._log.event("shares_renewed")

    def dialogue(self) -> Dialogue[None]:
        """
        Renew together with both peers. Raises what `opening.agree` raises, `PeerCheated`, `StoreError`.
        """
        now_ms = self._clock()
        agreed = yield from agree(
            self._seat.me, subject=_SUBJECT, held=self._gallery, random_bytes=os.urandom, now_ms=now_ms
        )
        seed = yield from toss(self._seat, random_bytes=os.urandom)
        self._gallery.keep_seed(seed, digest=agreed.rows.digest)
        said = yield from exchange(self._seat, digest_of_seed(seed))
        if len({bytes(digest) for digest in said.values()}) > 1:
            raise PeerCheated("a matcher's peer does not keep the same seed to renew its shares with")
        self._gallery.renew(now_ms=now_ms)
