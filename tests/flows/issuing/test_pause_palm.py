"""
Promise that a palm can be paused and woken by its own wallet, and by nobody else.
"""

from __future__ import annotations

import pytest

from handsel.errors import NotFound
from handsel.flows.issuing.erase_palm import erase_palm
from handsel.flows.issuing.pause_palm import pause_palm, resume_palm
from handsel.flows.issuing.show_wallet import show_wallet
from handsel.ids import new_id
from tests.flows.issuing.scene import Scene


def state_of(scene: Scene, wallet_id: str) -> tuple[str, str]:
    palm = show_wallet(scene.issuer, wallet_id).palms[0]
    return palm.palm_id, palm.state


def test_pausing_and_waking_twice_is_as_good_as_once(scene: Scene) -> None:
    wallet = scene.payer("ada")
    palm_id, state = state_of(scene, wallet)
    assert state == "active"

    for _ in range(2):
        pause_palm(scene.issuer, wallet, palm_id=palm_id)
        assert state_of(scene, wallet) == (palm_id, "paused")
    for _ in range(2):
        resume_palm(scene.issuer, wallet, palm_id=palm_id)
        assert state_of(scene, wallet) == (palm_id, "active")


def test_a_palm_of_another_wallet_an_erased_one_or_none_is_not_found(scene: Scene) -> None:
    wallet, other = scene.payer("ada"), scene.payer("bob")
    palm_id, _ = state_of(scene, wallet)

    for change in (pause_palm, resume_palm):
        with pytest.raises(NotFound):
            change(scene.issuer, other, palm_id=palm_id)
        with pytest.raises(NotFound):
            change(scene.issuer, wallet, palm_id=new_id())
    erase_palm(scene.issuer, wallet, palm_id=palm_id)
    for change in (pause_palm, resume_palm):
        with pytest.raises(NotFound):
            change(scene.issuer, wallet, palm_id=palm_id)
    assert state_of(scene, wallet) == (palm_id, "erased")
