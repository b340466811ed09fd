"""
Promise that money which is nobody's goes to its wallet or back to its sender, once.
"""

from __future__ import annotations

import pytest

from handsel.bank.booking import Difference
from handsel.bank.iban import Iban
from handsel.bank.orders import Holder
from handsel.bank.read_status import Refusal
from handsel.bank.statement import Party
from handsel.errors import BodyInvalid, NotFound
from handsel.flows.banking.book_status import Refused, book_status
from handsel.flows.banking.order_payments import NothingDue
from handsel.flows.banking.transfer_file import TransferFile
from handsel.flows.issuing.bank_reference import bank_reference
from handsel.flows.issuing.close_wallet import close_wallet
from handsel.flows.issuing.erase_person import erase_person
from handsel.flows.issuing.resolve_suspense import assign_suspense, return_suspense
from handsel.ids import new_id
from handsel.pay.money import Money
from handsel.store.bank import BankTables
from handsel.store.database import UnitOfWork
from handsel.wiring.bank_file import written_transfers
from handsel.wiring.issuer_bank import _refuse
from tests.bank.camt import THEIRS
from tests.flows.issuing.at_bank import AtBank
from tests.flows.issuing.scene import Scene


@pytest.fixture
def bank(scene: Scene) -> AtBank:
    return AtBank(scene)


def sent_back(bank: AtBank) -> TransferFile:
    made = return_suspense(bank.scene.issuer, due_on=bank.due())
    assert isinstance(made, TransferFile)
    return made


def test_what_was_meant_for_a_wallet_reaches_it(scene: Scene, bank: AtBank) -> None:
    wallet = scene.wallet()
    bank.say(bank.comes(3_00))
    (waiting,) = bank.waiting()

    assign_suspense(scene.issuer, waiting, reference=bank_reference(scene.issuer, wallet).lower())

    assert (scene.balance(wallet), bank.suspense_minor()) == (3_00, 0)
    assert bank.reconcile().is_explained
    with pytest.raises(BodyInvalid):
        assign_suspense(scene.issuer, waiting, reference=bank_reference(scene.issuer, wallet))


def test_what_cannot_be_assigned_stays(scene: Scene, bank: AtBank) -> None:
    wallet = scene.wallet()
    reference = bank_reference(scene.issuer, wallet)
    bank.say(bank.comes(3_00))
    (waiting,) = bank.waiting()
    close_wallet(scene.issuer, wallet)

    with pytest.raises(BodyInvalid):
        assign_suspense(scene.issuer, waiting, reference=reference)
    with pytest.raises(NotFound):
        assign_suspense(scene.issuer, new_id(), reference=reference)
    assert bank.suspense_minor() == 3_00


def test_money_is_sent_back_to_its_sender_once(scene: Scene, bank: AtBank) -> None:
    bank.say(bank.comes(3_00), bank.comes(4_00, party=Party("Nobody", None)))

    made = sent_back(bank)

    assert [(order.to, order.money) for order in made.orders] == [(Holder("Ann", Iban(THEIRS)), Money(3_00, "EUR"))]
    assert written_transfers(sent_back(bank)).content == written_transfers(made).content
    assert isinstance(return_suspense(scene.issuer, due_on=bank.due(2)), NothingDue)
    assert bank.say(bank.leaves(3_00, end_to_end_id=made.orders[0].id)).differences == ()
    assert bank.suspense_minor() == 4_00
    assert len(bank.waiting()) == 1


def test_what_the_bank_refuses_or_sends_back_waits_again(scene: Scene, bank: AtBank) -> None:
    bank.say(bank.comes(3_00))
    waiting = bank.waiting()
    order_id = sent_back(bank).orders[0].id
    with scene.issuer.database.unit_of_work() as uow:
        refusal = Refusal(order_id=order_id, reason="AC04")
        assert status(uow, refusal, Refusal(order_id=new_id())) == Refused(1, 0, 1)
        assert status(uow, refusal) == Refused(0, 1, 0)
        uow.commit()
    assert bank.waiting() == waiting

    again = return_suspense(scene.issuer, due_on=bank.due(3))
    assert isinstance(again, TransferFile)
    out = bank.leaves(3_00, end_to_end_id=again.orders[0].id)
    back = bank.comes(3_00, end_to_end_id=again.orders[0].id, return_code="AC04")
    assert bank.say(back, out).differences == ()  # What comes back is understood also where it is stated first.
    assert bank.waiting() == waiting
    assert isinstance(return_suspense(scene.issuer, due_on=bank.due(4)), NothingDue)  # Nobody is known to send it to.
    assert [line.name for line in bank.reconcile().statements[0].differences] == [Difference.NO_REFERENCE]


def status(uow: UnitOfWork, *refusals: Refusal) -> Refused:
    return book_status(BankTables(uow), refusals, refuse=_refuse, now_ms=1)


def test_what_is_left_in_a_closed_wallet_goes_back_to_where_it_came_from(scene: Scene, bank: AtBank) -> None:
    wallet = scene.wallet()
    bank.say(bank.comes(20_00, bank_reference(scene.issuer, wallet)))

    assert erase_person(scene.issuer, wallet).paid_back == Money(20_00, "EUR")

    made = sent_back(bank)
    assert [order.money for order in made.orders] == [Money(20_00, "EUR")]
    bank.say(bank.leaves(20_00, end_to_end_id=made.orders[0].id))
    assert bank.suspense_minor() == 0
    assert bank.reconcile().is_explained
    assert parties_kept(scene) == 0


def test_who_has_been_sent_money_back_is_forgotten_and_an_owner_is_not(scene: Scene, bank: AtBank) -> None:
    bank.say(bank.comes(20_00, bank_reference(scene.issuer, scene.wallet())), bank.comes(3_00))
    assert parties_kept(scene) == 2

    bank.say(bank.leaves(3_00, end_to_end_id=sent_back(bank).orders[0].id))

    assert parties_kept(scene) == 1
    with pytest.raises(NotFound):
        sent_back(bank)  # The file of that day, which was carried out.


def parties_kept(scene: Scene) -> int:
    with scene.issuer.database.unit_of_work() as uow:
        row = uow.row("SELECT COUNT(*) FROM bank_parties")
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("days", [-1, 61])
def test_a_day_that_is_a_slip_is_refused(bank: AtBank, days: int) -> None:
    bank.say(bank.comes(3_00))

    with pytest.raises(BodyInvalid):
        return_suspense(bank.scene.issuer, due_on=bank.due(days))
    assert len(bank.waiting()) == 1
