"""
Promise that an alias and a position belong to one palm, and that orders wait until they are confirmed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from handsel.errors import InvariantBroken
from handsel.ids import new_id
from handsel.store import issuer_palm as palms
from handsel.store.database import UnitOfWork
from handsel.store.issuer import add_wallet, open_issuer_database
from handsel.store.issuer_palm import EnrolmentRow, OrderRow

WALLET = "0" * 32


@pytest.fixture
def uow(tmp_path: Path) -> Iterator[UnitOfWork]:
    """
    A unit of work in a database with one wallet.
    """
    database = open_issuer_database(tmp_path / "issuer" / "issuer.sqlite")
    with database.unit_of_work() as unit:
        add_wallet(unit, WALLET, key_digest=b"k" * 32, currency="EUR", now_ms=0)
        yield unit
    database.close()


def enrolment(uow: UnitOfWork) -> EnrolmentRow:
    row = EnrolmentRow(new_id(), b"d" * 32, b"b" * 32, WALLET, "pending", None, b"shares", 100)
    palms.add_enrolment(uow, row, now_ms=0)
    return row


def palm(uow: UnitOfWork, alias: bytes) -> str:
    row = enrolment(uow)
    palms.add_palm(uow, row.id, wallet_id=WALLET, alias=alias, now_ms=0)
    return row.id


def test_an_enrolment_is_read_as_it_was_written_and_forgets_its_shares_when_it_ends(uow: UnitOfWork) -> None:
    row = enrolment(uow)
    assert palms.find_enrolment(uow, row.id) is not None

    palms.end_enrolment(uow, row.id, reason=None)

    ended = palms.find_enrolment(uow, row.id)
    assert ended is not None
    assert (ended.state, ended.alias_shares) == ("enrolled", None)
    palms.end_enrolment(uow, row.id, reason="voided")
    ended = palms.find_enrolment(uow, row.id)
    assert ended is not None
    assert (ended.state, ended.reason) == ("declined", "voided")


def test_two_palms_never_have_one_alias(uow: UnitOfWork) -> None:
    palm(uow, b"a" * 16)

    with pytest.raises(InvariantBroken):
        palm(uow, b"a" * 16)


def test_a_palm_is_found_by_its_alias_until_that_is_forgotten(uow: UnitOfWork) -> None:
    palm_id = palm(uow, b"a" * 16)
    palms.activate_palm(uow, palm_id, now_ms=1)
    palms.forget_alias(uow, palm_id)
    found = palms.palm_of_alias(uow, b"a" * 16)
    assert found is not None
    assert found.state == "active"

    palms.set_palm_state(uow, palm_id, "erased", now_ms=2)
    palms.forget_alias(uow, palm_id)

    assert palms.palm_of_alias(uow, b"a" * 16) is None
    erased = palms.find_palm(uow, palm_id)
    assert erased is not None
    assert (erased.state, erased.changed_at_ms) == ("erased", 2)


def test_positions_count_up_and_skip_no_erased_one(uow: UnitOfWork) -> None:
    one, two = palm(uow, b"1" * 16), palm(uow, b"2" * 16)
    assert palms.activate_palm(uow, one, now_ms=0) == 1
    palms.set_palm_state(uow, one, "erased", now_ms=0)

    assert palms.activate_palm(uow, two, now_ms=0) == 2


def test_only_a_pending_palm_is_removed(uow: UnitOfWork) -> None:
    one, two = palm(uow, b"1" * 16), palm(uow, b"2" * 16)
    palms.activate_palm(uow, one, now_ms=0)

    palms.remove_palm(uow, one)
    palms.remove_palm(uow, two)

    assert [row.id for row in palms.palms_of_wallet(uow, WALLET)] == [one]


def test_erased_palms_come_last(uow: UnitOfWork) -> None:
    one, two = palm(uow, b"1" * 16), palm(uow, b"2" * 16)
    for palm_id in (one, two):
        palms.activate_palm(uow, palm_id, now_ms=0)
    palms.set_palm_state(uow, one, "erased", now_ms=0)

    assert [row.id for row in palms.palms_of_wallet(uow, WALLET)] == [two, one]


def test_an_order_waits_until_it_is_confirmed(uow: UnitOfWork) -> None:
    row = OrderRow(0, enrolment(uow).id, "commit", "a", b"body", b"signature")
    palms.add_order(uow, row, now_ms=0)
    (waiting,) = palms.orders_to_deliver(uow, "a")
    assert replace(waiting, number=0) == row
    assert palms.orders_to_deliver(uow, "b") == ()

    palms.mark_confirmed(uow, waiting.number, confirmation=b"yes", signature=b"s", now_ms=1)

    assert palms.orders_to_deliver(uow, "a") == ()
    assert palms.confirmations(uow, row.enrolment_id, "commit") == 1


def test_an_order_is_given_to_a_matcher_once(uow: UnitOfWork) -> None:
    row = OrderRow(0, enrolment(uow).id, "erase", "a", b"body", b"signature")
    palms.add_order(uow, row, now_ms=0)

    with pytest.raises(InvariantBroken):
        palms.add_order(uow, row, now_ms=0)
