"""
Promise that a wallet has one PIN at most, and that tries and checks are kept until somebody forgets them.
"""

from __future__ import annotations

from handsel.ids import new_id
from handsel.pay.asking import Asking
from handsel.store import issuer_pin as pins
from handsel.store.database import UnitOfWork
from handsel.store.issuer_pin import PinCheckRow, PinRow
from tests.store.test_issuer_limit import OTHER, WALLET, uow

__all__ = ["uow"]  # The fixture.


def test_a_pin_is_kept_replaced_and_removed_for_its_wallet_alone(uow: UnitOfWork) -> None:
    pins.put_pin(uow, WALLET, PinRow("one", 1))
    pins.put_pin(uow, OTHER, PinRow("other", 1))
    pins.put_pin(uow, WALLET, PinRow("two", 2))

    assert pins.find_pin(uow, WALLET) == PinRow("two", 2)
    pins.remove_pin(uow, WALLET)
    assert pins.find_pin(uow, WALLET) is None
    assert pins.find_pin(uow, OTHER) == PinRow("other", 1)


def test_tries_are_none_at_first_kept_and_forgotten(uow: UnitOfWork) -> None:
    assert pins.find_tries(uow, WALLET) == Asking()

    pins.save_tries(uow, WALLET, Asking(recent="x"))
    pins.save_tries(uow, WALLET, Asking(recent="xx", locks=1))

    assert pins.find_tries(uow, WALLET) == Asking(recent="xx", locks=1)
    assert pins.find_tries(uow, OTHER) == Asking()
    pins.forget_tries(uow, WALLET)
    assert pins.find_tries(uow, WALLET) == Asking()


def test_a_check_is_kept_until_it_is_ended_and_is_overdue_when_it_is_old(uow: UnitOfWork) -> None:
    one, two = new_id(), new_id()
    row = PinCheckRow(b"d" * 32, WALLET)
    pins.add_check(uow, one, row, now_ms=10)
    pins.add_check(uow, two, row, now_ms=20)

    assert pins.find_check(uow, one) == row
    assert pins.overdue_checks(uow, begun_before_ms=20) == (one,)
    pins.remove_check(uow, one)
    assert (pins.find_check(uow, one), pins.find_check(uow, two)) == (None, row)
