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
from handsel.flows.issuing.erase_person import Erased, erase_person, shred_identities, what_would_be_kept
from handsel.flows.issuing.resolve_suspense import assign_suspense, return_suspense
from handsel.ids import new_id
from handsel.pay.money import Money
from handsel.store.database import UnitOfWork
from handsel.store.issuer_identity import RETENTION_MS, Basis, KeptRow
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
        assert status(bank, uow, refusal, Refusal(order_id=new_id())) == Refused(1, 0, 1)
        assert status(bank, uow, refusal) == Refused(0, 1, 0)
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


def status(bank: AtBank, uow: UnitOfWork, *refusals: Refusal) -> Refused:
    return book_status(bank.tables(uow), refusals, refuse=_refuse, now_ms=1)


def test_what_is_left_in_a_closed_wallet_goes_back_to_where_it_came_from(scene: Scene, bank: AtBank) -> None:
    """
    Also where its owner is erased at once. The account is kept as the law asks, and goes on its day.
    """
    wallet = scene.wallet()
    bank.say(bank.comes(20_00, bank_reference(scene.issuer, wallet)))
    until_ms = scene.now_ms + RETENTION_MS

    erased = erase_person(scene.issuer, wallet)

    assert erased == Erased(Money(20_00, "EUR"), (KeptRow("bank_account", Basis.LAW, until_ms),))
    made = sent_back(bank)
    assert [(order.to.iban, order.money) for order in made.orders] == [(Iban(THEIRS), Money(20_00, "EUR"))]
    bank.say(bank.leaves(20_00, end_to_end_id=made.orders[0].id))
    assert bank.suspense_minor() == 0
    assert bank.reconcile().is_explained
    assert readable(scene) == ["law"]
    scene.now_ms = until_ms
    shred_identities(scene.issuer)
    assert readable(scene) == []


def test_a_closed_wallets_money_that_comes_back_from_the_bank_can_be_sent_again(scene: Scene, bank: AtBank) -> None:
    wallet = scene.wallet()
    bank.say(bank.comes(20_00, bank_reference(scene.issuer, wallet)))
    close_wallet(scene.issuer, wallet)
    order_id = sent_back(bank).orders[0].id
    bank.say(bank.leaves(20_00, end_to_end_id=order_id))
    bank.say(bank.comes(20_00, end_to_end_id=order_id, return_code="AC04"))

    again = return_suspense(scene.issuer, due_on=bank.due(2))

    assert isinstance(again, TransferFile)
    assert again.orders[0].to.iban == Iban(THEIRS)


def test_who_has_been_sent_money_back_is_shredded_and_an_owner_is_not(scene: Scene, bank: AtBank) -> None:
    bank.say(bank.comes(20_00, bank_reference(scene.issuer, scene.wallet())), bank.comes(3_00))
    assert readable(scene) == ["law", "service"]

    bank.say(bank.leaves(3_00, end_to_end_id=sent_back(bank).orders[0].id))

    assert readable(scene) == ["law"]
    with pytest.raises(NotFound):
        sent_back(bank)  # The file of that day, which was carried out.


def test_whoever_turns_out_to_be_a_customer_goes_with_the_wallet(scene: Scene, bank: AtBank) -> None:
    wallet = scene.wallet()
    bank.say(bank.comes(3_00))
    assign_suspense(scene.issuer, bank.waiting()[0], reference=bank_reference(scene.issuer, wallet))
    assert readable(scene) == ["law"]

    until_ms = scene.now_ms + RETENTION_MS
    assert what_would_be_kept(scene.issuer, wallet) == (KeptRow("bank_account", Basis.LAW, until_ms),)
    assert erase_person(scene.issuer, wallet).kept == what_would_be_kept(scene.issuer, wallet)

    assert [order.to.iban for order in sent_back(bank).orders] == [Iban(THEIRS)]
    scene.now_ms = until_ms
    assert shred_identities(scene.issuer) == 1


def readable(scene: Scene) -> list[str]:
    """
    Return why each row is kept that says who somebody is, and that can still be read.
    """
    with scene.issuer.database.unit_of_work() as uow:
        return [basis for (basis,) in uow.rows("SELECT basis FROM identities WHERE wrapped_key IS NOT NULL ORDER BY 1")]


@pytest.mark.parametrize("days", [-1, 61])
def test_a_day_that_is_a_slip_is_refused(bank: AtBank, days: int) -> None:
    bank.say(bank.comes(3_00))

    with pytest.raises(BodyInvalid):
        return_suspense(bank.scene.issuer, due_on=bank.due(days))
    assert len(bank.waiting()) == 1
