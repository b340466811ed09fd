"""
Promise that what a wallet has paid is counted from its charges alone, and that a second factor begins the count anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from handsel.ids import new_id
from handsel.pay.limit import OwnLimits, Spent
from handsel.pay.money import Money
from handsel.store import issuer_limit as limits
from handsel.store import issuer_note as charges
from handsel.store.database import UnitOfWork
from handsel.store.issuer import add_wallet, open_issuer_database
from handsel.store.issuer_note import ChargeRow

WALLET, OTHER = "0" * 32, "1" * 32


@pytest.fixture
def uow(tmp_path: Path, engine: str) -> Iterator[UnitOfWork]:
    """
    A unit of work in a database with two wallets.
    """
    database = open_issuer_database(tmp_path / "issuer.sqlite")
    with database.unit_of_work() as unit:
        for wallet, key in ((WALLET, b"k"), (OTHER, b"o")):
            add_wallet(unit, wallet, key_digest=key * 32, currency="EUR", now_ms=0)
        yield unit
    database.close()


def reserved(minor: int, *, factor: str | None = None, wallet: str = WALLET) -> ChargeRow:
    charge_id = new_id()
    return ChargeRow(charge_id, b"d" * 32, f"r{charge_id}", wallet, minor, "reserved", factor=factor)


def spent(uow: UnitOfWork, day_from_ms: int = 0) -> tuple[int, int, int, int]:
    found: Spent = limits.spent_of(uow, WALLET, currency="EUR", day_from_ms=day_from_ms)
    sums = (found.in_day, found.alone_in_day, found.alone_since)
    assert {each.currency for each in sums} == {"EUR"}
    in_day, alone_in_day, alone_since = (each.amount_minor for each in sums)
    return in_day, alone_in_day, alone_since, found.alone_number_since


def test_what_is_under_way_counts_and_what_was_voided_or_declined_or_is_anothers_does_not(uow: UnitOfWork) -> None:
    charges.add_charge(uow, reserved(1), now_ms=10)
    charges.add_charge(uow, reserved(2), now_ms=11)
    voided = reserved(4)
    charges.add_charge(uow, voided, now_ms=11)
    charges.void_reserved_charge(uow, voided.reservation_id)
    charges.add_charge(uow, replace(reserved(8), state="declined", reason="needs_second_factor"), now_ms=11)
    charges.add_charge(uow, reserved(16, wallet=OTHER), now_ms=11)

    assert spent(uow, 9) == (3, 3, 3, 2)
    assert spent(uow, 10) == (2, 2, 3, 2)
    assert spent(uow, 11) == (0, 0, 3, 2)


def test_a_second_factor_begins_the_count_anew_and_counts_in_the_day(uow: UnitOfWork) -> None:
    charges.add_charge(uow, reserved(1), now_ms=10)
    charges.add_charge(uow, reserved(2, factor="pin"), now_ms=20)
    charges.add_charge(uow, reserved(4), now_ms=20)
    charges.add_charge(uow, reserved(8), now_ms=30)

    assert spent(uow) == (15, 13, 12, 2)


def test_a_second_factor_whose_charge_was_voided_begins_nothing(uow: UnitOfWork) -> None:
    charges.add_charge(uow, reserved(1), now_ms=10)
    voided = reserved(2, factor="passkey")
    charges.add_charge(uow, voided, now_ms=20)
    assert spent(uow) == (3, 1, 0, 0)

    charges.void_reserved_charge(uow, voided.reservation_id)

    assert spent(uow) == (1, 1, 1, 1)


def test_limits_of_ones_own_are_kept_replaced_and_forgotten(uow: UnitOfWork) -> None:
    assert limits.find_own_limits(uow, WALLET) == OwnLimits()

    limits.save_own_limits(uow, WALLET, OwnLimits(0, None, 7))
    limits.save_own_limits(uow, WALLET, OwnLimits(1, 2, None))

    assert limits.find_own_limits(uow, WALLET) == OwnLimits(1, 2, None)
    assert limits.find_own_limits(uow, OTHER) == OwnLimits()
    limits.remove_own_limits(uow, WALLET)
    assert limits.find_own_limits(uow, WALLET) == OwnLimits()


def test_money_of_a_wallet_that_paid_nothing_is_nothing(uow: UnitOfWork) -> None:
    nothing = Money(0, "EUR")

    assert limits.spent_of(uow, WALLET, currency="EUR", day_from_ms=0) == Spent(nothing, nothing, nothing, 0)
