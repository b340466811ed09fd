"""
Plant bugs in second factors, and in the limits beyond which they are needed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from handsel.flows.issuing import charge
from handsel.flows.issuing.second_factor import end_pin_check, pin_asked_before
from handsel.pay.money import Money
from handsel.store import issuer_limit, issuer_note, issuer_passkey, issuer_pin
from handsel.store.database import UnitOfWork
from tests.simulation.mutations.mutation import Mutation
from tests.simulation.patches import Patches


def _counts_a_try_twice(patches: Patches) -> None:
    def wrong(uow: UnitOfWork, wanted: Any) -> None:
        if pin_asked_before(uow, wanted) is not None:
            issuer_pin.remove_check(uow, wanted.order_id)

    patches.put(charge, "pin_asked_before", wrong)


def _counts_no_try(patches: Patches) -> None:
    patches.put(issuer_pin, "save_tries", lambda uow, wallet_id, tries: None)


def _takes_back_wrong_tries(patches: Patches) -> None:
    def wrong(issuer: Any, uow: UnitOfWork, wanted: Any, *, is_right: bool) -> Any:
        return end_pin_check(issuer, uow, wanted, is_right=True)

    patches.put(charge, "end_pin_check", wrong)


def _takes_any_pin(patches: Patches) -> None:
    patches.put(charge, "is_pin_right", lambda issuer, wanted, asked: True)


def _uses_a_yes_again(patches: Patches) -> None:
    patches.put(issuer_passkey, "use_approval", lambda uow, approval_id, *, charge_id: True)


def _takes_a_yes_for_any_sum(patches: Patches) -> None:
    right = issuer_passkey.approval_for

    def wrong(uow: UnitOfWork, wallet_id: str, amount: Money, **rest: Any) -> str | None:
        rows = uow.rows("SELECT amount_minor FROM approvals WHERE wallet_id = ? AND charge_id IS NULL", wallet_id)
        sums = [Money(amount_minor, amount.currency) for (amount_minor,) in rows]
        return next((found for each in sums if (found := right(uow, wallet_id, each, **rest))), None)

    patches.put(issuer_passkey, "approval_for", wrong)


def _forgets_the_factor(patches: Patches) -> None:
    right = issuer_note.add_charge
    patches.put(
        issuer_note, "add_charge", lambda uow, row, *, now_ms: right(uow, replace(row, factor=None), now_ms=now_ms)
    )


def _counts_only_what_is_captured(patches: Patches) -> None:
    right = issuer_limit.spent_of

    def wrong(uow: UnitOfWork, wallet_id: str, **rest: Any) -> Any:
        spent = right(uow, wallet_id, **rest)
        rows = uow.rows(
            "SELECT COALESCE(SUM(amount_minor), 0) FROM charges WHERE wallet_id = ? AND state = 'reserved'", wallet_id
        )
        left = max(0, spent.alone_since.amount_minor - rows[0][0])
        return replace(spent, alone_since=Money(left, spent.alone_since.currency))

    patches.put(issuer_limit, "spent_of", wrong)


MUTATIONS = (
    Mutation("try-counted-twice", "a PIN that is sent again is counted again", _counts_a_try_twice),
    Mutation("try-not-counted", "a try of a PIN is not counted", _counts_no_try),
    Mutation("wrong-try-taken-back", "a wrong PIN is counted as a right one", _takes_back_wrong_tries),
    Mutation("any-pin", "every PIN is right", _takes_any_pin),
    Mutation("approval-again", "an approval is good for more than one payment", _uses_a_yes_again),
    Mutation("approval-for-any", "an approval is good for any sum", _takes_a_yes_for_any_sum),
    Mutation("factor-forgotten", "a charge forgets its second factor", _forgets_the_factor),
    Mutation("reserved-uncounted", "what is only reserved counts for no limit", _counts_only_what_is_captured),
)  # fmt: skip
