"""
Held notes become balance, in shuffled batches; what the issuer refuses is named and booked, never lost.
"""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from handsel.errors import InvariantBroken, PartyUnavailable
from handsel.flows.acquiring.accounts import differences, settlement
from handsel.flows.acquiring.acquirer import Acquirer, AcquiringBounds
from handsel.flows.acquiring.ports import Redeemed
from handsel.flows.acquiring.redeem_notes import redeem_batch, redeem_notes
from handsel.flows.issuing.redeem import redeem
from handsel.ids import new_id
from handsel.notes.denomination import NOTES_MAX
from handsel.notes.note import Note
from handsel.notes.redeemed import RedemptionProof, open_proof
from handsel.pay.held_note import NoteState, notes_held
from tests.flows.acquiring.crashing_store import crash_at_call, crash_at_commit
from tests.flows.acquiring.near_issuer import Line, NearIssuer
from tests.flows.acquiring.street import NOW_MS, Street, at_once


def count(street: Street, state: NoteState) -> int:
    with street.database.unit_of_work() as books:
        return books.notes.count(state)


def bound_to(street: Street, **bounds: int) -> None:
    street.acquirer = replace(street.acquirer, bounds=replace(AcquiringBounds(), **bounds))


class WatchingIssuer(NearIssuer):
    """
    Note down which notes were presented, in which order.
    """

    seen: tuple[tuple[bytes, ...], ...] = ()

    def redeem(self, redemption_id: str, *, notes: tuple[Note, ...]) -> Redeemed:
        self.seen = (*self.seen, tuple(note.serial for note in notes))
        return super().redeem(redemption_id, notes=notes)


def test_all_held_notes_are_redeemed(street: Street) -> None:
    for minor in (450, 3, 99):
        street.pay("ann", minor)
    held = count(street, NoteState.HELD)

    assert street.redeem() == held
    assert (street.in_hand(settlement), street.in_hand(notes_held)) == (552, 0)
    assert count(street, NoteState.REDEEMED) == held
    street.audit()


def test_nothing_held_is_nothing_sent(street: Street) -> None:
    assert street.redeem() == 0
    assert street.issuer.calls["redeem"] == 0


def test_a_batch_has_a_bound_and_so_has_one_go(street: Street) -> None:
    street.pay("ann", 31)  # Five notes: 1, 2, 4, 8, 16.
    bound_to(street, redeem_notes_max=2, redemptions_max=2)

    assert street.redeem() == 4
    assert street.redeem() == 1
    assert street.issuer.calls["redeem"] == 3
    street.audit()


def test_bounds_let_something_through_and_no_more_than_the_issuer_takes() -> None:
    AcquiringBounds(redeem_notes_max=NOTES_MAX)

    for bounds in ({"redeem_notes_max": NOTES_MAX + 1}, {"list_max": 0}):
        with pytest.raises(InvariantBroken):
            AcquiringBounds(**bounds)


def test_a_batch_mixes_the_notes_of_several_payments(street: Street) -> None:
    watching = WatchingIssuer(street.issuer.issuer)
    street.acquirer = replace(street.acquirer, issuer=watching)
    arrived: list[bytes] = []
    for _ in range(4):
        payment = street.ask(255)
        shown = street.show("ann", payment)
        notes = street.notes(shown, street.submit(shown))
        street.hand_over(shown, notes)
        arrived += [note.serial for note in notes]

    street.redeem()

    (batch,) = watching.seen
    assert sorted(batch) == sorted(arrived)
    assert batch != tuple(arrived) and batch != tuple(sorted(arrived))


@pytest.mark.parametrize("failure", [Line.REFUSED, Line.LOST, Line.CUT])
def test_a_batch_that_was_not_answered_is_sent_again_unchanged(street: Street, failure: Line) -> None:
    street.pay("ann", 450)
    watching = WatchingIssuer(street.issuer.issuer, line={"redeem": failure})
    street.acquirer = replace(street.acquirer, issuer=watching)
    with pytest.raises(PartyUnavailable):
        street.redeem()
    street.pay("ann", 3)

    watching.line = {}
    street.redeem()

    assert watching.seen[0] == watching.seen[1]
    assert street.in_hand(settlement) == 453
    street.audit()


@pytest.mark.parametrize("is_committed", [False, True])
@pytest.mark.parametrize("at", [0, 1])
def test_a_crash_at_any_commit_loses_and_doubles_nothing(street: Street, at: int, is_committed: bool) -> None:
    street.pay("ann", 450)

    def act(acquirer: Acquirer) -> object:
        return redeem_notes(acquirer, now_ms=NOW_MS)

    assert crash_at_commit(street, act, at=at, is_committed=is_committed)
    street.redeem()

    assert street.in_hand(settlement) == 450
    street.audit()


@pytest.mark.parametrize("side", ["crash_before", "crash_after"])
def test_a_crash_at_the_issuer_loses_and_doubles_nothing(street: Street, side: str) -> None:
    street.pay("ann", 450)
    setattr(street.issuer, side, "redeem")

    crash_at_call(street, lambda acquirer: redeem_notes(acquirer, now_ms=NOW_MS))
    street.redeem()

    assert street.in_hand(settlement) == 450
    street.audit()


def test_two_threads_redeem_each_note_once(street: Street) -> None:
    for _ in range(3):
        street.pay("ann", 99)

    at_once(*(lambda: redeem_batch(street.acquirer, now_ms=NOW_MS) for _ in range(3)))
    street.redeem()

    assert street.in_hand(settlement) == 297
    street.audit()


def test_a_refused_note_is_named_and_booked_as_a_difference(street: Street) -> None:
    payment = street.ask(3)
    shown = street.show("ann", payment)
    notes = street.notes(shown, street.submit(shown))
    street.hand_over(shown, notes)
    redeem(street.issuer.issuer, new_id(), notes=notes[:1], acquirer="somebody-else")

    street.redeem()

    assert (street.in_hand(settlement), street.in_hand(differences), street.in_hand(notes_held)) == (1, 2, 0)
    with street.database.unit_of_work() as books:
        row = books._uow.row("SELECT serial, reason FROM notes WHERE state = 'refused'")
    assert row == (notes[0].serial, "note_already_redeemed")


def test_the_proof_of_a_refusal_is_kept_if_it_is_one(street: Street) -> None:
    class LyingIssuer(NearIssuer):
        def redeem(self, redemption_id: str, *, notes: tuple[Note, ...]) -> Redeemed:
            answer = super().redeem(redemption_id, notes=notes)
            return Redeemed(answer.serials, tuple(replace(each, proof=b"no proof") for each in answer.refused))

    shown = street.show("ann", street.ask(3))
    notes = street.notes(shown, street.submit(shown))
    street.hand_over(shown, notes)
    redeem(street.issuer.issuer, new_id(), notes=notes, acquirer="somebody-else")
    street.redeem()
    other = street.show("ann", street.ask(3))
    unproved = street.notes(other, street.submit(other))
    street.hand_over(other, unproved)
    redeem(street.issuer.issuer, new_id(), notes=unproved, acquirer="somebody-else")
    street.acquirer = replace(street.acquirer, issuer=LyingIssuer(street.issuer.issuer))
    street.redeem()

    with street.database.unit_of_work() as books:
        kept: dict[bytes, bytes | None] = dict(books._uow.rows("SELECT serial, proof FROM notes"))
    for note in notes:
        proof = msgspec.msgpack.decode(kept[note.serial] or b"", type=RedemptionProof)
        assert open_proof(proof, root=street.issuer.issuer.note_keys.root(), serial=note.serial).serial == note.serial
    assert [kept[note.serial] for note in unproved] == [None, None]


def test_a_note_of_which_the_answer_says_nothing_is_a_difference(street: Street) -> None:
    class SilentIssuer(NearIssuer):
        def redeem(self, redemption_id: str, *, notes: tuple[Note, ...]) -> Redeemed:
            return Redeemed((notes[0].serial,), ())

    street.pay("ann", 3)
    street.acquirer = replace(street.acquirer, issuer=SilentIssuer(street.issuer.issuer))

    street.redeem()

    assert street.in_hand(settlement) + street.in_hand(differences) == 3
    assert count(street, NoteState.REFUSED) == 1
