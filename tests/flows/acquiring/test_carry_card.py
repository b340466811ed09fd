"""
A held key on the street: a card is enrolled, pays and is paid back to, and the acquirer carries what it cannot read.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

import msgspec
import numpy as np
import pytest

from handsel.envelope import open_envelope, seal
from handsel.errors import PartyUnavailable
from handsel.flows.acquiring.accept_notes import accept_notes
from handsel.flows.acquiring.carry_card import carry_card
from handsel.flows.acquiring.carry_charge import ShownForCharge, submit_charge
from handsel.flows.acquiring.carry_enrolment import ShownForEnrolment, submit_enrolment
from handsel.flows.acquiring.carry_refund import ShownForRefund, submit_refund
from handsel.flows.acquiring.ports import Enrolled
from handsel.flows.issuing.consent import give_consent
from handsel.flows.issuing.enrolment_code import EnrolmentCode, give_enrolment_code
from handsel.flows.issuing.keep_card import revoke_card
from handsel.ids import new_id
from handsel.keys import PartyKeys
from handsel.matching.held_key import pack_template
from handsel.notes.mint import NoteSecret, finalize_all
from handsel.order import (
    CARD_ANSWER,
    CARD_ENROLMENT,
    CARD_REQUEST,
    HELD_PROOF,
    REFUND,
    CardAnswer,
    CardOrder,
    CardRequest,
    CardState,
    ChargeOrder,
    HeldProof,
    RefundOrder,
    SealedProof,
    Way,
    till_digest,
)
from handsel.pay.asking import MINUTE_MS
from handsel.pay.decline import Declined, DeclineReason
from handsel.pay.payment import Approved, PaymentIntent
from handsel.pay.refund import Refunded
from handsel.till.card import Card
from tests.flows.acquiring.near_issuer import Line
from tests.flows.acquiring.street import TILL, Street

MODEL = "places-432-0123abcd"
_DRAWN = np.random.default_rng(1).standard_normal(432)
PACKED = pack_template((_DRAWN / np.linalg.norm(_DRAWN)).astype(np.float32))


@dataclass
class Holder:
    """
    Hold a card on the street, and every byte that the acquirer was given to carry, either way.
    """

    street: Street
    card: Card
    carried: list[bytes]

    def seal(self, message: msgspec.Struct, purpose: str) -> bytes:
        """
        Seal for the issuer, and remember what the acquirer sees of it.
        """
        envelope = seal(message, to=self.street.issuer.issuer.keys.public(), purpose=purpose)
        self.carried.append(envelope)
        return envelope

    def enrol(self, code: str) -> Enrolled | Declined:
        sealed = self.card.seal_template(PACKED, model_id=MODEL)
        order = CardOrder(new_id(), code, self.card.id, self.card.public_key, sealed)
        shown = ShownForEnrolment(new_id(), order.order_id, self.seal(order, CARD_ENROLMENT), None)
        return submit_enrolment(self.street.acquirer, TILL, shown, now_ms=self.street.now_ms)

    def ask(self) -> CardAnswer | Declined:
        reply = PartyKeys.generate()
        request = self.seal(CardRequest(self.card.id, reply.public().seal), CARD_REQUEST)
        answer = carry_card(self.street.acquirer, TILL, request, now_ms=self.street.now_ms)
        if isinstance(answer, Declined):
            return answer
        self.carried.append(answer)
        return open_envelope(answer, CardAnswer, keys=reply, purpose=CARD_ANSWER)

    def charge(
        self, payment: PaymentIntent, proof: HeldProof | None = None
    ) -> tuple[ShownForCharge, tuple[NoteSecret, ...]]:
        minor, begun = payment.amount.amount_minor, self.street.begin(payment)
        begun, requests = self.street.prepare(begun)
        order = ChargeOrder(begun.order_id, minor, "EUR", till_digest(b"t" * 32, os.urandom(16)), requests)
        envelope = self.seal(proof or self.card.prove(order), HELD_PROOF)
        return self.street.to_send(begun, order, SealedProof(envelope)), begun.secrets

    def pay(self, minor: int = 450) -> PaymentIntent:
        payment = self.street.ask(minor)
        shown, kept = self.charge(payment)
        state = submit_charge(self.street.acquirer, TILL, shown, now_ms=self.street.now_ms)
        assert isinstance(state, Approved)
        notes = finalize_all(kept, state.signatures, keys=self.street.issuer.issuer.note_keys.public())
        accept_notes(self.street.acquirer, TILL, shown.charge_id, notes, now_ms=self.street.now_ms)
        return self.street.payment(payment.id)


@pytest.fixture
def holder(street: Street) -> Holder:
    """
    Return bob, with 100.00 EUR and a card.
    """
    wallet_id = street.open_wallet("bob", minor=100_00)
    give_consent(street.issuer.issuer, wallet_id, version="card-1", way=Way.HELD_KEY)
    given = give_enrolment_code(street.issuer.issuer, wallet_id, way=Way.HELD_KEY)
    assert isinstance(given, EnrolmentCode)
    made = Holder(street, Card.draw(os.urandom), [])
    assert made.enrol(given.code) == Enrolled()
    return made


def test_a_card_pays_and_is_paid_back_to_without_any_matcher(street: Street, holder: Holder) -> None:
    street.matchers.down = {"a", "b", "c"}

    answer = holder.ask()
    assert isinstance(answer, CardAnswer) and answer.state is CardState.KNOWN
    payment = holder.pay(450)
    street.redeem()
    refund = street.ask_refund(payment, 150)
    order = RefundOrder(new_id(), 150, "EUR", till_digest(b"t" * 32, os.urandom(16)))
    proof = SealedProof(holder.seal(holder.card.prove(order), HELD_PROOF))
    shown = ShownForRefund(new_id(), refund.id, order.order_id, holder.seal(order, REFUND), proof)
    outcome = submit_refund(street.acquirer, TILL, shown, now_ms=street.now_ms)

    assert isinstance(outcome, Refunded)
    assert street.wallet_minor("bob") == 100_00 - 450 + 150
    assert street.shop_minor() == 300
    street.audit()


def test_the_acquirer_never_sees_a_card(street: Street, holder: Holder) -> None:
    """
    Search all that it was given to carry, and all that it stores.
    """
    holder.ask()
    holder.pay()
    street.database.close()
    files = [path.read_bytes() for path in (street.directory / "acquirer").rglob("*") if path.is_file()]
    seen = b"".join([*holder.carried, *files])
    card = holder.card

    for secret in (card.id, card.key, card.public_key, card.text.encode()):
        assert secret not in seen
        assert secret.hex().encode() not in seen
    sealed = card.seal_template(PACKED, model_id=MODEL)
    assert all(sealed[at : at + 16] not in seen for at in range(0, len(sealed), 16))


def test_a_known_card_and_an_unknown_one_look_alike(street: Street, holder: Holder) -> None:
    stranger = Holder(street, Card.draw(os.urandom), [])
    holder.carried.clear()

    known, unknown = holder.ask(), stranger.ask()

    assert isinstance(known, CardAnswer) and isinstance(unknown, CardAnswer)
    assert [known.state, unknown.state] == [CardState.KNOWN, CardState.UNKNOWN]
    assert [len(each) for each in holder.carried] == [len(each) for each in stranger.carried]


def test_a_revoked_card_is_not_paid(street: Street, holder: Holder) -> None:
    revoke_card(street.issuer.issuer, street.wallets["bob"])
    payment = street.ask()
    shown, _ = holder.charge(payment)

    outcome = submit_charge(street.acquirer, TILL, shown, now_ms=street.now_ms)

    assert outcome == Declined(DeclineReason.NOT_RECOGNISED)


def test_a_proof_is_not_good_for_another_payment(street: Street, holder: Holder) -> None:
    """
    Whoever carries a proof and keeps it cannot pay with it again.
    """
    payment, other = street.ask(), street.ask()
    shown, _ = holder.charge(payment)
    again, _ = holder.charge(other)

    replayed = replace(again, queries=shown.queries)

    assert submit_charge(street.acquirer, TILL, replayed, now_ms=street.now_ms) == Declined(
        DeclineReason.NOT_RECOGNISED
    )


def test_an_enrolment_whose_answer_is_lost_is_sent_again(street: Street) -> None:
    wallet_id = street.open_wallet("eve")
    give_consent(street.issuer.issuer, wallet_id, version="card-1", way=Way.HELD_KEY)
    given = give_enrolment_code(street.issuer.issuer, wallet_id, way=Way.HELD_KEY)
    assert isinstance(given, EnrolmentCode)
    made = Holder(street, Card.draw(os.urandom), [])
    order = CardOrder(
        new_id(), given.code, made.card.id, made.card.public_key, made.card.seal_template(PACKED, model_id=MODEL)
    )
    shown = ShownForEnrolment(new_id(), order.order_id, made.seal(order, CARD_ENROLMENT), None)
    street.issuer.line = {"enrol_card": Line.CUT}
    with pytest.raises(PartyUnavailable):
        submit_enrolment(street.acquirer, TILL, shown, now_ms=street.now_ms)
    street.issuer.line = {}

    assert submit_enrolment(street.acquirer, TILL, shown, now_ms=street.now_ms) == Enrolled()
    assert isinstance(made.ask(), CardAnswer)


def test_a_shown_card_counts_as_an_ask_and_as_no_wrong_one(street: Street, holder: Holder) -> None:
    limits = replace(street.acquirer.asking, per_minute_max=2, wrong_in_a_row_max=1)
    street.acquirer = replace(street.acquirer, asking=limits)
    street.now_ms += MINUTE_MS  # The enrolments counted, too.

    answers = [holder.ask() for _ in range(3)]

    assert [isinstance(answer, CardAnswer) for answer in answers] == [True, True, False]
    assert answers[2] == Declined(DeclineReason.ASKED_TOO_OFTEN)
    assert street.issuer.calls["answer_card"] == 2
