"""
Promise that the ledger conserves money, whatever is asked of it, in any order.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handsel.ids import new_id
from handsel.pay.ledger import Capture, Done, Refusal, Refused, Release, Transfer
from handsel.pay.money import Money
from handsel.store.database import Database
from tests.store.small_ledger import (
    EXPIRES_AT_MS,
    FUNDS,
    NOTES,
    WALLET,
    capture,
    expire,
    move,
    open_ledger,
    post,
    release,
    reserve,
    standing,
)

Step = tuple[str, int, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["post", "spend", "reserve", "capture", "release", "expire", "repeat"]),
        st.integers(1, 50),
        st.integers(0, 5),
    ),
    max_size=25,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_happens_money_is_conserved(engine: str, steps: list[Step]) -> None:
    """
    A model of three integers says what must be on the accounts after each step.
    """
    with tempfile.TemporaryDirectory() as directory:
        database = open_ledger(Path(directory) / "party")
        model = _Model()
        for step in steps:
            model.take(database, step)

            assert standing(database, FUNDS)[0] == -model.given
            assert standing(database, WALLET) == (model.wallet, model.wallet - sum(model.held.values()))
            assert standing(database, NOTES)[0] == model.given - model.wallet
        database.close()


class _Model:
    def __init__(self) -> None:
        self.given = 0
        self.wallet = 0
        self.held: dict[str, int] = {}
        self.last: Transfer | None = None
        self.now_ms = 0

    def take(self, database: Database, step: Step) -> None:
        kind, minor, which = step
        if kind == "post":
            self.last = move(minor)
            assert post(database, self.last) == Done()
            self.given, self.wallet = self.given + minor, self.wallet + minor
        elif kind == "repeat" and self.last is not None:
            assert post(database, self.last) == Done()
        elif kind in ("spend", "reserve"):
            self._take_from_wallet(database, kind, minor)
        elif self.held and kind in ("capture", "release"):
            self._end(database, kind, sorted(self.held)[which % len(self.held)], minor)
        elif kind == "expire":
            assert set(expire(database, EXPIRES_AT_MS)) == set(self.held)
            self.held.clear()

    def _take_from_wallet(self, database: Database, kind: str, minor: int) -> None:
        transfer = move(minor, debit=WALLET, credit=NOTES)
        is_there = minor <= self.wallet - sum(self.held.values())
        outcome = post(database, transfer) if kind == "spend" else reserve(database, transfer)
        assert outcome == (Done() if is_there else Refused(Refusal.INSUFFICIENT_FUNDS))
        if is_there and kind == "spend":
            self.wallet -= minor
        elif is_there:
            self.held[transfer.id] = minor

    def _end(self, database: Database, kind: str, pending_id: str, minor: int) -> None:
        if kind == "release":
            assert release(database, Release(new_id(), pending_id)) == Done()
            del self.held[pending_id]
            return
        outcome = capture(database, Capture(new_id(), pending_id, Money(minor, "EUR")))
        if minor > self.held[pending_id]:
            assert outcome == Refused(Refusal.EXCEEDS_PENDING)
        else:
            assert outcome == Done()
            self.wallet -= minor
            del self.held[pending_id]
