"""
See whether the rows that three matchers hold belong together, without opening one.

1. Each combines all its rows under weights that follow from coins. The combinations of shares are shares of the
   combination; hidden by what nobody knows they are opened, and must lie on lines.
2. Each part of an alias is known to two, who tell each other a digest of all of them.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

import numpy as np

from handsel.errors import PeerCheated
from handsel.matching import kernels
from handsel.matching.dialogue import Dialogue, Receive, Seat, Send, octets_of, toss
from handsel.matching.honest import drawn_words
from handsel.matching.masks import Masks
from handsel.matching.ring import Words
from handsel.matching.rows import Rows
from handsel.matching.shamir import draw_shares, open_shares

SUMS = 40  # A row that is off a line, by 2^15 at best, is missed by 1/2 in each.
_PARTS = b"handsel/v1/parts-of-aliases\0"
_DRAWN_ROWS = 1 << 16  # Weights at a time: 5 MB.
_NO_LINES = PeerCheated("the rows of the three matchers do not belong together: one of them has given false shares")


def require_whole(seat: Seat, rows: Rows, masks: Masks, *, random_bytes: Callable[[int], bytes]) -> Dialogue[None]:
    """
    Raise `PeerCheated` unless all rows lie on lines, and each part of an alias is the same at both who hold it.
    """
    coin = yield from toss(seat, random_bytes=random_bytes)
    sums = _combined(rows, coin)  # 1
    yield from open_shares(seat, sums + draw_shares(seat, masks, sums.shape), failure=_NO_LINES)
    own, next_one_s = hashlib.sha256(_PARTS), hashlib.sha256(_PARTS)
    for _, segment in rows.placed():
        own.update(octets_of(segment.own))
        next_one_s.update(octets_of(segment.own ^ segment.pair))
    yield Send(seat.before, own.digest())  # 2
    yield Send(seat.after, next_one_s.digest())
    for name, mine in ((seat.after, next_one_s), (seat.before, own)):
        if not hmac.compare_digest((yield Receive(name)), mine.digest()):
            raise PeerCheated("the aliases of the three matchers do not belong together: one has given false shares")


def _combined(rows: Rows, coin: bytes) -> Words:
    sums = np.zeros((SUMS, rows.segments[0].templates.shape[1]), np.uint16)
    for start in range(0, rows.padded, _DRAWN_ROWS):
        weights = drawn_words(coin, b"whole/%d" % start, (SUMS, _DRAWN_ROWS))
        for first, segment in rows.placed():
            begin, end = max(start, first), min(start + _DRAWN_ROWS, first + len(segment.templates))
            if begin < end:
                kernels.combine_rows(segment.templates[begin - first : end - first], weights, begin - start, sums)
    return sums
