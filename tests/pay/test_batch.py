"""
Promise that many steps are decided as one after another would be, by the plain functions of `pay.ledger`.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handsel.errors import BodyInvalid
from handsel.pay.account import Account, AccountState, Floor, Side
from handsel.pay.batch import CAPTURE, POST, REFUSED, Batch
from handsel.pay.ledger import (
    LINKED_MAX,
    Booked,
    Capture,
    Decision,
    Done,
    Expiry,
    Linked,
    Outcome,
    Pending,
    PendingState,
    Refusal,
    Refused,
    Release,
    Reservation,
    Step,
    Transfer,
    decide_capture,
    decide_expire,
    decide_post,
    decide_release,
    decide_reserve,
)
from handsel.pay.money import Money
from handsel.pay.running import Running

NOW_MS = 500
EXPIRES_AT_MS = 1000


def state_of(name: str, *, currency: str = "EUR", floor: Floor = Floor.ZERO, side: Side = Side.CREDIT) -> AccountState:
    return AccountState(Account(name, currency, floor, side))


ACCOUNTS = {
    state.account.id: state
    for state in (
        replace(state_of("rich"), credits_posted=100),
        state_of("poor"),
        state_of("source", floor=Floor.NONE),
        replace(state_of("bank", side=Side.DEBIT), debits_posted=60),
        replace(state_of("closed"), is_closed=True),
        replace(state_of("foreign", currency="CHF"), credits_posted=100),
    )
}


@dataclass
class Oracle:
    """
    Decide one step after another with the plain functions, and keep states in dictionaries.
    """

    accounts: dict[str, AccountState] = field(default_factory=lambda: dict(ACCOUNTS))
    reservations: dict[str, Pending] = field(default_factory=dict)
    known: dict[str, tuple[object, str | None, Outcome]] = field(default_factory=dict)

    def take(self, item: Step | Linked) -> tuple[Outcome, ...]:
        if not isinstance(item, Linked):
            return (self._one(item, None),)
        link_id = item.steps[0].id
        known = [step.id in self.known for step in item.steps]
        if any(known):
            if not all(known):
                return (Refused(Refusal.ID_REUSED),) * len(item.steps)
            return tuple(self._one(step, link_id) for step in item.steps)
        before = deepcopy((self.accounts, self.reservations))
        outcomes = [self._one(step, link_id) for step in item.steps]
        wrong = next((place for place, outcome in enumerate(outcomes) if outcome != Done()), None)
        if wrong is not None:
            self.accounts, self.reservations = before
            linked: list[Outcome] = [Refused(Refusal.LINKED_TRANSFER_REFUSED)] * len(outcomes)
            linked[wrong] = outcomes[wrong]
            outcomes = linked
        for step, outcome in zip(item.steps, outcomes, strict=True):
            self.known[step.id] = (contents(step), link_id, outcome)
        return tuple(outcomes)

    def _one(self, step: Step, link_id: str | None) -> Outcome:
        if step.id in self.known:
            known, known_link, outcome = self.known[step.id]
            return outcome if (known, known_link) == (contents(step), link_id) else Refused(Refusal.ID_REUSED)
        decision = self._decide(step)
        outcome = Done() if isinstance(decision, Booked) else decision
        self.known[step.id] = (contents(step), link_id, outcome)
        if isinstance(decision, Booked):
            self._carry_out(step, decision)
        return outcome

    def _decide(self, step: Step) -> Decision:
        if isinstance(step, Transfer | Reservation):
            transfer = step if isinstance(step, Transfer) else step.transfer
            decide = decide_post if isinstance(step, Transfer) else decide_reserve
            return decide(transfer, debit=self.accounts.get(transfer.debit), credit=self.accounts.get(transfer.credit))
        pending = self.reservations.get(step.pending_id)
        if isinstance(step, Release):
            return decide_release(pending)
        if isinstance(step, Expiry):
            return decide_expire(pending, now_ms=NOW_MS)
        debit = self.accounts[pending.transfer.debit] if pending else None
        credit = self.accounts[pending.transfer.credit] if pending else None
        return decide_capture(step, pending=pending, debit=debit, credit=credit, now_ms=NOW_MS)

    def _carry_out(self, step: Step, booked: Booked) -> None:
        if isinstance(step, Transfer):
            transfer = step
        elif isinstance(step, Reservation):
            transfer = step.transfer
            self.reservations[step.id] = Pending(transfer, PendingState.HELD, step.expires_at_ms)
        else:
            pending = self.reservations[step.pending_id]
            ended = {Capture: PendingState.CAPTURED, Release: PendingState.RELEASED, Expiry: PendingState.EXPIRED}
            self.reservations[step.pending_id] = replace(pending, state=ended[type(step)])
            transfer = pending.transfer
        amount = booked.entries[1].amount_minor if booked.entries else 0
        debit, credit = self.accounts[transfer.debit], self.accounts[transfer.credit]
        self.accounts[transfer.debit] = replace(
            debit,
            debits_posted=debit.debits_posted + amount,
            debits_pending=debit.debits_pending + booked.pending_change_minor,
        )
        self.accounts[transfer.credit] = replace(
            credit,
            credits_posted=credit.credits_posted + amount,
            credits_pending=credit.credits_pending + booked.pending_change_minor,
        )


def contents(step: Step) -> object:
    return ("reserve", step.transfer) if isinstance(step, Reservation) else step


def batch() -> Batch:
    accounts = {
        name: Running(state, number=number, entries=0, last=0)
        for number, (name, state) in enumerate(ACCOUNTS.items(), start=1)
    }
    return Batch(accounts=accounts, reservations={}, known={}, sequence=0, now_ms=NOW_MS, at_ms=NOW_MS)


IDS = st.sampled_from([f"{number:032x}" for number in range(8)])
TRANSFERS = st.builds(
    Transfer,
    IDS,
    st.sampled_from([*ACCOUNTS, "unknown"]),
    st.sampled_from([*ACCOUNTS, "unknown"]),
    st.builds(Money, st.integers(1, 60), st.sampled_from(["EUR", "EUR", "EUR", "CHF"])),
    st.sampled_from(["payment", "top_up"]),
    st.sampled_from([None, 7]),
)
STEPS: st.SearchStrategy[Step] = st.one_of(
    TRANSFERS,
    st.builds(Reservation, TRANSFERS, st.sampled_from([NOW_MS, EXPIRES_AT_MS])),
    st.builds(Capture, IDS, IDS, st.builds(Money, st.integers(1, 60), st.sampled_from(["EUR", "EUR", "CHF"]))),
    st.builds(Release, IDS, IDS),
    st.builds(Expiry, IDS, IDS),
)
ITEMS = st.lists(
    STEPS | st.lists(STEPS, min_size=1, max_size=4, unique_by=lambda step: step.id).map(lambda s: Linked(tuple(s))),
    max_size=25,
)


@given(ITEMS)
def test_a_batch_is_decided_as_one_step_after_another(items: list[Step | Linked]) -> None:
    oracle, decided = Oracle(), batch()

    outcomes = decided.decide(items)

    assert outcomes == [oracle.take(item) for item in items]
    assert {name: running.state() for name, running in decided.accounts.items()} == oracle.accounts
    held = {held_id: (held.transfer, held.state) for held_id, held in decided.reservations.items()}
    assert held == {pending_id: (each.transfer, each.state) for pending_id, each in oracle.reservations.items()}


@given(ITEMS)
def test_what_is_written_is_what_was_done(items: list[Step | Linked]) -> None:
    """
    The rows are numbered without a gap, and their amounts add up to what is on the accounts.
    """
    decided = batch()
    outcomes = [outcome for each in decided.decide(items) for outcome in each]

    assert [row[0] for row in decided.booked] == list(range(1, len(decided.booked) + 1))
    assert {row[1].hex() for row in decided.booked} == set(decided.known)
    assert [row[1] for row in decided.booked if row[2] == REFUSED] == [row[0] for row in decided.refused]
    assert outcomes.count(Done()) >= len(decided.booked) - len(decided.refused)
    for name, running in decided.accounts.items():
        debit_sum = sum(row[5] for row in decided.booked if row[3] == running.number and row[2] in (POST, CAPTURE))
        credit_sum = sum(row[5] for row in decided.booked if row[4] == running.number and row[2] in (POST, CAPTURE))
        assert running.debits_posted == ACCOUNTS[name].debits_posted + debit_sum
        assert running.credits_posted == ACCOUNTS[name].credits_posted + credit_sum


def pay(place: int, debit: str, credit: str, minor: int) -> Transfer:
    return Transfer(f"{place:032x}", debit, credit, Money(minor, "EUR"), "payment")


def test_of_linked_steps_all_happen_or_none_and_the_reason_stands_at_the_one_that_failed() -> None:
    linked = Linked((pay(1, "rich", "poor", 60), pay(2, "poor", "source", 61), pay(3, "rich", "poor", 1)))
    decided = batch()

    outcomes = decided.decide([linked, linked, pay(4, "poor", "source", 1)])

    refused = tuple(
        Refused(reason)
        for reason in (
            Refusal.LINKED_TRANSFER_REFUSED,
            Refusal.INSUFFICIENT_FUNDS,
            Refusal.LINKED_TRANSFER_REFUSED,
        )
    )
    assert outcomes == [refused, refused, (Refused(Refusal.INSUFFICIENT_FUNDS),)]
    assert [row[2] for row in decided.booked] == [REFUSED] * 4


def test_a_linked_step_sees_what_those_before_it_do() -> None:
    decided = batch()

    outcomes = decided.decide([Linked((pay(1, "rich", "poor", 60), pay(2, "poor", "source", 60)))])

    assert outcomes == [(Done(), Done())]


@pytest.mark.parametrize(
    "again",
    [
        pay(1, "rich", "poor", 1),
        Linked((pay(1, "rich", "poor", 1), pay(3, "rich", "poor", 1))),
        Linked((pay(2, "rich", "poor", 2), pay(1, "rich", "poor", 1))),
    ],
    ids=["alone", "with another", "in another order"],
)
def test_the_link_belongs_to_what_an_id_stands_for(again: Step | Linked) -> None:
    linked = Linked((pay(1, "rich", "poor", 1), pay(2, "rich", "poor", 2)))

    _, outcomes = batch().decide([linked, again])

    assert Refused(Refusal.ID_REUSED) in outcomes


def test_an_account_of_the_debit_side_can_be_credited_with_what_is_on_it_and_not_one_cent_more() -> None:
    decided = batch()

    outcomes = decided.decide(
        [pay(1, "source", "bank", 61), pay(2, "source", "bank", 60), pay(3, "bank", "source", 10**6)]
    )

    assert outcomes == [(Refused(Refusal.INSUFFICIENT_FUNDS),), (Done(),), (Done(),)]


def test_links_of_nothing_too_much_or_an_id_twice_are_refused() -> None:
    for steps in (
        (),
        tuple(pay(place, "rich", "poor", 1) for place in range(LINKED_MAX + 1)),
        (pay(1, "rich", "poor", 1), pay(1, "rich", "poor", 1)),
    ):
        with pytest.raises(BodyInvalid):
            Linked(steps)
