"""
Plant bugs in the till.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from handsel.errors import NotFound
from handsel.till import acquirer as answers
from handsel.till import agent, settle
from handsel.till.settle import NothingDone, OpenCharge, OpenRequest, Outcome, Waiting
from tests.simulation.mutations.mutation import Mutation
from tests.simulation.patches import Patches


def _pending_is_nothing(patches: Patches) -> None:
    right = settle._plain

    def wrong(answer: Any) -> Outcome:
        if isinstance(answer, answers.PendingAnswer):
            return NothingDone("unavailable", is_retryable=True)
        return right(answer)

    patches.put(settle, "_plain", wrong)


def _lost_is_nothing(patches: Patches) -> None:
    def wrong(acquirer: Any, request: OpenRequest, *, now_ms: int) -> Outcome:
        outcome = settle.settle(acquirer, request, now_ms=now_ms)
        if isinstance(outcome, Waiting) and outcome.code == "party_unavailable" and isinstance(request, OpenCharge):
            outcome = NothingDone("party_unavailable", is_retryable=True)
            world = acquirer.process.world
            world.truth.told(request, outcome)
        return outcome

    patches.put(agent, "settle", wrong)


def _unheard_is(patches: Patches, outcome: Outcome, *, where: Callable[[OpenCharge], bool]) -> None:
    right = settle._settle_charge

    def wrong(acquirer: Any, request: OpenCharge, *, now_ms: int) -> Outcome:
        if where(request):
            try:
                acquirer.charge_state(request.id)
            except NotFound:
                return outcome
        return right(acquirer, request, now_ms=now_ms)

    patches.put(settle, "_settle_charge", wrong)


def _unheard_is_nothing(patches: Patches) -> None:
    _unheard_is(patches, NothingDone("not_found", is_retryable=True), where=lambda charge: charge.asked > 0)


def _never_given_up(patches: Patches) -> None:
    _unheard_is(patches, Waiting("not_found"), where=lambda charge: charge.request is None)


def _paid_when_signed(patches: Patches) -> None:
    right = settle._finish

    def wrong(acquirer: Any, request: OpenCharge, answer: Any) -> Outcome:
        if isinstance(answer, answers.SignedAnswer):
            return answers.PaidAnswer("")
        return right(acquirer, request, answer)

    patches.put(settle, "_finish", wrong)


def _asks_too_seldom(patches: Patches) -> None:
    patches.put(settle, "PAUSE_MS_MIN", 60_000)
    patches.put(settle, "PAUSE_MS_MAX", 120_000)


def _clock_set_back_is_waited_for(patches: Patches) -> None:
    patches.put(agent, "is_due", lambda request, *, now_ms: request.next_ms <= now_ms)


MUTATIONS = (
    Mutation("pending-is-no", "a till takes 'not known yet' for 'nothing was done'", _pending_is_nothing),
    Mutation("lost-is-no", "a till takes a lost answer for 'nothing was done'", _lost_is_nothing),
    Mutation("unheard-is-no", "a charge that is still on its way is given up, and not voided", _unheard_is_nothing),
    Mutation("never-given-up", "a till that was started anew waits for what never arrived", _never_given_up),
    Mutation("paid-when-signed", "a till shows paid before the notes are handed over", _paid_when_signed),
    Mutation("seldom", "a till asks once a minute", _asks_too_seldom),
    Mutation("till-clock-set-back", "a till waits for its clock to catch up", _clock_set_back_is_waited_for),
)
