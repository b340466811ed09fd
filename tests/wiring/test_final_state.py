"""
Promise 30 seconds: what was interrupted has its end by then, counted from when the last party is back.

Each way to an end waits for one thing after another, by settings that stand in different parties. Here they are added
up, in seconds, at their worst: a call that was under way when the trouble ended is lost, and each chore has just run.
What is asked for after that is answered, within `MARGIN_S` in all. The simulation drives the same.
"""

from __future__ import annotations

import pytest

from handsel.flows.acquiring.acquirer import AcquiringBounds
from handsel.flows.issuing.charge import HOLD_MS
from handsel.matching.peers import QUERY_TIMEOUT_S
from handsel.till.client import LONG_S_MAX
from handsel.till.settle import PAUSE_MS_MAX
from handsel.web.parties import ISSUER_TIMEOUT_S, MATCHER_TIMEOUT_S
from handsel.wiring.acquirer import RESOLVE_INTERVAL_S
from handsel.wiring.issuer import EXPIRE_INTERVAL_S
from handsel.wiring.till import POLL_INTERVAL_S
from tests.simulation.calm import FINAL_MS_MAX

FINAL_S_MAX = 30.0
MARGIN_S = 2.0
UNRESOLVED_S = AcquiringBounds().unresolved_ms_min / 1000
TOLD_S = PAUSE_MS_MAX / 1000 + POLL_INTERVAL_S  # Until a till hears of what has ended.
CARRIED_S = MATCHER_TIMEOUT_S  # A charge that is carried anew, with a slow match.

WAYS_TO_AN_END = {
    # Approved: the acquirer makes the notes, and a till that is back is told.
    "the till dies": (UNRESOLVED_S, RESOLVE_INTERVAL_S, TOLD_S),
    # Submitted: the acquirer asks the issuer, which had signed. Then it makes the notes.
    "the acquirer dies": (UNRESOLVED_S, RESOLVE_INTERVAL_S, RESOLVE_INTERVAL_S, TOLD_S),
    # The same, where the issuer's answer is waited for in vain until then.
    "the issuer's answer is lost": (max(UNRESOLVED_S, ISSUER_TIMEOUT_S), 2 * RESOLVE_INTERVAL_S, TOLD_S),
    # The chore that asked waits for its answer, and is the one that asks again.
    "the answer to a void is lost": (ISSUER_TIMEOUT_S, RESOLVE_INTERVAL_S, RESOLVE_INTERVAL_S, TOLD_S),
    # Between its two commits, and nobody asks for the charge: the sum is free again by itself.
    "the issuer dies": (HOLD_MS / 1000, EXPIRE_INTERVAL_S),
    # The till waits for an answer in vain, learns that nothing is known, and sends the palm again while it is fresh.
    "the till's request is lost": (LONG_S_MAX, TOLD_S, CARRIED_S),
    # A till that was started again gives up what has not arrived, and waits for no clock.
    "the till dies while it sends": (TOLD_S,),
    # Captures, refunds and purchases are asked for again, and have their end with the answer.
    "an answer to a refund is lost": (max(UNRESOLVED_S, ISSUER_TIMEOUT_S), RESOLVE_INTERVAL_S, TOLD_S),
}


@pytest.mark.parametrize("waits_s", WAYS_TO_AN_END.values(), ids=WAYS_TO_AN_END.keys())
def test_every_way_to_an_end_takes_less_than_30_seconds(waits_s: tuple[float, ...]) -> None:
    assert sum(waits_s) + MARGIN_S <= FINAL_S_MAX


def test_the_simulation_waits_as_long() -> None:
    assert FINAL_MS_MAX == FINAL_S_MAX * 1000


def test_a_slow_charge_is_not_voided_on_its_way() -> None:
    """
    The match may take all its time, and the issuer too; the till waits until both have answered.
    """
    assert QUERY_TIMEOUT_S + ISSUER_TIMEOUT_S <= UNRESOLVED_S
    assert MATCHER_TIMEOUT_S + ISSUER_TIMEOUT_S <= LONG_S_MAX
