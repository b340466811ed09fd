"""
Carry out the issuer's order to restore a matcher's rows, in the background, together with both peers.

It is tried again until it is done, also after a restart; for a day. It is also over when all three have agreed on their
rows for a query, and at whom a peer has been caught cheating, or a row is not vouched for: then a person has to do
something, and the issuer to give another order.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from handsel.clock import Clock
from handsel.errors import GalleryInUse, HandselError, NotVouched, PeerCheated, PeerUnavailable
from handsel.ids import ID_BYTES
from handsel.keys import PublicKeys
from handsel.log import Log
from handsel.matching.dialogue import Dialogue, Seat
from handsel.matching.gallery import Gallery
from handsel.matching.masks import PairSecret, masks_of
from handsel.matching.message import Order
from handsel.matching.peers import Peers
from handsel.matching.refresh import Refresher
from handsel.matching.restoring import Met, give, meet, take
from handsel.matching.signed_order import SignedOrder

PAUSE_S = 2.0  # Shorter than a meeting waits, so that those who try again meet.
SILENCE_S = 120.0  # For which two wait while the third works on a piece, or on the whole at the end.
GIVE_UP_MS = 24 * 3_600_000
_PROGRESS_ROWS = 1 << 16


class Restorer:
    """
    Restore one matcher's rows, or help another to its own.
    """

    def __init__(
        self,
        me: str,
        peers: Peers,
        secrets: Mapping[str, PairSecret],
        gallery: Gallery,
        *,
        issuer: PublicKeys,
        refresher: Refresher,
        clock: Clock,
        log: Log,
    ) -> None:
        self._seat, self._peers, self._secrets, self._gallery = Seat(me), peers, secrets, gallery
        self._issuer, self._refresher, self._clock, self._log = issuer, refresher, clock, log
        self._background = ThreadPoolExecutor(1)
        self._closing = threading.Event()
        self.is_under_way = False

    def resume(self) -> None:
        """
        Go on with an order that is not carried out yet.
        """
        if self._gallery.restoring.due() is not None:
            self.is_under_way = True
            self._background.submit(self._try_until_done)

    def order(self, order: Order, signed: SignedOrder) -> None:
        """
        Begin to carry out an order; the same again changes nothing.

        Raises `GalleryInUse`, `OrderTooOld`, `StoreError`.
        """
        if self._gallery.restoring.keep_order(order, signed, is_mine=order.matcher == self._seat.me):
            self.resume()

    def is_over(self) -> None:
        """
        Note that all three hold the same rows: nothing is left to be restored.
        """
        if self.is_under_way:
            self.is_under_way = False
            self._gallery.restoring.end()

    def close(self) -> None:
        """
        Stop, and wait for what is being done.
        """
        self._closing.set()
        self._background.shutdown(cancel_futures=True)

    def _try_until_done(self) -> None:
        code = ""
        try:
            while not self._closing.is_set() and (signed := self._gallery.restoring.due()) is not None:
                failed = self._try(signed)
                if failed not in ("", code):  # Not once for each of many tries.
                    self._log.event("gallery_not_restored", code=failed)
                code = failed
        finally:
            self.is_under_way = False

    def _try(self, signed: SignedOrder) -> str:
        """
        Carry out an order, and return nothing, or the code of what failed, after a pause.
        """
        try:
            order = signed.verified(self._issuer)
            if self._clock() - order.at_ms > GIVE_UP_MS:
                self._gallery.restoring.end()
                return PeerUnavailable.code
            self._restore(order, signed)
        except HandselError as exc:
            if isinstance(exc, PeerCheated | GalleryInUse | NotVouched):
                self._gallery.restoring.end()
            self._closing.wait(PAUSE_S)
            return exc.code
        self._log.event("gallery_restored", rows=self._gallery.rows().count)
        self._refresher.after_query()
        return ""

    def _restore(self, order: Order, signed: SignedOrder) -> None:
        name = hashlib.sha256(b"handsel/v1/restore-meeting\0" + signed.body).digest()[:ID_BYTES]
        met = self._peers.carry_out(self.meet(order, signed), query_id=name)
        self._peers.carry_out_at_length(self.complete(order, met), query_id=met.name, silence_s=SILENCE_S)

    def meet(self, order: Order, signed: SignedOrder) -> Dialogue[Met]:
        """
        Agree with both peers on what is restored. Raises what `restoring.meet` raises.
        """
        subject = hashlib.sha256(b"handsel/v1/restore\0" + signed.body).digest()
        return meet(
            self._seat,
            order.matcher,
            subject=subject,
            held=self._gallery,
            random_bytes=os.urandom,
            now_ms=self._clock(),
        )

    def complete(self, order: Order, met: Met) -> Dialogue[None]:
        """
        Take the rows, or help to; then all are to renew their shares. Raises what `take` and `give` raise.
        """
        masks = masks_of(self._seat.me, self._secrets, query_id=met.name, nonces=met.nonces)
        if order.matcher == self._seat.me:
            yield from take(
                self._seat,
                met,
                restoration=self._gallery.restoring.begin(met.count, chain=met.chain),
                issuer=self._issuer,
                masks=masks,
                random_bytes=os.urandom,
                progress=self._say_progress,
                now_ms=self._clock(),
            )
        else:
            yield from give(self._seat, order.matcher, met, held=self._gallery, masks=masks, random_bytes=os.urandom)
            self._gallery.restoring.end_of_help()

    def _say_progress(self, done: int, count: int) -> None:
        if done % _PROGRESS_ROWS == 0 or done == count:
            self._log.event("gallery_restoring", rows=done, count=count)
