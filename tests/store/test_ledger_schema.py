"""
Promise that a filled ledger of an earlier version is brought forward, and answers as it did before.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from handsel.errors import IdReused
from handsel.ids import new_id
from handsel.pay.ledger import Capture, Done, PendingState, Refusal, Refused, Release, Transfer
from handsel.pay.money import Money
from handsel.store import ledger
from handsel.store.database import Database
from handsel.store.ledger_schema import LEDGER_SCHEMA
from tests.store.old_ledger import (
    CAPTURE,
    CAPTURED,
    EXPIRES_AT_MS,
    HELD,
    PAID,
    REFUSED,
    RELEASE,
    RELEASED,
    fill_old_ledger,
)
from tests.store.small_ledger import FUNDS, NOTES, WALLET, capture, move, post, release, reserve, standing


@pytest.fixture
def brought(tmp_path: Path) -> Iterator[Database]:
    """
    A ledger of the first version, opened by this one.
    """
    path = tmp_path / "party" / "ledger.sqlite"
    fill_old_ledger(path)
    database = Database.open(path, schemas=(LEDGER_SCHEMA,))
    yield database
    database.close()


def test_everybody_has_what_they_had(brought: Database) -> None:
    assert standing(brought, FUNDS) == (-500, -500)
    assert standing(brought, WALLET) == (450, 420)
    assert standing(brought, NOTES) == (50, 50)


def test_every_id_has_the_outcome_that_it_had(brought: Database) -> None:
    assert post(brought, Transfer(PAID, FUNDS.id, WALLET.id, Money(5, "EUR"), "top_up")) == Done()
    refused = Transfer(REFUSED, WALLET.id, NOTES.id, Money(9999, "EUR"), "payment")
    assert post(brought, refused) == Refused(Refusal.INSUFFICIENT_FUNDS)
    assert reserve(brought, Transfer(CAPTURED, WALLET.id, NOTES.id, Money(70, "EUR"), "payment")) == Done()
    assert capture(brought, Capture(CAPTURE, CAPTURED, Money(50, "EUR"))) == Done()
    assert release(brought, Release(RELEASE, RELEASED)) == Done()
    with pytest.raises(IdReused):
        post(brought, Transfer(PAID, FUNDS.id, WALLET.id, Money(6, "EUR"), "top_up"))

    assert standing(brought, WALLET) == (450, 420)


def test_reservations_stand_where_they_stood(brought: Database) -> None:
    with brought.unit_of_work() as uow:
        found = {each: ledger.pending_of(uow, each) for each in (CAPTURED, HELD, RELEASED)}

    states = {each: pending.state for each, pending in found.items() if pending}
    assert states == {
        CAPTURED: PendingState.CAPTURED,
        HELD: PendingState.HELD,
        RELEASED: PendingState.RELEASED,
    }
    assert capture(brought, Capture(new_id(), HELD, Money(30, "EUR")), now_ms=EXPIRES_AT_MS - 1) == Done()
    assert standing(brought, WALLET) == (420, 420)


def test_entries_and_past_balances_are_those_that_they_were(brought: Database) -> None:
    with brought.unit_of_work() as uow:
        entries = ledger.entries_of(uow, WALLET.id, limit=1000)
        past = [ledger.balance_at(uow, WALLET.id, moment_ms) for moment_ms in (99, 100, 150, 499, 500)]

    assert [entry.number for entry in entries] == list(range(101, 0, -1))
    assert [(entry.amount_minor, entry.balance_after_minor, entry.at_ms) for entry in entries[:2]] == [
        (-50, 450, 500),
        (5, 500, 199),
    ]
    assert past == [0, 5, 255, 500, 450]


def test_the_ledger_goes_on(brought: Database) -> None:
    post(brought, move(7))

    with brought.unit_of_work() as uow:
        assert [entry.number for entry in ledger.entries_of(uow, WALLET.id, limit=2)] == [102, 101]
    assert standing(brought, WALLET) == (457, 427)
