"""
Promise that a direct debit fills a wallet once the bank has the money, and that one which comes back is taken back.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from handsel.bank.booking import Difference
from handsel.bank.iban import Iban
from handsel.bank.orders import Holder, OwnAccount, Sequence
from handsel.bank.read_status import Refusal
from handsel.errors import BodyInvalid, ConfigError, IdReused, NotFound
from handsel.flows.banking.book_status import Refused, book_status
from handsel.flows.banking.order_payments import NothingDue
from handsel.flows.banking.transfer_file import TransferFile
from handsel.flows.issuing.close_wallet import close_wallet
from handsel.flows.issuing.collect import CollectionFile, collect
from handsel.flows.issuing.erase_person import erase_person, shred_identities
from handsel.flows.issuing.mandate import (
    COLLECTION_MINOR_MAX,
    MANDATE_VERSION,
    OPEN_COLLECTIONS_MAX,
    ask_collection,
    end_mandate,
    give_mandate,
    show_mandate,
)
from handsel.flows.issuing.resolve_suspense import return_suspense
from handsel.ids import new_id
from handsel.pay.money import Money
from handsel.store.issuer_bank import parties_of_wallet
from handsel.store.issuer_identity import RETENTION_MS, Basis, KeptRow
from handsel.wiring.issuer_bank import _refuse, _written_debits
from tests.bank.camt import THEIRS
from tests.flows.issuing.at_bank import OWN, AtBank
from tests.flows.issuing.scene import Scene

ANN = Holder("Ann", Iban(THEIRS))


@pytest.fixture
def bank(scene: Scene) -> AtBank:
    return AtBank(scene)


def payer(bank: AtBank) -> str:
    wallet = bank.scene.wallet()
    give_mandate(bank.scene.issuer, wallet, ANN, mandate_id=new_id(), version=MANDATE_VERSION)
    return wallet


def ask(bank: AtBank, wallet: str, minor: int = 20_00) -> str:
    collection_id = new_id()
    ask_collection(bank.scene.issuer, wallet, collection_id=collection_id, amount=Money(minor, "EUR"))
    return collection_id


def file(bank: AtBank, days: int = 1) -> CollectionFile:
    made = collect(bank.scene.issuer, due_on=bank.due(days))
    assert isinstance(made, CollectionFile)
    return made


def states(bank: AtBank, wallet: str) -> list[str]:
    return sorted(each.state for each in show_mandate(bank.scene.issuer, wallet)[1])


def test_money_is_in_the_wallet_when_the_bank_has_it_and_not_before(scene: Scene, bank: AtBank) -> None:
    wallet = payer(bank)
    collection_id = ask(bank, wallet)
    ask_collection(scene.issuer, wallet, collection_id=collection_id, amount=Money(20_00, "EUR"))
    made = file(bank)
    assert _written_debits(file(bank)).content == _written_debits(made).content
    assert (scene.balance(wallet), states(bank, wallet)) == (0, ["ordered"])

    assert bank.say(bank.comes(20_00, end_to_end_id=collection_id)).differences == ()

    assert (scene.balance(wallet), states(bank, wallet)) == (20_00, ["done"])
    assert bank.say(bank.comes(20_00, end_to_end_id=collection_id)).differences == (Difference.DUPLICATE_ENTRY,)


def test_the_first_of_a_mandate_is_first_and_the_others_follow(bank: AtBank) -> None:
    wallet = payer(bank)
    ids = [ask(bank, wallet), ask(bank, wallet)]

    first = file(bank)
    assert {order.sequence for order in first.orders} == {Sequence.FIRST, Sequence.RECURRENT}
    assert len({order.mandate_id for order in first.orders}) == 1
    bank.say(*(bank.comes(20_00, end_to_end_id=each) for each in ids))
    ask(bank, wallet)
    assert [order.sequence for order in file(bank, 2).orders] == [Sequence.RECURRENT]


def test_a_sum_for_a_whole_block_fills_each_wallet(scene: Scene, bank: AtBank) -> None:
    wallets = [payer(bank), payer(bank)]
    ids = [ask(bank, wallet, minor) for wallet, minor in zip(wallets, (20_00, 30_00), strict=True)]
    file(bank)
    with scene.issuer.database.unit_of_work() as uow:
        order = bank.tables(uow).find_order(ids[0])
    assert order is not None

    assert bank.say(bank.comes(49_00, block_id=order.block_id)).differences == (Difference.AMOUNT_DIFFERS,)
    assert bank.say(bank.comes(50_00, block_id=order.block_id)).differences == ()
    assert bank.say(bank.comes(50_00, block_id=order.block_id)).differences == (Difference.DUPLICATE_ENTRY,)
    assert [scene.balance(wallet) for wallet in wallets] == [20_00, 30_00]


@pytest.mark.parametrize(("code", "ends"), [("AC04", True), ("MD01", True), ("MS03", False), ("AM04", False)])
def test_a_returned_debit_is_taken_back_and_the_rest_is_owed(scene: Scene, bank: AtBank, code: str, ends: bool) -> None:
    wallet = scene.payer("palm", 0)
    give_mandate(scene.issuer, wallet, ANN, mandate_id=new_id(), version=MANDATE_VERSION)
    collection_id = ask(bank, wallet)
    file(bank)
    bank.say(bank.comes(20_00, end_to_end_id=collection_id))
    scene.buy("palm", 15_00)

    back = bank.leaves(20_00, end_to_end_id=collection_id, return_code=code)
    assert bank.say(back).differences == ()

    assert (scene.balance(wallet), bank.owed_minor(wallet)) == (0, 15_00)
    mandate, _ = show_mandate(scene.issuer, wallet)
    assert (mandate is None) == ends
    assert states(bank, wallet) == ["returned"]
    again = bank.leaves(20_00, end_to_end_id=collection_id, return_code=code)
    assert bank.say(again).differences == (Difference.ORDER_ENDED,)


def test_what_does_not_fit_a_collection_is_named(bank: AtBank) -> None:
    wallet = payer(bank)
    collection_id = ask(bank, wallet)
    file(bank)

    assert bank.say(bank.comes(19_99, end_to_end_id=collection_id)).differences == (Difference.AMOUNT_DIFFERS,)
    early = bank.leaves(20_00, end_to_end_id=collection_id, return_code="MS03")
    assert bank.say(early).differences == (Difference.REVERSAL_UNMATCHED,)
    assert states(bank, wallet) == ["ordered"]


def test_a_debit_that_the_bank_refuses_is_not_waited_for(scene: Scene, bank: AtBank) -> None:
    wallet = payer(bank)
    collection_id = ask(bank, wallet)
    batch_id = file(bank).batch.id

    with scene.issuer.database.unit_of_work() as uow:
        refusals = (Refusal(batch_id=batch_id, reason="AC01"),)
        assert book_status(bank.tables(uow), refusals, refuse=_refuse, now_ms=1) == Refused(1, 0, 0)
        uow.commit()

    assert states(bank, wallet) == ["refused"]
    assert show_mandate(scene.issuer, wallet)[0] is None
    late = bank.comes(20_00, end_to_end_id=collection_id)
    assert bank.say(late).differences == (Difference.ORDER_ENDED,)


def test_what_comes_for_a_wallet_that_was_closed_meanwhile_goes_back(scene: Scene, bank: AtBank) -> None:
    wallet = payer(bank)
    collection_id = ask(bank, wallet)
    file(bank)
    erase_person(scene.issuer, wallet)

    bank.say(bank.comes(20_00, end_to_end_id=collection_id))

    assert (bank.suspense_minor(), len(bank.waiting())) == (20_00, 1)
    back = return_suspense(scene.issuer, due_on=bank.due())
    assert isinstance(back, TransferFile) and back.orders[0].to == ANN
    bank.say(bank.leaves(20_00, end_to_end_id=back.orders[0].id))
    scene.now_ms += RETENTION_MS
    shred_identities(scene.issuer)
    scene.now_ms -= RETENTION_MS
    with pytest.raises(NotFound):
        file(bank)  # It was carried out, and nobody knows Ann any more.


def test_a_mandate_that_has_ended_collects_no_more(scene: Scene, bank: AtBank) -> None:
    wallet, closing = payer(bank), payer(bank)
    ask(bank, wallet)
    ask(bank, closing)
    end_mandate(scene.issuer, wallet)
    close_wallet(scene.issuer, closing)

    assert isinstance(collect(scene.issuer, due_on=bank.due()), NothingDue)
    with pytest.raises(NotFound):
        ask(bank, wallet)


def test_whose_account_it_was_is_kept_as_the_law_asks_and_then_nobody_reads_it(scene: Scene, bank: AtBank) -> None:
    wallet, other = payer(bank), payer(bank)
    until_ms = scene.now_ms + RETENTION_MS

    erased = erase_person(scene.issuer, wallet)

    assert erased.kept == (KeptRow("bank_account", Basis.LAW, until_ms),)
    assert [accounts(bank, each) for each in (wallet, other)] == [[ANN], [ANN]]
    scene.now_ms = until_ms
    assert shred_identities(scene.issuer) == 1
    assert [accounts(bank, each) for each in (wallet, other)] == [[], [ANN]]


def accounts(bank: AtBank, wallet: str) -> list[Holder]:
    with bank.scene.issuer.database.unit_of_work() as uow:
        return list(bank.tables(uow).find_parties(parties_of_wallet(uow, wallet)).values())


def test_a_mandate_is_given_once_for_each_id(scene: Scene, bank: AtBank) -> None:
    wallet, mandate_id = scene.wallet(), new_id()
    for _ in range(2):
        give_mandate(scene.issuer, wallet, ANN, mandate_id=mandate_id, version=MANDATE_VERSION)
    view, _ = show_mandate(scene.issuer, wallet)

    assert view is not None and view.account_hint == ANN.iban.hint
    for other in (Holder("Bob", ANN.iban), Holder("Ann", Iban("NL91ABNA0417164300"))):
        with pytest.raises(IdReused):
            give_mandate(scene.issuer, wallet, other, mandate_id=mandate_id, version=MANDATE_VERSION)
    with pytest.raises(BodyInvalid):
        give_mandate(scene.issuer, wallet, ANN, mandate_id=new_id(), version="another text")


def test_too_much_and_too_many_are_refused(scene: Scene, bank: AtBank) -> None:
    wallet = payer(bank)
    with pytest.raises(BodyInvalid):
        ask(bank, wallet, COLLECTION_MINOR_MAX + 1)
    with pytest.raises(BodyInvalid):
        ask(bank, wallet, 0)
    ask(bank, wallet, COLLECTION_MINOR_MAX)
    first = ask(bank, wallet)
    with pytest.raises(IdReused):
        ask_collection(scene.issuer, wallet, collection_id=first, amount=Money(1, "EUR"))
    for _ in range(OPEN_COLLECTIONS_MAX - 2):
        ask(bank, wallet)
    with pytest.raises(BodyInvalid):
        ask(bank, wallet)


def test_who_has_no_creditor_identifier_takes_no_mandate(scene: Scene, bank: AtBank) -> None:
    scene.issuer = replace(scene.issuer, bank=OwnAccount(OWN.holder))

    with pytest.raises(ConfigError):
        payer(bank)
    with pytest.raises(ConfigError):
        collect(scene.issuer, due_on=bank.due())


def test_the_bank_has_its_day_of_notice(bank: AtBank) -> None:
    ask(bank, payer(bank))

    with pytest.raises(BodyInvalid):
        file(bank, 0)
