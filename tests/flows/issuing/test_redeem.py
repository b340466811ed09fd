"""
Promise that a note is redeemed once, ever, by whoever comes first.
"""

from __future__ import annotations

import dataclasses
from functools import partial

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from handsel.errors import BodyInvalid, IdReused
from handsel.flows.issuing.redeem import REDEMPTION_NOTES_MAX, Redemption, redeem
from handsel.ids import new_id
from handsel.notes.issue import NoteKeys
from handsel.notes.note import Note
from handsel.notes.redeemed import RedeemedBefore, open_proof, redemption_digest
from handsel.pay.decline import DeclineReason
from tests.flows.issuing.scene import ACQUIRER, Scene, at_once, crash
from tests.notes.fresh_keys import fresh_note_keys


def redeemed(scene: Scene, notes: tuple[Note, ...], *, redemption_id: str | None = None) -> Redemption:
    return redeem(scene.issuer, redemption_id or new_id(), notes=notes, acquirer=ACQUIRER)


def reasons(outcome: Redemption) -> list[DeclineReason]:
    return [refused.reason for refused in outcome.refused]


def test_genuine_notes_are_credited_to_the_acquirer(scene: Scene) -> None:
    scene.payer("ada")
    notes = scene.buy("ada", 4_50)

    outcome = redeemed(scene, notes)

    assert outcome == Redemption(tuple(note.serial for note in notes), ())
    assert (scene.settled(), scene.circulating()) == (4_50, 0)


def test_a_second_time_is_refused_whoever_presents_the_note(scene: Scene) -> None:
    scene.payer("ada")
    notes = scene.buy("ada", 4_50)
    redeemed(scene, notes)

    again = redeem(scene.issuer, new_id(), notes=notes, acquirer="another")

    assert again.redeemed == ()
    assert reasons(again) == [DeclineReason.NOTE_ALREADY_REDEEMED] * 4
    assert scene.settled() == 4_50


def test_the_same_request_has_the_same_outcome_and_credits_once(scene: Scene) -> None:
    scene.payer("ada")
    notes, redemption_id = scene.buy("ada", 4_50), new_id()

    first = redeemed(scene, notes, redemption_id=redemption_id)
    scene.restart()

    assert redeemed(scene, notes, redemption_id=redemption_id) == first
    assert scene.settled() == 4_50


def test_the_same_id_with_other_notes_or_from_another_acquirer_is_an_error(scene: Scene) -> None:
    scene.payer("ada")
    notes, redemption_id = scene.buy("ada", 4_50), new_id()
    redeemed(scene, notes, redemption_id=redemption_id)

    with pytest.raises(IdReused):
        redeemed(scene, notes[:1], redemption_id=redemption_id)
    with pytest.raises(IdReused):
        redeem(scene.issuer, redemption_id, notes=notes, acquirer="another")


def test_a_note_that_stands_twice_in_one_request_counts_once(scene: Scene) -> None:
    scene.payer("ada")
    (note,) = scene.buy("ada", 1)

    outcome = redeemed(scene, (note, note))

    assert outcome.redeemed == (note.serial,)
    assert reasons(outcome) == [DeclineReason.NOTE_ALREADY_REDEEMED]
    assert scene.settled() == 1


def test_a_forged_note_is_refused_and_the_genuine_ones_beside_it_are_credited(scene: Scene) -> None:
    scene.payer("ada")
    one, two = scene.buy("ada", 3)
    forged = Note(one.key_id, b"f" * 32, one.signature)

    outcome = redeemed(scene, (forged, two))

    assert outcome.redeemed == (two.serial,)
    assert reasons(outcome) == [DeclineReason.NOTE_INVALID]
    assert redeemed(scene, (one,)).redeemed == (one.serial,)


def test_a_note_of_an_unknown_key_or_another_currency_is_refused(scene: Scene, note_keys: NoteKeys) -> None:
    scene.payer("ada")
    (note,) = scene.buy("ada", 1)
    francs = fresh_note_keys(currency="CHF", denominations=(1,))
    unknown = Note("0" * 32, note.serial, note.signature)

    assert reasons(redeemed(scene, (unknown,))) == [DeclineReason.NOTE_INVALID]
    scene.issuer = dataclasses.replace(
        scene.issuer, note_keys=NoteKeys(note_keys.held() + francs.held(), root=Ed25519PrivateKey.generate())
    )
    scene.issuer = dataclasses.replace(scene.issuer, currency="CHF")
    assert reasons(redeemed(scene, (note,))) == [DeclineReason.NOTE_INVALID]


@pytest.mark.parametrize("count", [0, REDEMPTION_NOTES_MAX + 1])
def test_a_request_has_some_notes_and_not_too_many(scene: Scene, count: int) -> None:
    note = Note("0" * 32, b"s" * 32, b"x" * 256)

    with pytest.raises(BodyInvalid):
        redeemed(scene, (note,) * count)


def test_two_acquirers_that_present_the_same_note_at_once_get_it_once(scene: Scene) -> None:
    scene.payer("ada")
    for note in scene.buy("ada", 10_23):
        outcomes = at_once(
            *(partial(redeem, scene.issuer, new_id(), notes=(note,), acquirer=name) for name in ("one", "two"))
        )

        assert sorted(outcome.redeemed for outcome in outcomes) == [(), (note.serial,)]
        assert sorted(map(reasons, outcomes)) == [[], [DeclineReason.NOTE_ALREADY_REDEEMED]]
        (refused,) = (each for outcome in outcomes for each in outcome.refused)
        assert refused.proof is not None
        proved = open_proof(refused.proof, root=scene.issuer.note_keys.root(), serial=note.serial)
        assert (proved.key_id, proved.redeemed_ms) == (note.key_id, scene.now_ms)
    assert scene.circulating() == 0


def test_the_loser_learns_when_it_was_and_not_who_it_was(scene: Scene) -> None:
    scene.payer("ada")
    (note,) = scene.buy("ada", 1)
    redemption_id, won_ms = new_id(), scene.now_ms
    redeem(scene.issuer, redemption_id, notes=(note,), acquirer="the-other-acquirer")
    scene.now_ms += 5000

    (refused,) = redeemed(scene, (note,)).refused

    assert refused.proof is not None
    proved = open_proof(refused.proof, root=scene.issuer.note_keys.root(), serial=note.serial)
    assert proved == RedeemedBefore(note.serial, note.key_id, redemption_digest(redemption_id), won_ms)
    assert b"other" not in refused.proof.content and redemption_id.encode() not in refused.proof.content


def test_only_a_note_that_was_redeemed_has_a_proof(scene: Scene) -> None:
    scene.payer("ada")
    (note,) = scene.buy("ada", 1)
    forged = Note(note.key_id, b"f" * 32, note.signature)

    assert [each.proof for each in redeemed(scene, (forged,)).refused] == [None]


@pytest.mark.parametrize("is_committed", [False, True])
def test_after_a_crash_the_same_request_credits_once(scene: Scene, is_committed: bool) -> None:
    scene.payer("ada")
    notes, redemption_id = scene.buy("ada", 4_50), new_id()
    crash(
        scene,
        lambda issuer: redeem(issuer, redemption_id, notes=notes, acquirer=ACQUIRER),
        at=0,
        is_committed=is_committed,
    )

    assert len(redeemed(scene, notes, redemption_id=redemption_id).redeemed) == 4
    assert scene.settled() == 4_50
