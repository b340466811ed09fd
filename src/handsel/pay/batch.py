"""
Decide many steps at once, each after the other, in memory: the same answers as `pay.ledger`, at a fraction of the time.

Whoever calls loads what the steps speak of (accounts, reservations, ids that were used before), and keeps what was
booked, all of it or nothing. `pay.ledger` decides one step in the plainest way; a property holds the two equal.

What is changed here is shared by all steps of a batch, so the states are no frozen values.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from handsel.pay.ledger import (
    Capture,
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
    decide_release,
)
from handsel.pay.running import Amounts, Held, Running

MILESTONE = 64  # Every so many entries of an account are found without going from entry to entry. A power of two.

POST, RESERVE, CAPTURE, RELEASE, EXPIRE, REFUSED = "post", "reserve", "capture", "release", "expire", "refused"

# What stands in a row of `Batch.booked`, in this order. The balances are those of both accounts after the step, the
# numbers say which of their entries it is.
BOOKED_FIELDS = (
    *("sequence", "id", "kind", "debit", "credit", "amount_minor", "code", "pending_id", "link_id", "happened_at_ms"),
    *("at_ms", "debit_previous", "credit_previous", "debit_balance_minor", "credit_balance_minor"),
    *("debit_number", "credit_number"),
)
REFUSED_FIELDS = (
    *("id", "kind", "debit", "credit", "amount_minor", "currency", "code", "pending_id", "link_id", "happened_at_ms"),
    *("at_ms", "refusal"),
)
Row = tuple[Any, ...]

_DONE = Done()
_ALONE = (_DONE,)
_REFUSED = {refusal: Refused(refusal) for refusal in Refusal}


# What an id stands for: a step, the first id of the link that it stands in or None, and its outcome.
Known = tuple[Step, str | None, Outcome]


class Batch:
    """
    Decide steps one after another, and collect what is to be written.
    """

    def __init__(
        self,
        *,
        accounts: dict[str, Running],
        reservations: dict[str, Held],
        known: dict[str, Known],
        sequence: int,
        now_ms: int,
        at_ms: int,
    ) -> None:
        """
        Begin after the step number `sequence`. `at_ms` is what is written as the time, `now_ms` what is decided by.
        """
        self.accounts = accounts
        self.reservations = reservations
        self.known = known
        self.sequence = sequence
        self.booked: list[Row] = []
        self.refused: list[Row] = []
        self.milestones: list[Row] = []
        self._now_ms = now_ms
        self._at_ms = at_ms

    def decide(self, items: Iterable[Step | Linked]) -> list[tuple[Outcome, ...]]:
        """
        Decide all items in order; return the outcomes of each, which is more than one for linked steps.
        """
        outcomes: list[tuple[Outcome, ...]] = []
        for item in items:
            if isinstance(item, Transfer):
                outcomes.append(self._transfer(item))
            elif isinstance(item, Linked):
                outcomes.append(self._link(item))
            else:
                outcomes.append((self._take(item),))
        return outcomes

    def _transfer(self, transfer: Transfer) -> tuple[Outcome]:
        """
        Decide what is by far the most: what `_take` says, with fewer steps on the way.
        """
        if transfer.id in self.known:
            return (self._take(transfer),)
        debit, credit = self.accounts.get(transfer.debit), self.accounts.get(transfer.credit)
        if debit is None or credit is None or _refuse(transfer, debit, credit) is not None:
            return (self._take(transfer),)
        self._post(POST, transfer, None, debit, credit)
        self.known[transfer.id] = (transfer, None, _DONE)
        return _ALONE

    def _take(self, step: Step) -> Outcome:
        earlier = self.known.get(step.id)
        if earlier is not None:
            return _repeat(earlier, step, None)
        refusal = self._decide(step, None)
        if refusal is None:
            outcome: Outcome = _DONE
        else:
            outcome = _REFUSED[refusal]
            self._append_refused(step, None, refusal)
        self.known[step.id] = (step, None, outcome)
        return outcome

    def _link(self, linked: Linked) -> tuple[Outcome, ...]:
        """
        Decide steps that all happen or none. What is known in part is another link than the one that was asked for.
        """
        steps, link_id = linked.steps, linked.steps[0].id
        known = [self.known.get(step.id) for step in steps]
        if any(known):
            if not all(known):
                return tuple(_REFUSED[Refusal.ID_REUSED] for _ in steps)
            return tuple(_repeat(self.known[step.id], step, link_id) for step in steps)
        undo = _Undo(self, steps)
        refusals: list[Refusal] = []
        for place, step in enumerate(steps):
            refusal = self._decide(step, link_id)
            if refusal is not None:
                undo()
                refusals = [Refusal.LINKED_TRANSFER_REFUSED] * len(steps)
                refusals[place] = refusal
                break
        for step, refusal in zip(steps, refusals, strict=False):
            self._append_refused(step, link_id, refusal)
        outcomes: tuple[Outcome, ...] = tuple(_REFUSED[refusal] for refusal in refusals) or (_DONE,) * len(steps)
        for step, outcome in zip(steps, outcomes, strict=True):
            self.known[step.id] = (step, link_id, outcome)
        return outcomes

    def _decide(self, step: Step, link_id: str | None) -> Refusal | None:
        """
        Carry a step out, or return why not.
        """
        if isinstance(step, (Transfer, Reservation)):
            transfer = step if isinstance(step, Transfer) else step.transfer
            debit, credit = self.accounts.get(transfer.debit), self.accounts.get(transfer.credit)
            refusal = _refuse(transfer, debit, credit)
            if refusal is not None or debit is None or credit is None:
                return refusal
            if isinstance(step, Transfer):
                self._post(POST, transfer, link_id, debit, credit)
            else:
                self._reserve(step, link_id, debit, credit)
            return None
        return self._end(step, link_id)

    def _end(self, step: Capture | Release | Expiry, link_id: str | None) -> Refusal | None:
        held = self.reservations.get(step.pending_id)
        pending = Pending(held.transfer, held.state, held.expires_at_ms) if held else None
        debit = self.accounts.get(held.transfer.debit) if held else None
        credit = self.accounts.get(held.transfer.credit) if held else None
        if isinstance(step, Capture):
            decision = decide_capture(
                step,
                pending=pending,
                debit=debit.state() if debit else None,
                credit=credit.state() if credit else None,
                now_ms=self._now_ms,
            )
        else:
            is_release = isinstance(step, Release)
            decision = decide_release(pending) if is_release else decide_expire(pending, now_ms=self._now_ms)
        if isinstance(decision, Refused):
            return decision.refusal
        if held is None or debit is None or credit is None:
            return Refusal.PENDING_UNKNOWN
        held.is_changed = True
        debit.debits_pending += decision.pending_change_minor
        credit.credits_pending += decision.pending_change_minor
        if isinstance(step, Capture):
            held.state = PendingState.CAPTURED
            self._post(CAPTURE, step, link_id, debit, credit)
        else:
            held.state = PendingState.RELEASED if isinstance(step, Release) else PendingState.EXPIRED
            kind = RELEASE if isinstance(step, Release) else EXPIRE
            self._append(kind, step, held.transfer, link_id, debit, credit)
        return None

    def _post(self, kind: str, step: Transfer | Capture, link_id: str | None, debit: Running, credit: Running) -> None:
        amount_minor = step.money.amount_minor
        self.sequence = sequence = self.sequence + 1
        debit.debits_posted += amount_minor
        credit.credits_posted += amount_minor
        debit.entries += 1
        credit.entries += 1
        if isinstance(step, Transfer):
            code, pending_id, happened_at_ms = step.code, None, step.happened_at_ms
        else:
            code, pending_id = self.reservations[step.pending_id].transfer.code, bytes.fromhex(step.pending_id)
            happened_at_ms = None
        self.booked.append(
            (
                sequence,
                bytes.fromhex(step.id),
                kind,
                debit.number,
                credit.number,
                amount_minor,
                code,
                pending_id,
                bytes.fromhex(link_id) if link_id else None,
                happened_at_ms,
                self._at_ms,
                debit.last,
                credit.last,
                debit.credits_posted - debit.debits_posted,
                credit.credits_posted - credit.debits_posted,
                debit.entries,
                credit.entries,
            )
        )
        debit.last = credit.last = sequence
        if debit.entries % MILESTONE == 0:
            self.milestones.append((debit.number, debit.entries, sequence, self._at_ms))
        if credit.entries % MILESTONE == 0:
            self.milestones.append((credit.number, credit.entries, sequence, self._at_ms))

    def _reserve(self, step: Reservation, link_id: str | None, debit: Running, credit: Running) -> None:
        amount_minor = step.transfer.money.amount_minor
        debit.debits_pending += amount_minor
        credit.credits_pending += amount_minor
        self.reservations[step.id] = Held(step.transfer, PendingState.HELD, step.expires_at_ms, is_new=True)
        self._append(RESERVE, step, step.transfer, link_id, debit, credit)

    def _append(
        self,
        kind: str,
        step: Reservation | Release | Expiry,
        transfer: Transfer,
        link_id: str | None,
        debit: Running,
        credit: Running,
    ) -> None:
        """
        Collect a step that has no entries.
        """
        self.sequence += 1
        pending_id = None if isinstance(step, Reservation) else bytes.fromhex(step.pending_id)
        self.booked.append(
            (
                *(self.sequence, bytes.fromhex(step.id), kind, debit.number, credit.number),
                *(transfer.money.amount_minor, transfer.code, pending_id),
                *(bytes.fromhex(link_id) if link_id else None, None if pending_id else transfer.happened_at_ms),
                *(self._at_ms, *(None,) * 6),
            )
        )

    def _append_refused(self, step: Step, link_id: str | None, refusal: Refusal) -> None:
        """
        Collect a step that was refused, twice: among all ids that were used, and with all that was asked.
        """
        self.sequence += 1
        nothing = (None,) * 3
        self.booked.append(
            (self.sequence, bytes.fromhex(step.id), REFUSED, 0, 0, 0, "", *nothing, self._at_ms, *(None,) * 6)
        )
        self.refused.append(self._refused_row(step, link_id, refusal))

    def _refused_row(self, step: Step, link_id: str | None, refusal: Refusal) -> Row:
        link = bytes.fromhex(link_id) if link_id else None
        rest = (link, None, self._at_ms, refusal.value)
        if isinstance(step, Transfer | Reservation):
            transfer = step if isinstance(step, Transfer) else step.transfer
            money = transfer.money
            return (
                *(bytes.fromhex(step.id), POST if isinstance(step, Transfer) else RESERVE),
                *(transfer.debit, transfer.credit, money.amount_minor, money.currency, transfer.code, None),
                *(link, transfer.happened_at_ms, self._at_ms, refusal.value),
            )
        pending_id, step_id = bytes.fromhex(step.pending_id), bytes.fromhex(step.id)
        if isinstance(step, Capture):
            money = step.money
            return (step_id, CAPTURE, None, None, money.amount_minor, money.currency, None, pending_id, *rest)
        kind = RELEASE if isinstance(step, Release) else EXPIRE
        return (step_id, kind, None, None, None, None, None, pending_id, *rest)


class _Undo:
    """
    Put a batch back to where it was before a link, as far as its steps can change it.
    """

    def __init__(self, batch: Batch, steps: tuple[Step, ...]) -> None:
        self._batch = batch
        self._sequence, self._booked = batch.sequence, len(batch.booked)
        self._milestones = len(batch.milestones)
        self._held: dict[str, tuple[PendingState, bool] | None] = {}
        self._amounts: dict[str, Amounts] = {}
        for step in steps:
            transfer: Transfer | None = None
            if isinstance(step, Transfer):
                transfer = step
            elif isinstance(step, Reservation):
                transfer, self._held[step.id] = step.transfer, None
            elif step.pending_id in batch.reservations:
                held = batch.reservations[step.pending_id]
                transfer = held.transfer
                self._held[step.pending_id] = (held.state, held.is_changed)
            for name in (transfer.debit, transfer.credit) if transfer else ():
                if name in batch.accounts:
                    self._amounts[name] = batch.accounts[name].amounts()

    def __call__(self) -> None:
        batch = self._batch
        batch.sequence = self._sequence
        del batch.booked[self._booked :]
        del batch.milestones[self._milestones :]
        for name, amounts in self._amounts.items():
            batch.accounts[name].put_back(amounts)
        for pending_id, before in self._held.items():
            if before is None:
                batch.reservations.pop(pending_id, None)
            else:
                held = batch.reservations[pending_id]
                held.state, held.is_changed = before


def _refuse(transfer: Transfer, debit: Running | None, credit: Running | None) -> Refusal | None:
    """
    Return why a transfer or a reservation is refused: what `pay.ledger` says, without its values.
    """
    if transfer.debit == transfer.credit:
        return Refusal.ACCOUNTS_ARE_THE_SAME
    if debit is None or credit is None:
        return Refusal.ACCOUNT_UNKNOWN
    money = transfer.money
    if not debit.currency == credit.currency == money.currency:
        return Refusal.CURRENCY_DIFFERS
    if debit.is_closed or credit.is_closed:
        return Refusal.ACCOUNT_CLOSED
    amount_minor = money.amount_minor
    if debit.bounds_debits and amount_minor > debit.credits_posted - debit.debits_posted - debit.debits_pending:
        return Refusal.INSUFFICIENT_FUNDS
    if credit.bounds_credits and amount_minor > credit.debits_posted - credit.credits_posted - credit.credits_pending:
        return Refusal.INSUFFICIENT_FUNDS
    return None


def _repeat(earlier: Known, step: Step, link_id: str | None) -> Outcome:
    known, known_link_id, outcome = earlier
    if isinstance(known, Reservation) and isinstance(step, Reservation):
        is_same = known.transfer == step.transfer  # The first time limit stands.
    else:
        is_same = known == step
    return outcome if is_same and known_link_id == link_id else _REFUSED[Refusal.ID_REUSED]
