"""
Promise that an acquirer gets notes for what it is owed, and no more.
"""

from __future__ import annotations

import secrets
from functools import partial

import pytest

from handsel.errors import BodyInvalid, IdReused
from handsel.flows.issuing.approved import Approved
from handsel.flows.issuing.buy_notes import buy_notes
from handsel.flows.issuing.redeem import redeem
from handsel.ids import new_id
from handsel.notes.mint import NoteSecret, finalize_all, prepare
from handsel.order import NoteRequest
from handsel.pay.decline import Declined, DeclineReason
from tests.flows.issuing.scene import ACQUIRER, Scene, at_once, crash


@pytest.fixture
def owed(scene: Scene) -> Scene:
    """
    An issuer that owes the acquirer 10.00.
    """
    scene.payer("ada")
    redeem(scene.issuer, new_id(), notes=scene.buy("ada", 10_00), acquirer=ACQUIRER)
    return scene


def prepared(scene: Scene, minor: int) -> tuple[tuple[NoteSecret, ...], tuple[NoteRequest, ...]]:
    keys = scene.issuer.note_keys.public()
    return prepare(minor, currency="EUR", keys=keys, random_bytes=secrets.token_bytes, now_ms=scene.now_ms)


def test_notes_are_bought_for_what_is_owed(owed: Scene) -> None:
    kept, requests = prepared(owed, 4_50)

    outcome = buy_notes(owed.issuer, new_id(), requests=requests, acquirer=ACQUIRER)

    assert isinstance(outcome, Approved)
    finalize_all(kept, outcome.signatures, keys=owed.issuer.note_keys.public())
    assert (owed.settled(), owed.circulating()) == (5_50, 4_50)


def test_no_more_is_bought_than_is_owed(owed: Scene) -> None:
    _, requests = prepared(owed, 10_01)

    outcome = buy_notes(owed.issuer, new_id(), requests=requests, acquirer=ACQUIRER)

    assert outcome == Declined(DeclineReason.INSUFFICIENT_FUNDS)
    assert (owed.settled(), owed.circulating()) == (10_00, 0)


def test_an_acquirer_that_is_owed_nothing_buys_nothing(owed: Scene) -> None:
    _, requests = prepared(owed, 1)

    outcome = buy_notes(owed.issuer, new_id(), requests=requests, acquirer="another")

    assert outcome == Declined(DeclineReason.INSUFFICIENT_FUNDS)


def test_the_same_request_has_the_same_outcome_and_debits_once(owed: Scene) -> None:
    _, requests = prepared(owed, 4_50)
    _, dear = prepared(owed, 10_00)
    purchase_id, dear_id = new_id(), new_id()

    first = buy_notes(owed.issuer, purchase_id, requests=requests, acquirer=ACQUIRER)
    declined = buy_notes(owed.issuer, dear_id, requests=dear, acquirer=ACQUIRER)

    assert buy_notes(owed.issuer, purchase_id, requests=requests, acquirer=ACQUIRER) == first
    assert buy_notes(owed.issuer, dear_id, requests=dear, acquirer=ACQUIRER) == declined
    assert owed.settled() == 5_50


def test_the_same_id_for_other_notes_is_an_error(owed: Scene) -> None:
    _, requests = prepared(owed, 4_50)
    purchase_id = new_id()
    buy_notes(owed.issuer, purchase_id, requests=requests, acquirer=ACQUIRER)

    with pytest.raises(IdReused):
        buy_notes(owed.issuer, purchase_id, requests=requests[:1], acquirer=ACQUIRER)


def test_notes_that_cannot_be_signed_are_not_sold(owed: Scene) -> None:
    unknown = (NoteRequest("0" * 32, b"m" * 64),)

    outcome = buy_notes(owed.issuer, new_id(), requests=unknown, acquirer=ACQUIRER)

    assert outcome == Declined(DeclineReason.NOTE_INVALID)
    for count in (0, 65):
        with pytest.raises(BodyInvalid):
            buy_notes(owed.issuer, new_id(), requests=unknown * count, acquirer=ACQUIRER)


def test_the_same_request_twice_at_once_has_one_outcome(owed: Scene) -> None:
    _, requests = prepared(owed, 1_00)
    buy = partial(buy_notes, owed.issuer, new_id(), requests=requests, acquirer=ACQUIRER)

    first, second = at_once(buy, buy)

    assert first == second
    assert owed.settled() == 9_00


@pytest.mark.parametrize("is_committed", [False, True])
def test_after_a_crash_the_same_request_debits_once(owed: Scene, is_committed: bool) -> None:
    kept, requests = prepared(owed, 4_50)
    purchase_id = new_id()
    crash(
        owed,
        lambda issuer: buy_notes(issuer, purchase_id, requests=requests, acquirer=ACQUIRER),
        at=0,
        is_committed=is_committed,
    )

    outcome = buy_notes(owed.issuer, purchase_id, requests=requests, acquirer=ACQUIRER)

    assert isinstance(outcome, Approved)
    finalize_all(kept, outcome.signatures, keys=owed.issuer.note_keys.public())
    assert owed.settled() == 5_50
