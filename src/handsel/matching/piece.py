"""
Hold what each of two matchers gives a third of the rows that it has lost, and put both together.

A share is a point of a line, and any two points give the third: it is the sum of theirs under public weights. Each of
the two sends its summand, hidden by a stream that only these two share, which one adds and the other takes away.
"""

from __future__ import annotations

import hmac
from collections.abc import Container, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from handsel.errors import EnvelopeInvalid, NotVouched, PeerCheated
from handsel.ids import ID_BYTES
from handsel.matching.columns import Columns
from handsel.matching.dialogue import Seat
from handsel.matching.entry import Entry
from handsel.matching.masks import Masks
from handsel.matching.message import ALIAS_BYTES, MATCHERS
from handsel.matching.ring import multiply_words, weight_on_line
from handsel.matching.voucher import Voucher, Vouchers, digests_of, joined_key

PIECE_ROWS = 1 << 12  # 4 MB at 432 coordinates. Verifying their orders takes half a second.
_POSITION_BYTES = 8


class Piece(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """
    Carry some rows from one of the two: ids, positions (8 bytes, little-endian), entries as they are now, summands of
    templates, hidden, parts of aliases, and the vouchers that the third has given for them, None where it gave none.
    """

    ids: bytes
    positions: bytes
    entries: tuple[Entry, ...]
    templates: bytes
    aliases: bytes
    vouchers: tuple[Voucher | None, ...]

    def __repr__(self) -> str:
        """
        Return nothing of the rows.
        """
        return "Piece()"


def piece_of(
    seat: Seat,
    lost: str,
    columns: Columns,
    *,
    entries: tuple[Entry, ...],
    vouchers: Sequence[Vouchers | None],
    masks: Masks,
) -> Piece:
    """
    Return what this matcher gives the one that has lost rows, of which it knows these entries and vouchers.
    """
    summands = multiply_words(columns.templates, weight_on_line(seat.index, at=MATCHERS.index(lost)))
    hiding = np.empty_like(summands)
    if seat.before == lost:  # The other is the next one.
        masks.after.fill(hiding)
        summands += hiding
        aliases = columns.own
        its = [None if both is None else both.before for both in vouchers]
    else:
        masks.before.fill(hiding)
        summands -= hiding
        aliases = columns.own ^ columns.pair
        its = [None if both is None else both.after for both in vouchers]
    ids, positions = columns.ids.tobytes(), columns.positions.astype("<i8", copy=False).tobytes()
    templates = summands.astype("<u2", copy=False).tobytes()
    return Piece(ids, positions, entries, templates, aliases.tobytes(), tuple(its))


def require_form(piece: Piece, *, size: int, dims: int) -> Piece:
    """
    Refuse a piece that is not of `size` rows. Raises `EnvelopeInvalid`.
    """
    lengths = [len(getattr(piece, name)) for name in Piece.__struct_fields__]
    if lengths != [ID_BYTES * size, _POSITION_BYTES * size, size, 2 * dims * size, ALIAS_BYTES * size, size]:
        raise EnvelopeInvalid("a matcher's peer sent rows that have not the form of rows")
    return piece


def joined(after: Piece, before: Piece, *, dims: int) -> Columns:
    """
    Return the rows of which the next one and the one before each gave its part. Raises `PeerCheated`.
    """
    if (after.ids, after.positions) != (before.ids, before.positions):
        raise PeerCheated("the rows that a matcher's peers gave are not the same")
    templates = _words(after.templates, dims) + _words(before.templates, dims)
    own = np.frombuffer(before.aliases, np.uint8).reshape(-1, ALIAS_BYTES)
    return Columns(
        np.frombuffer(after.ids, np.uint8).reshape(-1, ID_BYTES),
        np.frombuffer(after.positions, "<i8").astype(np.int64),
        templates,
        own,
        own ^ np.frombuffer(after.aliases, np.uint8).reshape(-1, ALIAS_BYTES),
    )


def require_vouched(columns: Columns, after: Piece, before: Piece, *, gone: Container[bytes]) -> None:
    """
    Refuse rows that are not just those for which this matcher has vouched. Of one that was erased meanwhile nobody
    needs to have kept a voucher: it will not count.

    Raises `NotVouched`, `PeerCheated`.
    """
    both = list(zip(after.vouchers, before.vouchers, strict=True))
    is_vouched = np.array([one is not None and other is not None for one, other in both], bool)
    if any(one.tobytes() not in gone for one in columns.ids[~is_vouched]):
        raise NotVouched(
            "a row that is to be restored was not vouched for: renew the shares (`handsel renew`) before a matcher "
            "loses them; now have the palms of such rows erased, and enrol them again"
        )
    told = [(one, other) for one, other in both if one is not None and other is not None]
    found = digests_of(columns.part(is_vouched), [joined_key(one.half, other.half) for one, other in told])
    for digest, (one, other) in zip(found, told, strict=True):
        if not (hmac.compare_digest(one.digest, digest) and hmac.compare_digest(other.digest, digest)):
            raise PeerCheated("a row that a matcher's peers gave is not the one that was lost: one of them lies")


def _words(content: bytes, dims: int) -> NDArray[np.uint16]:
    return np.frombuffer(content, "<u2").astype(np.uint16, copy=False).reshape(-1, dims)
