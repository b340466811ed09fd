"""
Plant bugs in the issuer's flows and tables.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import msgspec

from handsel.flows.issuing import charge, recognise, redeem, refund, top_up, void_charge
from handsel.flows.issuing.approved import Approved, Voided
from handsel.flows.issuing.charge import outcome_of
from handsel.flows.issuing.issuer import Issuer
from handsel.order import ChargeOrder
from handsel.pay.decline import Declined, DeclineReason
from handsel.pay.ledger import derive_id
from handsel.store import issuer as wallets
from handsel.store import issuer_note
from handsel.store.database import UnitOfWork
from handsel.store.issuer_note import ChargeRow
from tests.simulation import acquirer_party
from tests.simulation.mutations.mutation import Mutation
from tests.simulation.patches import Patches


def _void_forgets_what_never_came(patches: Patches) -> None:
    right = void_charge.void_charge

    def wrong(issuer: Issuer, charge_id: str, *, acquirer: str) -> Any:
        with issuer.database.unit_of_work() as uow:
            if issuer_note.find_charge(uow, charge_id) is None:
                return Voided()
        return right(issuer, charge_id, acquirer=acquirer)

    patches.put(acquirer_party, "void_charge", wrong)


def _void_keeps_the_sum(patches: Patches) -> None:
    def wrong(uow: UnitOfWork, row: ChargeRow, *, now_ms: int) -> None:
        issuer_note.void_reserved_charge(uow, row.reservation_id)

    patches.put(void_charge, "release_charge", wrong)
    patches.put(charge, "HOLD_MS", 20_000_000)


def _void_of_what_was_approved(patches: Patches) -> None:
    patches.put(void_charge, "outcome_of", lambda row, hold: Voided() if row.signatures else outcome_of(row, hold))


def _approves_before_it_is_written(patches: Patches) -> None:
    def wrong(issuer: Issuer, wanted: ChargeOrder, signatures: tuple[bytes, ...]) -> Approved:
        return Approved(signatures)

    patches.put(charge, "_settle", wrong)


def _declines_when_asked_again(patches: Patches) -> None:
    right = charge._repeat

    def wrong(uow: UnitOfWork, earlier: ChargeRow, wanted: ChargeOrder, *, acquirer: str) -> Any:
        return Declined(DeclineReason.VOIDED) if earlier.signatures else right(uow, earlier, wanted, acquirer=acquirer)

    patches.put(charge, "_repeat", wrong)


def _debits_somebody_else(patches: Patches) -> None:
    right = wallets.find_wallet

    def wrong(uow: UnitOfWork, wallet_id: str) -> Any:
        (other,) = uow.row("SELECT MIN(id) FROM wallets") or (wallet_id,)
        return right(uow, other)

    patches.put(recognise, "wallets", SimpleNamespace(find_wallet=wrong))


def _redeems_twice(patches: Patches) -> None:
    right = issuer_note.mark_redeemed

    def wrong(uow: UnitOfWork, note: Any, **rest: Any) -> None:
        uow.execute("DROP TRIGGER IF EXISTS redeemed_notes_are_kept")
        uow.execute("DELETE FROM redeemed_notes WHERE serial = ?", note.serial)
        right(uow, note, **rest)

    patches.put(issuer_note, "mark_redeemed", wrong)
    patches.put(issuer_note, "find_redeemed", lambda uow, serial: None)
    patches.put(issuer_note, "is_redeemed", lambda uow, serial: False)


def _credits_refused_notes(patches: Patches) -> None:
    right = redeem._redeem_each

    def wrong(issuer: Issuer, uow: UnitOfWork, presented: Any, **rest: Any) -> Any:
        outcome, sum_minor = right(issuer, uow, presented, **rest)
        return outcome, sum_minor + len(outcome.refused)

    patches.put(redeem, "_redeem_each", wrong)


def _forgets_redemptions(patches: Patches) -> None:
    patches.put(issuer_note, "find_redemption", lambda uow, redemption_id: None)


def _credits_before_it_redeems(patches: Patches) -> None:
    right = refund.credit

    def wrong(issuer: Issuer, uow: UnitOfWork, wanted: Any, wallet: Any, presented: Any, *, now_ms: int) -> None:
        right(issuer, uow, wanted, wallet, presented, now_ms=now_ms)
        serials = [note.serial for note, _ in presented]
        uow.execute("DROP TRIGGER IF EXISTS redeemed_notes_are_kept")
        uow.execute("DELETE FROM redeemed_notes WHERE serial = ?", serials[-1])

    patches.put(refund, "credit", wrong)


def _tops_up_each_time(patches: Patches) -> None:
    count = iter(range(1 << 60))
    right = derive_id
    patches.put(top_up, "derive_id", lambda step, request_id: right(f"{step}{next(count)}", request_id))


def _voids_by_a_lost_row(patches: Patches) -> None:
    right = issuer_note.find_charge

    def wrong(uow: UnitOfWork, charge_id: str) -> ChargeRow | None:
        found = right(uow, charge_id)
        return None if found is not None and found.state == "voided" else found

    patches.put(issuer_note, "find_charge", wrong)


def _signs_for_half_the_price(patches: Patches) -> None:
    right = charge._reserve

    def wrong(issuer: Issuer, uow: UnitOfWork, wanted: ChargeOrder, wallet: Any, factor: Any, *, now_ms: int) -> Any:
        half = msgspec.structs.replace(wanted, amount_minor=max(1, wanted.amount_minor // 2))
        return right(issuer, uow, half, wallet, factor, now_ms=now_ms)

    patches.put(charge, "_reserve", wrong)


MUTATIONS = (
    Mutation("void-forgets", "a charge that was voided before it came is carried out", _void_forgets_what_never_came),
    Mutation("void-keeps-the-sum", "what a voided charge had reserved is given back hours later", _void_keeps_the_sum),
    Mutation("void-of-approved", "a charge that was debited is said to be void", _void_of_what_was_approved),
    Mutation("approve-unwritten", "notes leave before the debit is committed", _approves_before_it_is_written),
    Mutation("approve-once", "an approved charge that comes again is declined", _declines_when_asked_again),
    Mutation("other-wallet", "somebody else is debited", _debits_somebody_else),
    Mutation("redeem-twice", "a note is redeemed by whoever brings it", _redeems_twice),
    Mutation("credit-refused", "refused notes are credited", _credits_refused_notes),
    Mutation("redemption-forgotten", "a redemption that comes again is another one", _forgets_redemptions),
    Mutation("credit-unredeemed", "a refund credits a note and does not mark it", _credits_before_it_redeems),
    Mutation("top-up-again", "each press of the button tops up", _tops_up_each_time),
    Mutation("voided-row-lost", "a voided charge is begun again", _voids_by_a_lost_row),
    Mutation("half-price", "half of the sum is reserved", _signs_for_half_the_price),
)  # fmt: skip
