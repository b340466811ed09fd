"""
Give a matcher its shares back, out of those of the two others, without any of the three learning anything.

1. **Meet.** All three see that they have the same order of the issuer, and the two that they hold the same rows.
2. **Give.** A share is a point of a line, and any two points give the third: it is the sum of theirs under public
   weights. Each of the two sends its summand, hidden by a stream that only these two share, which one adds and the
   other takes away: the third sees their sum, which is its own share, and nothing else. Of an alias it is to hold two
   parts, p_i and p_(i+1), of which the one before it holds the first and the one after it the second: each sends that.
   With a row comes the issuer's order by which it was committed, from both; it is verified.
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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from handsel.errors import BindingMismatch, EnvelopeInvalid, GalleriesDiffer, NotVouched, PeerCheated
from handsel.ids import ID_BYTES
from handsel.keys import PublicKeys
from handsel.matching.buckets import BUCKETS
from handsel.matching.columns import Columns
from handsel.matching.dialogue import Dialogue, Receive, Seat, Send, decoded, exchange, exchange_encoded
from handsel.matching.entry import ACTIVE, ERASED, Entry
from handsel.matching.masks import NONCE_BYTES, Masks
from handsel.matching.message import ALIAS_BYTES, MATCHERS
from handsel.matching.opening import SYNCHRONISE_MAX, Held
from handsel.matching.restored import Restoration
from handsel.matching.ring import multiply_words, weight_on_line
from handsel.matching.rows import Rows
from handsel.matching.signed_order import SignedOrder
from handsel.matching.synchronise import ENTRIES_MAX, learn_news
from handsel.matching.voucher import Voucher, Vouchers, digests_of, joined_key
from handsel.matching.wholeness import require_whole

PIECE_ROWS = 1 << 12  # 4 MB at 432 coordinates. Verifying their orders takes half a second.
BUCKETS_AT_ONCE = 64  # Of erased enrolments.
_POSITION_BYTES = 8

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


class Helping(Held, Protocol):
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
    yield Receive(lost)
    for start in range(0, met.count, PIECE_ROWS):
        columns = Columns.of(met.rows, start=start, stop=min(start + PIECE_ROWS, met.count))
        vouchers = _vouchers(
            seat, lost, columns, held=held, chain=met.chain
        )  # Then the entries: they say what has gone.
        yield Send(lost, msgspec.msgpack.encode(_piece(seat, lost, columns, vouchers, held=held, masks=masks)))
        yield Receive(lost)
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
        yield from _taken(seat, met, restoration=restoration, issuer=issuer, progress=progress)
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


def _vouchers(seat: Seat, lost: str, columns: Columns, *, held: Helping, chain: bytes) -> tuple[Voucher | None, ...]:
    positions = columns.positions.tolist()
    found = held.vouchers(positions[0], positions[-1], chain=chain)
    its = {position: both.after if seat.after == lost else both.before for position, both in found.items()}
    return tuple(its.get(position) for position in positions)


def _piece(
    seat: Seat, lost: str, columns: Columns, vouchers: tuple[Voucher | None, ...], *, held: Helping, masks: Masks
) -> Piece:
    summands = multiply_words(columns.templates, weight_on_line(seat.index, at=MATCHERS.index(lost)))
    hiding = np.empty_like(summands)
    if seat.before == lost:  # The other is the next one.
        masks.after.fill(hiding)
        summands += hiding
        aliases = columns.own
    else:
        masks.before.fill(hiding)
        summands -= hiding
        aliases = columns.own ^ columns.pair
    ids, positions = columns.ids.tobytes(), columns.positions.astype("<i8", copy=False).tobytes()
    entries = held.entries_of([one.tobytes() for one in columns.ids])
    templates = summands.astype("<u2", copy=False).tobytes()
    return Piece(ids, positions, entries, templates, aliases.tobytes(), vouchers)


def _taken(seat: Seat, met: Met, *, restoration: Restoration, issuer: PublicKeys, progress: Progress) -> Dialogue[None]:
    for name in seat.others:
        yield Send(name, b"")
    dims, last = met.rows.segments[0].templates.shape[1], -1
    for start in range(0, met.count, PIECE_ROWS):
        size = min(PIECE_ROWS, met.count - start)
        pieces = []
        for name in (seat.after, seat.before):
            pieces.append(_require_piece(decoded((yield Receive(name)), Piece), size=size, dims=dims))
        columns = _joined(*pieces, size=size)
        if columns.positions[0] <= last or (np.diff(columns.positions) <= 0).any():
            raise PeerCheated("the rows that a matcher's peers gave are not in order")
        last = int(columns.positions[-1])
        orders, gone = _verified(columns, *pieces, issuer=issuer)
        _require_vouched(columns, *pieces, gone=gone)
        restoration.add(columns, orders)
        restoration.add_gone(gone)
        progress(start + size, met.count)
        for name in seat.others:
            yield Send(name, b"")
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


def _require_piece(piece: Piece, *, size: int, dims: int) -> Piece:
    lengths = [len(getattr(piece, name)) for name in Piece.__struct_fields__]
    if lengths != [ID_BYTES * size, _POSITION_BYTES * size, size, 2 * dims * size, ALIAS_BYTES * size, size]:
        raise EnvelopeInvalid("a matcher's peer sent rows that have not the form of rows")
    return piece


def _joined(after: Piece, before: Piece, *, size: int) -> Columns:
    """
    Return the rows of which the next one and the one before each gave its part.
    """
    if (after.ids, after.positions) != (before.ids, before.positions):
        raise PeerCheated("the rows that a matcher's peers gave are not the same")
    templates = _words(after.templates, size) + _words(before.templates, size)
    own = np.frombuffer(before.aliases, np.uint8).reshape(size, -1)
    return Columns(
        np.frombuffer(after.ids, np.uint8).reshape(size, -1),
        np.frombuffer(after.positions, "<i8").astype(np.int64),
        templates,
        own,
        own ^ np.frombuffer(after.aliases, np.uint8).reshape(size, -1),
    )


def _words(content: bytes, size: int) -> NDArray[np.uint16]:
    return np.frombuffer(content, "<u2").astype(np.uint16, copy=False).reshape(size, -1)


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


def _require_vouched(columns: Columns, after: Piece, before: Piece, *, gone: Mapping[bytes, SignedOrder]) -> None:
    """
    Refuse rows that are not just those for which this matcher has vouched. Of one that was erased meanwhile nobody
    needs to have kept a voucher: it will not count.

    Raises `NotVouched`, `PeerCheated`.
    """
    both = list(zip(after.vouchers, before.vouchers, strict=True))
    is_vouched = np.array([one is not None and other is not None for one, other in both])
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


def _say(seat: Seat, what: bytes, digest: bytes) -> Dialogue[None]:
    mine = hashlib.sha256(b"handsel/v1/restore/" + what + b"\0" + digest).digest()
    said = yield from exchange(seat, mine)
    if not all(hmac.compare_digest(theirs, mine) for theirs in said.values()):
        raise PeerCheated("the three matchers did not see the same while shares were restored")
