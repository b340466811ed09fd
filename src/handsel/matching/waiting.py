"""
Give a matcher those rows back, too, that wait for the issuer to commit them: one that is committed after a restore
would otherwise be at two matchers, and never at the third.

1. The two that help tell each other for which enrolments rows wait that are vouched for. Those that wait at both are
   given, in one piece. One that waits at one of them alone has not come to all three, so that it is not committed.
2. The third takes none but those for which it has vouched. There is no order for them yet, as they do not count yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Protocol

import msgspec

from handsel.errors import EnvelopeInvalid, PeerCheated
from handsel.ids import ID_BYTES
from handsel.matching.columns import Columns
from handsel.matching.dialogue import Dialogue, Receive, Seat, Send, decoded, exchange_encoded
from handsel.matching.entry import PENDING, Entry
from handsel.matching.masks import Masks
from handsel.matching.piece import PIECE_ROWS, Piece, joined, piece_of, require_form, require_vouched
from handsel.matching.rows import Row
from handsel.matching.voucher import Vouchers

_Id = Annotated[bytes, msgspec.Meta(min_length=ID_BYTES, max_length=ID_BYTES)]
_Ids = Annotated[tuple[_Id, ...], msgspec.Meta(max_length=PIECE_ROWS)]


class Waiting(Protocol):
    """
    Hold rows that wait to be committed.
    """

    def waiting(self, limit: int) -> Mapping[bytes, tuple[Row, Vouchers]]:
        """
        Return the first pending rows in the order of their ids, by id, and what the peers have vouched for theirs by.
        """


def give_waiting(seat: Seat, lost: str, *, held: Waiting, masks: Masks, dims: int) -> Dialogue[None]:
    """
    Help `lost` to its rows that wait. Raises `EnvelopeInvalid`.
    """
    waiting = held.waiting(PIECE_ROWS)
    peer = seat.after if seat.before == lost else seat.before
    told = yield from exchange_encoded(seat, tuple(waiting), _Ids, among=(peer,))  # 1
    both = sorted(waiting.keys() & set(told[peer]))
    columns = Columns.of_rows([waiting[one][0] for one in both], dims=dims)
    entries = tuple(Entry(one, PENDING, None) for one in both)
    vouchers = [waiting[one][1] for one in both]
    piece = piece_of(seat, lost, columns, entries=entries, vouchers=vouchers, masks=masks)
    yield Send(lost, msgspec.msgpack.encode(piece))
    yield Receive(lost)


def take_waiting(seat: Seat, *, dims: int) -> Dialogue[tuple[Row, ...]]:
    """
    Return this matcher's rows that wait, out of what both others give. Raises `PeerCheated`, `EnvelopeInvalid`,
    `NotVouched`.
    """
    after = decoded((yield Receive(seat.after)), Piece)
    before = decoded((yield Receive(seat.before)), Piece)
    size = len(after.entries)
    if size > PIECE_ROWS:
        raise EnvelopeInvalid("a matcher's peer gave more rows that wait than it may at once")
    columns = joined(*(require_form(one, size=size, dims=dims) for one in (after, before)), dims=dims)
    if len({one.tobytes() for one in columns.ids}) != size:
        raise PeerCheated("a matcher's peer gave a row that waits more than once")
    require_vouched(columns, after, before, gone=())  # 2
    for name in seat.others:
        yield Send(name, b"")
    return columns.rows()
