"""
Hold three matchers on loopback, who plays till and issuer to them, and palms that are random vectors.
"""

from __future__ import annotations

import io
import os
import socket
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from handsel.certificate import make_certificate
from handsel.clock import Clock, system_clock
from handsel.envelope import open_envelope, seal
from handsel.ids import new_id
from handsel.keys import PartyKeys
from handsel.log import Log
from handsel.matching import message
from handsel.matching.alias import split_alias
from handsel.matching.matcher import Matcher
from handsel.matching.message import MATCHERS, AliasShare, Answer, Order, Query, Template
from handsel.matching.peers import PeerAddress
from handsel.matching.scale import threshold_to_int
from handsel.matching.settings import Match, Party
from handsel.matching.signed_order import SignedOrder
from handsel.matching.split import split_query, split_rows, to_wire
from handsel.matching.template import quantise

DIMS = 64
THRESHOLD = 0.5
PALMS_MAX = 100

Vector = NDArray[np.int8]


def palm(seed: int, *, dims: int = DIMS) -> Vector:
    """
    Return the quantised unit vector of an imagined palm.
    """
    vector = np.random.default_rng(seed).standard_normal(dims).astype(np.float32)
    return quantise(vector / np.linalg.norm(vector))


def free_port() -> int:
    """
    Return a port of loopback on which nothing listens.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def query_id() -> bytes:
    """
    Return a fresh query id.
    """
    return os.urandom(16)


def certificate_of(keys: PartyKeys, name: str) -> bytes:
    """
    Return a fresh certificate of a matcher.
    """
    return make_certificate(keys, name=f"matcher {name}", now_ms=system_clock())


class Three:
    """
    Run three matchers in this process, and play till and issuer to them.
    """

    def __init__(self, root: Path, *, clock: Clock = system_clock) -> None:
        self.root, self.clock = root, clock
        self.issuer = PartyKeys.generate()
        self.keys = {name: PartyKeys.generate() for name in MATCHERS}
        self.parties = {
            name: Party(keys.public(), certificate_of(keys, name), PeerAddress("127.0.0.1", free_port()))
            for name, keys in self.keys.items()
        }
        self.settings = Match(DIMS, threshold_to_int(THRESHOLD), palms_max=PALMS_MAX)
        self.matchers: dict[str, Matcher] = {}
        self.pool = ThreadPoolExecutor(96)

    def start(self, name: str, *, settings: Match | None = None) -> Matcher:
        """
        Start one matcher over its own directory.
        """
        matcher = Matcher(
            name,
            keys=self.keys[name],
            issuer=self.issuer.public(),
            parties=self.parties,
            directory=self.root / name,
            settings=settings or self.settings,
            clock=self.clock,
            log=Log(f"matcher-{name}", io.StringIO()),
        )
        matcher.start()
        self.matchers[name] = matcher
        return matcher

    def stop(self, name: str) -> None:
        """
        Stop one matcher.
        """
        self.matchers.pop(name).close()

    def close(self) -> None:
        """
        Stop all.
        """
        for name in list(self.matchers):
            self.stop(name)
        self.pool.shutdown()

    def queries(self, views: Vector, *, binding: bytes = bytes(32), query: bytes | None = None) -> dict[str, Query]:
        """
        Return what a till would ask each matcher.
        """
        query = query or query_id()
        shares = zip(MATCHERS, split_query(views), split_rows(views), strict=True)
        return {name: Query(query, binding, len(views), to_wire(share), to_wire(row)) for name, share, row in shares}

    def seal(self, messages: Mapping[str, msgspec.Struct], purpose: str) -> dict[str, bytes]:
        """
        Seal one message to each matcher.
        """
        return {name: seal(content, to=self.parties[name].keys, purpose=purpose) for name, content in messages.items()}

    def ask(self, envelopes: dict[str, bytes]) -> dict[str, bytes | BaseException]:
        """
        Ask all three at the same time; return each one's sealed answer, or what it raised.
        """
        asked = {
            name: self.pool.submit(self.matchers[name].answer_query, envelope)
            for name, envelope in envelopes.items()
            if name in self.matchers
        }
        return {name: future.exception() or future.result() for name, future in asked.items()}

    def combine(self, sealed: dict[str, bytes | BaseException], *, binding: bytes = bytes(32)) -> bytes | None:
        """
        Open the answers as the issuer does, and return the alias, or None.
        """
        for failed in sealed.values():
            if isinstance(failed, BaseException):
                raise failed
        answers = tuple(
            open_envelope(answer, Answer, keys=self.issuer, purpose=message.ANSWER)
            for answer in sealed.values()
            if isinstance(answer, bytes)
        )
        return message.combine(answers, binding=binding)

    def alias_of(self, *views: Vector) -> bytes | None:
        """
        Return whom the three match to a palm in one or more views.
        """
        return self.combine(self.ask(self.seal(self.queries(np.stack(views)), message.QUERY)))

    def enrolment(self, vector: Vector, alias: bytes, *, enrolment: str) -> dict[str, tuple[bytes, bytes]]:
        """
        Return the two envelopes of an enrolment for each matcher.
        """
        queries = self.queries(vector[None, :])
        shares = dict(zip(MATCHERS, split_rows(vector), strict=True))
        as_query = dict(zip(MATCHERS, split_query(vector), strict=True))
        parts = dict(zip(MATCHERS, split_alias(alias), strict=True))
        templates = self.seal(
            {
                name: Template(enrolment, to_wire(shares[name]), to_wire(as_query[name]), queries[name])
                for name in MATCHERS
            },
            message.TEMPLATE,
        )
        aliases = self.seal({name: AliasShare(enrolment, *parts[name]) for name in MATCHERS}, message.ALIAS_SHARE)
        return {name: (templates[name], aliases[name]) for name in MATCHERS}

    def ask_to_enrol(self, envelopes: dict[str, tuple[bytes, bytes]]) -> dict[str, bytes | BaseException]:
        """
        Send an enrolment to all three; return each one's sealed answer, or what it raised.
        """
        asked = {
            name: self.pool.submit(self.matchers[name].enrol, *pair)
            for name, pair in envelopes.items()
            if name in self.matchers
        }
        return {name: future.exception() or future.result() for name, future in asked.items()}

    def signed(self, kind: message.OrderKind, enrolment: str, *, position: int = 0, matcher: str = "") -> SignedOrder:
        """
        Return an order of the issuer.
        """
        at_ms = self.clock() if kind in ("renew", "restore") else 0
        order = msgspec.msgpack.encode(Order(kind, enrolment, position, at_ms, matcher))
        return SignedOrder(order, self.issuer.signature(order))

    def order(
        self, kind: message.OrderKind, enrolment: str, *, position: int = 0, matcher: str = "", to: str = "abc"
    ) -> None:
        """
        Have the matchers named in `to` carry out a signed order.
        """
        order = self.signed(kind, enrolment, position=position, matcher=matcher)
        for name in to:
            self.matchers[name].carry_out(order.body, order.signature)

    def enrol(self, vector: Vector, alias: bytes, *, position: int, commit_to: str = "abc") -> str:
        """
        Enrol a palm and have it committed; return the enrolment's id.
        """
        enrolment = new_id()
        assert self.combine(self.ask_to_enrol(self.enrolment(vector, alias, enrolment=enrolment))) is None
        self.order("commit", enrolment, position=position, to=commit_to)
        return enrolment
