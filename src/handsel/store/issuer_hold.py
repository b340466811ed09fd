"""
Keep which charges only reserve: until when, and what was captured of them. A hold is kept for ever, as its charge is.

The acquirer that carried the charge stands there because it alone may capture or give back. There is no merchant.
"""

from __future__ import annotations

from dataclasses import dataclass

from handsel.errors import ensure
from handsel.store.database import UnitOfWork

OPEN_MAX = 1000  # Of one wallet; what is reserved is bounded by its limits long before.


@dataclass(frozen=True, repr=False)
class HoldRow:
    """
    Carry a hold as it is stored: `capture_digest` is that of the request that captured it, or None.
    """

    charge_id: str
    acquirer: str
    amount_minor: int
    until_ms: int
    capture_digest: bytes | None = None


@dataclass(frozen=True, repr=False)
class OpenHold:
    """
    Tell of a hold that is neither captured nor given back.
    """

    amount_minor: int
    until_ms: int
    at_ms: int


def add_hold(uow: UnitOfWork, row: HoldRow) -> None:
    """
    Write that a charge only reserves.
    """
    uow.execute(
        "INSERT INTO holds (charge_id, acquirer, amount_minor, until_ms) VALUES (?, ?, ?, ?)",
        *(row.charge_id, row.acquirer, row.amount_minor, row.until_ms),
    )


def find_hold(uow: UnitOfWork, charge_id: str) -> HoldRow | None:
    """
    Return the hold of a charge, or None.
    """
    row = uow.row(
        "SELECT charge_id, acquirer, amount_minor, until_ms, capture_digest FROM holds WHERE charge_id = ?", charge_id
    )
    return HoldRow(*row) if row else None


def capture_hold(uow: UnitOfWork, charge_id: str, *, capture_digest: bytes, amount_minor: int) -> None:
    """
    Write which request captured a hold, and how much: from now on the charge counts as what was captured.
    """
    changed = uow.execute(
        "UPDATE holds SET capture_digest = ? WHERE charge_id = ? AND capture_digest IS NULL", capture_digest, charge_id
    )
    ensure(changed == 1, "a hold is captured once")
    uow.execute("UPDATE charges SET amount_minor = ? WHERE id = ?", amount_minor, charge_id)


def open_holds(uow: UnitOfWork, wallet_id: str) -> tuple[OpenHold, ...]:
    """
    Return what of a wallet's money is reserved for later, the oldest first.
    """
    rows = uow.rows(
        "SELECT holds.amount_minor, holds.until_ms, charges.at_ms"
        " FROM holds JOIN charges ON charges.id = holds.charge_id"
        " WHERE charges.wallet_id = ? AND charges.state = 'reserved' ORDER BY charges.at_ms, charges.id LIMIT ?",
        *(wallet_id, OPEN_MAX),
    )
    return tuple(OpenHold(*row) for row in rows)
