"""
Make proved triples between two queries, together with the peers: each begins when it has answered the same query.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from handsel.errors import HandselError
from handsel.ids import ID_BYTES
from handsel.log import Log
from handsel.matching.dialogue import Dialogue, Seat
from handsel.matching.gates import Gates
from handsel.matching.masks import PairSecret, masks_of
from handsel.matching.opening import exchange_nonces
from handsel.matching.peers import Peers
from handsel.matching.reserve import WORDS_MAX, Batch, Reserve
from handsel.matching.triples import make_triples


class Ahead:
    """
    Fill one matcher's reserve in the background.
    """

    def __init__(self, me: str, peers: Peers, secrets: Mapping[str, PairSecret], log: Log) -> None:
        self.reserve = Reserve()
        self._me, self._peers, self._secrets, self._log = me, peers, secrets, log
        self._background = ThreadPoolExecutor(1)

    def make(self, *, after: bytes, count: int) -> None:
        """
        Begin to make `count` words of triples for the query after the one with the id `after`, if they are wanted.
        """
        if count <= WORDS_MAX and self.reserve.has_room(count):
            name = hashlib.sha256(b"handsel/v1/triples\0" + after).digest()[:ID_BYTES]
            self._background.submit(self._make, name, count)

    def close(self) -> None:
        """
        Begin nothing more, and wait for what is being made.
        """
        self._background.shutdown(cancel_futures=True)

    def _make(self, name: bytes, count: int) -> None:
        try:
            self.reserve.put(self._peers.carry_out(self._dialogue(name, count), query_id=name))
        except HandselError as exc:  # The next query makes its own.
            self._log.event("triples_not_made", code=exc.code)

    def _dialogue(self, name: bytes, count: int) -> Dialogue[Batch]:
        nonces = yield from exchange_nonces(self._me, random_bytes=os.urandom)
        masks = masks_of(self._me, self._secrets, query_id=name, nonces=nonces)
        gates = Gates(Seat(self._me), masks)
        triples = yield from make_triples(gates, count, os.urandom)
        yield from gates.agreement.settle(gates.seat, random_bytes=os.urandom)
        return Batch(name, triples)
