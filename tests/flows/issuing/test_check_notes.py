"""
Promise that a key signs and redeems in its period only, by the issuer's clock; and that each refusal says which it was.
"""

from __future__ import annotations

import dataclasses

import pytest

from handsel.envelope import open_envelope
from handsel.flows.issuing.approved import Approved, Credited
from handsel.flows.issuing.buy_notes import buy_notes
from handsel.flows.issuing.redeem import Redemption, redeem
from handsel.ids import new_id
from handsel.notes.issue import NoteKeys
from handsel.notes.note import Note
from handsel.notes.period import Period
from handsel.order import CHARGE, ChargeOrder, NoteRequest
from handsel.pay.decline import Declined, DeclineReason
from tests.flows.issuing.scene import ACQUIRER, Scene
from tests.notes.fresh_keys import fresh_note_keys

BEGIN_MS, SIGNED_MS, END_MS = 1_000_000_100_000, 1_000_000_200_000, 1_000_000_300_000
EXPIRED = Declined(DeclineReason.NOTE_KEY_EXPIRED)


@pytest.fixture(scope="module")
def short_keys() -> NoteKeys:
    """
    Keys of one and two cents, good for some minutes.
    """
    return fresh_note_keys(denominations=(1, 2), period=Period(BEGIN_MS, SIGNED_MS, END_MS))


@pytest.fixture
def brief(scene: Scene, short_keys: NoteKeys) -> Scene:
    """
    An issuer with those keys, and a customer.
    """
    scene.payer("ada")
    scene.issuer = dataclasses.replace(scene.issuer, note_keys=short_keys)
    scene.now_ms = BEGIN_MS
    return scene


def refused(outcome: Redemption) -> list[DeclineReason]:
    return [each.reason for each in outcome.refused]


@pytest.mark.parametrize("now_ms", [BEGIN_MS, SIGNED_MS - 1])
def test_a_key_signs_within_its_period(brief: Scene, now_ms: int) -> None:
    brief.now_ms = now_ms

    assert isinstance(brief.charge(brief.show("ada", 3)), Approved)


def test_a_key_whose_time_is_over_signs_nothing(brief: Scene) -> None:
    shown, other = brief.show("ada", 3), brief.show("ada", 3)
    requests = open_envelope(other.order, ChargeOrder, keys=brief.issuer.keys, purpose=CHARGE).notes
    brief.now_ms = SIGNED_MS

    assert brief.charge(shown) == EXPIRED
    assert buy_notes(brief.issuer, new_id(), requests=requests, acquirer=ACQUIRER) == EXPIRED


def test_a_key_whose_time_has_not_come_is_as_good_as_none(brief: Scene) -> None:
    shown = brief.show("ada", 3)
    brief.now_ms = BEGIN_MS - 1

    assert brief.charge(shown) == Declined(DeclineReason.NOTE_INVALID)


def test_an_unknown_key_comes_before_one_that_has_expired(brief: Scene) -> None:
    def alter(order: ChargeOrder) -> ChargeOrder:
        one, two = order.notes
        unknown = NoteRequest("0" * 32, one.message)
        return ChargeOrder(order.order_id, 3, "EUR", order.till_digest, (unknown, two))

    shown = brief.show("ada", 3, alter=alter)
    brief.now_ms = SIGNED_MS

    assert brief.charge(shown) == Declined(DeclineReason.NOTE_INVALID)


def test_what_was_signed_in_time_is_answered_ever_after(brief: Scene) -> None:
    shown = brief.show("ada", 3)
    first = brief.charge(shown)
    brief.now_ms = END_MS

    assert brief.charge(shown) == first


@pytest.mark.parametrize(("now_ms", "is_redeemed"), [(SIGNED_MS, True), (END_MS - 1, True), (END_MS, False)])
def test_notes_are_redeemed_until_their_keys_end(brief: Scene, now_ms: int, is_redeemed: bool) -> None:
    notes = brief.buy("ada", 3)
    brief.now_ms = now_ms

    outcome = redeem(brief.issuer, new_id(), notes=notes, acquirer=ACQUIRER)

    assert len(outcome.redeemed) == (2 if is_redeemed else 0)
    assert refused(outcome) == ([] if is_redeemed else [DeclineReason.NOTE_KEY_EXPIRED] * 2)


def test_a_forged_note_of_a_key_that_has_ended_is_forged(brief: Scene) -> None:
    one, two = brief.buy("ada", 3)
    brief.now_ms = END_MS
    forged = Note(one.key_id, b"f" * 32, one.signature)

    outcome = redeem(brief.issuer, new_id(), notes=(two, forged), acquirer=ACQUIRER)

    assert refused(outcome) == [DeclineReason.NOTE_KEY_EXPIRED, DeclineReason.NOTE_INVALID]


def test_a_refund_takes_no_notes_of_a_key_that_has_ended(brief: Scene) -> None:
    good, late = brief.buy("ada", 3), brief.buy("ada", 3)

    assert brief.refund("ada", brief.refund_order(3), good) == Credited()
    brief.now_ms = END_MS
    assert brief.refund("ada", brief.refund_order(3), late) == EXPIRED
