"""
A refund and its attempts go from state to state as drawn, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from handsel.errors import BodyInvalid, InvariantBroken
from handsel.ids import new_id
from handsel.pay.decline import Declined, DeclineReason
from handsel.pay.money import Money
from handsel.pay.payment import Pending
from handsel.pay.refund import Refund, RefundAttempt, RefundAttemptStatus, Refunded, RefundStatus, state_of_refund

OPEN = Refund(new_id(), new_id(), "shop", "shop/till", Money(200, "EUR"), 1)
REFUNDS = {
    RefundStatus.REQUIRES_PALM: OPEN,
    RefundStatus.PROCESSING: OPEN.processing(),
    RefundStatus.SUCCEEDED: OPEN.processing().succeeded(),
    RefundStatus.CANCELED: OPEN.canceled(),
}
REFUND_STEPS: dict[tuple[RefundStatus, RefundStatus], Callable[[Refund], Refund]] = {
    (RefundStatus.REQUIRES_PALM, RefundStatus.PROCESSING): Refund.processing,
    (RefundStatus.PROCESSING, RefundStatus.REQUIRES_PALM): Refund.open_again,
    (RefundStatus.PROCESSING, RefundStatus.SUCCEEDED): Refund.succeeded,
    (RefundStatus.REQUIRES_PALM, RefundStatus.CANCELED): Refund.canceled,
}

SUBMITTED = RefundAttempt(new_id(), OPEN.id, "shop/till", 1)
ATTEMPTS = {
    RefundAttemptStatus.SUBMITTED: SUBMITTED,
    RefundAttemptStatus.ASKED: SUBMITTED.asked(),
    RefundAttemptStatus.CREDITED: SUBMITTED.asked().credited(),
    RefundAttemptStatus.DECLINED: SUBMITTED.declined(DeclineReason.NOT_RECOGNISED),
    RefundAttemptStatus.VOIDED: SUBMITTED.voided(),
}
_BOTH = (RefundAttemptStatus.SUBMITTED, RefundAttemptStatus.ASKED)
ATTEMPT_STEPS: dict[
    RefundAttemptStatus, tuple[tuple[RefundAttemptStatus, ...], Callable[[RefundAttempt], RefundAttempt]]
] = {
    RefundAttemptStatus.ASKED: ((RefundAttemptStatus.SUBMITTED,), RefundAttempt.asked),
    RefundAttemptStatus.CREDITED: ((RefundAttemptStatus.ASKED,), RefundAttempt.credited),
    RefundAttemptStatus.DECLINED: (_BOTH, lambda attempt: attempt.declined(DeclineReason.NOT_RECOGNISED)),
    RefundAttemptStatus.VOIDED: (_BOTH, RefundAttempt.voided),
}


@pytest.mark.parametrize(("step", "status"), [(step, status) for step in REFUND_STEPS for status in REFUNDS])
def test_a_refund_takes_only_the_steps_that_are_drawn(
    step: tuple[RefundStatus, RefundStatus], status: RefundStatus
) -> None:
    before, after = step

    if status is before:
        assert REFUND_STEPS[step](REFUNDS[status]).status is after
    else:
        with pytest.raises(InvariantBroken):
            REFUND_STEPS[step](REFUNDS[status])


@pytest.mark.parametrize(("after", "status"), [(after, status) for after in ATTEMPT_STEPS for status in ATTEMPTS])
def test_an_attempt_takes_only_the_steps_that_are_drawn(
    after: RefundAttemptStatus, status: RefundAttemptStatus
) -> None:
    before, step = ATTEMPT_STEPS[after]

    if status in before:
        assert step(ATTEMPTS[status]).status is after
    else:
        with pytest.raises(InvariantBroken):
            step(ATTEMPTS[status])


def test_a_till_is_told_where_its_attempt_stands() -> None:
    told = {status: state_of_refund(attempt, receipt_code="r") for status, attempt in ATTEMPTS.items()}

    assert told == {
        RefundAttemptStatus.SUBMITTED: Pending(),
        RefundAttemptStatus.ASKED: Pending(),
        RefundAttemptStatus.CREDITED: Refunded("r"),
        RefundAttemptStatus.DECLINED: Declined(DeclineReason.NOT_RECOGNISED),
        RefundAttemptStatus.VOIDED: Declined(DeclineReason.VOIDED),
    }


def test_a_refund_refuses_nonsense() -> None:
    with pytest.raises(BodyInvalid):
        replace(OPEN, id="short")
    with pytest.raises(BodyInvalid):
        replace(OPEN, amount=Money(0, "EUR"))
    with pytest.raises(BodyInvalid):
        replace(SUBMITTED, id="short")
