"""
Promise what a transfer changes, and for which reason it is refused when several apply.
"""

from __future__ import annotations

import pytest

from handsel.errors import BodyInvalid, InvariantBroken
from handsel.pay.account import AccountState, sandbox_funds, wallet_account
from handsel.pay.ledger import (
    Booked,
    Capture,
    Entry,
    Pending,
    PendingState,
    Refusal,
    Refused,
    Transfer,
    decide_capture,
    decide_expire,
    decide_post,
    decide_release,
    decide_reserve,
    derive_id,
)
from handsel.pay.money import Money

ID = "0" * 32
OTHER_ID = "1" * 32
EXPIRES_AT_MS = 1000


def wallet(name: str, *, credits_posted: int = 0, is_closed: bool = False, currency: str = "EUR") -> AccountState:
    return AccountState(wallet_account(name, currency=currency), credits_posted=credits_posted, is_closed=is_closed)


def transfer(minor: int = 100, *, credit: str = "wallet:b", currency: str = "EUR") -> Transfer:
    return Transfer(ID, "wallet:a", credit, Money(minor, currency), "payment")


def held(state: PendingState = PendingState.HELD) -> Pending:
    return Pending(transfer(), state, EXPIRES_AT_MS)


def captured(minor: int, *, pending: Pending | None, now_ms: int = 0, is_closed: bool = False) -> Booked | Refused:
    return decide_capture(
        Capture(OTHER_ID, ID, Money(minor, "EUR")),
        pending=pending,
        debit=wallet("a", is_closed=is_closed),
        credit=wallet("b"),
        now_ms=now_ms,
    )


def test_a_transfer_debits_one_account_and_credits_the_other() -> None:
    decision = decide_post(transfer(), debit=wallet("a", credits_posted=100), credit=wallet("b"))

    assert Booked((Entry("wallet:a", -100), Entry("wallet:b", 100)), 0).pending_change_minor == 0
    assert isinstance(decision, Booked)
    assert [(entry.account_id, entry.amount_minor) for entry in decision.entries] == [
        ("wallet:a", -100),
        ("wallet:b", 100),
    ]


def test_entries_that_make_money_cannot_be_booked() -> None:
    with pytest.raises(InvariantBroken):
        Booked((Entry("wallet:a", -100), Entry("wallet:b", 101)), 0)


def test_all_that_is_there_can_be_paid_and_not_one_cent_more() -> None:
    assert isinstance(decide_post(transfer(100), debit=wallet("a", credits_posted=100), credit=wallet("b")), Booked)
    assert decide_post(transfer(101), debit=wallet("a", credits_posted=100), credit=wallet("b")) == Refused(
        Refusal.INSUFFICIENT_FUNDS
    )


def test_a_source_pays_without_having() -> None:
    opening = Transfer(ID, "sandbox_funds:EUR", "wallet:b", Money(5, "EUR"), "top_up")

    assert isinstance(decide_post(opening, debit=AccountState(sandbox_funds("EUR")), credit=wallet("b")), Booked)


def test_where_several_reasons_apply_the_first_in_the_enum_is_the_answer() -> None:
    """
    Everything is wrong with the first transfer; then one reason after the other is removed.
    """
    closed = wallet("a", is_closed=True, currency="CHF")
    answers = [
        decide_reserve(transfer(credit="wallet:a"), debit=None, credit=None),
        decide_reserve(transfer(), debit=closed, credit=None),
        decide_reserve(transfer(), debit=closed, credit=wallet("b")),
        decide_reserve(transfer(), debit=wallet("a", is_closed=True), credit=wallet("b")),
        decide_reserve(transfer(), debit=wallet("a"), credit=wallet("b")),
    ]

    expected = [
        Refusal.ACCOUNTS_ARE_THE_SAME,
        Refusal.ACCOUNT_UNKNOWN,
        Refusal.CURRENCY_DIFFERS,
        Refusal.ACCOUNT_CLOSED,
        Refusal.INSUFFICIENT_FUNDS,
    ]
    assert answers == [Refused(reason) for reason in expected]
    assert expected == sorted(expected, key=list(Refusal).index)


def test_a_reservation_books_nothing_but_holds_the_sum() -> None:
    decision = decide_reserve(transfer(), debit=wallet("a", credits_posted=100), credit=wallet("b"))

    assert decision == Booked((), 100)


@pytest.mark.parametrize("minor", [1, 60, 100])
def test_a_capture_books_its_part_and_frees_the_whole(minor: int) -> None:
    decision = captured(minor, pending=held())

    assert isinstance(decision, Booked)
    assert [entry.amount_minor for entry in decision.entries] == [-minor, minor]
    assert decision.pending_change_minor == -100


def test_no_more_is_captured_than_is_reserved() -> None:
    assert captured(101, pending=held()) == Refused(Refusal.EXCEEDS_PENDING)


def test_a_reservation_can_be_captured_until_its_time_is_over() -> None:
    assert isinstance(captured(100, pending=held(), now_ms=EXPIRES_AT_MS - 1), Booked)
    assert captured(100, pending=held(), now_ms=EXPIRES_AT_MS) == Refused(Refusal.PENDING_ALREADY_EXPIRED)


ENDED = [
    (PendingState.CAPTURED, Refusal.PENDING_ALREADY_CAPTURED),
    (PendingState.RELEASED, Refusal.PENDING_ALREADY_RELEASED),
    (PendingState.EXPIRED, Refusal.PENDING_ALREADY_EXPIRED),
]


@pytest.mark.parametrize(("state", "refusal"), ENDED)
def test_a_reservation_ends_once(state: PendingState, refusal: Refusal) -> None:
    assert captured(100, pending=held(state)) == Refused(refusal)
    assert decide_release(held(state)) == Refused(refusal)
    assert decide_expire(held(state), now_ms=EXPIRES_AT_MS) == Refused(refusal)


def test_a_reservation_that_never_was_cannot_end() -> None:
    assert captured(100, pending=None) == Refused(Refusal.PENDING_UNKNOWN)
    assert decide_release(None) == Refused(Refusal.PENDING_UNKNOWN)
    assert decide_expire(None, now_ms=0) == Refused(Refusal.PENDING_UNKNOWN)


def test_nothing_is_captured_on_a_closed_account_or_in_another_currency() -> None:
    assert captured(100, pending=held(), is_closed=True) == Refused(Refusal.ACCOUNT_CLOSED)
    foreign = Capture(OTHER_ID, ID, Money(100, "CHF"))
    decision = decide_capture(foreign, pending=held(), debit=wallet("a"), credit=wallet("b"), now_ms=0)
    assert decision == Refused(Refusal.CURRENCY_DIFFERS)


def test_a_release_frees_the_whole_and_books_nothing() -> None:
    assert decide_release(held()) == Booked((), -100)


def test_nothing_expires_before_its_time() -> None:
    assert decide_expire(held(), now_ms=EXPIRES_AT_MS - 1) == Refused(Refusal.PENDING_NOT_YET_EXPIRED)
    assert decide_expire(held(), now_ms=EXPIRES_AT_MS) == Booked((), -100)


def test_a_transfer_of_nothing_or_with_an_ill_formed_id_or_code_is_refused() -> None:
    with pytest.raises(BodyInvalid):
        transfer(0)
    with pytest.raises(BodyInvalid):
        Transfer("x", "wallet:a", "wallet:b", Money(1, "EUR"), "payment")
    with pytest.raises(BodyInvalid):
        Transfer(ID, "wallet:a", "wallet:b", Money(1, "EUR"), "To Bob")


def test_each_step_of_each_request_has_an_id_of_its_own() -> None:
    ids = {derive_id(step, request) for step in ("charge", "capture") for request in (ID, OTHER_ID)}

    assert len(ids) == 4
    assert derive_id("charge", ID) in ids
    with pytest.raises(BodyInvalid):
        derive_id("charge", "not an id")
