"""
Begin a query: three matchers see that they are about to do the same thing over the same rows.

1. Each sends the others a fresh nonce, the digest of its rows and the digest of what it was asked.
2. What they were asked must be the same, or the envelopes belong to different queries.
3. Where their rows differ, a commit or an erasure has reached some of them and not yet the others, or not all have
   finished a renewal: they tell each other of those rows (`synchronise.py`), each takes the later states for which it
   is shown the issuer's order, and they begin again.
4. Each sends the others the digest of all three openings: nobody was told something else, and no message of an earlier
   attempt is taken for one of this. And whether it has what the first would use that was prepared: all have it, or none
   uses it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from handsel.errors import BindingMismatch, EnvelopeInvalid, GalleriesDiffer
from handsel.matching.dialogue import Dialogue, Seat, exchange_encoded
from handsel.matching.entry import Entry
from handsel.matching.masks import NONCE_BYTES
from handsel.matching.message import MATCHERS
from handsel.matching.rows import Rows
from handsel.matching.synchronise import Told, learn_news

SYNCHRONISE_MAX = 4  # Times in one query; more often only while rows keep changing, or where very many differ.


class Opening(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Say what one matcher is about to do: 32 bytes each, and the name of what it would have used that was prepared.

    `prepares` says that more is to be prepared after this. The first matcher's word holds in both.

    `chain` names the renewals of its shares so far, `seed` is the digest of that which it keeps for the next, if any.
    """

    nonce: bytes
    rows: bytes
    subject: bytes
    chain: bytes
    seed: bytes
    prepared: bytes = b""
    prepares: bool = False


class Seen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Say which openings a matcher has seen, by their digest, and whether it has what the first would use.
    """

    digest: bytes
    is_prepared: bool


class Offers(Protocol):
    """
    Hold what was prepared for queries: what `reserve.Supply` does for one of them.
    """

    def offer(self) -> bytes:
        """
        Return the name of what this matcher proposes, or nothing.
        """

    def accept(self, name: bytes) -> bool:
        """
        Return whether what another has proposed is here.
        """

    def refuse(self) -> None:
        """
        Use nothing.
        """


class Held(Told, Protocol):
    """
    Hold the rows of a matcher: what `gallery.Gallery` does.
    """

    def rows(self) -> Rows:
        """
        Return the active rows as they are now.
        """

    def advance(self, entries: tuple[Entry, ...], *, now_ms: int) -> None:
        """
        Bring rows to a later state, where the issuer's order for that is shown.
        """

    def seed_digest(self) -> bytes:
        """
        Return the digest of the seed that is kept for a renewal, or nothing.
        """

    def catch_up(self, peers: Sequence[tuple[bytes, bytes]], *, now_ms: int) -> None:
        """
        Renew the shares where both peers, by their chain and the digest of their seed, show that it is to be done.
        """


@dataclass(frozen=True)
class Agreed:
    """
    Hold what the three have agreed on: the rows to match against, the nonces, by matcher, for this query's masks, and
    whether more is to be prepared after it.
    """

    rows: Rows
    nonces: dict[str, bytes]
    prepares: bool


def subject_digest(
    *,
    query_id: bytes,
    binding: bytes,
    purpose: str,
    enrolment_id: str,
    views: int,
    dims: int,
    threshold: int,
    palms_max: int,
    catches_cheaters: bool,
) -> bytes:
    """
    Return the digest of what a matcher was asked, and with which settings it matches: 32 bytes.

    `enrolment_id` is empty where nobody is to be enrolled.
    """
    settings = (views, dims, threshold, palms_max, catches_cheaters)
    subject = msgspec.msgpack.encode((query_id, binding, purpose, enrolment_id, *settings))
    return hashlib.sha256(b"handsel/v1/query\0" + subject).digest()


def agree(
    me: str,
    *,
    subject: bytes,
    held: Held,
    random_bytes: Callable[[int], bytes],
    now_ms: int,
    offers: Offers | None = None,
    prepares: bool = False,
) -> Dialogue[Agreed]:
    """
    Agree with both peers on what is to be matched, and on what that was prepared is used for it, of what each `offers`.

    Raises `BindingMismatch`, `GalleriesDiffer`, `GalleryEmpty`, `EnvelopeInvalid`, `PeerCheated`.
    """
    seat, offered = Seat(me), offers.offer() if offers else b""
    for _ in range(SYNCHRONISE_MAX + 1):
        rows = held.rows()
        nonce = random_bytes(NONCE_BYTES)
        mine = Opening(nonce, rows.digest, subject, rows.chain, held.seed_digest(), offered, prepares)
        openings = yield from exchange_encoded(seat, mine, Opening)  # 1
        if any(opening.subject != subject for opening in openings.values()):  # 2
            raise BindingMismatch("the three matchers were asked different things; nothing was matched")
        seen = _digest_of(openings)
        if all(opening.rows == rows.digest for opening in openings.values()):
            first = openings[MATCHERS[0]]
            is_prepared = offers is not None and offers.accept(first.prepared)
            are_all = yield from _confirm(seat, Seen(seen, is_prepared))  # 4
            if offers is not None and first.prepared and not are_all:
                offers.refuse()
            nonces = {name: opening.nonce for name, opening in openings.items()}
            return Agreed(rows, nonces, prepares=first.prepares)
        news = yield from learn_news(seat, held, coin=seen)  # 3
        peers = [(opening.chain, opening.seed) for name, opening in openings.items() if name != me]
        held.catch_up(peers, now_ms=now_ms)
        held.advance(news, now_ms=now_ms)
    raise GalleriesDiffer("the galleries of the three matchers keep changing: ask again")


def exchange_nonces(me: str, *, random_bytes: Callable[[int], bytes]) -> Dialogue[dict[str, bytes]]:
    """
    Return a fresh nonce of each of the three, by matcher, of which none was told something else.
    """
    seat, mine = Seat(me), Opening(random_bytes(NONCE_BYTES), b"", b"", b"", b"")
    openings = yield from exchange_encoded(seat, mine, Opening)
    yield from _confirm(seat, Seen(_digest_of(openings), is_prepared=False))
    return {name: opening.nonce for name, opening in openings.items()}


def _digest_of(openings: dict[str, Opening]) -> bytes:
    told = msgspec.msgpack.encode([(name, openings[name]) for name in MATCHERS])
    return hashlib.sha256(b"handsel/v1/openings\0" + told).digest()


def _confirm(seat: Seat, mine: Seen) -> Dialogue[bool]:
    """
    Return whether all have what was prepared. Raises `EnvelopeInvalid` where somebody was told something else.
    """
    said = yield from exchange_encoded(seat, mine, Seen)
    if not all(hmac.compare_digest(theirs.digest, mine.digest) for theirs in said.values()):
        raise EnvelopeInvalid("the three matchers did not see the same openings; nothing was matched")
    return all(theirs.is_prepared for theirs in said.values())
