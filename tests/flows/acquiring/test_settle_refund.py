"""
An outcome of a refund is written once; what contradicts it is a defect, and is not swallowed.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from handsel.errors import InvariantBroken, NotFound
from handsel.flows.acquiring.accounts import differences, settlement
from handsel.flows.acquiring.ports import Credited, Redeemed, Voided
from handsel.flows.acquiring.settle_refund import conclude_refund, settle_refund
from handsel.flows.issuing.redeem import redeem
from handsel.ids import new_id
from handsel.notes.note import Note
from handsel.pay.decline import Declined, DeclineReason
from handsel.pay.held_note import RefusedSerial
from handsel.pay.payment import Pending
from handsel.pay.refund import Refund, Refunded, RefundStatus
from tests.flows.acquiring.near_issuer import Line, NearIssuer
from tests.flows.acquiring.street import Street


@pytest.fixture
def refund(street: Street) -> Refund:
    """
    A refund of 2.00, for which there is balance.
    """
    paid = street.pay("ann", 450)
    street.redeem()
    return street.ask_refund(paid, 200)


@pytest.fixture
def pending(street: Street, refund: Refund) -> str:
    """
    The id of an attempt whose request was lost, with notes that nobody knows the state of.
    """
    street.issuer.line = {"refund": Line.LOST, "redeem": Line.LOST}
    shown = street.show_for_refund("ann", refund)
    assert street.submit_refund(shown) == Pending()
    street.issuer.line = {}
    return shown.attempt_id


def test_a_late_decline_does_not_strand_the_notes_that_are_being_redeemed(
    street: Street, refund: Refund, pending: str
) -> None:
    declined = Declined(DeclineReason.NOT_RECOGNISED)

    assert conclude_refund(street.acquirer, pending, declined, now_ms=street.now_ms) == declined
    street.redeem()

    assert street.in_hand(settlement) == 450
    street.audit()


def test_the_first_outcome_stands(street: Street, refund: Refund, pending: str) -> None:
    first = conclude_refund(street.acquirer, pending, Credited(), now_ms=street.now_ms)

    assert isinstance(first, Refunded)
    assert conclude_refund(street.acquirer, pending, Voided(), now_ms=street.now_ms) == first
    assert settle_refund(street.acquirer, pending, now_ms=street.now_ms) == first
    assert street.issuer.calls["redeem"] == 1  # By the fixture: what has ended is not asked for again.
    assert street.shop_minor() == 250


def test_a_credit_after_the_end_is_a_defect(street: Street, pending: str) -> None:
    settle_refund(street.acquirer, pending, now_ms=street.now_ms)

    with pytest.raises(InvariantBroken):
        conclude_refund(street.acquirer, pending, Credited(), now_ms=street.now_ms)


def test_notes_of_which_only_some_were_redeemed_elsewhere_are_a_difference_and_no_refund(
    street: Street, refund: Refund, pending: str
) -> None:
    with street.database.unit_of_work() as books:
        redemption = books.notes.open_redemption(attempt_id=pending)
        assert redemption is not None
        held = books.notes.notes_of(redemption.id)
    stolen = min(held, key=lambda note: note.worth.amount_minor)
    note = Note(stolen.key_id, stolen.serial, stolen.signature)
    redeem(street.issuer.issuer, new_id(), notes=(note,), acquirer="somebody-else")

    state = settle_refund(street.acquirer, pending, now_ms=street.now_ms)

    assert state == Declined(DeclineReason.VOIDED)
    assert street.refund(refund.id).status is RefundStatus.REQUIRES_PALM
    assert street.in_hand(differences) == stolen.worth.amount_minor
    assert street.in_hand(settlement) == 450 - stolen.worth.amount_minor


def test_notes_that_are_refused_for_another_reason_say_nothing_of_a_credit(
    street: Street, refund: Refund, pending: str
) -> None:
    class DoubtingIssuer(NearIssuer):
        def redeem(self, redemption_id: str, *, notes: tuple[Note, ...]) -> Redeemed:
            return Redeemed((), tuple(RefusedSerial(note.serial, DeclineReason.NOTE_INVALID) for note in notes))

    street.acquirer = replace(street.acquirer, issuer=DoubtingIssuer(street.issuer.issuer))

    state = settle_refund(street.acquirer, pending, now_ms=street.now_ms)

    assert state == Declined(DeclineReason.VOIDED)
    assert (street.shop_minor(), street.in_hand(differences)) == (450, 200)


def test_an_unknown_attempt_is_not_found(street: Street) -> None:
    with pytest.raises(NotFound):
        conclude_refund(street.acquirer, new_id(), Voided(), now_ms=street.now_ms)
    with pytest.raises(NotFound):
        settle_refund(street.acquirer, new_id(), now_ms=street.now_ms)
