"""
Plant bugs in receipts: in their keys, in what is stated and sealed, and on their way.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from handsel.flows.acquiring import accept_notes, carry_charge, write_receipt
from handsel.flows.issuing import take_receipt
from handsel.store import issuer_receipt
from handsel.store.acquirer_notes import NoteTables
from handsel.store.database import UnitOfWork
from handsel.till import bring_receipts
from handsel.till.journal import Journal
from tests.simulation import acquirer_party
from tests.simulation.mutations.mutation import Mutation
from tests.simulation.patches import Patches, patched


def _gives_a_key_twice(patches: Patches) -> None:
    def wrong(uow: UnitOfWork, wallet_id: str, *, charge_id: str) -> bytes | None:
        row = uow.row(
            "SELECT key FROM receipt_keys WHERE wallet_id = ? AND charge_id IS NULL ORDER BY number LIMIT 1", wallet_id
        )
        return None if row is None else bytes(row[0])

    patches.put(issuer_receipt, "take_key", wrong)


def _gives_anothers_key(patches: Patches) -> None:
    right = issuer_receipt.take_key

    def wrong(uow: UnitOfWork, wallet_id: str, *, charge_id: str) -> bytes | None:
        row = uow.row("SELECT wallet_id FROM receipt_keys WHERE charge_id IS NULL ORDER BY id LIMIT 1")
        return right(uow, wallet_id if row is None else row[0], charge_id=charge_id)

    patches.put(issuer_receipt, "take_key", wrong)


def _takes_and_forgets(patches: Patches) -> None:
    right = take_receipt.take_receipt

    def wrong(*values: Any, **rest: Any) -> None:
        with patched() as inner:
            inner.put(UnitOfWork, "commit", lambda uow: None)
            right(*values, **rest)

    patches.put(acquirer_party, "take_receipt", wrong)


def _gives_up_at_once(patches: Patches) -> None:
    patches.put(bring_receipts, "GIVEN_UP_MS", 0)


def _closes_without_the_receipt(patches: Patches) -> None:
    right = Journal.close
    patches.put(Journal, "close", lambda self, charge_id, receipt=None: right(self, charge_id))


def _keeps_receipts_in_memory(patches: Patches) -> None:
    right = Journal.close

    def wrong(self: Journal, charge_id: str, receipt: Any = None) -> None:
        right(self, charge_id)
        vars(self)["_receipts"] = (*self.receipts(), *(() if receipt is None else (receipt,)))

    patches.put(Journal, "close", wrong)


def _states_a_note_less(patches: Patches) -> None:
    right = NoteTables.marks_of
    patches.put(NoteTables, "marks_of", lambda self, charge_id: right(self, charge_id)[1:])


def _states_the_sum_without_the_tip(patches: Patches) -> None:
    right = write_receipt.write_receipt

    def wrong(acquirer: Any, books: Any, charge: Any, payment: Any) -> Any:
        return right(acquirer, books, charge, replace(payment, tip_minor=0))

    patches.put(accept_notes, "write_receipt", wrong)
    patches.put(carry_charge, "write_receipt", wrong)


MUTATIONS = (
    Mutation("receipt-key-again", "the key that a charge was given is given to the next one", _gives_a_key_twice),
    Mutation("anothers-receipt-key", "a charge is given the key of any wallet", _gives_anothers_key),
    Mutation("receipt-uncommitted", "a till is told that a receipt has arrived, and it has not", _takes_and_forgets),
    Mutation("receipt-given-up", "a receipt that cannot be brought at once is given up", _gives_up_at_once),
    Mutation("receipt-not-kept", "a till closes a charge and keeps no receipt", _closes_without_the_receipt),
    Mutation("receipt-in-memory", "a till keeps receipts in memory alone", _keeps_receipts_in_memory),
    Mutation("receipt-note-missing", "a receipt lacks a note of its payment", _states_a_note_less),
    Mutation("receipt-without-tip", "a receipt states the sum without the tip", _states_the_sum_without_the_tip),
)  # fmt: skip
