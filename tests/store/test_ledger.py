"""
Promise that the ledger neither makes nor loses money, whatever is asked of it, and answers an id once and for ever.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from handsel.errors import IdReused, InvariantBroken
from handsel.ids import new_id
from handsel.pay.account import Account, Floor, wallet_account
from handsel.pay.ledger import Capture, PendingState, Refusal, Refused, Release, Transfer
from handsel.pay.money import Money
from handsel.store import ledger
from handsel.store.database import Database, UnitOfWork
from handsel.store.ledger import Done, Outcome
from tests.store.small_ledger import (
    EXPIRES_AT_MS,
    FUNDS,
    NOTES,
    WALLET,
    capture,
    expire,
    move,
    open_ledger,
    post,
    release,
    reserve,
    standing,
)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Database]:
    """
    A ledger with a source, an empty wallet and an empty middle account.
    """
    database = open_ledger(tmp_path)
    yield database
    database.close()


def test_what_one_account_gives_the_other_gets(opened: Database) -> None:
    assert post(opened, move(100)) == Done()

    assert standing(opened, FUNDS) == (-100, -100)
    assert standing(opened, WALLET) == (100, 100)


def test_an_id_is_answered_once_and_for_ever(opened: Database) -> None:
    transfer = move(100)

    assert post(opened, transfer) == post(opened, transfer) == Done()

    assert standing(opened, WALLET) == (100, 100)


def test_a_refusal_is_for_ever_too(opened: Database) -> None:
    early = move(100, debit=WALLET, credit=NOTES)
    assert post(opened, early) == Refused(Refusal.INSUFFICIENT_FUNDS)
    post(opened, move(100))

    assert post(opened, early) == Refused(Refusal.INSUFFICIENT_FUNDS)
    assert standing(opened, WALLET) == (100, 100)


@pytest.mark.parametrize(
    "other",
    [
        Transfer("0" * 32, FUNDS.id, WALLET.id, Money(101, "EUR"), "payment"),
        Transfer("0" * 32, FUNDS.id, NOTES.id, Money(100, "EUR"), "payment"),
        Transfer("0" * 32, WALLET.id, FUNDS.id, Money(100, "EUR"), "payment"),
        Transfer("0" * 32, FUNDS.id, WALLET.id, Money(100, "CHF"), "payment"),
        Transfer("0" * 32, FUNDS.id, WALLET.id, Money(100, "EUR"), "top_up"),
    ],
    ids=["amount", "credit", "both accounts", "currency", "code"],
)
def test_an_id_with_other_contents_is_an_error(opened: Database, other: Transfer) -> None:
    post(opened, move(100, transfer_id="0" * 32))

    with pytest.raises(IdReused):
        post(opened, other)
    assert standing(opened, WALLET) == (100, 100)


def test_an_id_of_a_transfer_is_not_good_for_a_reservation(opened: Database) -> None:
    transfer = move(100)
    post(opened, transfer)

    with pytest.raises(IdReused):
        reserve(opened, transfer)


def test_what_is_reserved_cannot_be_spent_but_is_still_there(opened: Database) -> None:
    post(opened, move(100))

    assert reserve(opened, move(70, debit=WALLET, credit=NOTES)) == Done()

    assert standing(opened, WALLET) == (100, 30)
    assert post(opened, move(31, debit=WALLET, credit=NOTES)) == Refused(Refusal.INSUFFICIENT_FUNDS)
    assert post(opened, move(30, debit=WALLET, credit=NOTES)) == Done()


def test_a_part_is_captured_and_the_rest_is_free_again(opened: Database) -> None:
    post(opened, move(100))
    reservation = move(70, debit=WALLET, credit=NOTES)
    reserve(opened, reservation)
    wanted = Capture(new_id(), reservation.id, Money(40, "EUR"))

    assert capture(opened, wanted) == capture(opened, wanted) == Done()

    assert standing(opened, WALLET) == (60, 60)
    assert standing(opened, NOTES) == (40, 40)
    again = Capture(new_id(), reservation.id, Money(30, "EUR"))
    assert capture(opened, again) == Refused(Refusal.PENDING_ALREADY_CAPTURED)


def test_a_released_reservation_is_free_and_stays_released(opened: Database) -> None:
    post(opened, move(100))
    reservation = move(70, debit=WALLET, credit=NOTES)
    reserve(opened, reservation)
    wanted = Release(new_id(), reservation.id)

    assert release(opened, wanted) == release(opened, wanted) == Done()

    assert standing(opened, WALLET) == (100, 100)
    late = Capture(new_id(), reservation.id, Money(70, "EUR"))
    assert capture(opened, late) == Refused(Refusal.PENDING_ALREADY_RELEASED)


def test_a_reservation_expires_when_its_time_is_over_and_once(opened: Database) -> None:
    post(opened, move(100))
    reservation = move(70, debit=WALLET, credit=NOTES)
    reserve(opened, reservation)

    assert expire(opened, EXPIRES_AT_MS - 1) == ()
    assert expire(opened, EXPIRES_AT_MS) == (reservation.id,)
    assert expire(opened, EXPIRES_AT_MS) == ()

    assert standing(opened, WALLET) == (100, 100)
    late = Capture(new_id(), reservation.id, Money(70, "EUR"))
    assert capture(opened, late) == Refused(Refusal.PENDING_ALREADY_EXPIRED)


def test_a_reservation_whose_time_is_over_is_not_captured_even_before_it_was_swept(opened: Database) -> None:
    post(opened, move(100))
    reservation = move(70, debit=WALLET, credit=NOTES)
    reserve(opened, reservation)

    late = Capture(new_id(), reservation.id, Money(70, "EUR"))
    assert capture(opened, late, now_ms=EXPIRES_AT_MS) == Refused(Refusal.PENDING_ALREADY_EXPIRED)

    assert expire(opened, EXPIRES_AT_MS) == (reservation.id,)
    assert standing(opened, WALLET) == (100, 100)


def test_a_reservation_that_never_was_is_unknown(opened: Database) -> None:
    assert capture(opened, Capture(new_id(), new_id(), Money(1, "EUR"))) == Refused(Refusal.PENDING_UNKNOWN)
    assert release(opened, Release(new_id(), new_id())) == Refused(Refusal.PENDING_UNKNOWN)


def test_an_unknown_account_gives_and_gets_nothing(opened: Database) -> None:
    stranger = wallet_account("nobody", currency="EUR")

    assert post(opened, move(1, credit=stranger)) == Refused(Refusal.ACCOUNT_UNKNOWN)
    assert post(opened, move(1, debit=stranger)) == Refused(Refusal.ACCOUNT_UNKNOWN)


def test_an_account_is_opened_once_and_stays_what_it_is(opened: Database) -> None:
    post(opened, move(100))
    with opened.unit_of_work() as uow:
        ledger.open_account(uow, WALLET, now_ms=9)
        uow.commit()

    assert standing(opened, WALLET) == (100, 100)
    with pytest.raises(IdReused), opened.unit_of_work() as uow:
        ledger.open_account(uow, Account(WALLET.id, "EUR", Floor.NONE), now_ms=9)


def test_only_an_empty_account_is_closed_and_then_nothing_is_booked_on_it(opened: Database) -> None:
    def close(uow: UnitOfWork, account: Account) -> Outcome:
        outcome = ledger.close_account(uow, account.id, now_ms=0)
        uow.commit()
        return outcome

    post(opened, move(100))
    with opened.unit_of_work() as uow:
        assert close(uow, WALLET) == Refused(Refusal.ACCOUNT_NOT_EMPTY)
    post(opened, move(100, debit=WALLET, credit=NOTES))
    with opened.unit_of_work() as uow:
        assert close(uow, WALLET) == Done()
    with opened.unit_of_work() as uow:
        assert close(uow, wallet_account("nobody", currency="EUR")) == Refused(Refusal.ACCOUNT_UNKNOWN)

    assert post(opened, move(1)) == Refused(Refusal.ACCOUNT_CLOSED)


def test_entries_are_read_newest_first_page_by_page(opened: Database) -> None:
    for minor in (1, 2, 3):
        post(opened, move(minor))

    with opened.unit_of_work() as uow:
        first = ledger.entries_of(uow, WALLET.id, limit=2)
        rest = ledger.entries_of(uow, WALLET.id, before_number=first[-1].number, limit=2)

    assert [entry.amount_minor for entry in first + rest] == [3, 2, 1]
    assert [entry.balance_after_minor for entry in first + rest] == [6, 3, 1]


def test_the_numbers_of_an_accounts_entries_tell_nothing_of_other_accounts(opened: Database) -> None:
    """
    They count from 1, however much else is booked in between.
    """
    other = wallet_account("other", currency="EUR")
    with opened.unit_of_work() as uow:
        ledger.open_account(uow, other, now_ms=1)
        uow.commit()
    for minor in (1, 2, 3):
        post(opened, move(minor, credit=other))
        post(opened, move(minor))

    with opened.unit_of_work() as uow:
        entries = ledger.entries_of(uow, WALLET.id)

    assert [entry.number for entry in entries] == [3, 2, 1]


def test_an_entry_is_never_changed_or_deleted(opened: Database) -> None:
    post(opened, move(100))

    for statement in ("UPDATE entries SET amount_minor = 1", "DELETE FROM entries"):
        with pytest.raises(InvariantBroken), opened.unit_of_work() as uow:
            uow.execute(statement)


def test_entries_that_do_not_sum_to_zero_are_not_committed(opened: Database) -> None:
    """
    The checks are made against a database in which somebody else writes badly.
    """
    with pytest.raises(InvariantBroken, match="sum to zero"), opened.unit_of_work() as uow:
        ledger.post(uow, move(100), now_ms=0)
        uow.execute("UPDATE accounts SET credits_posted = credits_posted + 1 WHERE id = ?", WALLET.id)
        uow.execute(
            "INSERT INTO entries (transfer_id, account_id, amount_minor, currency, code, balance_after_minor, at_ms)"
            " SELECT transfer_id, account_id, 1, currency, code, 101, 0 FROM entries WHERE account_id = ?",
            WALLET.id,
        )
        uow.commit()

    assert standing(opened, WALLET) == (0, 0)


def test_a_balance_that_does_not_follow_from_the_entries_is_not_committed(opened: Database) -> None:
    with pytest.raises(InvariantBroken, match="follow from the entries"), opened.unit_of_work() as uow:
        ledger.post(uow, move(100), now_ms=0)
        uow.execute("UPDATE accounts SET credits_posted = credits_posted + 1 WHERE id = ?", WALLET.id)
        uow.commit()


def test_no_write_takes_a_floored_account_below_zero(opened: Database) -> None:
    with pytest.raises(InvariantBroken), opened.unit_of_work() as uow:
        uow.execute("UPDATE accounts SET debits_posted = 1 WHERE id = ?", WALLET.id)


def test_the_audit_finds_a_balance_that_was_tampered_with(opened: Database) -> None:
    post(opened, move(100))
    with opened.unit_of_work() as uow:
        uow.execute("UPDATE accounts SET credits_posted = 101 WHERE id = ?", WALLET.id)
        uow.commit()

    with pytest.raises(InvariantBroken), opened.unit_of_work() as uow:
        ledger.audit(uow)


def test_two_threads_that_spend_the_same_money_spend_it_once(opened: Database) -> None:
    post(opened, move(100))
    start = threading.Barrier(2)
    outcomes: list[Outcome] = []

    def spend() -> None:
        start.wait(timeout=10)
        outcomes.extend(post(opened, move(10, debit=WALLET, credit=NOTES)) for _ in range(10))

    threads = [threading.Thread(target=spend) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert outcomes.count(Done()) == 10
    assert outcomes.count(Refused(Refusal.INSUFFICIENT_FUNDS)) == 10
    assert standing(opened, WALLET) == (0, 0)
    assert standing(opened, NOTES) == (100, 100)


def test_two_threads_with_the_same_id_move_the_money_once(opened: Database) -> None:
    start = threading.Barrier(2)
    transfers = [move(1) for _ in range(20)]
    outcomes: list[Outcome] = []

    def repeat() -> None:
        start.wait(timeout=10)
        outcomes.extend(post(opened, transfer) for transfer in transfers)

    threads = [threading.Thread(target=repeat) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert outcomes == [Done()] * 40
    assert standing(opened, WALLET) == (20, 20)


def test_a_reservation_says_where_it_stands(opened: Database) -> None:
    post(opened, move(100))
    reservation = move(70, debit=WALLET, credit=NOTES)
    reserve(opened, reservation)

    with opened.unit_of_work() as uow:
        pending = ledger.pending_of(uow, reservation.id)

    assert pending is not None
    assert (pending.transfer, pending.state, pending.expires_at_ms) == (reservation, PendingState.HELD, EXPIRES_AT_MS)
