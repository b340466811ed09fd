"""
Give a matcher its shares back, out of those of the two others, without any of the three learning anything.

1. **Meet.** All three see that they have the same order of the issuer, and the two that they hold the same rows.
2. **Give.** Each of the two sends its summand of each share, hidden (`piece.py`): the third sees their sum, which is
   its own share, and nothing else. Of an alias it is to hold two parts, p_i and p_(i+1), of which the one before it
   holds the first and the one after it the second: each sends that. With a row comes the issuer's order by which it
   was committed, from both; it is verified. Rows that wait to be committed come, too (`waiting.py`).
3. **Vouched for.** The third sees that each row is just the one that it held: by the voucher that it gave both of the
   two for it, when the palm was enrolled or the shares last renewed (`voucher.py`).
4. **Check.** All three see that their rows belong together (`wholeness.py`).
5. **Keep.** When all three find it right, the third lets the rows count, and says so. All renew their shares next.

Two shares make a line, whatever they are: of the two, one that lies to the third and in 4 alike would not be noticed by
4. That is what 3 is for.

LIMITATIONS
What nobody has vouched for is not restored: rows of an earlier version, until their shares are renewed once, and after
a restore those of the two others, until the renewal that follows it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec
import numpy as np

from handsel.errors import BindingMismatch, GalleriesDiffer, PeerCheated
from handsel.ids import ID_BYTES
from handsel.keys import PublicKeys
from handsel.matching.buckets import BUCKETS
from handsel.matching.columns import Columns
from handsel.matching.dialogue import Dialogue, Receive, Seat, Send, decoded, exchange, exchange_encoded
from handsel.matching.entry import ACTIVE, ERASED, Entry
from handsel.matching.masks import NONCE_BYTES, Masks
from handsel.matching.message import MATCHERS
from handsel.matching.opening import SYNCHRONISE_MAX, Held
from handsel.matching.piece import PIECE_ROWS, Piece, joined, piece_of, require_form, require_vouched
from handsel.matching.restored import Restoration
from handsel.matching.rows import Rows
from handsel.matching.signed_order import SignedOrder
from handsel.matching.synchronise import ENTRIES_MAX, learn_news
from handsel.matching.voucher import Vouchers
from handsel.matching.waiting import Waiting, give_waiting, take_waiting
from handsel.matching.wholeness import require_whole

BUCKETS_AT_ONCE = 64  # Of erased enrolments.

Progress = Callable[[int, int], None]  # Rows so far, and of how many.


class Meeting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Say what one matcher begins with: as `opening.Opening`, and how many rows it has.
    """

    nonce: bytes
    subject: bytes
    rows: bytes
    chain: bytes
    seed: bytes
    count: int


class Helping(Held, Waiting, Protocol):
    """
    Hold the rows of a matcher that helps.
    """

    def vouchers(self, first: int, last: int, *, chain: bytes) -> dict[int, Vouchers]:
        """
        Return what the peers have vouched for of the rows between two positions, by position.
        """

    def entries_of(self, enrolment_ids: Sequence[bytes]) -> tuple[Entry, ...]:
        """
        Return what is known of some enrolments.
        """


@dataclass(frozen=True)
class Met:
    """
    Hold what the three have agreed on: the rows that are to be restored, as this matcher holds them, their digest and
    chain, the nonces by matcher, and a name for this attempt.
    """

    rows: Rows
    digest: bytes
    chain: bytes
    count: int
    nonces: dict[str, bytes]
    name: bytes

    @property
    def dims(self) -> int:
        """
        Return the number of a palm's coordinates.
        """
        return int(self.rows.segments[0].templates.shape[1])


def meet(
    seat: Seat,
    lost: str,
    *,
    subject: bytes,
    held: Helping,
    random_bytes: Callable[[int], bytes],
    now_ms: int,
) -> Dialogue[Met]:
    """
    Agree with both others that `lost` is to get the rows that the two others hold; `subject` is by which order.

    Where the two do not hold the same rows, they tell each other of those first. Raises `BindingMismatch`,
    `GalleriesDiffer`, `PeerCheated`, `EnvelopeInvalid`.
    """
    one, other = (name for name in MATCHERS if name != lost)
    for _ in range(SYNCHRONISE_MAX + 1):
        rows = held.rows()
        mine = Meeting(random_bytes(NONCE_BYTES), subject, rows.digest, rows.chain, held.seed_digest(), rows.count)
        said = yield from exchange_encoded(seat, mine, Meeting)
        if any(theirs.subject != subject for theirs in said.values()):
            raise BindingMismatch("the three matchers have different orders to restore: nothing was restored")
        digest = hashlib.sha256(msgspec.msgpack.encode([said[name] for name in MATCHERS])).digest()
        if said[one].rows == said[other].rows:
            if said[one].count != said[other].count:
                raise PeerCheated("a matcher's peer says of the same rows that they are more, or fewer")
            yield from _say(seat, b"met", digest)
            nonces = {name: theirs.nonce for name, theirs in said.items()}
            return Met(rows, said[one].rows, said[one].chain, said[one].count, nonces, digest[:ID_BYTES])
        if seat.me != lost:
            peer = other if seat.me == one else one
            news = yield from learn_news(seat, held, coin=digest, among=(peer,))
            held.catch_up([(said[peer].chain, said[peer].seed)], now_ms=now_ms)
            held.advance(news, now_ms=now_ms)
    raise GalleriesDiffer("the galleries of the two matchers that help do not hold the same rows: it is tried again")


def give(
    seat: Seat, lost: str, met: Met, *, held: Helping, masks: Masks, random_bytes: Callable[[int], bytes]
) -> Dialogue[None]:
    """
    Help `lost` to its rows, and return when it holds them. Raises `PeerCheated`, `GalleriesDiffer`, `EnvelopeInvalid`.
    """
    yield from _give_rows(seat, lost, met, held=held, masks=masks)
    yield from give_waiting(seat, lost, held=held, masks=masks, dims=met.dims)
    for first in range(0, BUCKETS, BUCKETS_AT_ONCE):
        entries = held.entries(range(first, first + BUCKETS_AT_ONCE))
        erased = [entry for entry in entries if entry.state == ERASED and entry.order is not None]
        yield Send(lost, msgspec.msgpack.encode(erased))
        yield Receive(lost)
    yield from require_whole(seat, met.rows, masks, random_bytes=random_bytes)
    now = held.rows()
    if now.chain != met.chain or not np.isin(now.positions, met.rows.positions).all():
        raise GalleriesDiffer("rows have come while others were restored: it is tried again")
    yield from _say(seat, b"right", met.name)
    yield Receive(lost)


def take(
    seat: Seat,
    met: Met,
    *,
    restoration: Restoration,
    issuer: PublicKeys,
    masks: Masks,
    random_bytes: Callable[[int], bytes],
    progress: Progress,
    now_ms: int,
) -> Dialogue[None]:
    """
    Take this matcher's rows from both others, and let them count. Where anything is wrong, nothing is kept.

    Raises `PeerCheated`, `GalleriesDiffer`, `GalleryInUse`, `EnvelopeInvalid`, `StoreError`.
    """
    try:
        yield from _take_rows(seat, met, restoration=restoration, issuer=issuer, progress=progress)
        restoration.add_waiting((yield from take_waiting(seat, dims=met.dims)), now_ms=now_ms)
        yield from _take_erased(seat, restoration=restoration, issuer=issuer)
        rows = restoration.finish()
        if rows.digest != met.digest:
            raise PeerCheated("the rows that a matcher's peers gave are not those that they agreed on")
        yield from require_whole(seat, rows, masks, random_bytes=random_bytes)
        yield from _say(seat, b"right", met.name)
        restoration.install(now_ms=now_ms)
    except BaseException:
        restoration.discard()
        raise
    for name in seat.others:
        yield Send(name, b"")


def _give_rows(seat: Seat, lost: str, met: Met, *, held: Helping, masks: Masks) -> Dialogue[None]:
    yield Receive(lost)
    for start in range(0, met.count, PIECE_ROWS):
        columns = Columns.of(met.rows, start=start, stop=min(start + PIECE_ROWS, met.count))
        positions = columns.positions.tolist()
        found = held.vouchers(positions[0], positions[-1], chain=met.chain)
        vouchers = [found.get(position) for position in positions]
        # The entries come after: of what has no voucher any more they say that it was erased.
        entries = held.entries_of([one.tobytes() for one in columns.ids])
        piece = piece_of(seat, lost, columns, entries=entries, vouchers=vouchers, masks=masks)
        yield Send(lost, msgspec.msgpack.encode(piece))
        yield Receive(lost)


def _take_rows(
    seat: Seat, met: Met, *, restoration: Restoration, issuer: PublicKeys, progress: Progress
) -> Dialogue[None]:
    for name in seat.others:
        yield Send(name, b"")
    last = -1
    for start in range(0, met.count, PIECE_ROWS):
        size = min(PIECE_ROWS, met.count - start)
        pieces = []
        for name in (seat.after, seat.before):
            pieces.append(require_form(decoded((yield Receive(name)), Piece), size=size, dims=met.dims))
        columns = joined(*pieces, dims=met.dims)
        if columns.positions[0] <= last or (np.diff(columns.positions) <= 0).any():
            raise PeerCheated("the rows that a matcher's peers gave are not in order")
        last = int(columns.positions[-1])
        orders, gone = _verified(columns, *pieces, issuer=issuer)
        require_vouched(columns, *pieces, gone=gone)
        restoration.add(columns, orders)
        restoration.add_gone(gone)
        progress(start + size, met.count)
        for name in seat.others:
            yield Send(name, b"")


def _take_erased(seat: Seat, *, restoration: Restoration, issuer: PublicKeys) -> Dialogue[None]:
    for _ in range(0, BUCKETS, BUCKETS_AT_ONCE):
        erased: dict[bytes, Entry] = {}
        for name in seat.others:
            for entry in decoded((yield Receive(name)), tuple[Entry, ...])[:ENTRIES_MAX]:
                erased.setdefault(entry.enrolment_id, entry)
        for entry in erased.values():
            if entry.state != ERASED:
                raise PeerCheated("a matcher's peer gave an enrolment for erased that is not")
            entry.verified(issuer)
        restoration.add_erased(list(erased.values()))
        for name in seat.others:
            yield Send(name, b"")


def _verified(
    columns: Columns, after: Piece, before: Piece, *, issuer: PublicKeys
) -> tuple[list[SignedOrder | None], dict[bytes, SignedOrder]]:
    """
    Return by which order each row was committed, and those by which some have been erased meanwhile.
    """
    orders: list[SignedOrder | None] = []
    gone: dict[bytes, SignedOrder] = {}
    named = zip(columns.ids, columns.positions.tolist(), after.entries, before.entries, strict=True)
    for one, position, *entries in named:
        enrolment_id, committed = one.tobytes(), None
        for entry in set(entries):
            is_active = (entry.state, entry.position) == (ACTIVE, position)
            if entry.enrolment_id != enrolment_id or not (is_active or entry.state == ERASED):
                raise PeerCheated("a matcher's peer gave a row with the story of another")
            entry.verified(issuer)
            if is_active:
                committed = entry.order
            elif entry.order is not None:
                gone[enrolment_id] = entry.order
        orders.append(committed)
    return orders, gone


def _say(seat: Seat, what: bytes, digest: bytes) -> Dialogue[None]:
    mine = hashlib.sha256(b"handsel/v1/restore/" + what + b"\0" + digest).digest()
    said = yield from exchange(seat, mine)
    if not all(hmac.compare_digest(theirs, mine) for theirs in said.values()):
        raise PeerCheated("the three matchers did not see the same while shares were restored")
