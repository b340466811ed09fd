"""
The pauses between two questions grow, to a bound; and what was sealed is kept no longer than it may be sent.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from handsel.matching.message import PerMatcher
from handsel.till.acquirer import ChargeRequest, DeclinedAnswer, RefundRequest
from handsel.till.journal import ChargeEntry
from handsel.till.settle import (
    PAUSE_MS_MAX,
    PAUSE_MS_MIN,
    RESEND_MS_MAX,
    NothingDone,
    OpenCharge,
    OpenRefund,
    OpenRequest,
    Waiting,
    ask_again_later,
    is_due,
    is_over,
    resume,
    settle,
)
from tests.till.fakes import COFFEE, COFFEE_BACK, FakeAcquirer, Keyring, lost

T = 1_000_000
ENTRY = ChargeEntry("0" * 32, COFFEE, T, ())
SEALED = PerMatcher(b"a", b"b", b"c")


def open_charge() -> OpenCharge:
    """
    Return a charge that was made at T.
    """
    request = ChargeRequest(ENTRY.charge_id, "1" * 32, COFFEE.id, b"order", ENTRY.secrets, bytes(32), "2" * 32, SEALED)
    return OpenCharge(ENTRY, request, until_ms=T + RESEND_MS_MAX, next_ms=T)


def test_pauses_double_up_to_a_bound() -> None:
    request: OpenRequest = open_charge()
    pauses = []
    for _ in range(9):
        request = ask_again_later(request, now_ms=T)
        pauses.append(request.next_ms - T)

    assert pauses[:3] == [PAUSE_MS_MIN, 2 * PAUSE_MS_MIN, 4 * PAUSE_MS_MIN]
    assert pauses[-1] == PAUSE_MS_MAX == max(pauses)


def test_what_was_sealed_of_a_palm_is_dropped_when_it_is_sent_no_more() -> None:
    charge = open_charge()

    kept = ask_again_later(charge, now_ms=T + RESEND_MS_MAX - 1)
    dropped = ask_again_later(charge, now_ms=T + RESEND_MS_MAX)

    assert isinstance(kept, OpenCharge)
    assert isinstance(dropped, OpenCharge)
    assert kept.request is not None
    assert dropped.request is None


def test_a_charge_of_before_the_start_is_asked_for_and_never_sent(keyring: Keyring) -> None:
    acquirer = FakeAcquirer(keyring)
    charge = resume(ENTRY, now_ms=T)

    assert not isinstance(settle(acquirer, charge, now_ms=T), Waiting)
    assert acquirer.charge_requests == []


def test_a_charge_that_never_came_is_given_up_at_the_acquirer_before_it_is_forgotten(keyring: Keyring) -> None:
    """
    Once the secrets of its notes are forgotten it must not be carried out any more, should it still arrive.
    """
    acquirer = FakeAcquirer(keyring)

    outcome = settle(acquirer, resume(ENTRY, now_ms=T), now_ms=T)

    assert outcome == NothingDone("voided", is_retryable=True)
    assert acquirer.charges == {ENTRY.charge_id: DeclinedAnswer("voided")}


def test_a_charge_is_not_forgotten_while_the_acquirer_cannot_be_told(keyring: Keyring) -> None:
    acquirer = FakeAcquirer(keyring)
    acquirer.breaks = {"void": [lost()]}

    assert settle(acquirer, resume(ENTRY, now_ms=T), now_ms=T) == Waiting("party_unavailable")


def test_an_acquirer_that_does_not_answer_is_an_outcome_and_no_exception(keyring: Keyring) -> None:
    acquirer = FakeAcquirer(keyring)
    acquirer.breaks = {"charge.sent": [lost()], "charge_state": [lost()], "refund.sent": [lost()]}
    refund = OpenRefund(
        COFFEE_BACK, RefundRequest("0" * 32, COFFEE_BACK.id, "1" * 32, b"order", SEALED), until_ms=T + 1, next_ms=T
    )

    for request in (open_charge(), resume(ENTRY, now_ms=T), refund):
        assert settle(acquirer, request, now_ms=T) == Waiting("party_unavailable")


def test_open_requests_print_nothing_of_what_is_sealed() -> None:
    for value in (open_charge(), open_charge().request, SEALED):
        assert "order" not in repr(value)
        assert "b'" not in repr(value)


def test_a_clock_that_was_set_back_holds_nothing_up() -> None:
    charge = replace(open_charge(), next_ms=T + PAUSE_MS_MAX)
    an_hour_ms = 3_600_000

    assert not is_due(charge, now_ms=T)
    assert is_due(charge, now_ms=T + PAUSE_MS_MAX)
    assert is_due(charge, now_ms=T - 1)
    assert not is_over(charge, now_ms=T)
    assert is_over(charge, now_ms=T + RESEND_MS_MAX)
    assert is_over(charge, now_ms=T - an_hour_ms)


def test_what_was_too_old_to_be_sent_stays_so_when_the_clock_is_set_back() -> None:
    charge, over_ms = open_charge(), T + RESEND_MS_MAX

    later = ask_again_later(charge, now_ms=over_ms)

    assert is_over(later, now_ms=over_ms)
    assert is_over(later, now_ms=over_ms - 1)
    assert not is_over(ask_again_later(charge, now_ms=over_ms - 1), now_ms=over_ms - 1)


@pytest.mark.parametrize("set_back_ms", [0, 1, 24_000, 3_600_000])
def test_a_charge_of_before_the_start_waits_for_no_clock(keyring: Keyring, set_back_ms: int) -> None:
    outcome = settle(FakeAcquirer(keyring), resume(ENTRY, now_ms=T), now_ms=T - set_back_ms)

    assert outcome == NothingDone("voided", is_retryable=True)
