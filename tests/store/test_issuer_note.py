"""
Promise that a serial is redeemed once, ever, and that notes and the ledger agree at every commit.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from handsel.errors import InvariantBroken
from handsel.ids import new_id
from handsel.notes.note import Note, PublicNoteKey
from handsel.pay.account import notes_in_circulation, sandbox_funds
from handsel.pay.ledger import Transfer
from handsel.pay.money import Money
from handsel.store import issuer_note as notes
from handsel.store import ledger
from handsel.store.database import Database, UnitOfWork
from handsel.store.issuer import add_wallet, open_issuer_database
from handsel.store.issuer_note import ChargeRow, PurchaseRow, RedemptionRow, RefundRow
from handsel.store.ledger_writer import LedgerWriter
from tests.notes.fresh_keys import fresh_note_keys

WALLET = "0" * 32
SIGNATURES = (b"s" * 256, b"t" * 256)


@pytest.fixture(scope="module")
def key() -> PublicNoteKey:
    """
    The key of a note of four cents.
    """
    return fresh_note_keys(denominations=(4,)).public().keys[0]


@pytest.fixture
def opened(tmp_path: Path, engine: str) -> Iterator[Database]:
    """
    An issuer's database with its accounts and one wallet.
    """
    database = open_issuer_database(tmp_path / "issuer" / "issuer.sqlite")
    with database.unit_of_work() as uow:
        add_wallet(uow, WALLET, key_digest=b"k" * 32, currency="EUR", now_ms=0)
        for account in (sandbox_funds("EUR"), notes_in_circulation("EUR")):
            ledger.open_account(uow, account, now_ms=0)
        uow.commit()
    yield database
    database.close()


def circulate(uow: UnitOfWork, minor: int) -> None:
    funds, circulation = sandbox_funds("EUR").id, notes_in_circulation("EUR").id
    ledger.post(uow, Transfer(new_id(), funds, circulation, Money(minor, "EUR"), "payment"), now_ms=0)


def note(key: PublicNoteKey) -> Note:
    return Note(key.key_id, b"s" * 32, b"x" * 256)


def reserved(charge_id: str, *, minor: int = 100) -> ChargeRow:
    return ChargeRow(charge_id, b"d" * 32, new_id(), WALLET, minor, "reserved")


def test_a_note_that_is_signed_without_money_behind_it_is_not_committed(opened: Database, key: PublicNoteKey) -> None:
    with pytest.raises(InvariantBroken, match="circulation"), opened.unit_of_work() as uow:
        circulate(uow, 3)
        notes.count_signed(uow, key)
        uow.commit()


def test_a_note_that_is_signed_with_its_money_behind_it_is(opened: Database, key: PublicNoteKey) -> None:
    with opened.unit_of_work() as uow:
        circulate(uow, 4)
        notes.count_signed(uow, key)
        uow.commit()
    with opened.unit_of_work() as uow:
        notes.ensure_circulation(uow, "EUR")


def test_more_notes_are_never_redeemed_than_were_signed(opened: Database, key: PublicNoteKey) -> None:
    with pytest.raises(InvariantBroken), opened.unit_of_work() as uow:
        notes.mark_redeemed(uow, note(key), key=key, request_id=new_id(), now_ms=0)


def test_a_serial_is_redeemed_once_ever(opened: Database, key: PublicNoteKey) -> None:
    with opened.unit_of_work() as uow:
        for _ in range(2):
            notes.count_signed(uow, key)
        assert not notes.is_redeemed(uow, b"s" * 32)
        notes.mark_redeemed(uow, note(key), key=key, request_id=new_id(), now_ms=0)
        assert notes.is_redeemed(uow, b"s" * 32)
        with pytest.raises(InvariantBroken):
            notes.mark_redeemed(uow, note(key), key=key, request_id=new_id(), now_ms=0)


def test_a_serial_is_never_forgotten(opened: Database, key: PublicNoteKey) -> None:
    with opened.unit_of_work() as uow:
        notes.count_signed(uow, key)
        notes.mark_redeemed(uow, note(key), key=key, request_id=new_id(), now_ms=0)
        with pytest.raises(InvariantBroken):
            uow.execute("DELETE FROM redeemed_notes")


def test_a_charge_is_read_as_it_was_written(opened: Database) -> None:
    charge_id = new_id()
    row = reserved(charge_id)
    with opened.unit_of_work() as uow:
        notes.add_charge(uow, row, now_ms=0)
        assert notes.find_charge(uow, charge_id) == row
        assert notes.reserved_charges(uow, WALLET) == (charge_id,)

        notes.approve_charge(uow, charge_id, SIGNATURES)

        found = notes.find_charge(uow, charge_id)
        assert found is not None
        assert (found.state, found.signatures) == ("approved", SIGNATURES)
        assert notes.reserved_charges(uow, WALLET) == ()
        with pytest.raises(InvariantBroken):
            notes.approve_charge(uow, charge_id, SIGNATURES)


def test_only_a_reserved_charge_is_voided(opened: Database) -> None:
    one, two = reserved(new_id()), reserved(new_id())
    with opened.unit_of_work() as uow:
        for row in (one, two):
            notes.add_charge(uow, row, now_ms=0)
        notes.approve_charge(uow, one.id, SIGNATURES)
        for row in (one, two):
            notes.void_reserved_charge(uow, row.reservation_id)

        states = [found.state for row in (one, two) if (found := notes.find_charge(uow, row.id))]
    assert states == ["approved", "voided"]


def test_outcomes_are_read_as_they_were_written(opened: Database) -> None:
    request_id = new_id()
    refund = RefundRow(b"d" * 32, "over_limit")
    redemption = RedemptionRow(b"d" * 32, b"outcome")
    purchase = PurchaseRow(b"d" * 32, None, SIGNATURES)
    with opened.unit_of_work() as uow:
        notes.add_refund(uow, request_id, refund, now_ms=0)
        notes.add_redemption(uow, request_id, redemption, now_ms=0)
        notes.add_purchase(uow, request_id, purchase, now_ms=0)

        assert notes.find_refund(uow, request_id) == refund
        assert notes.find_redemption(uow, request_id) == redemption
        assert notes.find_purchase(uow, request_id) == purchase
        assert notes.find_refund(uow, new_id()) is None


def test_money_among_the_notes_without_a_note_is_not_committed_however_it_comes(opened: Database) -> None:
    """
    No note is touched, and so nobody but the ledger knows that there is something to check.
    """
    with pytest.raises(InvariantBroken, match="in circulation"), opened.unit_of_work() as uow:
        circulate(uow, 4)
        uow.commit()

    writer = LedgerWriter(opened, clock=lambda: 0)
    into = Transfer(new_id(), sandbox_funds("EUR").id, notes_in_circulation("EUR").id, Money(4, "EUR"), "payment")
    with pytest.raises(InvariantBroken, match="in circulation"):
        writer.submit([into])
    writer.close()
