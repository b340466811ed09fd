"""
Be one matcher: open what is sealed to it, match with its peers, keep its rows, and do what the issuer orders.

A matcher never sees a palm, a score, whether there was a match, or the till; it answers 16 masked bytes, sealed to the
issuer.

LIMITATIONS
An enrolment is compared with the active rows: of two that are pending at the same time, neither sees the other.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec
import numpy as np

from handsel.certificate import require_lasting
from handsel.clock import Clock
from handsel.envelope import open_envelope, seal
from handsel.errors import (
    ConfigError,
    EnvelopeInvalid,
    GalleryFull,
    PartyUnavailable,
    StoreError,
)
from handsel.ids import ID_BYTES, id_to_bytes
from handsel.keys import PartyKeys, PublicKeys
from handsel.log import Log
from handsel.matching import kernels
from handsel.matching.ahead import Ahead
from handsel.matching.dialogue import Dialogue, Seat
from handsel.matching.frame import dialogue_name
from handsel.matching.gallery import Gallery
from handsel.matching.honest import Asked
from handsel.matching.kept import Shares
from handsel.matching.latest_order import require_present
from handsel.matching.masks import PairSecret, masks_of
from handsel.matching.message import (
    ALIAS_BYTES,
    ALIAS_SHARE,
    ANSWER,
    MATCHERS,
    QUERY,
    TEMPLATE,
    AliasShare,
    Answer,
    Confirmation,
    Query,
    Template,
)
from handsel.matching.opening import agree, subject_digest
from handsel.matching.party import Terms, match, shape_of
from handsel.matching.peers import QUERY_TIMEOUT_S, Peers
from handsel.matching.prepared import Shape
from handsel.matching.refresh import Freshness, Refresher
from handsel.matching.reserve import Supply
from handsel.matching.restorer import Restorer
from handsel.matching.ring import Words
from handsel.matching.rows import Rows, padded
from handsel.matching.scan import Scanner
from handsel.matching.seen import Seen
from handsel.matching.settings import Health, Match, Party, Status
from handsel.matching.signed_order import SignedOrder
from handsel.matching.tls import Tls
from handsel.matching.voucher import HALF_BYTES, Halves, digest_of
from handsel.matching.vouching import vouch_for_enrolment
from handsel.order import BINDING_BYTES

RENEW_EVERY_MS = 24 * 3_600_000
QUERIES_AT_ONCE_MAX = 32  # More are refused, never queued: three queues could wait for each other.
SPARE_PART = 64  # Of the rows, as many more have room in what is prepared ahead.


class Matcher:
    """
    Serve queries, enrolments and orders. Safe for several threads; a query runs in the thread that asks.
    """

    def __init__(
        self,
        name: str,
        *,
        keys: PartyKeys,
        issuer: PublicKeys,
        parties: Mapping[str, Party],
        directory: Path,
        settings: Match,
        clock: Clock,
        log: Log,
        query_timeout_s: float = QUERY_TIMEOUT_S,
        renew_every_ms: int = RENEW_EVERY_MS,
    ) -> None:
        """
        Open the gallery. `parties` are all three matchers by name, this one among them.

        Raises `ConfigError`, `GalleryCorrupt`, `StoreError`.
        """
        if name not in MATCHERS or set(parties) != set(MATCHERS):
            raise ConfigError("there are three matchers: a, b and c")
        if parties[name].keys != keys.public():
            raise ConfigError(f"the public keys of matcher {name} are not those of its own private keys")
        for other, party in parties.items():
            require_lasting(party.certificate, whose=f"matcher {other}", now_ms=clock())
        self.name = name
        self._keys, self._issuer, self._settings, self._clock, self._log = keys, issuer, settings, clock, log
        self._secrets = {
            other: PairSecret.agree(me=name, other=other, keys=keys, peer=parties[other].keys)
            for other in MATCHERS
            if other != name
        }
        addresses = {other: party.address for other, party in parties.items()}
        tls = Tls(
            keys,
            certificate=parties[name].certificate,
            peers={other: parties[other].certificate for other in self._secrets},
        )
        self._peers = Peers(name, addresses=addresses, tls=tls, log=log, timeout_s=query_timeout_s)
        self._places = threading.BoundedSemaphore(QUERIES_AT_ONCE_MAX)
        self._seen, self._scanner = Seen(), Scanner()
        self._voucher_secret = os.urandom(HALF_BYTES)  # An enrolment that is sent again is vouched for alike.
        self._ahead = Ahead(name, self._peers, self._secrets, log)
        self._gallery = Gallery(
            directory, me=name, issuer=issuer, dims=settings.dims, palms_max=settings.palms_max, log=log
        )
        self._refresher = Refresher(name, self._peers, self._gallery, every_ms=renew_every_ms, clock=clock, log=log)
        self._restorer = self._restoring()

    def start(self) -> None:
        """
        Make ready to match, and listen for the peers. Raises `PortTaken`.
        """
        kernels.compile_all()
        self._peers.start()
        self._restorer.resume()

    def close(self) -> None:
        """
        Hang up, and close the gallery.
        """
        self._peers.close()
        self._ahead.close()
        self._restorer.close()
        self._refresher.close()
        self._gallery.close()

    def health(self) -> Health:
        """
        Return whether both peers can be reached, or rows are missing, and the number of rows.
        """
        return Health(self._status(), self._gallery.rows().count, self.name, self._settings.catches_cheaters)

    def _status(self) -> Status:
        if self._restorer.is_under_way:
            return "restoring"
        if self._gallery.has_lost_rows():
            return "needs_restoring"
        return "ok" if self._peers.are_alive() else "waiting_for_peers"

    def _restoring(self) -> Restorer:
        return Restorer(
            self.name,
            self._peers,
            self._secrets,
            self._gallery,
            issuer=self._issuer,
            refresher=self._refresher,
            clock=self._clock,
            log=self._log,
        )

    def freshness(self) -> Freshness:
        """
        Return when shares were last renewed, and how often they are. Raises `StoreError`.
        """
        return self._refresher.freshness()

    def answer_query(self, envelope: bytes) -> bytes:
        """
        Match a palm with both peers, and return this matcher's answer, sealed to the issuer.

        Raises `EnvelopeInvalid`, `PalmInvalid`, `IdReused`, `BindingMismatch`, `GalleriesDiffer`, `GalleryFull`,
        `PeerUnavailable`, `PeerCheated`, `PartyUnavailable`.
        """
        query = open_envelope(envelope, Query, keys=self._keys, purpose=QUERY)
        asked = self._require_query(query)
        with self._place():
            self._seen.require_new(query.query_id)
            return self._answer(query, self._dialogue(query, asked, purpose=QUERY, enrolment_id=""))

    def enrol(self, template_envelope: bytes, alias_share_envelope: bytes) -> bytes:
        """
        Look whether a palm is enrolled, keep its shares as pending, and return the answer, sealed to the issuer.

        The same enrolment may be sent again until it has ended; all three matchers must then be sent it again. Raises
        what `answer_query` raises, and `StoreFull`, `StoreError`. `GalleryFull` comes from all three, or from none.
        """
        template = open_envelope(template_envelope, Template, keys=self._keys, purpose=TEMPLATE)
        part = open_envelope(alias_share_envelope, AliasShare, keys=self._keys, purpose=ALIAS_SHARE)
        if part.enrolment_id != template.enrolment_id:
            raise EnvelopeInvalid("template and alias belong to different enrolments")
        enrolment_id, shares = id_to_bytes(template.enrolment_id), self._require_enrolment(template, part)
        asked = self._with_template(self._require_query(template.query), template)
        with self._place():
            self._gallery.require_enrollable(enrolment_id, shares)
            self._seen.require_new_or_same(template.query.query_id, msgspec.msgpack.encode((template, part)))
            return self._answer(template.query, self._enrolment(template, asked, shares))

    def carry_out(self, order: bytes, signature: bytes) -> tuple[bytes, bytes]:
        """
        Do what the issuer orders, and return a confirmation and this matcher's signature on it.

        An order may be sent again, but one to renew or restore only until a later one came. Shares are renewed after
        the next query, rows restored in the background. Raises `SignatureInvalid`, `BodyInvalid`, `NotFound`,
        `IdReused`, `OrderTooOld`, `GalleryFull`, `GalleryInUse`, `StoreFull`, `StoreError`.
        """
        signed = SignedOrder(order, signature)
        asked = signed.verified(self._issuer)
        enrolment_id, now_ms = id_to_bytes(asked.enrolment_id), self._clock()
        match asked.kind:
            case "commit":
                self._gallery.commit(enrolment_id, position=asked.position, order=signed)
            case "abort":
                self._gallery.abort(enrolment_id, order=signed, now_ms=now_ms)
            case "erase":
                self._gallery.erase(enrolment_id, order=signed, now_ms=now_ms)
            case "renew":
                require_present(asked, now_ms=now_ms)
                self._gallery.renewing.make_due(asked, signed)
            case "restore":
                require_present(asked, now_ms=now_ms)
                self._restorer.order(asked, signed)
        self._log.event("order_carried_out", outcome=asked.kind)
        confirmation = msgspec.msgpack.encode(Confirmation(asked.kind, asked.enrolment_id, self.name, now_ms))
        return confirmation, self._keys.signature(confirmation)

    def _answer(self, query: Query, dialogue: Dialogue[bytes | None]) -> bytes:
        begin_ms = self._clock()
        masked = self._peers.carry_out(dialogue, query_id=dialogue_name("query", query.query_id))
        if masked is None:
            raise GalleryFull("the gallery holds as many palms as its threshold was measured for: enrol no more")
        self._log.event("query_answered", duration_ms=self._clock() - begin_ms)
        self._refresher.after_query()
        answer = Answer(query.query_id, query.binding, self.name, masked)
        return seal(answer, to=self._issuer, purpose=ANSWER)

    def _dialogue(self, query: Query, asked: Asked, *, purpose: str, enrolment_id: str) -> Dialogue[bytes | None]:
        """
        Return the masked answer, or None where the gallery has no room. All three hold the same rows and settings by
        then, so that all three find the same; and none gives up before the others have found it.
        """
        subject = subject_digest(
            query_id=query.query_id,
            binding=query.binding,
            purpose=purpose,
            enrolment_id=enrolment_id,
            views=query.views,
            dims=self._settings.dims,
            threshold=self._settings.threshold,
            palms_max=self._settings.palms_max,
            catches_cheaters=self._settings.catches_cheaters,
        )
        now_ms, terms, rows = self._clock(), self._settings.terms(), self._gallery.rows()
        claims = terms.is_proved and self._ahead.claim(self._next_shape(rows, asked, terms))
        try:
            supply = Supply(self.name, self._ahead.reserve, self._shape(rows, asked, terms))
            agreed = yield from agree(
                self.name,
                subject=subject,
                held=self._gallery,
                random_bytes=os.urandom,
                now_ms=now_ms,
                offers=supply if terms.is_proved else None,
                prepares=claims,
            )
            self._restorer.is_over()
            self._drop_expired(now_ms)
            if agreed.rows.count + (purpose == TEMPLATE) > self._settings.palms_max:
                return None
            masked = yield from match(
                self.name,
                rows=agreed.rows,
                asked=asked,
                terms=terms,
                masks=masks_of(self.name, self._secrets, query_id=query.query_id, nonces=agreed.nonces),
                random_bytes=os.urandom,
                prepared=supply.prepared(),
                meet=self._scanner.meet,
            )
            if agreed.prepares:
                claims = False
                self._ahead.make(after=query.query_id, shape=self._next_shape(agreed.rows, asked, terms))
            return masked
        finally:
            if claims:
                self._ahead.give_up()

    def _enrolment(self, template: Template, asked: Asked, shares: Shares) -> Dialogue[bytes | None]:
        """
        Look whether a palm is enrolled, have all three vouch for their shares of it, and keep those as pending.
        """
        dialogue = self._dialogue(template.query, asked, purpose=TEMPLATE, enrolment_id=template.enrolment_id)
        if (masked := (yield from dialogue)) is not None:
            enrolment_id = id_to_bytes(template.enrolment_id)
            halves = Halves.drawn(self._voucher_secret, enrolment_id)
            digest = digest_of(enrolment_id, shares, key=halves.key())
            vouchers = yield from vouch_for_enrolment(Seat(self.name), digest, halves)
            self._gallery.keep_pending([(enrolment_id, shares, vouchers)], now_ms=self._clock())
        return masked

    def _shape(self, rows: Rows, asked: Asked, terms: Terms) -> Shape:
        vectors, dims = asked.views.shape
        return shape_of(rows=rows.padded, vectors=vectors, matched=asked.matched, dims=dims, terms=terms)

    def _next_shape(self, rows: Rows, asked: Asked, terms: Terms) -> Shape:
        """
        Return the shape that the next query will have, with room for an enrolment and for rows that come in between.
        """
        dims, count = asked.views.shape[1], rows.padded + padded(rows.padded // SPARE_PART + 1)
        return shape_of(rows=count, vectors=asked.matched + 1, matched=asked.matched, dims=dims, terms=terms)

    def _drop_expired(self, now_ms: int) -> None:
        try:
            self._gallery.drop_expired(now_ms=now_ms)
        except (
            StoreError
        ) as exc:  # A full disk must not stop a payment that writes nothing; the next query tries again.
            self._log.event("expired_rows_kept", code=exc.code)

    def _require_query(self, query: Query) -> Asked:
        if len(query.query_id) != ID_BYTES or len(query.binding) != BINDING_BYTES:
            raise EnvelopeInvalid("a query has an id of 16 bytes and a binding of 32")
        if not 1 <= query.views <= self._settings.views_max:
            raise EnvelopeInvalid(f"a query has 1 to {self._settings.views_max} views")
        if {len(query.shares), len(query.rows)} != {2 * query.views * self._settings.dims}:
            raise EnvelopeInvalid("the shares of a query have not the length that its views and the model give them")
        return Asked(self._vectors(query.shares), self._vectors(query.rows), query.views)

    def _with_template(self, asked: Asked, template: Template) -> Asked:
        """
        Return what is asked with the palm that is to be enrolled: it is not compared, but it must be a palm's too.
        """
        views = np.concatenate([asked.views, self._vectors(template.as_query)])
        return Asked(views, np.concatenate([asked.rows, self._vectors(template.shares)]), asked.matched)

    def _vectors(self, shares: bytes) -> Words:
        return np.frombuffer(shares, "<u2").astype(np.uint16).reshape(-1, self._settings.dims)

    def _require_enrolment(self, template: Template, part: AliasShare) -> Shares:
        if {len(template.shares), len(template.as_query)} != {2 * self._settings.dims}:
            raise EnvelopeInvalid("the shares of a template have not the length that the model gives them")
        if len(part.own) != ALIAS_BYTES or len(part.pair) != ALIAS_BYTES:
            raise EnvelopeInvalid("the share of an alias is 16 bytes, twice")
        return Shares(template.shares, part.own, part.pair)

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise PartyUnavailable("this matcher has as many queries in hand as it takes: ask again")
        try:
            yield
        finally:
            self._places.release()
