"""
Promise that a statement which was left out unnoticed, as it adds up to nothing, is booked whenever it comes.

The simulation has found it: a pay-out that was made and sent back on one day, in a statement that nobody booked.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from handsel.bank.booking import Difference
from handsel.bank.statement import Movement
from handsel.errors import InvariantBroken, StatementInvalid
from handsel.flows.banking.accounts import at_bank, book, own_funds
from handsel.flows.issuing.bank_reference import bank_reference
from handsel.ids import new_id
from handsel.pay.money import Money
from tests.bank.camt import camt, document, statement
from tests.flows.issuing.at_bank import AtBank
from tests.flows.issuing.scene import Scene

BEFORE, AFTER = "2001-09-08", "2001-09-10"


@pytest.fixture
def bank(scene: Scene) -> AtBank:
    """
    An account with 10.00 in it, of a day on which more is stated than is booked.
    """
    bank = AtBank(scene)
    bank.say(bank.comes(10_00))
    return bank


def nothing_left(bank: AtBank, wallet: str) -> tuple[Movement, Movement]:
    """
    Return movements that add up to nothing.
    """
    return bank.comes(3_00, bank_reference(bank.scene.issuer, wallet)), bank.leaves(3_00)


def test_one_that_adds_up_to_nothing_is_booked_after_the_next(scene: Scene, bank: AtBank) -> None:
    wallet = scene.wallet()
    left_out = camt(nothing_left(bank, wallet), name="left out", opening=10_00)
    bank.say(bank.comes(5_00))

    (booked,) = bank.book(left_out)

    assert booked.differences == (Difference.MISSING_IN_LEDGER,)
    assert not booked.is_repeated and bank.book(left_out)[0].is_repeated
    assert (scene.balance(wallet), bank.minor(at_bank("EUR"))) == (3_00, 15_00)
    found = bank.reconcile()
    assert (found.bank_minor, found.ledger_minor) == (15_00, 15_00)
    assert [line.bank_name for line in found.statements][-1] == "left out"
    bank.say(bank.comes(1_00))  # Follows on the last, not on the one that was late.


def test_several_that_add_up_to_nothing_together_are_booked_together(scene: Scene, bank: AtBank) -> None:
    wallet = scene.wallet()
    comes, leaves = nothing_left(bank, wallet)
    one = statement([comes], name="one", opening=10_00)
    other = statement([leaves], name="other", opening=13_00)
    following = statement([bank.comes(1_00)], name="next", opening=15_00)
    bank.say(bank.comes(5_00))
    before = bank.reconcile()

    for files in ([one], [other], [other, one], [one, following]):
        with pytest.raises(StatementInvalid):
            bank.book(document(*files))
        assert bank.reconcile() == before
    with pytest.raises(StatementInvalid, match="book them all at once"):
        bank.book(document(one))

    assert [each.is_repeated for each in bank.book(document(one, other, following))] == [False] * 3
    assert scene.balance(wallet) == 3_00
    assert bank.reconcile().bank_minor == bank.reconcile().ledger_minor == 16_00


def test_several_of_which_one_begins_where_the_last_has_ended_are_booked_in_their_order(
    scene: Scene, bank: AtBank
) -> None:
    comes, leaves = nothing_left(bank, scene.wallet())
    one, other = statement([comes], name="one", opening=10_00), statement([leaves], name="other", opening=13_00)
    bank.say(bank.comes(3_00))

    assert [each.is_repeated for each in bank.book(document(one, other))] == [False, False]
    assert bank.reconcile().bank_minor == bank.reconcile().ledger_minor == 13_00


@pytest.mark.parametrize("has_names", [True, False])
def test_one_that_was_booked_under_another_name_is_not_booked_late(scene: Scene, bank: AtBank, has_names: bool) -> None:
    """
    Of the next statement the balances say that all of it did move again; whatever adds up to nothing says nothing.
    """
    movements = nothing_left(bank, scene.wallet())
    if not has_names:
        movements = (replace(movements[0], bank_reference=""), replace(movements[1], bank_reference=""))
    bank.say(*movements)
    bank.say(bank.comes(5_00))
    before = bank.reconcile()

    with pytest.raises(StatementInvalid, match="movements that were booked"):
        bank.book(camt(movements, name="again", opening=10_00))
    assert bank.reconcile() == before


def test_one_of_a_day_on_which_the_account_did_not_stand_there_is_refused(scene: Scene, bank: AtBank) -> None:
    between, day, later = "2001-09-20", "2001-10-01", "2001-11-01"
    bank.say(bank.comes(5_00, booked_on=between))
    bank.say(bank.comes(7_00, booked_on=later))
    movements = bank.comes(3_00, booked_on=day), bank.leaves(3_00, booked_on=day)

    with pytest.raises(StatementInvalid, match="book those between first"):
        bank.book(camt(movements, name="of another month", opening=10_00))
    assert len(bank.book(camt(movements, name="of that month", opening=15_00))) == 1


def test_one_in_which_the_bank_names_two_movements_alike_is_booked_late(scene: Scene, bank: AtBank) -> None:
    comes, leaves = nothing_left(bank, scene.wallet())
    left_out = camt([comes, replace(leaves, bank_reference=comes.bank_reference)], name="left out", opening=10_00)
    bank.say(bank.comes(5_00))

    assert bank.book(left_out)[0].differences == (Difference.ENTRY_CHANGED,)


def test_where_the_account_stood_is_told_by_the_days_and_not_by_when_it_was_booked(scene: Scene, bank: AtBank) -> None:
    """
    A day between two that were booked late, where today's balance is that with which the first of them begins.
    """
    third, fourth, fifth, last = (f"2001-10-0{day}" for day in (3, 4, 5, 9))
    bank.say(bank.comes(2_00, booked_on=last))
    bank.say(bank.leaves(2_00, booked_on=last))
    down = statement([bank.leaves(2_00, booked_on=third)], name="third", opening=10_00)
    up = statement([bank.comes(2_00, booked_on=fifth)], name="fifth", opening=8_00)
    bank.book(document(down, up))
    movements = bank.comes(3_00, booked_on=fourth), bank.leaves(3_00, booked_on=fourth)
    elsewhere = bank.comes(3_00, booked_on=last), bank.leaves(3_00, booked_on=last)

    assert not bank.book(camt(movements, name="fourth", opening=8_00))[0].is_repeated
    with pytest.raises(StatementInvalid, match="book those between first"):
        bank.book(camt(elsewhere, name="another ninth", opening=7_00))
    assert bank.reconcile().bank_minor == bank.reconcile().ledger_minor == 10_00


def test_a_ledger_that_somebody_has_changed_is_not_taken_for_something_left_out(scene: Scene, bank: AtBank) -> None:
    with scene.issuer.database.unit_of_work() as uow:
        books = bank.tables(uow)
        money = Money(7, "EUR")
        book(books, "opening", new_id(), money, debit=at_bank("EUR"), credit=own_funds("EUR"), now_ms=scene.now_ms)
        uow.commit()

    with pytest.raises(InvariantBroken):
        bank.book(camt([bank.comes(1_00)], name="next", opening=10_00))


@pytest.mark.parametrize("day", [BEFORE, AFTER])
def test_one_of_another_time_is_none_that_was_left_out(scene: Scene, bank: AtBank, day: str) -> None:
    comes, leaves = (bank.comes(3_00, booked_on=day), bank.leaves(3_00, booked_on=day))
    bank.say(bank.comes(5_00))

    with pytest.raises(StatementInvalid, match="book those between first"):
        bank.book(camt([comes, leaves], name="of another time", opening=10_00))
