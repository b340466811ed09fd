"""
Promise that whoever does not know how a charge ended can find out, and that it then stays so.
"""

from __future__ import annotations

import pytest

from handsel.errors import BodyInvalid
from handsel.flows.issuing.approved import Approved, Voided
from handsel.flows.issuing.show_wallet import show_wallet
from handsel.flows.issuing.void_charge import expire_charges, void_charge
from handsel.ids import new_id
from handsel.pay.decline import Declined, DeclineReason
from tests.flows.issuing.scene import ACQUIRER, Scene, crash, send


def test_a_charge_that_never_came_is_void_and_its_late_request_is_refused(scene: Scene) -> None:
    wallet = scene.payer("ada", 10_00)
    shown = scene.show("ada", 4_50)

    assert void_charge(scene.issuer, shown.charge_id, acquirer=ACQUIRER) == Voided()

    assert scene.charge(shown) == Declined(DeclineReason.VOIDED)
    assert void_charge(scene.issuer, shown.charge_id, acquirer=ACQUIRER) == Voided()
    assert scene.balance(wallet) == 10_00


def test_an_approved_charge_stays_approved_and_its_signatures_are_told_again(scene: Scene) -> None:
    wallet = scene.payer("ada", 10_00)
    shown = scene.show("ada", 4_50)
    approved = scene.charge(shown)

    assert void_charge(scene.issuer, shown.charge_id, acquirer=ACQUIRER) == approved
    assert isinstance(approved, Approved)
    assert scene.balance(wallet) == 5_50


def test_a_declined_charge_stays_declined(scene: Scene) -> None:
    shown, declined = scene.show(None, 4_50), Declined(DeclineReason.NOT_RECOGNISED)

    assert scene.charge(shown) == declined == void_charge(scene.issuer, shown.charge_id, acquirer=ACQUIRER)


def test_to_an_acquirer_that_did_not_carry_it_a_charge_is_void(scene: Scene) -> None:
    """
    Otherwise a till of two acquirers would be paid by both, with notes that are redeemed once.
    """
    wallet = scene.payer("ada", 20_00)

    for shown in (scene.show("ada", 4_50), scene.show_to_reserve("ada", 4_50)):
        outcome = scene.charge(shown)

        assert send(scene.issuer, shown, acquirer="other") == Declined(DeclineReason.VOIDED)
        assert void_charge(scene.issuer, shown.charge_id, acquirer="other") == Voided()
        assert void_charge(scene.issuer, shown.charge_id, acquirer=ACQUIRER) == outcome == scene.charge(shown)
    assert scene.balance(wallet) == 15_50


@pytest.mark.parametrize("is_committed", [False, True])
def test_an_interrupted_charge_is_voided_and_what_it_reserved_is_given_back(scene: Scene, is_committed: bool) -> None:
    """
    The void itself crashes too, before or after its commit, and is repeated.
    """
    wallet = scene.payer("ada", 10_00)
    shown = scene.show("ada", 4_50)
    crash(scene, lambda issuer: send(issuer, shown), at=0, is_committed=True)
    crash(
        scene, lambda issuer: void_charge(issuer, shown.charge_id, acquirer=ACQUIRER), at=0, is_committed=is_committed
    )

    assert void_charge(scene.issuer, shown.charge_id, acquirer=ACQUIRER) == Voided()

    assert show_wallet(scene.issuer, wallet).available_minor == 10_00
    assert scene.charge(shown) == Declined(DeclineReason.VOIDED)
    scene.now_ms += 10**9
    assert expire_charges(scene.issuer) == 0
    assert scene.balance(wallet) == 10_00


def test_an_ill_formed_id_is_refused(scene: Scene) -> None:
    with pytest.raises(BodyInvalid):
        void_charge(scene.issuer, "1", acquirer=ACQUIRER)


def test_a_void_touches_no_other_charge(scene: Scene) -> None:
    wallet = scene.payer("ada", 10_00)
    scene.buy("ada", 1_00)

    void_charge(scene.issuer, new_id(), acquirer=ACQUIRER)

    assert scene.balance(wallet) == 9_00
