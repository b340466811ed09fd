"""
The doors of a matcher: each caller comes in by its own and by no other.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from handsel.config import Secret
from handsel.web.matcher import matcher_routes
from tests.matching.three import Three
from tests.web.api import Api

TOKENS = {"issuer": "i" * 64, "acquirer": "a" * 64, "other-acquirer": "o" * 64}
QUERY = ("/v1/queries", {"envelope": ""})
ENROLMENT = ("/v1/enrolments", {"template": "", "alias_share": ""})
ORDER = ("/v1/orders", {"order": "", "signature": ""})
LET_IN, TURNED_AWAY = 400, 401  # What is empty is refused, but only by who looked at it.


@pytest.fixture
def three(tmp_path: Path) -> Three:
    """
    Three matchers, none of them running.
    """
    return Three(tmp_path)


@pytest.mark.parametrize(
    ("caller", "door", "status"),
    [
        ("acquirer", QUERY, LET_IN),
        ("acquirer", ENROLMENT, LET_IN),
        ("acquirer", ORDER, TURNED_AWAY),
        ("other-acquirer", QUERY, LET_IN),
        ("issuer", QUERY, TURNED_AWAY),
        ("issuer", ENROLMENT, TURNED_AWAY),
        ("issuer", ORDER, LET_IN),
    ],
)
def test_the_issuer_that_reads_the_answers_cannot_ask(
    three: Three, caller: str, door: tuple[str, dict[str, str]], status: int
) -> None:
    matcher = three.start("a")
    routes = matcher_routes(matcher, {name: Secret(token) for name, token in TOKENS.items()})

    answer = Api(routes, TOKENS[caller]).post(*door)

    three.close()
    assert answer.status_code == status


@pytest.mark.parametrize("catches_cheaters", [True, False])
def test_a_matcher_tells_its_health_and_whether_it_catches_cheaters(three: Three, catches_cheaters: bool) -> None:
    matcher = three.start("b", settings=replace(three.settings, catches_cheaters=catches_cheaters))

    told = Api(matcher_routes(matcher, {name: Secret(token) for name, token in TOKENS.items()})).get("/v1/health")

    three.close()
    expected = {"status": "waiting_for_peers", "rows": 0, "matcher": "b", "catches_cheaters": catches_cheaters}
    assert (200, expected) == (told.status_code, told.json())
