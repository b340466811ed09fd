"""
Promise that a passkey approves exactly one payment of exactly one amount, soon, and that nothing else does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from handsel.errors import BodyInvalid, IdReused, NotFound, PasskeyInvalid
from handsel.flows.issuing.approve_payment import ASKABLE_MS, ask_approval, give_approval, waiting_payments
from handsel.flows.issuing.approved import Approved
from handsel.flows.issuing.keep_passkey import add_passkey, offer_passkey
from handsel.flows.issuing.second_factor import APPROVAL_VALID_MS
from handsel.ids import new_id
from handsel.pay.decline import Declined, DeclineReason
from handsel.pay.money import Money
from tests.flows.issuing.authenticator import USER_PRESENT, Authenticator
from tests.flows.issuing.scene import Scene, crash, send
from tests.flows.issuing.test_second_factor import MUCH, NEEDED, pay


@pytest.fixture
def engine() -> str:
    """
    The database, for these many cases: that it is the same on both is for the tests of the store.
    """
    return "sqlite"


def owner(scene: Scene, *, palm: str = "ada") -> tuple[str, Authenticator]:
    """
    Return the wallet of somebody with a passkey, and the passkey.
    """
    wallet, passkey = scene.payer(palm, 500_00), Authenticator()
    add_passkey(scene.issuer, wallet, response=passkey.make(offer_passkey(scene.issuer, wallet)))
    return wallet, passkey


def ask(scene: Scene, wallet: str, minor: int = MUCH) -> tuple[str, str]:
    approval_id = new_id()
    return approval_id, ask_approval(scene.issuer, wallet, approval_id=approval_id, amount_minor=minor)


def approve(scene: Scene, wallet: str, passkey: Authenticator, minor: int = MUCH) -> None:
    approval_id, options = ask(scene, wallet, minor)
    give_approval(scene.issuer, wallet, approval_id=approval_id, response=passkey.sign(options))


def test_what_was_declined_waits_for_a_yes_with_amount_and_time_and_is_paid_once(scene: Scene) -> None:
    wallet, passkey = owner(scene)
    assert pay(scene) == NEEDED
    (waiting,) = waiting_payments(scene.issuer, wallet)
    assert (waiting.amount, waiting.declined_at_ms) == (Money(MUCH, "EUR"), scene.now_ms)
    assert waiting.approved_until_ms is None

    approve(scene, wallet, passkey)

    assert waiting_payments(scene.issuer, wallet)[0].approved_until_ms == scene.now_ms + APPROVAL_VALID_MS
    assert isinstance(pay(scene), Approved)
    assert waiting_payments(scene.issuer, wallet) == ()
    assert pay(scene) == NEEDED
    assert scene.balance(wallet) == 500_00 - MUCH


@pytest.mark.parametrize("other", [MUCH - 1, MUCH + 1])
def test_another_amount_is_not_approved_with_it(scene: Scene, other: int) -> None:
    wallet, passkey = owner(scene)
    pay(scene)
    approve(scene, wallet, passkey)

    assert pay(scene, other) == NEEDED
    assert isinstance(pay(scene), Approved)


def test_a_payment_that_needs_no_yes_uses_none(scene: Scene) -> None:
    wallet, passkey = owner(scene)
    pay(scene)
    approve(scene, wallet, passkey)

    assert isinstance(pay(scene, 10_00), Approved)
    assert isinstance(pay(scene), Approved)


def test_another_wallet_gains_nothing_by_it(scene: Scene) -> None:
    wallet, passkey = owner(scene)
    other, others = owner(scene, palm="bob")
    pay(scene)
    approval_id, options = ask(scene, wallet)

    with pytest.raises(NotFound):
        give_approval(scene.issuer, other, approval_id=approval_id, response=passkey.sign(options))
    with pytest.raises(PasskeyInvalid):
        give_approval(scene.issuer, wallet, approval_id=approval_id, response=others.sign(options))
    with pytest.raises(IdReused):
        ask_approval(scene.issuer, other, approval_id=approval_id, amount_minor=MUCH)
    give_approval(scene.issuer, wallet, approval_id=approval_id, response=passkey.sign(options))
    assert pay(scene, palm="bob") == NEEDED


def test_only_what_was_declined_just_now_can_be_approved(scene: Scene) -> None:
    wallet, _ = owner(scene)
    with pytest.raises(BodyInvalid):
        ask(scene, wallet)
    pay(scene)
    with pytest.raises(BodyInvalid):
        ask(scene, wallet, MUCH + 1)

    scene.now_ms += ASKABLE_MS
    assert waiting_payments(scene.issuer, wallet) == ()
    with pytest.raises(BodyInvalid):
        ask(scene, wallet)


def test_who_takes_too_long_to_say_yes_begins_anew(scene: Scene) -> None:
    wallet, passkey = owner(scene)
    pay(scene)
    approval_id, options = ask(scene, wallet)
    scene.now_ms += ASKABLE_MS

    with pytest.raises(BodyInvalid, match="too long"):
        give_approval(scene.issuer, wallet, approval_id=approval_id, response=passkey.sign(options))


@pytest.mark.parametrize(("wait_ms", "is_good"), [(APPROVAL_VALID_MS - 1, True), (APPROVAL_VALID_MS, False)])
def test_a_yes_is_good_for_five_minutes(scene: Scene, wait_ms: int, is_good: bool) -> None:
    wallet, passkey = owner(scene)
    pay(scene)
    approve(scene, wallet, passkey)
    scene.now_ms += wait_ms

    assert isinstance(pay(scene), Approved) == is_good


def test_an_answer_to_one_approval_is_none_to_another(scene: Scene) -> None:
    wallet, passkey = owner(scene)
    pay(scene)
    first_id, options = ask(scene, wallet)
    answer = passkey.sign(options)
    give_approval(scene.issuer, wallet, approval_id=first_id, response=answer)
    assert isinstance(pay(scene), Approved)
    scene.now_ms += 1
    assert pay(scene) == NEEDED
    second_id, _ = ask(scene, wallet)

    with pytest.raises(PasskeyInvalid):
        give_approval(scene.issuer, wallet, approval_id=second_id, response=answer)
    give_approval(scene.issuer, wallet, approval_id=first_id, response=answer)  # Changes nothing.
    assert pay(scene) == NEEDED


WRONGS: dict[str, Callable[[Authenticator], Authenticator]] = {
    "of another page": lambda passkey: replace(passkey, origin="https://wallet.example"),
    "over another port": lambda passkey: replace(passkey, origin="http://wallet.localhost:8402"),
    "for another name": lambda passkey: replace(passkey, host="localhost"),
    "with nobody verified": lambda passkey: replace(passkey, flags=USER_PRESENT),
    "with nobody there": lambda passkey: replace(passkey, flags=4),
    "by another key": lambda passkey: replace(passkey, key=Authenticator().key),
    "by a passkey of that name": lambda passkey: replace(passkey, id=Authenticator().id),
    "of a copy that is behind": lambda passkey: replace(passkey, count=0, step=0),
}


@pytest.mark.parametrize("wrong", WRONGS)
def test_a_wrong_answer_approves_nothing(scene: Scene, wrong: str) -> None:
    wallet, passkey = owner(scene)
    pay(scene)
    approve(scene, wallet, passkey)
    assert isinstance(pay(scene), Approved)
    scene.now_ms += 1
    pay(scene)
    approval_id, options = ask(scene, wallet)

    with pytest.raises(PasskeyInvalid):
        give_approval(scene.issuer, wallet, approval_id=approval_id, response=WRONGS[wrong](passkey).sign(options))
    assert pay(scene) == NEEDED
    give_approval(scene.issuer, wallet, approval_id=approval_id, response=passkey.sign(options))
    assert isinstance(pay(scene), Approved)


def test_a_passkey_that_counts_may_not_repeat_and_one_that_does_not_stays_at_zero(scene: Scene) -> None:
    wallet, _ = owner(scene)
    silent = Authenticator(step=0)
    add_passkey(scene.issuer, wallet, response=silent.make(offer_passkey(scene.issuer, wallet)))
    for _ in range(2):
        pay(scene)
        approve(scene, wallet, silent)
        assert isinstance(pay(scene), Approved)
        scene.now_ms += 1


@pytest.mark.parametrize("at", [0, 1])
@pytest.mark.parametrize("is_committed", [False, True])
def test_wherever_it_crashes_a_yes_is_used_by_one_charge(scene: Scene, at: int, is_committed: bool) -> None:
    wallet, passkey = owner(scene)
    pay(scene)
    approve(scene, wallet, passkey)
    shown = scene.show("ada", MUCH)
    crash(scene, partial(send, shown=shown), at=at, is_committed=is_committed)

    assert isinstance(scene.charge(shown), Approved)
    assert pay(scene) == NEEDED
    assert scene.balance(wallet) == 500_00 - MUCH


def test_a_yes_is_kept_where_there_was_not_enough_money(scene: Scene) -> None:
    wallet, passkey = owner(scene)
    pay(scene, 400_00)
    approve(scene, wallet, passkey, 400_00)
    assert isinstance(pay(scene, 400_00), Approved)
    scene.now_ms += 1
    pay(scene, 200_00)
    approve(scene, wallet, passkey, 200_00)

    assert pay(scene, 200_00) == Declined(DeclineReason.INSUFFICIENT_FUNDS)
    assert waiting_payments(scene.issuer, wallet)[0].approved_until_ms is not None
