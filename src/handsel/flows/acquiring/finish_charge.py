"""
Finish a charge whose till does not come back: make its notes, and take them as if the till had handed them over.

The till gave what makes notes of the issuer's signatures along with the charge, before anybody was debited. So a till
that was switched off, or has lost its disk, leaves no customer debited for a payment that is not paid.
"""

from __future__ import annotations

from handsel.errors import NotFound
from handsel.flows.acquiring.accept_notes import take_notes
from handsel.flows.acquiring.acquirer import Acquirer
from handsel.flows.acquiring.for_each import for_each
from handsel.flows.acquiring.promised_notes import secrets_of
from handsel.notes.mint import finalize_all
from handsel.pay.payment import Paid


def finish_charges(acquirer: Acquirer, *, now_ms: int) -> int:
    """
    Finish the approved charges of which no till was heard for `unresolved_ms_min`, and return how many are paid now.

    Raises `SignatureInvalid` or `BodyInvalid` for one of which no genuine notes of its amount can be made. The issuer
    has refused the order of any such one, while their keys are announced.
    """
    with acquirer.store.unit_of_work() as books:
        until_ms = now_ms - acquirer.bounds.unresolved_ms_min
        due = books.payments.unfinished_charges(
            until_ms=until_ms, now_ms=now_ms, limit=acquirer.bounds.resolve_batch_max
        )
    return len(for_each(due, lambda charge_id: _finish(acquirer, charge_id, now_ms=now_ms)))


def _finish(acquirer: Acquirer, charge_id: str, *, now_ms: int) -> Paid | None:
    """
    Make the notes of one charge, and take them; None where its till has come back meanwhile.
    """
    with acquirer.store.unit_of_work() as books:
        charge = books.payments.find_charge(charge_id)
    if charge is None:
        raise NotFound("there is no charge of that id")
    secrets = secrets_of(charge)
    if not secrets:
        return None
    notes = finalize_all(secrets, charge.signatures, keys=acquirer.keys.at(now_ms))
    return take_notes(acquirer, charge.till_id, charge_id, notes, now_ms=now_ms)
