"""
Promise that a passkey is added by the answer to one offer, in one wallet, and removed by its owner alone.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from handsel.errors import BodyInvalid, NotFound, PasskeyInvalid
from handsel.flows.issuing.approve_payment import ask_approval, give_approval
from handsel.flows.issuing.close_wallet import close_wallet
from handsel.flows.issuing.keep_passkey import OFFER_VALID_MS, add_passkey, offer_passkey, remove_passkey
from handsel.pay.money import Money
from handsel.store import issuer_passkey as passkeys
from handsel.store.issuer_passkey import PASSKEYS_MAX
from tests.flows.issuing.authenticator import Authenticator
from tests.flows.issuing.scene import Scene
from tests.flows.issuing.test_approve_payment import WRONGS, approve, ask, owner
from tests.flows.issuing.test_second_factor import MUCH, pay


@pytest.fixture
def engine() -> str:
    """
    The database, for these many cases: that it is the same on both is for the tests of the store.
    """
    return "sqlite"


@pytest.mark.parametrize("wrong", [name for name in WRONGS if name.startswith(("of another", "over", "for", "with"))])
def test_a_wrong_answer_adds_no_passkey_and_uses_the_offer_up(scene: Scene, wrong: str) -> None:
    wallet, passkey = scene.payer("ada"), Authenticator()
    options = offer_passkey(scene.issuer, wallet)
    for answer in (WRONGS[wrong](passkey).make(options), passkey.make(options)):
        with pytest.raises(PasskeyInvalid):
            add_passkey(scene.issuer, wallet, response=answer)


def test_an_offer_is_for_one_wallet_and_some_minutes(scene: Scene) -> None:
    wallet, other, passkey = scene.payer("ada"), scene.payer("bob"), Authenticator()
    answer = passkey.make(offer_passkey(scene.issuer, wallet))
    with pytest.raises(PasskeyInvalid):
        add_passkey(scene.issuer, other, response=answer)
    scene.now_ms += OFFER_VALID_MS
    with pytest.raises(PasskeyInvalid, match="too long"):
        add_passkey(scene.issuer, wallet, response=answer)


def test_one_passkey_is_in_one_wallet(scene: Scene) -> None:
    _, passkey = owner(scene)
    other = scene.payer("bob")

    with pytest.raises(PasskeyInvalid, match="in use"):
        add_passkey(scene.issuer, other, response=passkey.make(offer_passkey(scene.issuer, other)))


def test_a_wallet_has_a_bounded_number_of_passkeys(scene: Scene) -> None:
    wallet = scene.wallet()
    for _ in range(PASSKEYS_MAX):
        add_passkey(scene.issuer, wallet, response=Authenticator().make(offer_passkey(scene.issuer, wallet)))

    with pytest.raises(BodyInvalid):
        offer_passkey(scene.issuer, wallet)


def test_a_removed_passkey_approves_nothing_and_only_its_owner_removes_it(scene: Scene) -> None:
    wallet, passkey = owner(scene)
    other, _ = owner(scene, palm="bob")
    pay(scene)
    approval_id, options = ask(scene, wallet)
    remove_passkey(scene.issuer, other, passkey_id=passkey.id)
    assert ask_approval(scene.issuer, wallet, approval_id=approval_id, amount_minor=MUCH) == options

    remove_passkey(scene.issuer, wallet, passkey_id=passkey.id)

    with pytest.raises(PasskeyInvalid):
        give_approval(scene.issuer, wallet, approval_id=approval_id, response=passkey.sign(options))
    with pytest.raises(BodyInvalid):
        ask(scene, wallet)


def test_a_closed_wallet_keeps_no_passkey_and_gets_none(scene: Scene) -> None:
    wallet, passkey = owner(scene)
    pay(scene)
    approve(scene, wallet, passkey)
    offer_passkey(scene.issuer, wallet)
    close_wallet(scene.issuer, wallet)

    with pytest.raises(NotFound):
        offer_passkey(scene.issuer, wallet)
    with scene.issuer.database.unit_of_work() as uow:
        assert passkeys.passkeys_of(uow, wallet) == ()
        assert passkeys.take_offer(uow, wallet, now_ms=scene.now_ms) is None
        assert passkeys.approval_for(uow, wallet, Money(MUCH, "EUR"), given_after_ms=0) is None


def test_a_bank_without_an_origin_offers_none(scene: Scene) -> None:
    wallet = scene.wallet()
    scene.issuer = replace(scene.issuer, factors=replace(scene.issuer.factors, party=None))

    with pytest.raises(NotFound, match="wallet_origin"):
        offer_passkey(scene.issuer, wallet)
