"""
Promise that a closed wallet is empty and pays nothing, and that an erased one leads to nobody.
"""

from __future__ import annotations

import pytest

from handsel.errors import NotFound
from handsel.flows.issuing.charge import charge
from handsel.flows.issuing.close_wallet import Closed, close_wallet
from handsel.flows.issuing.show_wallet import show_wallet, wallet_history
from handsel.flows.issuing.top_up import top_up
from handsel.flows.issuing.void_charge import expire_charges
from handsel.ids import new_id
from handsel.pay.decline import Declined, DeclineReason
from handsel.pay.money import Money
from tests.flows.issuing.scene import ACQUIRER, Scene, crash


def euro(minor: int) -> Money:
    return Money(minor, "EUR")


def test_what_is_left_is_paid_back_and_the_palms_are_erased(scene: Scene) -> None:
    wallet = scene.payer("ada", 10_00)
    scene.buy("ada", 4_50)

    assert close_wallet(scene.issuer, wallet) == Closed(euro(5_50))
    assert close_wallet(scene.issuer, wallet) == Closed(euro(0))

    view = show_wallet(scene.issuer, wallet)
    assert (view.balance_minor, view.closed_at_ms) == (0, scene.now_ms)
    assert [palm.state for palm in view.palms] == ["erased"]
    assert [line.kind for line in wallet_history(scene.issuer, wallet)] == ["closing", "payment", "top_up"]
    assert top_up(scene.issuer, wallet, top_up_id=new_id(), amount=euro(1)) == Declined(DeclineReason.WALLET_CLOSED)


def test_an_empty_wallet_can_be_closed(scene: Scene) -> None:
    assert close_wallet(scene.issuer, scene.wallet()) == Closed(euro(0))


@pytest.mark.parametrize("is_expired", [False, True])
def test_a_payment_under_way_is_voided_by_the_closing(scene: Scene, is_expired: bool) -> None:
    """
    Also where its time was over and nobody had swept it yet.
    """
    wallet = scene.payer("ada", 10_00)
    shown = scene.show("ada", 4_50)
    crash(
        scene,
        lambda issuer: charge(issuer, shown.charge_id, acquirer=ACQUIRER, order=shown.order, answers=shown.answers),
        at=0,
        is_committed=True,
    )
    scene.now_ms += 10**9 * is_expired

    assert close_wallet(scene.issuer, wallet) == Closed(euro(10_00))

    assert scene.charge(shown) == Declined(DeclineReason.VOIDED)
    assert expire_charges(scene.issuer) == 0
    assert scene.circulating() == 0


def test_a_wallet_that_never_was_cannot_be_closed(scene: Scene) -> None:
    with pytest.raises(NotFound):
        close_wallet(scene.issuer, new_id())
