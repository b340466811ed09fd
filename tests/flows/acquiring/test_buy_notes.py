"""
What is paid for notes is never lost: a purchase ends with notes, or with the money back.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from handsel.errors import PartyUnavailable, SignatureInvalid
from handsel.flows.acquiring.accounts import notes_ordered, settlement
from handsel.flows.acquiring.buy_notes import resolve_purchases
from handsel.flows.acquiring.ports import Signed
from handsel.flows.issuing.buy_notes import buy_notes as buy_at_issuer
from handsel.ids import new_id
from handsel.notes.mint import prepare
from handsel.order import NoteRequest
from handsel.pay.decline import Declined, DeclineReason
from handsel.pay.held_note import NoteState, PurchaseStatus, notes_held
from handsel.pay.refund import Refund, RefundStatus
from tests.flows.acquiring.near_issuer import ACQUIRER, Line, NearIssuer
from tests.flows.acquiring.street import Street

VOIDED = Declined(DeclineReason.VOIDED)


@pytest.fixture
def refund(street: Street) -> Refund:
    """
    A refund of 2.00, for which there is balance.
    """
    paid = street.pay("ann", 450)
    street.redeem()
    return street.ask_refund(paid, 200)


def purchase_statuses(street: Street) -> list[str]:
    with street.database.unit_of_work() as books:
        return [status for (status,) in books._uow.rows("SELECT status FROM purchases")]


def test_the_secrets_of_a_purchase_are_dropped_when_its_notes_are_here(street: Street, refund: Refund) -> None:
    street.submit_refund(street.show_for_refund("ann", refund))

    assert purchase_statuses(street) == [PurchaseStatus.SIGNED]
    with street.database.unit_of_work() as books:
        assert books._uow.rows("SELECT secrets FROM purchases") == [(b"",)]


def test_while_a_purchase_is_not_answered_its_sum_is_set_aside(street: Street, refund: Refund) -> None:
    street.issuer.line = {"buy_notes": Line.CUT}

    with pytest.raises(PartyUnavailable):
        street.submit_refund(street.show_for_refund("ann", refund))

    assert (street.in_hand(settlement), street.in_hand(notes_ordered)) == (250, 200)


def test_a_purchase_is_asked_for_again_and_its_notes_are_held(street: Street, refund: Refund) -> None:
    street.issuer.line = {"buy_notes": Line.CUT}
    with pytest.raises(PartyUnavailable):
        street.submit_refund(street.show_for_refund("ann", refund))
    street.issuer.line = {}

    bound = street.acquirer.bounds.unresolved_ms_min
    assert resolve_purchases(street.acquirer, now_ms=street.now_ms + bound - 1) == 0
    assert resolve_purchases(street.acquirer, now_ms=street.now_ms + bound) == 1

    assert (street.in_hand(notes_held), street.in_hand(notes_ordered)) == (200, 0)
    with street.database.unit_of_work() as books:
        assert books.notes.count(NoteState.RESERVED) == 0
    street.audit()


def test_an_issuer_that_knows_of_less_balance_declines_and_the_sum_is_back(street: Street, refund: Refund) -> None:
    keys = street.issuer.issuer.note_keys.public()
    _, requests = prepare(
        450, currency="EUR", keys=keys, random_bytes=street.acquirer.random_bytes, now_ms=street.now_ms
    )
    buy_at_issuer(street.issuer.issuer, new_id(), requests=requests, acquirer=ACQUIRER)

    assert street.submit_refund(street.show_for_refund("ann", refund)) == VOIDED

    assert purchase_statuses(street) == [PurchaseStatus.DECLINED]
    assert (street.in_hand(settlement), street.in_hand(notes_ordered)) == (450, 0)
    assert street.refund(refund.id).status is RefundStatus.REQUIRES_PALM


def test_signatures_that_are_none_are_not_taken_for_notes(street: Street, refund: Refund) -> None:
    class CheatingIssuer(NearIssuer):
        def buy_notes(self, purchase_id: str, *, requests: tuple[NoteRequest, ...]) -> Signed | Declined:
            return Signed(tuple(bytes(256) for _ in requests))

    honest = street.acquirer
    street.acquirer = replace(honest, issuer=CheatingIssuer(street.issuer.issuer))

    with pytest.raises(SignatureInvalid):
        street.submit_refund(street.show_for_refund("ann", refund))
    assert street.refund(refund.id).status is RefundStatus.REQUIRES_PALM
    assert purchase_statuses(street) == [PurchaseStatus.ORDERED]

    street.acquirer = honest
    street.resolve()
    street.redeem()
    assert street.in_hand(settlement) == 450
    street.audit()
