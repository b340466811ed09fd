"""
Promise that a closed wallet is empty and pays nothing, and that an erased one leads to nobody.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from handsel.bank.iban import Iban
from handsel.bank.orders import Holder
from handsel.bank.statement import Party
from handsel.errors import NotFound
from handsel.flows.issuing.bank_reference import bank_reference
from handsel.flows.issuing.close_wallet import Closed, close_wallet
from handsel.flows.issuing.erase_person import Erased, erase_person
from handsel.flows.issuing.issuer import Issuer
from handsel.flows.issuing.mandate import MANDATE_VERSION, give_mandate
from handsel.flows.issuing.show_wallet import show_wallet, wallet_history
from handsel.flows.issuing.top_up import top_up
from handsel.flows.issuing.void_charge import expire_charges
from handsel.ids import new_id
from handsel.pay.account import sandbox_funds
from handsel.pay.decline import Declined, DeclineReason
from handsel.pay.money import Money
from handsel.store import ledger
from tests.flows.issuing.at_bank import ANN, AtBank
from tests.flows.issuing.scene import Scene, crash, send

Leave = Callable[[Issuer, str], Closed | Erased]


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


LEAVING = pytest.mark.parametrize("leave", [close_wallet, erase_person], ids=["close", "delete everything"])


def waiting(bank: AtBank) -> list[tuple[int, Holder | None]]:
    """
    Return what waits to be sent back, and to whom.
    """
    with bank.scene.issuer.database.unit_of_work() as uow:
        return [(each.money.amount_minor, each.holder) for each in bank.tables(uow).open_suspense()]


@LEAVING
def test_the_rest_is_for_the_account_that_the_wallet_was_filled_from_last(scene: Scene, leave: Leave) -> None:
    bank, wallet = AtBank(scene), scene.payer("ada", 0)
    reference = bank_reference(scene.issuer, wallet)
    bank.say(bank.comes(6_00, reference, party=Party("Old", ANN.iban)), bank.comes(4_00, reference))
    scene.buy("ada", 4_50)

    assert leave(scene.issuer, wallet).paid_back == euro(5_50)
    assert leave(scene.issuer, wallet).paid_back == euro(0)

    assert ANN.iban is not None
    assert waiting(bank) == [(5_50, Holder("Ann", ANN.iban))]
    assert bank.suspense_minor() == 5_50
    scene.audit()


@LEAVING
def test_without_a_transfer_the_rest_is_for_the_account_of_the_mandate(scene: Scene, leave: Leave) -> None:
    """
    What is left was paid back by a shop.
    """
    bank, wallet = AtBank(scene), scene.payer("ada", 0)
    mine = Holder("Ada", Iban("NL91ABNA0417164300"))
    give_mandate(scene.issuer, wallet, mine, mandate_id=new_id(), version=MANDATE_VERSION)
    other = scene.payer("bob", 0)
    bank.say(bank.comes(10_00, bank_reference(scene.issuer, other)))
    scene.refund("ada", scene.refund_order(4_50), scene.buy("bob", 4_50))

    assert leave(scene.issuer, wallet).paid_back == euro(4_50)

    assert waiting(bank) == [(4_50, mine)]
    scene.audit()


@LEAVING
def test_the_rest_of_whom_no_account_is_known_waits_and_is_not_lost(scene: Scene, leave: Leave) -> None:
    bank, wallet = AtBank(scene), scene.payer("ada", 0)
    bank.say(bank.comes(6_00, bank_reference(scene.issuer, wallet), party=Party("Ann", None)))

    assert leave(scene.issuer, wallet).paid_back == euro(6_00)

    assert waiting(bank) == [(6_00, None)]
    scene.audit()


@LEAVING
def test_where_there_is_no_bank_there_is_play_money_alone(scene: Scene, leave: Leave) -> None:
    wallet = scene.payer("ada", 10_00)
    scene.buy("ada", 4_50)

    assert leave(scene.issuer, wallet).paid_back == euro(5_50)

    with scene.issuer.database.unit_of_work() as uow:
        state = ledger.account_state(uow, sandbox_funds("EUR").id)
    assert state is not None and state.balance_minor == -4_50
    scene.audit()


def test_an_empty_wallet_can_be_closed(scene: Scene) -> None:
    assert close_wallet(scene.issuer, scene.wallet()) == Closed(euro(0))


@pytest.mark.parametrize("is_expired", [False, True])
def test_a_payment_under_way_is_voided_by_the_closing(scene: Scene, is_expired: bool) -> None:
    """
    Also where its time was over and nobody had swept it yet.
    """
    wallet = scene.payer("ada", 10_00)
    shown = scene.show("ada", 4_50)
    crash(scene, lambda issuer: send(issuer, shown), at=0, is_committed=True)
    scene.now_ms += 10**9 * is_expired

    assert close_wallet(scene.issuer, wallet) == Closed(euro(10_00))

    assert scene.charge(shown) == Declined(DeclineReason.VOIDED)
    assert expire_charges(scene.issuer) == 0
    assert scene.circulating() == 0


def test_a_wallet_that_never_was_cannot_be_closed(scene: Scene) -> None:
    with pytest.raises(NotFound):
        close_wallet(scene.issuer, new_id())
