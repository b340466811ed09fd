"""
An answer is written once; what contradicts it is a defect, and is not swallowed.
"""

from __future__ import annotations

import pytest

from handsel.errors import InvariantBroken, NotFound
from handsel.flows.acquiring.ports import Signed, Voided
from handsel.flows.acquiring.settle_charge import conclude_charge, resolve_charges
from handsel.ids import new_id
from handsel.pay.decline import Declined, DeclineReason
from handsel.pay.payment import Approved, Pending
from tests.flows.acquiring.near_issuer import Line
from tests.flows.acquiring.street import Street

OVER_LIMIT = Declined(DeclineReason.OVER_LIMIT)


@pytest.fixture
def pending(street: Street) -> str:
    """
    The id of a charge of which nothing is known.
    """
    street.issuer.line = {"charge": Line.LOST, "void": Line.LOST}
    shown = street.show("ann", street.ask())
    assert street.submit(shown) == Pending()
    return shown.sent.charge_id


def test_the_first_answer_stands(street: Street, pending: str) -> None:
    signed = Signed((b"1",))

    assert conclude_charge(street.acquirer, pending, signed) == Approved((b"1",))
    assert conclude_charge(street.acquirer, pending, OVER_LIMIT) == Approved((b"1",))
    assert conclude_charge(street.acquirer, pending, Signed((b"2",))) == Approved((b"1",))


def test_a_decline_stands(street: Street, pending: str) -> None:
    assert conclude_charge(street.acquirer, pending, OVER_LIMIT) == OVER_LIMIT
    assert conclude_charge(street.acquirer, pending, Voided()) == OVER_LIMIT


@pytest.mark.parametrize("first", [Voided(), OVER_LIMIT])
def test_a_signature_after_the_end_is_a_defect(street: Street, pending: str, first: Voided | Declined) -> None:
    conclude_charge(street.acquirer, pending, first)

    with pytest.raises(InvariantBroken):
        conclude_charge(street.acquirer, pending, Signed((b"1",)))


def test_an_unknown_charge_is_not_found(street: Street) -> None:
    with pytest.raises(NotFound):
        conclude_charge(street.acquirer, new_id(), Voided())


def test_resolving_counts_what_has_ended(street: Street, pending: str) -> None:
    later = street.now_ms + street.acquirer.bounds.unresolved_ms_min

    assert resolve_charges(street.acquirer, now_ms=later) == 0
    street.issuer.line = {}
    assert resolve_charges(street.acquirer, now_ms=later) == 1
    assert resolve_charges(street.acquirer, now_ms=later) == 0
