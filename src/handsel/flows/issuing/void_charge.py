"""
Void a charge, and give back the reservations that nobody came back for.
"""

from __future__ import annotations

from handsel.errors import ensure
from handsel.flows.issuing.approved import Approved, Voided
from handsel.flows.issuing.charge import HOLD_MS, outcome_of
from handsel.flows.issuing.issuer import Issuer
from handsel.ids import require_id
from handsel.pay.decline import Declined
from handsel.pay.ledger import Refusal, Refused, Release, derive_id
from handsel.store import issuer_note as charges
from handsel.store import issuer_pin as pins
from handsel.store import ledger
from handsel.store.database import UnitOfWork
from handsel.store.issuer_note import ChargeRow


def void_charge(issuer: Issuer, charge_id: str) -> Voided | Approved | Declined:
    """
    Bring a charge to its final state: whoever does not know how it ended calls this, and knows.

    A charge that was approved stays so, and its signatures are returned; one that was declined stays declined. Any
    other is voided, even one that never came: should its request still be on its way, it will be declined. Raises
    `BodyInvalid`.
    """
    require_id(charge_id)
    now_ms = issuer.clock()
    with issuer.database.unit_of_work() as uow:
        row = charges.find_charge(uow, charge_id)
        if row is None:
            row = ChargeRow(charge_id, None, derive_id("charge", charge_id), None, 0, "voided")
            charges.add_charge(uow, row, now_ms=now_ms)
            pins.remove_check(uow, charge_id)
        elif row.state == "reserved":
            release_charge(uow, row, now_ms=now_ms)
        elif row.state != "voided":
            return outcome_of(row)
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
    Give back the reservations whose time is over, void their charges, and return how many; forget checks of PINs that
    nobody came back for. The wiring's loop calls this.
    """
    now_ms = issuer.clock()
    with issuer.database.unit_of_work() as uow:
        expired = ledger.expire(uow, now_ms=now_ms)
        for reservation_id in expired:
            charges.void_reserved_charge(uow, reservation_id)
        pins.forget_checks(uow, begun_before_ms=now_ms - HOLD_MS)
        uow.commit()
    return len(expired)
