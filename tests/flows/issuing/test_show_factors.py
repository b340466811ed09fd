"""
Promise that a wallet shows whether it has a PIN, passkeys and limits of its own, and whether the PIN is locked.
"""

from __future__ import annotations

from handsel.flows.issuing.set_pin import set_own_limits, unlock_pin
from handsel.flows.issuing.show_factors import FactorsView, show_factors
from handsel.pay.limit import OwnLimits
from tests.flows.issuing.scene import Scene
from tests.flows.issuing.test_approve_payment import owner as owner_of_passkey
from tests.flows.issuing.test_second_factor import MUCH, WRONG, engine, owner, pay

__all__ = ["engine"]  # The fixture.


def test_a_new_wallet_has_nothing(scene: Scene) -> None:
    assert show_factors(scene.issuer, scene.wallet()) == FactorsView(None, None, (), None, None, None)


def test_a_lock_is_shown_until_it_ends(scene: Scene) -> None:
    wallet = owner(scene)
    for _ in range(3):
        pay(scene, MUCH, WRONG)

    shown = show_factors(scene.issuer, wallet)
    assert (shown.pin_set_at_ms, shown.pin_locked_until_ms) == (scene.now_ms, scene.now_ms + 300_000)
    scene.now_ms += 300_000
    assert show_factors(scene.issuer, wallet).pin_locked_until_ms is None
    pay(scene, MUCH, WRONG)
    assert show_factors(scene.issuer, wallet).pin_locked_until_ms is not None
    unlock_pin(scene.issuer, wallet)
    assert show_factors(scene.issuer, wallet).pin_locked_until_ms is None


def test_passkeys_and_limits_are_shown(scene: Scene) -> None:
    wallet, passkey = owner_of_passkey(scene)
    set_own_limits(scene.issuer, wallet, OwnLimits(1, None, 3))

    shown = show_factors(scene.issuer, wallet)

    assert [(line.passkey_id, line.added_at_ms) for line in shown.passkeys] == [(passkey.id.hex(), scene.now_ms)]
    assert shown.own_alone_per_payment_minor == 1
    assert shown.own_per_payment_minor is None
    assert shown.own_per_day_minor == 3
