"""
Promise that a PIN is set by the owner of an open wallet, and replaced or removed whole.
"""

from __future__ import annotations

import pytest

from handsel.errors import BodyInvalid, NotFound
from handsel.flows.issuing.approved import Approved
from handsel.flows.issuing.close_wallet import close_wallet
from handsel.flows.issuing.set_pin import remove_pin, set_own_limits, set_pin
from handsel.pay.limit import OwnLimits
from tests.flows.issuing.scene import Scene
from tests.flows.issuing.test_second_factor import MUCH, PIN, WRONG_PIN, owner, pay

NEW = "918273"


@pytest.fixture
def engine() -> str:
    """
    The database, for these many cases: that it is the same on both is for the tests of the store.
    """
    return "sqlite"


def test_a_new_pin_takes_the_place_of_the_old_one(scene: Scene) -> None:
    wallet = owner(scene)

    set_pin(scene.issuer, wallet, typed=NEW)

    assert pay(scene, MUCH, PIN) == WRONG_PIN
    assert isinstance(pay(scene, MUCH, NEW), Approved)


def test_a_removed_pin_pays_nothing(scene: Scene) -> None:
    wallet = owner(scene)

    remove_pin(scene.issuer, wallet)

    assert pay(scene, MUCH, PIN) == WRONG_PIN


def test_a_pin_that_may_not_be_chosen_changes_nothing(scene: Scene) -> None:
    wallet = owner(scene)
    for typed in ("123456", "40291", ""):
        with pytest.raises(BodyInvalid):
            set_pin(scene.issuer, wallet, typed=typed)

    assert isinstance(pay(scene, MUCH, PIN), Approved)


def test_a_closed_wallet_gets_neither_pin_nor_limits(scene: Scene) -> None:
    wallet = owner(scene)
    close_wallet(scene.issuer, wallet)

    with pytest.raises(NotFound):
        set_pin(scene.issuer, wallet, typed=PIN)
    with pytest.raises(NotFound):
        set_own_limits(scene.issuer, wallet, OwnLimits(1, 1, 1))
