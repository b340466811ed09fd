"""
Prepare queries between two of them, together with the peers: each begins when it has answered the same query.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from handsel.errors import HandselError
from handsel.log import Log
from handsel.matching.dialogue import Dialogue, Seat
from handsel.matching.frame import dialogue_name
from handsel.matching.masks import PairSecret, masks_of
from handsel.matching.message import MATCHERS
from handsel.matching.opening import exchange_nonces
from handsel.matching.peers import Peers
from handsel.matching.prepared import Shape, prepare
from handsel.matching.reserve import Piece, Reserve, pieces_of

WAITING_MAX = 2  # The first matcher begins one at a time; whoever begins more waits alone.
SILENCE_S = 15.0  # For a million words of ANDs at a time, on a machine that answers queries meanwhile.


class Ahead:
    """
    Fill one matcher's reserve in the background.
    """

    def __init__(self, me: str, peers: Peers, secrets: Mapping[str, PairSecret], log: Log) -> None:
        self.reserve = Reserve()
        self._me, self._peers, self._secrets, self._log = me, peers, secrets, log
        self._background = ThreadPoolExecutor(1)
        self._waiting = threading.Semaphore(WAITING_MAX)
        self._claim = threading.Semaphore()  # One preparation at a time: two could wait for each other.

    def claim(self, shape: Shape) -> bool:
        """
        Return whether the first matcher begins to prepare more of a shape after its query: it must then make it, or
        give it up. The others do what it does.
        """
        return self._me == MATCHERS[0] and self.reserve.wanted(shape) > 0 and self._claim.acquire(blocking=False)

    def give_up(self) -> None:
        """
        Let another query claim it.
        """
        self._claim.release()

    def make(self, *, after: bytes, shape: Shape) -> None:
        """
        Begin to prepare queries of a shape, after the query with the id `after`; not while others wait to be prepared.
        """
        if self._waiting.acquire(blocking=False):
            self._background.submit(self._make, dialogue_name("prepare", after), shape)

    def close(self) -> None:
        """
        Begin nothing more, and wait for what is being made.
        """
        self._background.shutdown(cancel_futures=True)

    def _make(self, name: bytes, shape: Shape) -> None:
        try:
            dialogue = self._dialogue(name, shape)
            self.reserve.put(self._peers.carry_out_at_length(dialogue, query_id=name, silence_s=SILENCE_S))
        except HandselError as exc:  # The next query prepares itself.
            self._log.event("nothing_prepared", code=exc.code)
        finally:
            self._waiting.release()
            if self._me == MATCHERS[0]:
                self._claim.release()

    def _dialogue(self, name: bytes, shape: Shape) -> Dialogue[list[Piece]]:
        nonces = yield from exchange_nonces(self._me, random_bytes=os.urandom)
        masks = masks_of(self._me, self._secrets, query_id=name, nonces=nonces)
        count = pieces_of(shape)
        prepared = yield from prepare(Seat(self._me), shape.times(count), masks, os.urandom)
        return [Piece(name + bytes([number]), one) for number, one in enumerate(prepared.cut(count))]
