"""
Give back what a charge has reserved, before its time: its acquirer's merchant wants none of it.
"""

from __future__ import annotations

from handsel.errors import ensure
from handsel.flows.issuing.approved import Approved, Voided
from handsel.flows.issuing.capture_charge import reserved_by
from handsel.flows.issuing.issuer import Issuer
from handsel.flows.issuing.void_charge import release_charge
from handsel.ids import require_id


def give_back(issuer: Issuer, charge_id: str, *, acquirer: str) -> Voided | Approved:
    """
    Give back all that a charge has reserved, or return what was signed when it was captured before.

    Doing it again changes nothing, and what has expired was given back. Raises `BodyInvalid`, and `NotFound` unless
    this acquirer carried the charge.
    """
    require_id(charge_id)
    now_ms = issuer.clock()
    with issuer.database.unit_of_work() as uow:
        row, _hold = reserved_by(uow, charge_id, acquirer)
        if row.signatures is not None:
            return Approved(row.signatures)
        if row.state == "reserved":
            release_charge(uow, row, now_ms=now_ms)
            uow.commit()
        else:
            ensure(row.state == "voided", "what was reserved is captured or given back")
    return Voided()
