"""
Void a charge, and give back the reservations that nobody came back for.
"""

from __future__ import annotations

from handsel.errors import ensure
from handsel.flows.issuing.approved import Approved, Reserved, Voided
from handsel.flows.issuing.charge import HOLD_MS, outcome_of
from handsel.flows.issuing.issuer import Issuer
from handsel.ids import require_id
from handsel.pay.decline import Declined
from handsel.pay.ledger import Refusal, Refused, Release, derive_id
from handsel.store import issuer_hold as holds
from handsel.store import issuer_note as charges
from handsel.store import issuer_pin as pins
from handsel.store import ledger
from handsel.store.database import UnitOfWork
from handsel.store.issuer_note import ChargeRow


def void_charge(issuer: Issuer, charge_id: str, *, acquirer: str) -> Voided | Approved | Declined | Reserved:
    """
    Bring a charge to its final state: whoever does not know how it ended calls this, and knows.

    A charge that was approved stays so, and its signatures are returned; one that was declined stays declined, and one
    that only reserves has reserved: that is its end, and `give_back` is for whoever wants another. Any other is voided,
    even one that never came: should its request still be on its way, it will be declined. A charge that another
    acquirer carried stays as it is, and is void to this one; while its PIN is checked nobody has carried it yet. Raises
    `BodyInvalid`.
    """
    require_id(charge_id)
    now_ms = issuer.clock()
    with issuer.database.unit_of_work() as uow:
        row, hold = charges.find_charge(uow, charge_id), holds.find_hold(uow, charge_id)
        if row is not None and not row.is_of(acquirer):
            return Voided()
        if row is None:
            _void_undecided(uow, charge_id, now_ms=now_ms)
        elif row.state == "reserved" and hold is None:
            release_charge(uow, row, now_ms=now_ms)
        elif row.state != "voided":
            return outcome_of(row, hold)
        uow.commit()
    return Voided()


def release_charge(uow: UnitOfWork, row: ChargeRow, *, now_ms: int) -> None:
    """
    Give back what a charge has reserved, within the unit of work of another flow.
    """
    outcome = ledger.release(uow, Release(derive_id("release", row.id), row.reservation_id), now_ms=now_ms)
    is_over = isinstance(outcome, Refused) and outcome.refusal is Refusal.PENDING_ALREADY_EXPIRED
    ensure(is_over or not isinstance(outcome, Refused), "what a charge has reserved can be given back")
    charges.void_reserved_charge(uow, row.reservation_id)


def expire_charges(issuer: Issuer) -> int:
    """
    Give back the reservations whose time is over, void their charges, and return how many; void the charges whose PIN
    was being checked and nobody came back for. The wiring's loop calls this.

    A charge whose check is only forgotten could come once more, and count its try twice.
    """
    now_ms = issuer.clock()
    with issuer.database.unit_of_work() as uow:
        expired = ledger.expire(uow, now_ms=now_ms)
        for reservation_id in expired:
            charges.void_reserved_charge(uow, reservation_id)
        for charge_id in pins.overdue_checks(uow, begun_before_ms=now_ms - HOLD_MS):
            _void_undecided(uow, charge_id, now_ms=now_ms)
        uow.commit()
    return len(expired)


def _void_undecided(uow: UnitOfWork, charge_id: str, *, now_ms: int) -> None:
    """
    Void a charge of which nothing is kept yet, but that its PIN is being checked perhaps.
    """
    row = ChargeRow(charge_id, None, derive_id("charge", charge_id), None, 0, "voided")
    charges.add_charge(uow, row, now_ms=now_ms)
    pins.remove_check(uow, charge_id)
