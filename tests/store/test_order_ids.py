"""
Promise that the acquirer's tables have no order id of what has ended, whatever a flow would do, and no trace of it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from handsel.errors import InvariantBroken
from handsel.ids import new_id
from handsel.pay.dispute import Dispute, DisputeStatus, Finding
from handsel.pay.payment import Charge
from handsel.store.acquirer import AcquirerBooks, AcquirerDatabase
from handsel.store.acquirer_schema import ACQUIRER_SCHEMA
from handsel.store.asking import ASKING_SCHEMA
from handsel.store.database import Database
from handsel.store.engine import Schema
from handsel.store.ledger_schema import LEDGER_SCHEMA
from tests.store.test_acquirer import SHOP, TILL, add_paid, books, database, payment

__all__ = ["books", "database"]  # Fixtures.

BEFORE = 9  # The steps of the version before.
DIGEST = b"d" * 32


def submitted(books: AcquirerBooks) -> Charge:
    made = payment()
    books.payments.add(made)
    charge = Charge(new_id(), made.id, TILL.id, 1, order_id=new_id(), return_digest=DIGEST)
    books.payments.add_charge(charge)
    return charge


def test_an_order_id_is_kept_while_its_charge_is_under_way_and_the_digest_for_ever(books: AcquirerBooks) -> None:
    charge = submitted(books)
    for state in (charge, charge.approved((b"s",)), charge.approved((b"s",)).paid()):
        if state is not charge:
            books.payments.save_charge(state)
        assert books.payments.find_charge(charge.id) == state

    ended = books.payments.find_charge(charge.id)

    assert ended is not None
    assert (ended.order_id, ended.return_digest) == (None, DIGEST)
    with pytest.raises(InvariantBroken):
        assert ended.order


@pytest.mark.parametrize("table", ["charges", "disputes"])
def test_nothing_that_has_ended_is_given_an_order_id(books: AcquirerBooks, table: str) -> None:
    charge, case = submitted(books), Dispute(new_id(), add_paid(books).id, SHOP.id, Finding.PAID_TO_MERCHANT, 3)
    books.payments.save_charge(charge.voided())
    books.disputes.add(replace(case, order_id=new_id()))
    books.disputes.save(case.ended(DisputeStatus.WITHDRAWN, now_ms=4))
    assert books.payments._uow.rows(f"SELECT order_id FROM {table}") == [(None,)]  # noqa: S608

    with pytest.raises(InvariantBroken):
        books.payments._uow.execute(f"UPDATE {table} SET order_id = ?", new_id())  # noqa: S608


def test_two_charges_that_are_under_way_have_two_order_ids(books: AcquirerBooks) -> None:
    charge, other = submitted(books), payment()
    books.payments.add(other)

    with pytest.raises(InvariantBroken):
        books.payments.add_charge(replace(charge, id=new_id(), payment_id=other.id))


def test_a_case_keeps_the_order_id_that_its_receipt_has_led_to(books: AcquirerBooks) -> None:
    case = Dispute(new_id(), add_paid(books).id, SHOP.id, Finding.PAID_TO_MERCHANT, 3)
    books.disputes.add(case)
    led = case.with_order(new_id())

    books.disputes.save(led)

    assert books.disputes.find(case.id) == led == led.with_order(new_id())


def test_replies_that_no_till_came_for_are_dropped(books: AcquirerBooks) -> None:
    charge = submitted(books)
    books.payments.save_charge(charge.approved((b"s",), b"reply").paid())

    assert books.payments.drop_old_replies(until_ms=0) == 0
    assert books.payments.drop_old_replies(until_ms=1) == 1
    assert books.payments.drop_old_replies(until_ms=1) == 0


def test_charges_of_before_are_brought_to_their_end_and_forget_nothing_that_is_needed(
    tmp_path: Path, engine: str
) -> None:
    """
    Those under way had one id at both. Of those that have ended nothing is asked any more.
    """
    path, ids = tmp_path / "books" / "acquirer.sqlite", {"submitted": new_id(), "approved": new_id(), "paid": new_id()}
    earlier = Schema(ACQUIRER_SCHEMA.name, ACQUIRER_SCHEMA.migrations[:BEFORE])
    old = Database.open(path, schemas=(LEDGER_SCHEMA, earlier, ASKING_SCHEMA))
    with old.unit_of_work() as uow:
        uow.execute("INSERT INTO merchants (id, name) VALUES (?, ?)", SHOP.id, SHOP.name)
        uow.execute("INSERT INTO tills (id, merchant_id, name) VALUES (?, ?, ?)", TILL.id, SHOP.id, TILL.name)
        for status, charge_id in ids.items():
            payment_id = new_id()
            uow.execute(
                "INSERT INTO payments (id, merchant_id, till_id, amount_minor, currency, description, created_ms,"
                " status) VALUES (?, ?, ?, 100, 'EUR', 'Tea', 1, 'processing')",
                *(payment_id, SHOP.id, TILL.id),
            )
            uow.execute(
                "INSERT INTO charges (id, payment_id, till_id, submitted_ms, status, signatures)"
                " VALUES (?, ?, ?, 1, ?, ?)",
                *(charge_id, payment_id, TILL.id, status, b"\x90" if status == "approved" else None),
            )
        uow.commit()
    old.close()

    made = AcquirerDatabase.open(path)
    with made.unit_of_work() as books:
        found = {status: books.payments.find_charge(charge_id) for status, charge_id in ids.items()}
    made.close()

    order_ids = {status: charge.order_id for status, charge in found.items() if charge is not None}
    assert order_ids == {**ids, "paid": None}
    assert [charge.return_digest for charge in found.values() if charge is not None] == [None] * 3


@pytest.mark.sqlite
def test_what_was_forgotten_is_not_in_the_file_either(database: AcquirerDatabase, tmp_path: Path) -> None:
    with database.unit_of_work() as books:
        charge = submitted(books)
        books.commit()
    files = [path for path in (tmp_path / "books").iterdir() if path.is_file()]
    assert any(charge.order.encode() in path.read_bytes() for path in files)
    with database.unit_of_work() as books:
        books.payments.save_charge(charge.voided())
        books.commit()
    database.database.truncate_log()

    kept = b"".join(path.read_bytes() for path in (tmp_path / "books").iterdir())
    assert charge.id.encode() in kept
    assert charge.order.encode() not in kept
