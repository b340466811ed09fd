"""
Promise that play money reaches a wallet once for each request.
"""

from __future__ import annotations

import pytest

from handsel.errors import BodyInvalid, IdReused, NotFound
from handsel.flows.issuing.top_up import TOP_UP_MINOR_MAX, ToppedUp, top_up
from handsel.ids import new_id
from handsel.pay.decline import Declined, DeclineReason
from handsel.pay.money import Money
from tests.flows.issuing.scene import Scene


def test_the_same_top_up_counts_once(scene: Scene) -> None:
    wallet, top_up_id = scene.wallet(), new_id()

    for _ in range(2):
        assert top_up(scene.issuer, wallet, top_up_id=top_up_id, amount=Money(5_00, "EUR")) == ToppedUp()

    assert scene.balance(wallet) == 5_00
    with pytest.raises(IdReused):
        top_up(scene.issuer, wallet, top_up_id=top_up_id, amount=Money(6_00, "EUR"))


@pytest.mark.parametrize("minor", [0, TOP_UP_MINOR_MAX + 1])
def test_a_top_up_is_neither_nothing_nor_too_much(scene: Scene, minor: int) -> None:
    with pytest.raises(BodyInvalid):
        top_up(scene.issuer, scene.wallet(), top_up_id=new_id(), amount=Money(minor, "EUR"))


def test_the_most_that_may_be_topped_up_is(scene: Scene) -> None:
    amount = Money(TOP_UP_MINOR_MAX, "EUR")

    assert top_up(scene.issuer, scene.wallet(), top_up_id=new_id(), amount=amount) == ToppedUp()


def test_another_currency_or_wallet_is_refused(scene: Scene) -> None:
    outcome = top_up(scene.issuer, scene.wallet(), top_up_id=new_id(), amount=Money(1, "CHF"))

    assert outcome == Declined(DeclineReason.CURRENCY_DIFFERS)
    with pytest.raises(NotFound):
        top_up(scene.issuer, new_id(), top_up_id=new_id(), amount=Money(1, "EUR"))
