"""
Promise that an erased palm is dead at once, and that the three matchers' word for it is kept.
"""

from __future__ import annotations

import pytest

from handsel.errors import NotFound
from handsel.flows.issuing.deliver_orders import deliver_orders
from handsel.flows.issuing.enrol import Enrolled
from handsel.flows.issuing.erase_palm import Erasure, erase_palm
from handsel.flows.issuing.pause_palm import pause_palm
from handsel.flows.issuing.show_wallet import show_wallet
from handsel.ids import new_id
from handsel.matching.message import MATCHERS, Order
from handsel.pay.decline import Declined, DeclineReason
from tests.flows.issuing.scene import Scene


def palm_of(scene: Scene, wallet_id: str) -> str:
    return show_wallet(scene.issuer, wallet_id).palms[0].palm_id


def test_the_erasure_is_complete_when_all_three_have_confirmed(scene: Scene) -> None:
    wallet = scene.payer("ada")
    palm_id = palm_of(scene, wallet)
    scene.matchers.down = {"c"}

    assert erase_palm(scene.issuer, wallet, palm_id=palm_id) == Erasure(0)
    deliver_orders(scene.issuer, scene.matchers)
    assert erase_palm(scene.issuer, wallet, palm_id=palm_id) == Erasure(2)
    scene.matchers.down = set()
    deliver_orders(scene.issuer, scene.matchers)

    assert erase_palm(scene.issuer, wallet, palm_id=palm_id) == Erasure(3)
    assert show_wallet(scene.issuer, wallet).palms[0].erasures_confirmed == 3
    erasures = [(matcher, order) for matcher, order in scene.matchers.carried_out if order.kind == "erase"]
    assert sorted(erasures) == [(matcher, Order("erase", palm_id, 0)) for matcher in MATCHERS]


@pytest.mark.sqlite
def test_the_alias_is_gone_once_no_matcher_can_answer_with_it(scene: Scene) -> None:
    wallet = scene.payer("ada")
    erase_palm(scene.issuer, wallet, palm_id=palm_of(scene, wallet))
    assert scene.charge(scene.show("ada", 1_00)) == Declined(DeclineReason.NOT_RECOGNISED)

    deliver_orders(scene.issuer, scene.matchers)

    with scene.issuer.database.unit_of_work() as uow:
        assert uow.rows("SELECT alias FROM palms") == [(None,)]
    scene.issuer.database.close()
    files = b"".join(file.read_bytes() for file in scene.directory.iterdir())
    assert scene.aliases["ada"] not in files


def test_a_paused_palm_can_be_erased_and_the_hand_enrolled_anew(scene: Scene) -> None:
    wallet = scene.payer("ada")
    palm_id = palm_of(scene, wallet)
    pause_palm(scene.issuer, wallet, palm_id=palm_id)
    erase_palm(scene.issuer, wallet, palm_id=palm_id)

    assert scene.enrol(wallet, "ada") == Enrolled()
    scene.buy("ada", 1_00)
    assert scene.balance(wallet) == 99_00


def test_only_the_wallets_own_palm_is_erased(scene: Scene) -> None:
    wallet, other = scene.payer("ada"), scene.payer("bob")

    for palm_id in (palm_of(scene, other), new_id()):
        with pytest.raises(NotFound):
            erase_palm(scene.issuer, wallet, palm_id=palm_id)
    with pytest.raises(NotFound):
        erase_palm(scene.issuer, wallet, palm_id=scene.begin(wallet, "cem")[0])
    scene.buy("bob", 1_00)
