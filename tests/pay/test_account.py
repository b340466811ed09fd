"""
Promise what accounts are called, and how much may be taken from them.
"""

from __future__ import annotations

import pytest

from handsel.errors import BodyInvalid
from handsel.pay.account import (
    Account,
    AccountState,
    Floor,
    notes_in_circulation,
    sandbox_funds,
    settlement_account,
    wallet_account,
)


@pytest.mark.parametrize("name", ["", "Wallet:1", "wallet:", "wallet:a b", "a:b:c:d", "wallet:" + "1" * 41])
def test_an_ill_formed_name_is_refused(name: str) -> None:
    with pytest.raises(BodyInvalid):
        Account(name, "EUR", Floor.ZERO)


def test_an_account_with_a_floor_gives_what_is_not_reserved_and_no_more() -> None:
    state = AccountState(wallet_account("a", currency="EUR"), credits_posted=100, debits_posted=20, debits_pending=30)

    assert (state.balance_minor, state.available_minor) == (80, 50)
    assert state.can_give(50)
    assert not state.can_give(51)


def test_what_is_announced_but_not_booked_cannot_be_spent() -> None:
    state = AccountState(notes_in_circulation("EUR"), credits_pending=100)

    assert not state.can_give(1)


def test_a_source_gives_whatever_is_asked() -> None:
    assert AccountState(sandbox_funds("EUR")).can_give(10**9)


def test_only_the_source_has_no_floor() -> None:
    floored = (
        wallet_account("a", currency="EUR"),
        notes_in_circulation("EUR"),
        settlement_account("x", currency="EUR"),
    )

    assert {account.floor for account in floored} == {Floor.ZERO}
    assert sandbox_funds("EUR").floor is Floor.NONE


def test_no_account_is_named_when_it_is_printed() -> None:
    assert "secretive" not in repr(wallet_account("secretive", currency="EUR"))
