"""
Notes are money: they are taken once, for the charge that they were made for, and only if they are genuine.
"""

from __future__ import annotations

import pytest

from handsel.errors import BodyInvalid, IdReused, NotFound, SignatureInvalid
from handsel.flows.acquiring.accept_notes import accept_notes
from handsel.flows.acquiring.acquirer import Acquirer
from handsel.flows.acquiring.genuine_note import REDEEM_MS_MAX
from handsel.flows.acquiring.show_receipt import show_receipt
from handsel.flows.acquiring.sign_in import register_till
from handsel.ids import new_id
from handsel.notes.denomination import NOTES_MAX
from handsel.notes.note import Note
from handsel.pay.held_note import NoteState
from handsel.pay.merchant import Till
from handsel.pay.money import Money
from handsel.pay.payment import PaymentStatus
from tests.flows.acquiring.crashing_store import crash_at_commit
from tests.flows.acquiring.street import NOW_MS, TILL, ShownAtTill, Street, at_once
from tests.notes.fresh_keys import ALWAYS


@pytest.fixture
def approved(street: Street) -> tuple[ShownAtTill, tuple[Note, ...]]:
    """
    A charge of 4.50 that the issuer has approved, and its notes, which are still at the till.
    """
    shown = street.show("ann", street.ask(450))
    return shown, street.notes(shown, street.submit(shown))


def test_notes_pay_the_payment_and_the_merchant(street: Street, approved: tuple[ShownAtTill, tuple[Note, ...]]) -> None:
    shown, notes = approved

    paid = street.hand_over(shown, notes)

    payment = street.payment(shown.sent.payment_id)
    assert payment.status is PaymentStatus.SUCCEEDED
    assert payment.receipt_code == paid.receipt_code
    assert street.shop_minor() == 450
    street.audit()


def test_the_receipt_shows_shop_amount_time_and_description(
    street: Street, approved: tuple[ShownAtTill, tuple[Note, ...]]
) -> None:
    receipt = show_receipt(street.acquirer, street.hand_over(*approved).receipt_code)

    assert (receipt.shop, receipt.amount, receipt.paid_ms) == ("Corner Café", Money(450, "EUR"), NOW_MS)
    assert (receipt.description, receipt.refunded) == ("Coffee", Money(0, "EUR"))


def test_the_same_notes_again_have_the_same_receipt(
    street: Street, approved: tuple[ShownAtTill, tuple[Note, ...]]
) -> None:
    shown, notes = approved
    first = street.hand_over(shown, notes)

    assert street.hand_over(shown, tuple(reversed(notes))) == first
    assert street.shop_minor() == 450


def test_the_same_notes_from_two_threads_are_booked_once(
    street: Street, approved: tuple[ShownAtTill, tuple[Note, ...]]
) -> None:
    receipts = at_once(*(lambda: street.hand_over(*approved) for _ in range(4)))

    assert len(set(receipts)) == 1
    assert street.shop_minor() == 450
    street.audit()


def test_other_notes_for_a_paid_charge_are_refused(
    street: Street, approved: tuple[ShownAtTill, tuple[Note, ...]]
) -> None:
    street.hand_over(*approved)
    shown = street.show("ann", street.ask(450))
    others = street.notes(shown, street.submit(shown))

    with pytest.raises(IdReused):
        street.hand_over(approved[0], others)


def test_notes_that_were_handed_over_before_pay_nothing(
    street: Street, approved: tuple[ShownAtTill, tuple[Note, ...]]
) -> None:
    street.hand_over(*approved)
    second = street.show("ann", street.ask(450))
    street.submit(second)

    with pytest.raises(BodyInvalid, match="begun with"):
        street.hand_over(second, approved[1])
    assert street.payment(second.sent.payment_id).status is PaymentStatus.PROCESSING
    assert street.shop_minor() == 450


def test_notes_of_another_charge_pay_nothing_and_stay_good_for_their_own(
    street: Street, approved: tuple[ShownAtTill, tuple[Note, ...]]
) -> None:
    """
    Otherwise a till could leave that other one without an end.
    """
    second = street.show("ann", street.ask(450))
    notes = street.notes(second, street.submit(second))

    with pytest.raises(BodyInvalid, match="begun with"):
        street.hand_over(second, approved[1])

    street.hand_over(*approved)
    street.hand_over(second, notes)
    assert street.shop_minor() == 900
    street.audit()


def test_a_note_that_stands_twice_in_one_list_is_refused(
    street: Street, approved: tuple[ShownAtTill, tuple[Note, ...]]
) -> None:
    shown, notes = approved

    with pytest.raises(BodyInvalid):
        street.hand_over(shown, (*notes, notes[0]))


@pytest.mark.parametrize("count", [0, NOTES_MAX + 1])
def test_a_list_of_notes_has_bounds(street: Street, approved: tuple[ShownAtTill, tuple[Note, ...]], count: int) -> None:
    shown, notes = approved
    many = tuple(Note(notes[0].key_id, number.to_bytes(32, "big"), notes[0].signature) for number in range(count))

    with pytest.raises(BodyInvalid):
        street.hand_over(shown, many)


def test_a_forged_note_is_refused_and_none_is_kept(
    street: Street, approved: tuple[ShownAtTill, tuple[Note, ...]]
) -> None:
    shown, notes = approved
    forged = Note(notes[0].key_id, bytes(32), notes[0].signature)

    with pytest.raises(SignatureInvalid):
        street.hand_over(shown, (forged, *notes[1:]))
    with street.database.unit_of_work() as books:
        assert books.notes.count(NoteState.HELD) == 0


def test_a_note_that_can_hardly_be_redeemed_in_time_is_refused(
    street: Street, approved: tuple[ShownAtTill, tuple[Note, ...]]
) -> None:
    shown, notes = approved
    last_ms = ALWAYS.redeems_until_ms - REDEEM_MS_MAX

    street.now_ms = last_ms
    with pytest.raises(SignatureInvalid):
        street.hand_over(shown, notes)
    street.now_ms = last_ms - 1
    street.hand_over(shown, notes)


def test_a_note_of_a_key_that_is_not_announced_is_refused(
    street: Street, approved: tuple[ShownAtTill, tuple[Note, ...]]
) -> None:
    shown, notes = approved
    unknown = Note("0" * 32, notes[0].serial, notes[0].signature)

    with pytest.raises(SignatureInvalid):
        street.hand_over(shown, (unknown, *notes[1:]))


def test_notes_worth_less_are_refused_and_still_good(
    street: Street, approved: tuple[ShownAtTill, tuple[Note, ...]]
) -> None:
    shown, notes = approved

    with pytest.raises(BodyInvalid):
        street.hand_over(shown, notes[:-1])
    street.hand_over(shown, notes)
    street.audit()


def test_notes_worth_more_are_refused(street: Street, approved: tuple[ShownAtTill, tuple[Note, ...]]) -> None:
    other = street.show("ann", street.ask(1))
    surplus = street.notes(other, street.submit(other))

    with pytest.raises(BodyInvalid):
        street.hand_over(approved[0], (*approved[1], *surplus))


def test_a_charge_that_was_not_approved_takes_no_notes(
    street: Street, approved: tuple[ShownAtTill, tuple[Note, ...]]
) -> None:
    declined = street.show("nobody", street.ask(450))
    street.submit(declined)

    with pytest.raises(BodyInvalid):
        street.hand_over(declined, approved[1])


def test_another_till_and_an_unknown_charge_are_not_found(
    street: Street, approved: tuple[ShownAtTill, tuple[Note, ...]]
) -> None:
    shown, notes = approved
    other = Till("corner-cafe", "till-2")
    register_till(street.acquirer, other, token="o" * 64)

    with pytest.raises(NotFound):
        accept_notes(street.acquirer, other, shown.sent.charge_id, notes, now_ms=NOW_MS)
    with pytest.raises(NotFound):
        accept_notes(street.acquirer, TILL, new_id(), notes, now_ms=NOW_MS)


@pytest.mark.parametrize("is_committed", [False, True])
def test_a_crash_loses_and_doubles_no_note(
    street: Street, approved: tuple[ShownAtTill, tuple[Note, ...]], is_committed: bool
) -> None:
    shown, notes = approved

    def act(acquirer: Acquirer) -> object:
        return accept_notes(acquirer, TILL, shown.sent.charge_id, notes, now_ms=NOW_MS)

    assert crash_at_commit(street, act, at=0, is_committed=is_committed)
    street.hand_over(shown, notes)

    assert street.shop_minor() == 450
    street.audit()
