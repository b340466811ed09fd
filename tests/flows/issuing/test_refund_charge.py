"""
Promise that a refund by receipt reaches the wallet that paid, never more than was charged, and no other wallet.
"""

from __future__ import annotations

import pytest

from handsel.errors import BodyInvalid, IdReused
from handsel.flows.issuing.approved import Credited
from handsel.flows.issuing.close_wallet import close_wallet
from handsel.flows.issuing.erase_palm import erase_palm
from handsel.flows.issuing.pause_palm import pause_palm
from handsel.flows.issuing.refund_charge import ChargeRefund, refund_charge
from handsel.flows.issuing.show_wallet import show_wallet
from handsel.flows.issuing.void_charge import void_charge
from handsel.ids import new_id
from handsel.notes.note import Note
from handsel.pay.decline import Declined, DeclineReason
from handsel.pay.money import Money
from tests.flows.issuing.scene import ACQUIRER, Scene, at_once


def pay(scene: Scene, minor: int = 4_50) -> str:
    """
    Pay with ada's palm, and return the charge.
    """
    shown = scene.show("ada", minor)
    scene.notes(shown, scene.charge(shown))
    return shown.charge_id


def wanted(charge_id: str, minor: int, notes: tuple[Note, ...], *, refund_id: str | None = None) -> ChargeRefund:
    return ChargeRefund(refund_id or new_id(), charge_id, Money(minor, "EUR"), notes)


def give(scene: Scene, refund: ChargeRefund) -> Credited | Declined:
    return refund_charge(scene.issuer, refund, acquirer=ACQUIRER)


@pytest.fixture
def shop(scene: Scene) -> Scene:
    """
    The scene with somebody whose notes a shop has, to pay back with.
    """
    scene.payer("shop", 100_00)
    return scene


@pytest.mark.parametrize("state", ["active", "paused", "erased"])
def test_the_wallet_that_paid_is_credited_whatever_became_of_its_palm(shop: Scene, state: str) -> None:
    wallet = shop.payer("ada", 10_00)
    charge_id = pay(shop)
    palm = show_wallet(shop.issuer, wallet).palms[0].palm_id
    if state == "paused":
        pause_palm(shop.issuer, wallet, palm_id=palm)
    if state == "erased":
        erase_palm(shop.issuer, wallet, palm_id=palm)

    outcome = give(shop, wanted(charge_id, 4_50, shop.buy("shop", 4_50)))

    assert outcome == Credited()
    assert shop.balance(wallet) == 10_00


def test_the_same_refund_credits_once_and_another_under_its_id_is_an_error(shop: Scene) -> None:
    wallet = shop.payer("ada", 10_00)
    charge_id, other = pay(shop), pay(shop)
    notes, more = shop.buy("shop", 1_00), shop.buy("shop", 1_00)
    refund = wanted(charge_id, 1_00, notes)

    assert [give(shop, refund), give(shop, refund)] == [Credited(), Credited()]
    for changed in (
        wanted(other, 1_00, notes, refund_id=refund.id),
        wanted(charge_id, 1_00, more, refund_id=refund.id),
    ):
        with pytest.raises(IdReused):
            give(shop, changed)
    assert shop.balance(wallet) == 10_00 - 9_00 + 1_00


def test_no_more_is_paid_back_than_was_charged(shop: Scene) -> None:
    wallet = shop.payer("ada", 10_00)
    charge_id = pay(shop)
    notes = shop.buy("shop", 51)

    assert give(shop, wanted(charge_id, 4_00, shop.buy("shop", 4_00))) == Credited()
    assert give(shop, wanted(charge_id, 51, notes)) == Declined(DeclineReason.MORE_THAN_CHARGED)
    assert give(shop, wanted(charge_id, 50, shop.buy("shop", 50))) == Credited()
    assert give(shop, wanted(charge_id, 1, shop.buy("shop", 1))) == Declined(DeclineReason.MORE_THAN_CHARGED)
    assert shop.balance(wallet) == 10_00
    # The notes of a refund that was declined are as good as before.
    assert give(shop, wanted(pay(shop), 51, notes)) == Credited()


def test_of_refunds_that_come_at_once_only_as_many_are_paid_as_were_charged(shop: Scene) -> None:
    wallet = shop.payer("ada", 10_00)
    charge_id = pay(shop)
    refunds = [wanted(charge_id, 2_00, shop.buy("shop", 2_00)) for _ in range(4)]

    outcomes = at_once(*(lambda each=each: give(shop, each) for each in refunds))

    assert sorted(map(repr, outcomes)) == sorted(
        map(repr, [Credited()] * 2 + [Declined(DeclineReason.MORE_THAN_CHARGED)] * 2)
    )
    assert shop.balance(wallet) == 10_00 - 4_50 + 4_00


def test_a_charge_that_debited_nobody_is_not_paid_back(shop: Scene) -> None:
    shop.payer("ada", 1_00)
    declined, voided = shop.show("ada", 4_50), new_id()
    shop.charge(declined)
    void_charge(shop.issuer, voided, acquirer=ACQUIRER)
    notes = shop.buy("shop", 1_00)

    for charge_id in (declined.charge_id, voided, new_id()):
        assert give(shop, wanted(charge_id, 1_00, notes)) == Declined(DeclineReason.NOT_CHARGED)


def test_a_closed_wallet_is_a_clear_decline_and_the_notes_stay_good(shop: Scene) -> None:
    wallet = shop.payer("ada", 10_00)
    charge_id, notes = pay(shop), shop.buy("shop", 4_50)
    close_wallet(shop.issuer, wallet)

    assert give(shop, wanted(charge_id, 4_50, notes)) == Declined(DeclineReason.WALLET_CLOSED)
    assert shop.refund("shop", shop.refund_order(4_50), notes) == Credited()


def test_notes_that_are_amiss_credit_nobody(shop: Scene) -> None:
    wallet = shop.payer("ada", 10_00)
    charge_id, notes = pay(shop), shop.buy("shop", 2_00)
    forged = Note(notes[0].key_id, notes[0].serial, bytes(256))

    assert give(shop, wanted(charge_id, 2_01, notes)) == Declined(DeclineReason.NOTES_DO_NOT_ADD_UP)
    assert give(shop, wanted(charge_id, 2_00, (forged, *notes[1:]))) == Declined(DeclineReason.NOTE_INVALID)
    assert give(shop, wanted(charge_id, 2_00, notes)) == Credited()
    assert give(shop, wanted(charge_id, 2_00, notes)) == Declined(DeclineReason.NOTE_ALREADY_REDEEMED)
    assert shop.balance(wallet) == 10_00 - 4_50 + 2_00


def test_an_ill_formed_refund_is_refused(shop: Scene) -> None:
    notes = shop.buy("shop", 1_00)
    for refund_id, charge_id, minor, given in (
        ("x", new_id(), 1, notes),
        (new_id(), "x", 1, notes),
        (new_id(), new_id(), 0, notes),
        (new_id(), new_id(), 1, ()),
        (new_id(), new_id(), 65, notes * 65),
    ):
        with pytest.raises(BodyInvalid):
            ChargeRefund(refund_id, charge_id, Money(minor, "EUR"), given)
