"""
Give both peers vouchers for rows, and take theirs: of a palm that is being enrolled, and of all that are being renewed.

LIMITATIONS
Nobody but the matcher itself can tell whether what it vouches for is its row: who vouches for something else cannot be
given its rows back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import msgspec
import numpy as np
from numpy.typing import NDArray

from handsel.errors import EnvelopeInvalid
from handsel.matching.columns import Columns
from handsel.matching.dialogue import Dialogue, Receive, Seat, Send, decoded, exchange
from handsel.matching.message import MATCHERS, Octets
from handsel.matching.renewal import Renewal
from handsel.matching.rows import Rows
from handsel.matching.vouched import Batch
from handsel.matching.voucher import DIGEST_BYTES, HALF_BYTES, Halves, Voucher, Vouchers, digests_of

PIECE_ROWS = 1 << 12  # 64 KB of digests; to erase one of them writes its piece anew.
_AT_ONCE_ROWS = 1 << 10  # Renewed at a time: they stay in the second-level cache.

Keep = Callable[[NDArray[np.int64], Batch, Batch], None]  # Positions, and what the next one and the one before said.


def vouch_for_enrolment(seat: Seat, digest: bytes, halves: Halves) -> Dialogue[Vouchers]:
    """
    Give both peers the digest of a row, each with its half of the key, and return their vouchers for their own rows.

    Raises `EnvelopeInvalid`.
    """
    yield Send(seat.after, msgspec.msgpack.encode(Voucher(digest, halves.after)))
    yield Send(seat.before, msgspec.msgpack.encode(Voucher(digest, halves.before)))
    after = decoded((yield Receive(seat.after)), Voucher)
    before = decoded((yield Receive(seat.before)), Voucher)
    return Vouchers(after, before)


def vouch_for_renewed(
    seat: Seat, rows: Rows, renewal: Renewal, *, random_bytes: Callable[[int], bytes], keep: Keep
) -> Dialogue[bytes]:
    """
    Vouch for all rows as they will be after a renewal, and `keep` what both peers vouch for, piece by piece.

    All three have the same rows. Returns a digest of what all three have vouched for: who gives two others different
    vouchers has them return different ones. Raises `EnvelopeInvalid`, and what `keep` raises.
    """
    halves = Halves(random_bytes(HALF_BYTES), random_bytes(HALF_BYTES))
    yield Send(seat.after, halves.after)
    yield Send(seat.before, halves.before)
    after_half = _require_bytes((yield Receive(seat.after)), HALF_BYTES)
    before_half = _require_bytes((yield Receive(seat.before)), HALF_BYTES)
    told = {name: hashlib.sha256() for name in MATCHERS}
    for start in range(0, rows.count, PIECE_ROWS):
        stop = min(start + PIECE_ROWS, rows.count)
        said = yield from exchange(seat, _digests(rows, renewal, halves.key(), start=start, stop=stop))
        for name in MATCHERS:
            told[name].update(_require_bytes(said[name], DIGEST_BYTES * (stop - start)))
        after, before = Batch.of(said[seat.after], after_half), Batch.of(said[seat.before], before_half)
        keep(rows.positions[start:stop], after, before)
    return hashlib.sha256(b"".join(told[name].digest() for name in MATCHERS)).digest()


def _digests(rows: Rows, renewal: Renewal, key: bytes, *, start: int, stop: int) -> bytes:
    found = list[bytes]()
    for first in range(start, stop, _AT_ONCE_ROWS):
        columns = Columns.of(rows, start=first, stop=min(first + _AT_ONCE_ROWS, stop))
        found += digests_of(renewal.renewed(columns), [key] * len(columns))
    return b"".join(found)


def _require_bytes(payload: Octets, length: int) -> bytes:
    if len(payload) != length:
        raise EnvelopeInvalid("a matcher's peer vouched for its rows in a form that is none")
    return bytes(payload)
