"""
Promise that what comes by bank transfer is in the right wallet once, and that nothing which comes or leaves is lost.
"""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest

from handsel.bank.booking import Difference
from handsel.bank.read_statement import read_statements
from handsel.errors import BodyInvalid, ConfigError, HandselError, IdReused, NotFound, StatementInvalid
from handsel.flows.banking.accounts import costs, own_funds, unexplained
from handsel.flows.banking.resolve_unexplained import write_off
from handsel.flows.issuing.bank_reference import REFERENCES_MAX, bank_reference, renew_bank_reference
from handsel.flows.issuing.book_statement import book_statements
from handsel.flows.issuing.close_wallet import close_wallet
from tests.bank.camt import OURS, THEIRS, camt, document, statement
from tests.flows.issuing.at_bank import AtBank
from tests.flows.issuing.scene import Scene


@pytest.fixture
def bank(scene: Scene) -> AtBank:
    return AtBank(scene)


def test_a_transfer_with_a_wallets_reference_fills_it_once(scene: Scene, bank: AtBank) -> None:
    wallet, other = scene.wallet(), scene.wallet()
    reference = bank_reference(scene.issuer, wallet)

    assert bank.say(bank.comes(20_00, reference)).differences == ()
    assert bank.book(bank.last)[0].is_repeated

    assert (scene.balance(wallet), scene.balance(other)) == (20_00, 0)
    assert bank.reconcile().is_explained


def test_a_reference_stays_and_a_new_one_may_be_had(scene: Scene, bank: AtBank) -> None:
    wallet = scene.wallet()
    first = bank_reference(scene.issuer, wallet)

    assert bank_reference(scene.issuer, wallet) == first
    second = renew_bank_reference(scene.issuer, wallet)
    assert bank_reference(scene.issuer, wallet) == second != first
    bank.say(bank.comes(1_00, first), bank.comes(2_00, second))
    assert scene.balance(wallet) == 3_00


def test_references_of_one_wallet_come_to_an_end(scene: Scene, bank: AtBank) -> None:
    wallet = scene.wallet()
    for _ in range(REFERENCES_MAX):
        renew_bank_reference(scene.issuer, wallet)

    with pytest.raises(BodyInvalid):
        renew_bank_reference(scene.issuer, wallet)


def test_money_that_is_nobodys_is_named_and_kept(scene: Scene, bank: AtBank) -> None:
    closed = scene.wallet()
    reference = bank_reference(scene.issuer, closed)
    close_wallet(scene.issuer, closed)
    unknown = renew_bank_reference(scene.issuer, scene.wallet())
    unknown = unknown[:-1] + ("2" if unknown[-1] != "2" else "3")

    booked = bank.say(bank.comes(1_00), bank.comes(2_00, unknown), bank.comes(4_00, reference))

    assert booked.differences == (Difference.NO_REFERENCE, Difference.UNKNOWN_REFERENCE, Difference.WALLET_CLOSED)
    assert bank.suspense_minor() == 7_00
    assert not bank.reconcile().is_explained


def test_a_closed_wallet_has_no_reference(scene: Scene, bank: AtBank) -> None:
    wallet = scene.wallet()
    close_wallet(scene.issuer, wallet)

    for give in (bank_reference, renew_bank_reference):
        with pytest.raises(NotFound):
            give(scene.issuer, wallet)


def test_what_was_at_the_bank_before_is_the_issuers_own(bank: AtBank) -> None:
    bank.balance_minor = 500_00

    assert bank.say().differences == ()
    assert bank.minor(own_funds("EUR")) == 500_00


def test_money_that_leaves_unordered_is_named_until_somebody_bears_it(scene: Scene, bank: AtBank) -> None:
    assert bank.say(bank.comes(5_00), bank.leaves(1_50)).differences[1] is Difference.MISSING_IN_LEDGER
    line = next(line for line in bank.reconcile().statements[0].differences if line.amount_minor < 0)
    assert bank.minor(unexplained("EUR")) == 1_50

    with scene.issuer.database.unit_of_work() as uow:
        assert write_off(bank.tables(uow), line.id, currency="EUR", now_ms=scene.now_ms).amount_minor == 1_50
        uow.commit()

    assert (bank.minor(unexplained("EUR")), bank.minor(costs("EUR"))) == (0, 1_50)
    assert [each.name for each in bank.reconcile().statements[0].differences] == [Difference.NO_REFERENCE]
    with scene.issuer.database.unit_of_work() as uow, pytest.raises(NotFound):
        write_off(bank.tables(uow), line.id, currency="EUR", now_ms=scene.now_ms)


def test_the_same_movement_again_is_a_difference(scene: Scene, bank: AtBank) -> None:
    wallet = scene.wallet()
    movement = bank.comes(20_00, bank_reference(scene.issuer, wallet))
    bank.say(movement)

    assert bank.say(movement).differences == (Difference.DUPLICATE_ENTRY,)
    larger = replace(movement, money=bank.comes(30_00).money)
    assert bank.say(larger).differences == (Difference.ENTRY_CHANGED,)
    assert (scene.balance(wallet), bank.suspense_minor()) == (20_00, 50_00)


def test_movements_that_the_bank_does_not_name_are_told_apart(scene: Scene, bank: AtBank) -> None:
    wallet = scene.wallet()
    movement = replace(bank.comes(1_00, bank_reference(scene.issuer, wallet)), bank_reference="")

    assert bank.say(movement, movement).differences == ()
    assert bank.say(movement).differences == ()
    assert scene.balance(wallet) == 3_00


def test_a_reversed_top_up_is_taken_back_and_no_wallet_goes_below_zero(scene: Scene, bank: AtBank) -> None:
    wallet = scene.payer("palm", 0)
    reference = bank_reference(scene.issuer, wallet)
    bank.say(bank.comes(20_00, reference))
    scene.buy("palm", 15_00)

    assert bank.say(bank.leaves(20_00, reference=reference, is_reversal=True)).differences == ()

    assert (scene.balance(wallet), bank.owed_minor(wallet)) == (0, 15_00)
    bank.say(bank.comes(10_00, reference))
    assert (scene.balance(wallet), bank.owed_minor(wallet)) == (0, 5_00)
    bank.say(bank.comes(10_00, reference))
    assert (scene.balance(wallet), bank.owed_minor(wallet)) == (5_00, 0)


def test_a_reversal_is_taken_from_what_is_nobodys(bank: AtBank) -> None:
    bank.say(bank.comes(3_00, end_to_end_id="theirs"))

    nameless = bank.leaves(3_00, is_reversal=True)
    assert bank.say(nameless).differences == (Difference.REVERSAL_UNMATCHED,)
    assert bank.say(bank.leaves(3_00, end_to_end_id="theirs", is_reversal=True)).differences == ()
    assert bank.suspense_minor() == 0
    assert bank.waiting() == ()


def test_a_reversal_of_nothing_is_named(scene: Scene, bank: AtBank) -> None:
    reference = bank_reference(scene.issuer, scene.wallet())
    bank.say(bank.comes(20_00, reference))
    back = bank.leaves(20_00, reference=reference, is_reversal=True)
    bank.say(back)

    for again in (bank.leaves(20_00, reference=reference, is_reversal=True), bank.comes(1_00, is_reversal=True)):
        assert bank.say(again).differences == (Difference.REVERSAL_UNMATCHED,)


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (camt([], iban=THEIRS), StatementInvalid),
        (camt([], opening=1_00), StatementInvalid),
        (camt([]).replace(b"EUR", b"USD"), StatementInvalid),
        (camt([], name="S-2", opening=2_00).replace(b"2026", b"2001"), IdReused),
        (document(statement([], name="new", opening=2_00), statement([], name="newer")), StatementInvalid),
    ],
    ids=["another account", "a gap", "another currency", "an id used before", "a second that does not follow"],
)
def test_a_statement_that_does_not_fit_changes_nothing(
    scene: Scene, bank: AtBank, raw: bytes, error: type[HandselError]
) -> None:
    bank.say(bank.comes(2_00))  # Its statement is S-2, of 2001.
    before = bank.reconcile()

    with pytest.raises(error) as refused:
        bank.book(raw)

    assert bank.reconcile() == before
    assert OURS not in str(refused.value) and THEIRS not in str(refused.value)


def test_a_bank_may_count_anew_with_the_year(bank: AtBank) -> None:
    bank.say(bank.comes(2_00))  # Its statement is S-2, of 2001.

    assert not bank.book(camt([], name="S-2", opening=2_00))[0].is_repeated


def test_the_first_statement_does_not_begin_below_zero(bank: AtBank) -> None:
    with pytest.raises(StatementInvalid):
        bank.book(camt([], opening=-1))


def test_without_an_account_nothing_is_booked(scene: Scene) -> None:
    with pytest.raises(ConfigError):
        book_statements(scene.issuer, read_statements(camt([])))


@pytest.mark.sqlite
def test_no_table_holds_a_name_or_an_account_in_the_clear(scene: Scene, bank: AtBank) -> None:
    wallet = scene.wallet()
    bank.say(bank.comes(1_00, bank_reference(scene.issuer, wallet)), bank.comes(2_00))

    with sqlite3.connect(scene.directory / "issuer.sqlite") as file:
        tables = [name for (name,) in file.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        holding = [
            name
            for name in tables
            if any(THEIRS in str(row) or "Ann" in str(row) for row in file.execute(f'SELECT * FROM "{name}"'))  # noqa: S608
        ]
    file.close()
    assert holding == []
    scene.issuer.database.truncate_log()
    kept = b"".join(path.read_bytes() for path in scene.directory.rglob("*") if path.is_file())
    assert (THEIRS.encode() in kept, b"top_up" in kept) == (False, True)
