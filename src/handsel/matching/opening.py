"""
Begin a query: three matchers see that they are about to do the same thing over the same rows.

1. Each sends the others a fresh nonce, the digest of its rows and the digest of what it was asked.
2. What they were asked must be the same, or the envelopes belong to different queries.
3. Where their rows differ, a commit or an erasure has reached some of them and not yet the others, or not all have
   finished a renewal: they tell each other of those rows (`synchronise.py`), each takes the later states for which it
   is shown the issuer's order, and they begin again.
4. Each sends the others the digest of all three openings: nobody was told something else, and no message of an earlier
   attempt is taken for one of this.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from handsel.errors import BindingMismatch, EnvelopeInvalid, GalleriesDiffer
from handsel.matching.dialogue import Dialogue, Seat, exchange, exchange_encoded
from handsel.matching.entry import Entry
from handsel.matching.masks import NONCE_BYTES
from handsel.matching.message import MATCHERS
from handsel.matching.rows import Rows
from handsel.matching.synchronise import Told, learn_news

SYNCHRONISE_MAX = 4  # Times in one query; more often only while rows keep changing, or where very many differ.


class Opening(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Say what one matcher is about to do: 32 bytes each, and the name of the triples that it has ready, or nothing.

    `chain` names the renewals of its shares so far, `seed` is the digest of that which it keeps for the next, if any.
    """

    nonce: bytes
    rows: bytes
    subject: bytes
    triples: bytes
    chain: bytes
    seed: bytes


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
    whether all have the same triples ready, or not the same.
    """

    rows: Rows
    nonces: dict[str, bytes]
    has_triples: bool
    is_out_of_step: bool


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
    me: str, *, subject: bytes, held: Held, triples: bytes, random_bytes: Callable[[int], bytes], now_ms: int
) -> Dialogue[Agreed]:
    """
    Agree with both peers on what is to be matched. `triples` names those that are ready here, or is empty.

    Raises `BindingMismatch`, `GalleriesDiffer`, `GalleryEmpty`, `EnvelopeInvalid`, `PeerCheated`.
    """
    seat = Seat(me)
    for _ in range(SYNCHRONISE_MAX + 1):
        rows = held.rows()
        mine = Opening(random_bytes(NONCE_BYTES), rows.digest, subject, triples, rows.chain, held.seed_digest())
        openings = yield from exchange_encoded(seat, mine, Opening)  # 1
        if any(opening.subject != subject for opening in openings.values()):  # 2
            raise BindingMismatch("the three matchers were asked different things; nothing was matched")
        seen = _digest_of(openings)
        if all(opening.rows == rows.digest for opening in openings.values()):
            yield from _confirm(seat, seen)  # 4
            named = {opening.triples for opening in openings.values()}
            nonces = {name: opening.nonce for name, opening in openings.items()}
            return Agreed(rows, nonces, has_triples=named == {triples} != {b""}, is_out_of_step=len(named) > 1)
        news = yield from learn_news(seat, held, coin=seen)  # 3
        peers = [(opening.chain, opening.seed) for name, opening in openings.items() if name != me]
        held.catch_up(peers, now_ms=now_ms)
        held.advance(news, now_ms=now_ms)
    raise GalleriesDiffer("the galleries of the three matchers keep changing: ask again")


def exchange_nonces(me: str, *, random_bytes: Callable[[int], bytes]) -> Dialogue[dict[str, bytes]]:
    """
    Return a fresh nonce of each of the three, by matcher, of which none was told something else.
    """
    seat, mine = Seat(me), Opening(random_bytes(NONCE_BYTES), b"", b"", b"", b"", b"")
    openings = yield from exchange_encoded(seat, mine, Opening)
    yield from _confirm(seat, _digest_of(openings))
    return {name: opening.nonce for name, opening in openings.items()}


def _digest_of(openings: dict[str, Opening]) -> bytes:
    seen = msgspec.msgpack.encode([(name, openings[name]) for name in MATCHERS])
    return hashlib.sha256(b"handsel/v1/openings\0" + seen).digest()


def _confirm(seat: Seat, digest: bytes) -> Dialogue[None]:
    digests = yield from exchange(seat, digest)
    if not all(hmac.compare_digest(theirs, digest) for theirs in digests.values()):
        raise EnvelopeInvalid("the three matchers did not see the same openings; nothing was matched")
