"""
Promise that every order reaches every matcher in the end, and that only a matcher's own word counts.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from handsel.errors import InvariantBroken
from handsel.flows.issuing.deliver_orders import Delivered, deliver_orders
from handsel.flows.issuing.erase_palm import erase_palm
from handsel.flows.issuing.ports import SignedConfirmation
from handsel.flows.issuing.show_wallet import show_wallet
from handsel.ids import new_id
from handsel.matching.message import MATCHERS, Confirmation
from tests.flows.issuing.scene import Scene

NOTHING = Delivered(0, ())


def test_each_matcher_gets_each_order_once(scene: Scene) -> None:
    scene.payer("ada")
    scene.payer("bob")

    assert deliver_orders(scene.issuer, scene.matchers) == Delivered(6, ())
    assert deliver_orders(scene.issuer, scene.matchers) == NOTHING

    for name in MATCHERS:
        positions = [order.position for matcher, order in scene.matchers.carried_out if matcher == name]
        assert positions == [1, 2]


def test_a_matcher_that_does_not_answer_is_asked_again_and_holds_up_no_other(scene: Scene) -> None:
    scene.payer("ada")
    scene.payer("bob")
    scene.matchers.down = {"a"}

    assert deliver_orders(scene.issuer, scene.matchers) == Delivered(4, ("party_unavailable",))
    scene.restart()
    scene.matchers.down = set()

    assert deliver_orders(scene.issuer, scene.matchers) == Delivered(2, ())


@pytest.mark.parametrize(
    "altered",
    [
        lambda said: msgspec.structs.replace(said, kind="abort"),
        lambda said: msgspec.structs.replace(said, enrolment_id=new_id()),
        lambda said: msgspec.structs.replace(said, matcher="b" if said.matcher == "a" else "a"),
    ],
    ids=["another kind", "another enrolment", "another matcher"],
)
def test_a_confirmation_of_something_else_does_not_count(
    scene: Scene, altered: Callable[[Confirmation], Confirmation]
) -> None:
    scene.payer("ada")
    scene.matchers.altered = altered

    assert deliver_orders(scene.issuer, scene.matchers) == Delivered(0, ("signature_invalid",) * 3)

    scene.matchers.altered = lambda said: said
    assert deliver_orders(scene.issuer, scene.matchers) == Delivered(3, ())


def test_one_matcher_cannot_confirm_for_another(scene: Scene) -> None:
    wallet = scene.payer("ada")
    deliver_orders(scene.issuer, scene.matchers)
    palm_id = show_wallet(scene.issuer, wallet).palms[0].palm_id
    erase_palm(scene.issuer, wallet, palm_id=palm_id)
    scene.matchers.signer = "a"

    assert deliver_orders(scene.issuer, scene.matchers) == Delivered(1, ("signature_invalid",) * 2)

    assert erase_palm(scene.issuer, wallet, palm_id=palm_id).confirmed == 1


class _Babbling:
    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    def carry_out(self, matcher: str, *, order: bytes, signature: bytes) -> SignedConfirmation:
        return SignedConfirmation(b"\xc1", self.scene.matcher_keys[matcher].signature(b"\xc1"))


class _Defect:
    def carry_out(self, matcher: str, *, order: bytes, signature: bytes) -> SignedConfirmation:
        raise InvariantBroken("a defect")


def test_signed_nonsense_does_not_count(scene: Scene) -> None:
    scene.payer("ada")

    assert deliver_orders(scene.issuer, _Babbling(scene)) == Delivered(0, ("signature_invalid",) * 3)


def test_a_defect_is_not_taken_for_a_failure(scene: Scene) -> None:
    scene.payer("ada")

    with pytest.raises(InvariantBroken):
        deliver_orders(scene.issuer, _Defect())
