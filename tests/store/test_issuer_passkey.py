"""
Promise that a passkey is in one wallet, an offer is taken once, and an approval is used once, for exactly its amount.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from handsel.errors import InvariantBroken
from handsel.ids import new_id
from handsel.pay.money import Money
from handsel.store import issuer_note as charges
from handsel.store import issuer_passkey as passkeys
from handsel.store.database import UnitOfWork
from handsel.store.issuer_passkey import ApprovalRow, PasskeyRow, WaitingRow
from tests.store.test_issuer_limit import OTHER, WALLET, reserved, uow

__all__ = ["uow"]  # The fixture.

FIRST = PasskeyRow(b"one", WALLET, b"public", 0, 1)
AMOUNT = Money(73_20, "EUR")
REASON = "needs_second_factor"


def asked(uow: UnitOfWork, *, wallet: str = WALLET, at_ms: int = 10) -> ApprovalRow:
    row = ApprovalRow(new_id(), wallet, AMOUNT, b"n" * 32, at_ms)
    passkeys.add_approval(uow, row)
    return row


def found(uow: UnitOfWork, *, after_ms: int = 0, amount: Money = AMOUNT, wallet: str = WALLET) -> str | None:
    return passkeys.approval_for(uow, wallet, amount, given_after_ms=after_ms)


def test_a_passkey_is_in_one_wallet_and_removed_from_that_alone(uow: UnitOfWork) -> None:
    second = PasskeyRow(b"two", WALLET, b"public", 7, 2)

    assert passkeys.add_passkey(uow, FIRST)
    assert passkeys.add_passkey(uow, second)
    assert not passkeys.add_passkey(uow, replace(FIRST, wallet_id=OTHER))
    passkeys.remove_passkey(uow, OTHER, FIRST.id)
    passkeys.save_sign_count(uow, second.id, 8)
    assert passkeys.passkeys_of(uow, WALLET) == (FIRST, replace(second, sign_count=8))

    passkeys.remove_passkey(uow, WALLET, FIRST.id)
    assert passkeys.passkeys_of(uow, WALLET) == (replace(second, sign_count=8),)
    assert passkeys.passkeys_of(uow, OTHER) == ()


def test_an_offer_is_taken_once_and_in_time(uow: UnitOfWork) -> None:
    passkeys.put_offer(uow, WALLET, b"old", expires_at_ms=10)
    passkeys.put_offer(uow, WALLET, b"new", expires_at_ms=10)
    assert passkeys.take_offer(uow, OTHER, now_ms=9) is None
    assert passkeys.take_offer(uow, WALLET, now_ms=9) == b"new"
    assert passkeys.take_offer(uow, WALLET, now_ms=9) is None

    passkeys.put_offer(uow, WALLET, b"late", expires_at_ms=10)
    assert passkeys.take_offer(uow, WALLET, now_ms=10) is None


def test_an_approval_is_found_once_it_is_given_for_its_wallet_and_amount_until_it_is_used(uow: UnitOfWork) -> None:
    row = asked(uow)
    assert found(uow) is None
    assert not passkeys.use_approval(uow, row.id, charge_id=new_id())

    passkeys.mark_given(uow, row.id, now_ms=20)
    passkeys.mark_given(uow, row.id, now_ms=30)

    assert passkeys.find_approval(uow, row.id) == replace(row, given_at_ms=20)
    assert found(uow, after_ms=19) == row.id
    assert found(uow, after_ms=20) is None
    assert found(uow, amount=Money(73_21, "EUR")) is None
    assert found(uow, amount=Money(73_20, "CHF")) is None
    assert found(uow, wallet=OTHER) is None
    assert passkeys.use_approval(uow, row.id, charge_id="c")
    assert not passkeys.use_approval(uow, row.id, charge_id="d")
    assert found(uow) is None


def test_one_charge_uses_one_approval(uow: UnitOfWork) -> None:
    rows = [asked(uow), asked(uow)]
    for row in rows:
        passkeys.mark_given(uow, row.id, now_ms=20)
    assert passkeys.use_approval(uow, rows[0].id, charge_id="c")

    with pytest.raises(InvariantBroken):
        passkeys.use_approval(uow, rows[1].id, charge_id="c")


def test_old_approvals_and_all_of_a_closed_wallet_are_forgotten(uow: UnitOfWork) -> None:
    old, young, others = asked(uow, at_ms=10), asked(uow, at_ms=20), asked(uow, wallet=OTHER, at_ms=20)
    passkeys.forget_approvals(uow, asked_before_ms=20)
    assert passkeys.find_approval(uow, old.id) is None
    passkeys.add_passkey(uow, FIRST)
    passkeys.put_offer(uow, WALLET, b"c", expires_at_ms=99)

    passkeys.forget_passkeys(uow, WALLET)

    assert passkeys.find_approval(uow, young.id) is None
    assert passkeys.find_approval(uow, others.id) == others
    assert passkeys.passkeys_of(uow, WALLET) == ()
    assert passkeys.take_offer(uow, WALLET, now_ms=0) is None


def test_what_waits_was_declined_for_that_reason_just_now_and_not_paid_since(uow: UnitOfWork) -> None:
    def declined(minor: int, at_ms: int, *, reason: str = REASON, wallet: str = WALLET) -> None:
        row = replace(reserved(minor, wallet=wallet), state="declined", reason=reason)
        charges.add_charge(uow, row, now_ms=at_ms)

    declined(1, 10)
    declined(2, 20)
    declined(2, 30)
    declined(3, 25)
    declined(4, 25, reason="over_limit")
    declined(5, 25, wallet=OTHER)
    charges.add_charge(uow, reserved(3, factor="pin"), now_ms=26)
    declined(6, 25)
    charges.add_charge(uow, reserved(6, factor="pin"), now_ms=24)

    waiting = passkeys.waiting_amounts(uow, WALLET, reason=REASON, since_ms=10)

    assert waiting == (WaitingRow(2, 30), WaitingRow(6, 25))
