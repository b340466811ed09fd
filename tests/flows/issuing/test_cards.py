"""
A card at the issuer: enrolled, paid with, paid back to, paused, revoked; and of no use without its other half.

What is sealed, signed and opened here is what the till itself seals, signs and opens.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from handsel.envelope import open_envelope, seal
from handsel.errors import EnvelopeInvalid, IdReused, NotFound
from handsel.flows.issuing.answer_card import answer_card
from handsel.flows.issuing.approved import Approved, Credited, Reserved
from handsel.flows.issuing.charge import charge
from handsel.flows.issuing.close_wallet import close_wallet
from handsel.flows.issuing.consent import give_consent, withdraw_consent
from handsel.flows.issuing.enrol import Enrolled
from handsel.flows.issuing.enrol_card import enrol_card
from handsel.flows.issuing.enrolment_code import EnrolmentCode, give_enrolment_code
from handsel.flows.issuing.erase_person import erase_person
from handsel.flows.issuing.export_wallet import export_wallet
from handsel.flows.issuing.issuer import limits_of_card
from handsel.flows.issuing.keep_card import pause_card, resume_card, revoke_card
from handsel.flows.issuing.refund import refund
from handsel.flows.issuing.show_wallet import CardLine, show_wallet
from handsel.ids import new_id
from handsel.keys import PartyKeys
from handsel.limits import CardLimits
from handsel.matching.held_key import pack_template
from handsel.notes.mint import prepare
from handsel.notes.note import Note
from handsel.order import (
    CARD_ANSWER,
    CARD_ENROLMENT,
    CARD_REQUEST,
    CHARGE,
    HELD_PROOF,
    REFUND,
    CardAnswer,
    CardOrder,
    CardRequest,
    CardState,
    ChargeOrder,
    HeldProof,
    SealedProof,
    Way,
    digest_of_notes,
    till_digest,
)
from handsel.pay.decline import Declined, DeclineReason
from handsel.till.card import Card
from tests.flows.issuing.kept import octets, rows_of
from tests.flows.issuing.scene import ACQUIRER, Scene

MODEL = "places-432-0123abcd"
NOBODY = Declined(DeclineReason.NOT_RECOGNISED)
_DRAWN = np.random.default_rng(1).standard_normal(432)
PACKED = pack_template((_DRAWN / np.linalg.norm(_DRAWN)).astype(np.float32))


def code_of(scene: Scene, wallet_id: str) -> str:
    given = give_enrolment_code(scene.issuer, wallet_id, way=Way.HELD_KEY)
    assert isinstance(given, EnrolmentCode)
    return given.code


def order_of(card: Card, code: str, enrolment_id: str) -> CardOrder:
    sealed = card.seal_template(PACKED, model_id=MODEL)
    return CardOrder(enrolment_id, code, card.id, card.public_key, sealed)


def send(scene: Scene, order: CardOrder, *, under: str = "") -> Enrolled | Declined:
    sealed = seal(order, to=scene.issuer.keys.public(), purpose=CARD_ENROLMENT)
    return enrol_card(scene.issuer, under or order.order_id, acquirer=ACQUIRER, order=sealed)


def holder(scene: Scene, minor: int = 100_00) -> tuple[str, Card]:
    """
    Return a wallet with money on it, and its card.
    """
    wallet_id = scene.wallet(minor)
    give_consent(scene.issuer, wallet_id, version="card-1", way=Way.HELD_KEY)
    card = Card.draw(os.urandom)
    assert send(scene, order_of(card, code_of(scene, wallet_id), new_id())) == Enrolled()
    return wallet_id, card


def ask(scene: Scene, card: Card) -> tuple[CardAnswer, bytes]:
    """
    Show a card, and return the issuer's answer, opened and as it was carried.
    """
    reply = PartyKeys.generate()
    request = CardRequest(card.id, reply.public().seal)
    sealed = seal(request, to=scene.issuer.keys.public(), purpose=CARD_REQUEST)
    answer = answer_card(scene.issuer, acquirer=ACQUIRER, request=sealed)
    assert isinstance(answer, bytes)
    return open_envelope(answer, CardAnswer, keys=reply, purpose=CARD_ANSWER), answer


def charge_order(scene: Scene, minor: int) -> ChargeOrder:
    keys = scene.issuer.note_keys.public()
    _, notes = prepare(minor, currency="EUR", keys=keys, random_bytes=secrets.token_bytes, now_ms=scene.now_ms)
    return ChargeOrder(new_id(), minor, "EUR", till_digest(b"t" * 32, secrets.token_bytes(16)), notes)


def sealed_proof(scene: Scene, proof: HeldProof) -> SealedProof:
    return SealedProof(seal(proof, to=scene.issuer.keys.public(), purpose=HELD_PROOF))


def pay(
    scene: Scene, card: Card, minor: int = 4_50, *, order: ChargeOrder | None = None, proof: HeldProof | None = None
) -> Approved | Declined | Reserved:
    wanted = order or charge_order(scene, minor)
    sealed = seal(wanted, to=scene.issuer.keys.public(), purpose=CHARGE)
    answers = sealed_proof(scene, proof or card.prove(wanted))
    return charge(
        scene.issuer,
        wanted.order_id,
        acquirer=ACQUIRER,
        order=sealed,
        answers=answers,
        notes_digest=digest_of_notes(wanted.notes),
    )


def pay_back(scene: Scene, card: Card, minor: int, notes: tuple[Note, ...]) -> Credited | Declined:
    order = scene.refund_order(minor)
    sealed = seal(order, to=scene.issuer.keys.public(), purpose=REFUND)
    answers = sealed_proof(scene, card.prove(order))
    return refund(scene.issuer, order.order_id, acquirer=ACQUIRER, order=sealed, answers=answers, notes=notes)


def stored(scene: Scene) -> bytes:
    """
    Return all that is in the issuer's database, and every byte of its files.
    """
    files = (path.read_bytes() for path in scene.directory.rglob("*") if path.is_file())
    return b"".join([octets(rows_of(scene)), *files])


def test_a_card_is_enrolled_paid_with_and_paid_back_to(scene: Scene) -> None:
    wallet_id, card = holder(scene, 10_00)
    scene.payer("ada")
    notes = scene.buy("ada", 1_00)

    answer, _ = ask(scene, card)
    assert card.open_template(answer.sealed_template, model_id=MODEL) == PACKED
    assert isinstance(pay(scene, card, 4_50), Approved)
    assert pay_back(scene, card, 1_00, notes) == Credited()

    assert scene.balance(wallet_id) == 6_50
    assert show_wallet(scene.issuer, wallet_id).card == CardLine("active", scene.now_ms)


def test_the_same_charge_has_the_same_outcome_and_debits_once(scene: Scene) -> None:
    wallet_id, card = holder(scene, 10_00)
    order = charge_order(scene, 4_50)

    first, second = (pay(scene, card, order=order) for _ in range(2))

    assert isinstance(first, Approved) and isinstance(second, Approved)
    assert first.signatures == second.signatures
    assert scene.balance(wallet_id) == 5_50


def test_a_card_keeps_the_limits_of_its_wallet(scene: Scene) -> None:
    _, card = holder(scene, 5_00)

    assert pay(scene, card, 6_00) == Declined(DeclineReason.INSUFFICIENT_FUNDS)
    assert pay(scene, card, 1000_00) == Declined(DeclineReason.OVER_LIMIT)


def test_the_store_alone_is_useless(scene: Scene) -> None:
    """
    Nothing in the database is the vector or the key, and what is in it opens with no other card's key.
    """
    _, card = holder(scene)
    pay(scene, card)
    raw = stored(scene)

    assert card.id in raw and card.public_key in raw
    assert card.key not in raw and card.key.hex().encode() not in raw and card.text.encode() not in raw
    assert all(PACKED[at : at + 8] not in raw for at in range(2, 434 - 8))
    answer, _ = ask(scene, card)
    assert Card(card.id, os.urandom(32)).open_template(answer.sealed_template, model_id=MODEL) is None


def test_the_card_alone_is_useless_once_it_is_revoked(scene: Scene) -> None:
    wallet_id, card = holder(scene)
    revoke_card(scene.issuer, wallet_id)
    revoke_card(scene.issuer, wallet_id)

    answer, _ = ask(scene, card)
    assert answer == CardAnswer(CardState.UNKNOWN, bytes(len(answer.sealed_template)))
    assert pay(scene, card) == NOBODY
    assert show_wallet(scene.issuer, wallet_id).card is None
    scene.issuer.database.truncate_log()
    assert card.id not in stored(scene) and card.public_key not in stored(scene)


def test_a_new_card_ends_the_old_one(scene: Scene) -> None:
    wallet_id, lost = holder(scene)
    renewed = Card.draw(os.urandom)

    assert send(scene, order_of(renewed, code_of(scene, wallet_id), new_id())) == Enrolled()

    assert pay(scene, lost) == NOBODY
    assert ask(scene, lost)[0].state is CardState.UNKNOWN
    assert isinstance(pay(scene, renewed), Approved)


def test_a_forged_signature_is_nobodys(scene: Scene) -> None:
    wallet_id, card = holder(scene)
    order = charge_order(scene, 4_50)
    stranger = Card(card.id, os.urandom(32))

    assert pay(scene, card, order=order, proof=stranger.prove(order)) == NOBODY
    assert pay(scene, card, proof=HeldProof(card.id, b"")) == NOBODY
    assert pay(scene, card, proof=HeldProof(b"", bytes(64))) == NOBODY
    assert scene.balance(wallet_id) == 100_00


@pytest.mark.parametrize("change", [{"amount_minor": 4_49}, {"till_digest": bytes(32)}, {"order_id": "f" * 32}])
def test_a_proof_of_another_order_is_nobodys(scene: Scene, change: dict[str, object]) -> None:
    """
    A proof that was seen once is not good for another id, another till or another sum.
    """
    _, card = holder(scene)
    other = msgspec.structs.replace(charge_order(scene, 4_50), **change)
    order = charge_order(scene, 4_50)

    assert pay(scene, card, order=order, proof=card.prove(other)) == NOBODY


def test_a_proof_of_a_refund_pays_nothing(scene: Scene) -> None:
    _, card = holder(scene)
    order = charge_order(scene, 4_50)
    back = msgspec.structs.replace(scene.refund_order(4_50), order_id=order.order_id, till_digest=order.till_digest)

    assert pay(scene, card, order=order, proof=card.prove(back)) == NOBODY


def test_every_answer_is_equally_long(scene: Scene) -> None:
    """
    Known, unknown and locked: who carries the answers cannot tell them apart, nor the requests.
    """
    _, card = holder(scene)
    scene.issuer = replace(scene.issuer, showing=limits_of_card(CardLimits(in_vain_max=2)))
    answers = [ask(scene, each) for each in (card, card, card, Card.draw(os.urandom))]

    states = [answer.state for answer, _ in answers]
    assert states == [CardState.KNOWN, CardState.KNOWN, CardState.LOCKED, CardState.UNKNOWN]
    assert len({len(carried) for _, carried in answers}) == 1
    assert all(card.id not in carried for _, carried in answers)


def test_a_card_that_is_shown_in_vain_is_locked_for_a_while(scene: Scene) -> None:
    _, card = holder(scene)
    scene.issuer = replace(scene.issuer, showing=limits_of_card(CardLimits(in_vain_max=3, lock_s_min=60.0)))

    states = [ask(scene, card)[0].state for _ in range(4)]
    assert states == [CardState.KNOWN] * 3 + [CardState.LOCKED]
    scene.now_ms += 59_999
    assert ask(scene, card)[0].state is CardState.LOCKED
    scene.now_ms += 1
    assert ask(scene, card)[0].state is CardState.KNOWN
    assert ask(scene, card)[0].state is CardState.LOCKED


def test_a_payment_begins_the_count_anew(scene: Scene) -> None:
    _, card = holder(scene)
    scene.issuer = replace(scene.issuer, showing=limits_of_card(CardLimits(in_vain_max=3)))

    for _ in range(3):
        assert [ask(scene, card)[0].state for _ in range(2)] == [CardState.KNOWN] * 2
        assert isinstance(pay(scene, card, 1_00), Approved)
        scene.now_ms += 60_000


def test_a_paused_card_pays_nothing_and_is_paid_back_to(scene: Scene) -> None:
    wallet_id, card = holder(scene, 10_00)
    scene.payer("ada")
    notes = scene.buy("ada", 1_00)
    pause_card(scene.issuer, wallet_id)

    assert pay(scene, card) == Declined(DeclineReason.PALM_PAUSED)
    assert ask(scene, card)[0].state is CardState.KNOWN
    assert pay_back(scene, card, 1_00, notes) == Credited()
    resume_card(scene.issuer, wallet_id)
    assert isinstance(pay(scene, card), Approved)


def test_a_wallet_without_a_card_has_none_to_pause(scene: Scene) -> None:
    with pytest.raises(NotFound):
        pause_card(scene.issuer, scene.wallet())


def test_a_card_works_beside_a_palm_and_goes_without_it(scene: Scene) -> None:
    wallet_id, card = holder(scene)
    assert scene.enrol(wallet_id, "ada") == Enrolled()
    assert isinstance(scene.charge(scene.show("ada", 1_00)), Approved)
    assert isinstance(pay(scene, card, 1_00), Approved)

    withdraw_consent(scene.issuer, wallet_id, way=Way.HELD_KEY)

    assert pay(scene, card) == NOBODY
    assert isinstance(scene.charge(scene.show("ada", 1_00)), Approved)
    view = show_wallet(scene.issuer, wallet_id)
    assert (view.card, view.card_consent_version, view.consent_version) == (None, None, "1")


def test_closing_a_wallet_deletes_its_card(scene: Scene) -> None:
    wallet_id, card = holder(scene)
    erased_id, erased = holder(scene)
    close_wallet(scene.issuer, wallet_id)
    erase_person(scene.issuer, erased_id)

    assert pay(scene, card) == pay(scene, erased) == NOBODY
    scene.issuer.database.truncate_log()
    assert card.public_key not in stored(scene) and erased.public_key not in stored(scene)


def test_consent_to_the_one_way_is_none_to_the_other(scene: Scene) -> None:
    wallet_id = scene.wallet()
    assert give_enrolment_code(scene.issuer, wallet_id, way=Way.HELD_KEY) == Declined(DeclineReason.CONSENT_MISSING)
    code = scene.code(wallet_id)

    assert send(scene, order_of(Card.draw(os.urandom), code, new_id())) == Declined(DeclineReason.CONSENT_MISSING)
    give_consent(scene.issuer, wallet_id, version="card-1", way=Way.HELD_KEY)
    consents = export_wallet(scene.issuer, wallet_id).consents
    assert [(line.version, line.way) for line in consents] == [("card-1", "held_key"), ("1", "open_hand")]


def test_the_same_enrolment_has_the_same_outcome(scene: Scene) -> None:
    wallet_id = scene.wallet()
    give_consent(scene.issuer, wallet_id, version="card-1", way=Way.HELD_KEY)
    order = order_of(Card.draw(os.urandom), code_of(scene, wallet_id), new_id())

    assert send(scene, order) == send(scene, order) == Enrolled()
    with pytest.raises(IdReused):
        send(scene, msgspec.structs.replace(order, card_id=os.urandom(16)))


def test_a_wrong_code_leaves_no_card(scene: Scene) -> None:
    order = order_of(Card.draw(os.urandom), "00000000", new_id())

    assert send(scene, order) == send(scene, order) == Declined(DeclineReason.WRONG_CODE)
    assert order.card_id not in stored(scene)


def test_nobody_takes_the_id_of_another_card(scene: Scene) -> None:
    _, card = holder(scene)
    wallet_id = scene.wallet()
    give_consent(scene.issuer, wallet_id, version="card-1", way=Way.HELD_KEY)
    thief = Card(card.id, os.urandom(32))

    outcome = send(scene, order_of(thief, code_of(scene, wallet_id), new_id()))

    assert outcome == Declined(DeclineReason.CODE_USED)
    assert isinstance(pay(scene, card), Approved)


@pytest.mark.parametrize("change", [{"card_id": b"i"}, {"public_key": b"k" * 31}, {"sealed_template": b""}])
def test_parts_of_other_lengths_are_refused(scene: Scene, change: dict[str, bytes]) -> None:
    order = order_of(Card.draw(os.urandom), "00000000", new_id())

    with pytest.raises(EnvelopeInvalid):
        send(scene, msgspec.structs.replace(order, **change))
    with pytest.raises(EnvelopeInvalid):
        send(scene, order, under=new_id())


@pytest.mark.parametrize("reply_key", [b"", bytes(31), bytes(32)])
def test_no_answer_is_sealed_to_what_is_no_key(scene: Scene, reply_key: bytes) -> None:
    sealed = seal(CardRequest(bytes(16), reply_key), to=scene.issuer.keys.public(), purpose=CARD_REQUEST)

    with pytest.raises(EnvelopeInvalid):
        answer_card(scene.issuer, acquirer=ACQUIRER, request=sealed)


def test_the_export_holds_the_sealed_template(scene: Scene) -> None:
    wallet_id, card = holder(scene)

    export = export_wallet(scene.issuer, wallet_id)

    assert export.card is not None
    assert card.open_template(export.card.sealed_template, model_id=MODEL) == PACKED
