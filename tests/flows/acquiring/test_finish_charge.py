"""
A charge whose till does not come back is finished by the acquirer: the customer paid, so the merchant is paid.
"""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from handsel.errors import BodyInvalid, SignatureInvalid
from handsel.flows.acquiring.carry_charge import charge_state, submit_charge
from handsel.flows.acquiring.finish_charge import finish_charges
from handsel.pay.payment import Paid, PaymentStatus
from tests.flows.acquiring.crashing_store import crash_at_commit
from tests.flows.acquiring.near_issuer import Line
from tests.flows.acquiring.street import TILL, ShownAtTill, Street


@pytest.fixture
def left_behind(street: Street) -> ShownAtTill:
    """
    An approved charge of 4.50 whose till has lost its disk.
    """
    shown = street.show("ann", street.ask())
    street.submit(shown)
    return shown


def finish(street: Street, *, after_ms: int | None = None) -> int:
    street.now_ms += street.acquirer.bounds.unresolved_ms_min if after_ms is None else after_ms
    return finish_charges(street.acquirer, now_ms=street.now_ms)


def test_what_a_till_left_behind_is_paid(street: Street, left_behind: ShownAtTill) -> None:
    assert finish(street) == 1

    assert street.payment(left_behind.sent.payment_id).status is PaymentStatus.SUCCEEDED
    assert (street.wallet_minor(), street.shop_minor()) == (95_50, 4_50)
    street.audit()
    assert finish(street) == 0


def test_the_notes_that_were_made_here_are_redeemed_like_any_other(street: Street, left_behind: ShownAtTill) -> None:
    finish(street)

    assert street.redeem() > 0
    assert street.settled_minor() == 4_50
    street.audit()


def test_a_till_has_time_to_come_back(street: Street, left_behind: ShownAtTill) -> None:
    assert finish(street, after_ms=street.acquirer.bounds.unresolved_ms_min - 1) == 0
    assert finish(street, after_ms=1) == 1


def test_a_clock_that_was_set_back_holds_nothing_up(street: Street, left_behind: ShownAtTill) -> None:
    assert finish(street, after_ms=-3_600_000) == 1


def test_a_till_that_comes_back_later_finds_the_same_receipt(street: Street, left_behind: ShownAtTill) -> None:
    state = charge_state(street.acquirer, TILL, left_behind.sent.charge_id)
    notes = street.notes(left_behind, state)
    finish(street)

    paid = street.hand_over(left_behind, notes)
    assert isinstance(paid, Paid)
    assert paid == charge_state(street.acquirer, TILL, left_behind.sent.charge_id)
    street.audit()


def test_a_charge_that_its_till_has_finished_is_left_alone(street: Street) -> None:
    street.pay()

    assert finish(street) == 0


def test_what_makes_notes_is_forgotten_when_the_charge_has_ended(street: Street, left_behind: ShownAtTill) -> None:
    def kept() -> bytes:
        with street.database.unit_of_work() as books:
            charge = books.payments.find_charge(left_behind.sent.charge_id)
        assert charge is not None
        return charge.secrets

    assert kept()
    finish(street)
    assert kept() == b""


def test_of_a_declined_charge_nothing_is_kept(street: Street) -> None:
    shown = street.show("nobody", street.ask())
    street.submit(shown)

    with street.database.unit_of_work() as books:
        charge = books.payments.find_charge(shown.sent.charge_id)
    assert charge is not None and charge.secrets == b""


def test_a_charge_without_an_end_is_finished_once_it_is_approved(street: Street) -> None:
    street.issuer.line = {"charge": Line.CUT, "void": Line.LOST}
    shown = street.show("ann", street.ask())
    street.submit(shown)
    assert finish(street) == 0
    street.issuer.line = {}

    street.resolve()
    assert finish(street, after_ms=0) == 1
    street.audit()


@pytest.mark.parametrize("is_committed", [True, False])
def test_a_crash_while_it_is_finished_changes_nothing(
    street: Street, left_behind: ShownAtTill, is_committed: bool
) -> None:
    street.now_ms += street.acquirer.bounds.unresolved_ms_min
    assert crash_at_commit(
        street, lambda acquirer: finish_charges(acquirer, now_ms=street.now_ms), at=0, is_committed=is_committed
    )

    assert finish(street, after_ms=0) == (0 if is_committed else 1)
    assert street.shop_minor() == 4_50
    street.audit()


def test_one_that_cannot_be_finished_does_not_hold_up_another(street: Street) -> None:
    """
    None that this acquirer has brought to the issuer is like that; one whose secrets were lost on disk would be.
    """
    wrong, right = street.show("ann", street.ask()), street.show("ann", street.ask())
    street.submit(wrong)
    street.submit(right)
    with street.database.unit_of_work() as books:
        lost = msgspec.msgpack.encode(right.sent.secrets)
        sql = "UPDATE charges SET secrets = ? WHERE id = ?"
        books.payments._uow.execute(sql, lost, wrong.sent.charge_id)
        books.commit()

    with pytest.raises(SignatureInvalid):
        finish(street)
    assert street.payment(right.sent.payment_id).status is PaymentStatus.SUCCEEDED
    assert street.payment(wrong.sent.payment_id).status is PaymentStatus.PROCESSING


@pytest.mark.parametrize("count", [0, 65])
def test_a_charge_has_as_many_secrets_as_it_may_have_notes(street: Street, count: int) -> None:
    sent = street.show("ann", street.ask()).sent

    with pytest.raises(BodyInvalid):
        submit_charge(street.acquirer, TILL, replace(sent, secrets=sent.secrets[:1] * count), now_ms=street.now_ms)

    assert street.issuer.calls["charge"] == 0
