"""
Tell each other of rows that a commit or an erasure has reached at some matchers and not at all.

1. Each tells the digests of its buckets (`buckets.py`).
2. Of those that differ, each tells the entries, with the issuer's orders: of so many buckets as may be told at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Protocol

import msgspec

from handsel.matching.buckets import Buckets, choose
from handsel.matching.dialogue import Dialogue, Seat, exchange_encoded
from handsel.matching.entry import PENDING, Entry, later_than

ENTRIES_MAX = 1 << 20  # Of one matcher, should all ids begin alike.

_Entries = Annotated[tuple[Entry, ...], msgspec.Meta(max_length=ENTRIES_MAX)]


class Told(Protocol):
    """
    Hold what a matcher can tell of its rows.
    """

    def buckets(self) -> Buckets:
        """
        Return the digests of all buckets.
        """

    def entries(self, buckets: Sequence[int]) -> tuple[Entry, ...]:
        """
        Return the state of every enrolment in some buckets, and the issuer's order that brought it there.
        """


def learn_news(
    seat: Seat, held: Told, *, coin: bytes, among: Sequence[str] | None = None
) -> Dialogue[tuple[Entry, ...]]:
    """
    Return what both others, or `among` some, say of rows that are here in an earlier state, unverified.

    `coin` is the same at all. Raises `GalleriesDiffer`, `EnvelopeInvalid`.
    """
    others = seat.others if among is None else among
    tallies = yield from exchange_encoded(seat, held.buckets(), Buckets, among=others)  # 1
    chosen = choose(list(tallies.values()), coin=coin)
    if not chosen:
        return ()
    mine = held.entries(chosen)
    told = tuple(entry for entry in mine if entry.state != PENDING)
    shown = yield from exchange_encoded(seat, told, _Entries, among=others)  # 2
    return later_than(mine, [entry for name in others for entry in shown[name]])
