"""
Promise that the ledger neither makes nor loses money, whatever is asked of it, and answers an id once and for ever.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from handsel.errors import IdReused, InvariantBroken
from handsel.ids import new_id
from handsel.pay.account import Account, Floor, Side, wallet_account
from handsel.pay.ledger import (
    Capture,
    Done,
    Linked,
    Outcome,
    PendingState,
    Refusal,
    Refused,
    Release,
    Reservation,
    Transfer,
)
from handsel.pay.money import Money
from handsel.store import ledger
from handsel.store.database import Database, UnitOfWork
from handsel.store.ledger_batch import carry_out
from handsel.store.ledger_check import ledger_check
from handsel.store.ledger_known import load_accounts
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
def opened(tmp_path: Path, engine: str) -> Iterator[Database]:
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


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE transfers SET amount_minor = 1",
        "DELETE FROM transfers",
        "UPDATE refused SET refusal = 'account_closed'",
        "DELETE FROM refused",
    ],
)
def test_what_was_decided_is_never_changed_or_deleted(opened: Database, statement: str) -> None:
    post(opened, move(100))
    post(opened, move(101, debit=WALLET, credit=NOTES))

    with pytest.raises(InvariantBroken), opened.unit_of_work() as uow:
        uow.execute(statement)


@pytest.mark.parametrize("column", ["credits_posted", "debits_posted"])
@pytest.mark.parametrize("account", [FUNDS, WALLET], ids=["debited", "credited"])
def test_a_balance_that_does_not_follow_from_the_entries_is_not_committed(
    opened: Database, account: Account, column: str
) -> None:
    """
    The checks are made against a database in which somebody else writes badly.
    """
    with pytest.raises(InvariantBroken, match="follow from the entries"), opened.unit_of_work() as uow:
        ledger.post(uow, move(100), now_ms=0)
        uow.execute(f"UPDATE accounts SET {column} = {column} + 1 WHERE id = ?", account.id)  # noqa: S608
        uow.commit()

    assert standing(opened, WALLET) == (0, 0)


def test_an_entry_between_two_currencies_is_not_committed(opened: Database) -> None:
    swiss = wallet_account("swiss", currency="CHF")
    with pytest.raises(InvariantBroken, match="sum to zero"), opened.unit_of_work() as uow:
        ledger.open_account(uow, swiss, now_ms=0)
        ledger_check(uow).expect(load_accounts(uow, [FUNDS.id, swiss.id]))
        uow.execute(
            "INSERT INTO transfers (sequence, id, kind, debit, credit, amount_minor, code, at_ms,"
            " debit_balance_minor, credit_balance_minor)"
            " SELECT 1, ?, 'post', d.number, c.number, 1, 'payment', 0, -1, 1"
            " FROM accounts d, accounts c WHERE d.id = ? AND c.id = ?",
            *(bytes(16), FUNDS.id, swiss.id),
        )
        uow.execute("UPDATE accounts SET debits_posted = 1 WHERE id = ?", FUNDS.id)
        uow.execute("UPDATE accounts SET credits_posted = 1 WHERE id = ?", swiss.id)
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


def test_the_balance_at_any_past_moment_is_what_was_booked_by_then(opened: Database) -> None:
    """
    Far more entries than there are between two milestones; a moment with several entries is wholly past or not at all.
    """
    with opened.unit_of_work() as uow:
        for place in range(200):
            ledger.post(uow, move(1), now_ms=1000 + place // 2)
        uow.commit()

    with opened.unit_of_work() as uow:
        found = [ledger.balance_at(uow, WALLET.id, moment_ms) for moment_ms in (0, 999, 1000, 1050, 1099, 9999)]
        source = ledger.balance_at(uow, FUNDS.id, 1050)
        assert ledger.balance_at(uow, NOTES.id, 9999) == 0
        assert ledger.balance_at(uow, "wallet:nobody", 9999) is None

    assert found == [0, 0, 2, 102, 200, 200]
    assert source == -102


def test_a_clock_that_was_set_back_does_not_set_the_ledger_back(opened: Database) -> None:
    with opened.unit_of_work() as uow:
        ledger.post(uow, move(1), now_ms=1000)
        ledger.post(uow, move(1), now_ms=10)
        uow.commit()

    with opened.unit_of_work() as uow:
        assert [entry.at_ms for entry in ledger.entries_of(uow, WALLET.id)] == [1000, 1000]


def test_when_it_happened_stands_beside_when_it_was_booked(opened: Database) -> None:
    with opened.unit_of_work() as uow:
        ledger.post(uow, replace(move(1), happened_at_ms=5), now_ms=1000)
        ledger.post(uow, move(1), now_ms=1001)
        uow.commit()

    with opened.unit_of_work() as uow:
        entries = ledger.entries_of(uow, WALLET.id)

    assert [(entry.at_ms, entry.happened_at_ms) for entry in entries] == [(1001, None), (1000, 5)]


def test_pages_of_many_entries_join_without_a_gap(opened: Database) -> None:
    with opened.unit_of_work() as uow:
        for _ in range(150):
            ledger.post(uow, move(1), now_ms=0)
        uow.commit()

    numbers: list[int] = []
    with opened.unit_of_work() as uow:
        while page := ledger.entries_of(uow, WALLET.id, before_number=numbers[-1] if numbers else None, limit=7):
            numbers += [entry.number for entry in page]

    assert numbers == list(range(150, 0, -1))


def test_a_link_is_answered_for_ever_and_is_part_of_what_its_ids_stand_for(opened: Database) -> None:
    steps = (move(1), move(2, debit=WALLET, credit=NOTES))
    refused = [(Refused(Refusal.LINKED_TRANSFER_REFUSED), Refused(Refusal.INSUFFICIENT_FUNDS))]
    for _ in range(2):
        with opened.unit_of_work() as uow:
            assert carry_out(uow, (Linked(steps),), now_ms=0) == refused
            uow.commit()

    with opened.unit_of_work() as uow:
        assert carry_out(uow, (steps[0],), now_ms=0) == [(Refused(Refusal.ID_REUSED),)]
        uow.commit()
    assert standing(opened, WALLET) == (0, 0)


def test_reservations_live_and_end_within_links_too(opened: Database) -> None:
    post(opened, move(100))
    reserved = move(70, debit=WALLET, credit=NOTES)
    steps = (Reservation(reserved, EXPIRES_AT_MS), Capture(new_id(), reserved.id, Money(50, "EUR")))
    for _ in range(2):
        with opened.unit_of_work() as uow:
            assert carry_out(uow, (Linked(steps),), now_ms=0) == [(Done(), Done())]
            uow.commit()

    assert standing(opened, WALLET) == (50, 50)


def test_an_account_of_the_debit_side_grows_by_debits(opened: Database) -> None:
    bank = Account("bank", "EUR", Floor.ZERO, Side.DEBIT)
    with opened.unit_of_work() as uow:
        ledger.open_account(uow, bank, now_ms=0)
        uow.commit()

    post(opened, move(100, debit=bank, credit=WALLET))

    assert standing(opened, bank) == (100, 100)
    assert post(opened, move(101, debit=FUNDS, credit=bank)) == Refused(Refusal.INSUFFICIENT_FUNDS)
    with opened.unit_of_work() as uow:
        assert ledger.balance_at(uow, bank.id, 0) == 100
