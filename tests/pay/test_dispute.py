"""
Promise what is found of a receipt, one finding at a time, and that a case ends once.
"""

from __future__ import annotations

import pytest

from handsel.errors import BodyInvalid, InvariantBroken
from handsel.ids import new_id
from handsel.pay.dispute import DISPUTABLE, Dispute, DisputeStatus, Finding, find
from handsel.pay.held_note import NoteState
from handsel.pay.money import Money
from handsel.pay.payment import PaymentIntent

EUR_450 = Money(450, "EUR")
ASKED = PaymentIntent(new_id(), "corner-cafe", "till-1", EUR_450, "Coffee", 1)
PAID = ASKED.processing().succeeded(receipt_code=new_id(), now_ms=2)
GOOD = frozenset({NoteState.HELD, NoteState.REDEEMING, NoteState.REDEEMED})


@pytest.mark.parametrize(
    ("finding", "stated", "payment", "worth_minor", "states", "refunded_minor"),
    [
        (Finding.PAID_TO_MERCHANT, EUR_450, PAID, 450, GOOD, 0),
        (Finding.PARTLY_REFUNDED, EUR_450, PAID, 450, GOOD, 1),
        (Finding.PARTLY_REFUNDED, EUR_450, PAID, 450, GOOD, 449),
        (Finding.REFUNDED, EUR_450, PAID, 450, GOOD, 450),
        (Finding.NOTES_REFUSED, EUR_450, PAID, 450, GOOD | {NoteState.REFUSED}, 450),
        (Finding.AMOUNT_DIFFERS, EUR_450, PAID, 449, GOOD | {NoteState.REFUSED}, 0),
        (Finding.AMOUNT_DIFFERS, Money(449, "EUR"), PAID, 450, GOOD, 450),
        (Finding.AMOUNT_DIFFERS, Money(450, "CHF"), PAID, 450, GOOD, 0),
        (Finding.NOT_IN_BOOKS, Money(449, "EUR"), ASKED, 449, GOOD, 0),
    ],
)
def test_the_first_that_applies_is_found(
    finding: Finding,
    stated: Money,
    payment: PaymentIntent,
    worth_minor: int,
    states: frozenset[NoteState],
    refunded_minor: int,
) -> None:
    refunded = Money(refunded_minor, "EUR")

    assert find(stated, payment, worth_minor=worth_minor, states=states, refunded=refunded) is finding


@pytest.mark.parametrize("status", [status for status in DisputeStatus if status is not DisputeStatus.OPEN])
def test_a_case_ends_once(status: DisputeStatus) -> None:
    case = Dispute(new_id(), new_id(), "corner-cafe", Finding.PAID_TO_MERCHANT, 1)

    ended = case.ended(status, now_ms=2)

    assert (ended.status, ended.ended_ms) == (status, 2)
    for again in DisputeStatus:
        with pytest.raises(InvariantBroken):
            ended.ended(again, now_ms=3)
    with pytest.raises(InvariantBroken):
        case.ended(DisputeStatus.OPEN, now_ms=2)


@pytest.mark.parametrize("finding", sorted(set(Finding) - DISPUTABLE))
def test_there_is_no_case_that_no_shop_could_answer(finding: Finding) -> None:
    with pytest.raises(InvariantBroken):
        Dispute(new_id(), new_id(), "corner-cafe", finding, 1)


def test_a_case_has_a_well_formed_id() -> None:
    with pytest.raises(BodyInvalid):
        Dispute("x", new_id(), "corner-cafe", Finding.PAID_TO_MERCHANT, 1)
