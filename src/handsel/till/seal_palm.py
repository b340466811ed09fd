"""
Turn a palm that was read, and an order, into envelopes: shares for the three matchers, the order for the issuer.

With a held key there are no shares: a card signs the order. All envelopes carry or imply one binding. After this
nothing of the palm is needed any more. Who carries the envelopes can open none; a matcher that opens its own holds
random numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from handsel.config import Parties
from handsel.envelope import seal
from handsel.errors import ensure
from handsel.ids import ID_BYTES
from handsel.matching.held_key import pack_template
from handsel.matching.message import MATCHERS, QUERY, TEMPLATE, PerMatcher, Query, Template
from handsel.matching.ring import Words
from handsel.matching.split import split_query, split_rows, to_wire
from handsel.matching.template import quantise
from handsel.order import (
    CARD_ENROLMENT,
    CHARGE,
    ENROLMENT,
    HELD_PROOF,
    REFUND,
    CardOrder,
    ChargeOrder,
    EnrolmentOrder,
    HeldProof,
    RefundOrder,
    bind,
    till_digest,
)
from handsel.return_code import nonce_of, return_digest_of
from handsel.till.acquirer import ChargeRequest, EnrolmentRequest, RefundRequest
from handsel.till.action import EnrolmentAction
from handsel.till.card import Card
from handsel.till.journal import ChargeEntry
from handsel.vision.embedding import Embedding, Probe

NONCE_BYTES = 16

RandomBytes = Callable[[int], bytes]


@dataclass(frozen=True, repr=False)
class PalmSealer:
    """
    Seal palms and orders of one till to `parties`. `till_key` is its public signing key.
    """

    parties: Parties
    till_key: bytes
    random_bytes: RandomBytes

    def fresh_digest(self) -> bytes:
        """
        Return what stands for this till in one order: a hash that no two orders share.
        """
        return till_digest(self.till_key, self.random_bytes(NONCE_BYTES))

    def seal_charge(self, order: ChargeOrder, *, entry: ChargeEntry, probe: Probe) -> ChargeRequest:
        """
        Return the request for the charge of `entry`.
        """
        request = self._charge_request(order, entry)
        return replace(request, queries=self._seal_each(self._queries(probe, bind(order)), QUERY))

    def seal_refund(self, order: RefundOrder, *, attempt_id: str, refund: str, probe: Probe) -> RefundRequest:
        """
        Return the request for an attempt of a refund.
        """
        sealed = seal(order, to=self.parties.issuer, purpose=REFUND)
        queries = self._seal_each(self._queries(probe, bind(order)), QUERY)
        return RefundRequest(attempt_id, refund, order.order_id, sealed, queries)

    def seal_held_charge(self, order: ChargeOrder, *, entry: ChargeEntry, card: Card) -> ChargeRequest:
        """
        Return the request for the charge of `entry` with a held key. The caller has compared the palm.
        """
        return replace(self._charge_request(order, entry), proof=self._seal_proof(card.prove(order)))

    def seal_held_refund(self, order: RefundOrder, *, attempt_id: str, refund: str, card: Card) -> RefundRequest:
        """
        Return the request for an attempt of a refund with a held key. The caller has compared the palm.
        """
        sealed = seal(order, to=self.parties.issuer, purpose=REFUND)
        proof = self._seal_proof(card.prove(order))
        return RefundRequest(attempt_id, refund, order.order_id, sealed, proof=proof)

    def seal_card(
        self, action: EnrolmentAction, *, enrolment_id: str, embedding: Embedding, card: Card
    ) -> EnrolmentRequest:
        """
        Return the request for the enrolment of a new card, which seals the palm that is enrolled.
        """
        self._require_dims(embedding.vector)
        template = card.seal_template(pack_template(embedding.vector), model_id=embedding.model_id)
        order = CardOrder(self.random_bytes(ID_BYTES).hex(), action.code, card.id, card.public_key, template)
        sealed = seal(order, to=self.parties.issuer, purpose=CARD_ENROLMENT)
        return EnrolmentRequest(enrolment_id, order.order_id, sealed)

    def seal_enrolment(
        self, order: EnrolmentOrder, *, enrolment_id: str, embedding: Embedding, probe: Probe
    ) -> EnrolmentRequest:
        """
        Return the request for an enrolment: `embedding` is enrolled, after `probe` was looked for.

        To the matchers, too, the enrolment is known by the order's id, not by the acquirer's.
        """
        sealed = seal(order, to=self.parties.issuer, purpose=ENROLMENT)
        self._require_dims(embedding.vector)
        vector = quantise(embedding.vector)
        shares = split_rows(vector, random_words=self._random_words)
        as_query = split_query(vector, random_words=self._random_words)
        queries = self._queries(probe, bind(order))
        templates = tuple(
            Template(order.order_id, to_wire(share), to_wire(other), query)
            for share, other, query in zip(shares, as_query, queries, strict=True)
        )
        return EnrolmentRequest(enrolment_id, order.order_id, sealed, self._seal_each(templates, TEMPLATE))

    def _charge_request(self, order: ChargeOrder, entry: ChargeEntry) -> ChargeRequest:
        # The secrets go to the acquirer as they are: it is handed the notes anyway.
        return ChargeRequest(
            entry.charge_id,
            order.order_id,
            entry.action.id,
            seal(order, to=self.parties.issuer, purpose=CHARGE),
            entry.secrets,
            return_digest_of(entry.return_code, charge_id=entry.charge_id),
            nonce_of(entry.return_code),
            tip_minor=entry.action.tip_minor,
        )

    def _seal_proof(self, proof: HeldProof) -> bytes:
        return seal(proof, to=self.parties.issuer, purpose=HELD_PROOF)

    def _queries(self, probe: Probe, binding: bytes) -> tuple[Query, ...]:
        self._require_dims(probe.views)
        query_id = self.random_bytes(ID_BYTES)
        views = quantise(probe.views)
        shares = split_query(views, random_words=self._random_words)
        rows = split_rows(views, random_words=self._random_words)
        return tuple(
            Query(query_id, binding, len(views), to_wire(share), to_wire(row))
            for share, row in zip(shares, rows, strict=True)
        )

    def _seal_each(self, messages: tuple[msgspec.Struct, ...], purpose: str) -> PerMatcher:
        a, b, c = (
            seal(message, to=self.parties.matchers[matcher].keys, purpose=purpose)
            for matcher, message in zip(MATCHERS, messages, strict=True)
        )
        return PerMatcher(a, b, c)

    def _random_words(self, shape: tuple[int, ...]) -> Words:
        return np.frombuffer(self.random_bytes(2 * int(np.prod(shape))), np.uint16).reshape(shape)

    def _require_dims(self, vectors: NDArray[np.float32]) -> None:
        ensure(vectors.shape[-1] == self.parties.dims, "the till's model and the matchers' galleries have the same D")
