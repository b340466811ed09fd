"""
Play the three matchers in plain: real envelopes and orders, but a palm is a word and a match is equality.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from handsel.envelope import open_envelope, seal
from handsel.errors import PartyUnavailable
from handsel.flows.issuing.ports import SignedConfirmation
from handsel.keys import PartyKeys, PublicKeys, verify_signature
from handsel.matching.message import (
    ALIAS_SHARE,
    ANSWER,
    QUERY,
    TEMPLATE,
    AliasShare,
    Answer,
    Confirmation,
    Order,
    Query,
    Template,
)


def xor(*words: bytes) -> bytes:
    return bytes(a ^ b ^ c for a, b, c in zip(*words, strict=True))


@dataclass
class PlainMatchers:
    """
    Hold the rows of all three matchers. Those in `down` do not answer; `on_query` is called before each answer.
    """

    keys: dict[str, PartyKeys]
    issuer: PublicKeys
    down: set[str] = field(default_factory=set)
    on_query: Callable[[], None] = lambda: None
    palms: dict[str, bytes] = field(default_factory=dict)
    own: dict[tuple[str, str], bytes] = field(default_factory=dict)
    committed: set[str] = field(default_factory=set)

    def answer_query(self, matcher: str, envelope: bytes) -> bytes:
        self._reach(matcher)
        self.on_query()
        query = open_envelope(envelope, Query, keys=self.keys[matcher], purpose=QUERY)
        return self._answer(matcher, query, query.shares)

    def enrol(self, matcher: str, *, template: bytes, alias_share: bytes) -> bytes:
        self._reach(matcher)
        opened = open_envelope(template, Template, keys=self.keys[matcher], purpose=TEMPLATE)
        share = open_envelope(alias_share, AliasShare, keys=self.keys[matcher], purpose=ALIAS_SHARE)
        assert opened.enrolment_id == share.enrolment_id
        answer = self._answer(matcher, opened.query, opened.shares)
        self.palms[share.enrolment_id] = opened.shares
        self.own[(share.enrolment_id, matcher)] = share.own
        return answer

    def carry_out(self, matcher: str, *, order: bytes, signature: bytes) -> SignedConfirmation:
        self._reach(matcher)
        verify_signature(order, signature, signer=self.issuer)
        wanted = msgspec.msgpack.decode(order, type=Order)
        if wanted.kind == "commit":
            self.committed.add(wanted.enrolment_id)
        else:
            self.committed.discard(wanted.enrolment_id)
        body = msgspec.msgpack.encode(Confirmation(wanted.kind, wanted.enrolment_id, matcher, 1))
        return SignedConfirmation(body, self.keys[matcher].signature(body))

    def _reach(self, matcher: str) -> None:
        if matcher in self.down:
            raise PartyUnavailable(f"matcher {matcher} does not answer")

    def _answer(self, matcher: str, query: Query, palm: bytes) -> bytes:
        """
        Return this matcher's share of the alias, under masks that the three have in common and that cancel out.
        """
        row = next((name for name in sorted(self.committed) if self.palms[name] == palm), None)
        share = bytes(16) if row is None else self.own[(row, matcher)]
        masks = {name: hashlib.sha256(query.query_id + name.encode()).digest()[:16] for name in "ab"}
        masks["c"] = xor(masks["a"], masks["b"], bytes(16))
        answer = Answer(query.query_id, query.binding, matcher, xor(share, masks[matcher], bytes(16)))
        return seal(answer, to=self.issuer, purpose=ANSWER)
