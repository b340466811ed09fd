"""
Plant bugs in the ledger, and in the making of notes.
"""

from __future__ import annotations

from typing import Any

from handsel.flows.acquiring import genuine_note
from handsel.notes import mint, note
from handsel.pay import batch, ledger
from handsel.pay.ledger import Booked, Refused
from handsel.store import issuer_note, ledger_batch, ledger_check
from tests.simulation.mutations.mutation import Mutation
from tests.simulation.patches import Patches


def _captures_and_keeps(patches: Patches) -> None:
    right = ledger.decide_capture

    def wrong(capture: Any, **rest: Any) -> Booked | Refused:
        decision = right(capture, **rest)
        return decision if isinstance(decision, Refused) else Booked(decision.entries, 0)

    patches.put(batch, "decide_capture", wrong)


def _releases_half(patches: Patches) -> None:
    right = ledger.decide_release

    def wrong(pending: Any) -> Booked | Refused:
        decision = right(pending)
        return decision if isinstance(decision, Refused) else Booked((), decision.pending_change_minor // 2)

    patches.put(batch, "decide_release", wrong)


def _forgets_ids(patches: Patches) -> None:
    patches.put(ledger_batch, "load_known", lambda uow, ids: {})


def _spends_what_is_reserved(patches: Patches) -> None:
    right = batch._refuse

    def wrong(transfer: Any, debit: Any, credit: Any) -> Any:
        if debit is None or credit is None:
            return right(transfer, debit, credit)
        before, debit.debits_pending = debit.debits_pending, 0
        try:
            return right(transfer, debit, credit)
        finally:
            debit.debits_pending = before

    patches.put(batch, "_refuse", wrong)


def _credits_without_a_debit(patches: Patches) -> None:
    right = batch.Batch._post

    def wrong(self: Any, kind: str, step: Any, link_id: Any, debit: Any, credit: Any) -> None:
        right(self, kind, step, link_id, debit, credit)
        if kind == batch.CAPTURE:
            debit.debits_posted -= step.money.amount_minor

    patches.put(batch.Batch, "_post", wrong)
    patches.put(ledger_check.LedgerCheck, "__call__", lambda self: None)


def _draws_a_serial_again(patches: Patches) -> None:
    serials = list[bytes]()
    right = mint._prepare_one

    def wrong(key: Any, serial: bytes, *, random_bytes: Any) -> Any:
        serials.append(serial)
        return right(key, serial if len(serials) % 50 else serials[0], random_bytes=random_bytes)

    patches.put(mint, "_prepare_one", wrong)


def _counts_no_redemption(patches: Patches) -> None:
    right = issuer_note._count

    def wrong(uow: Any, key: Any, *, signed: int, redeemed: int) -> None:
        right(uow, key, signed=signed, redeemed=0)

    patches.put(issuer_note, "_count", wrong)
    patches.put(issuer_note, "ensure_circulation", lambda uow, currency: None)


def _mistakes_a_note(patches: Patches) -> None:
    right = note.verify_note

    def wrong(held: Any, *, keys: Any) -> Any:
        half_minor = max(1, right(held, keys=keys).denomination_minor // 2)
        return next(key for key in keys.keys if key.denomination_minor == half_minor)

    patches.put(genuine_note, "verify_note", wrong)


MUTATIONS = (
    Mutation("capture-keeps", "what is captured stays reserved, too", _captures_and_keeps),
    Mutation("release-half", "half of what was reserved is given back", _releases_half),
    Mutation("ids-forgotten", "an id that comes again is booked again", _forgets_ids),
    Mutation("reserved-is-spent", "what is reserved is spent otherwise", _spends_what_is_reserved),
    Mutation("one-sided", "a capture credits and does not debit, and no check is made", _credits_without_a_debit),
    Mutation("serial-again", "a serial is drawn twice", _draws_a_serial_again),
    Mutation("uncounted", "redeemed notes are not counted, and no check is made", _counts_no_redemption),
    Mutation("note-mistaken", "a note counts as half of its worth", _mistakes_a_note),
)
