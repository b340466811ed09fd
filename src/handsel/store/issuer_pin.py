"""
Keep what Argon2 made of a wallet's PIN, how often it was tried in vain, and which checks of it are under way.

Every function works within the unit of work that it is given. Nothing here decides: the flows do. The digits of a PIN
are in no table, and there must never be a place for them.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from handsel.pay.asking import Asking
from handsel.store.database import UnitOfWork


@dataclass(frozen=True, repr=False)
class PinRow:
    """
    Carry a PIN as it is stored: its Argon2 hash, with parameters and salt, and since when it is the PIN.
    """

    hash: str
    set_at_ms: int


@dataclass(frozen=True, repr=False)
class PinCheckRow:
    """
    Carry a check that is under way, of the PIN in the order with that digest.
    """

    digest: bytes
    wallet_id: str


def put_pin(uow: UnitOfWork, wallet_id: str, row: PinRow) -> None:
    """
    Write a wallet's PIN in place of the one that it had.
    """
    remove_pin(uow, wallet_id)
    uow.execute("INSERT INTO pins (wallet_id, hash, set_at_ms) VALUES (?, ?, ?)", wallet_id, row.hash, row.set_at_ms)


def find_pin(uow: UnitOfWork, wallet_id: str) -> PinRow | None:
    """
    Return a wallet's PIN, or None.
    """
    row = uow.row("SELECT hash, set_at_ms FROM pins WHERE wallet_id = ?", wallet_id)
    return PinRow(*row) if row else None


def remove_pin(uow: UnitOfWork, wallet_id: str) -> None:
    """
    Remove a wallet's PIN, if it has one.
    """
    uow.execute("DELETE FROM pins WHERE wallet_id = ?", wallet_id)


def find_tries(uow: UnitOfWork, wallet_id: str) -> Asking:
    """
    Return how PINs were tried for a wallet: not at all, at first.
    """
    row = uow.row("SELECT asking FROM pin_tries WHERE wallet_id = ?", wallet_id)
    return msgspec.msgpack.decode(row[0], type=Asking) if row else Asking()


def save_tries(uow: UnitOfWork, wallet_id: str, tries: Asking) -> None:
    """
    Keep how PINs were tried for a wallet, in place of what was.
    """
    uow.execute(
        "INSERT INTO pin_tries (wallet_id, asking) VALUES (?, ?)"
        " ON CONFLICT (wallet_id) DO UPDATE SET asking = excluded.asking",
        *(wallet_id, msgspec.msgpack.encode(tries)),
    )


def forget_tries(uow: UnitOfWork, wallet_id: str) -> None:
    """
    Forget how PINs were tried for a wallet: it is not locked any more.
    """
    uow.execute("DELETE FROM pin_tries WHERE wallet_id = ?", wallet_id)


def add_check(uow: UnitOfWork, charge_id: str, row: PinCheckRow, *, now_ms: int) -> None:
    """
    Write that the PIN of a charge is being checked.
    """
    uow.execute(
        "INSERT INTO pin_checks (charge_id, digest, wallet_id, begun_at_ms) VALUES (?, ?, ?, ?)",
        *(charge_id, row.digest, row.wallet_id, now_ms),
    )


def find_check(uow: UnitOfWork, charge_id: str) -> PinCheckRow | None:
    """
    Return the check of a charge's PIN that is under way, or None.
    """
    row = uow.row("SELECT digest, wallet_id FROM pin_checks WHERE charge_id = ?", charge_id)
    return PinCheckRow(*row) if row else None


def remove_check(uow: UnitOfWork, charge_id: str) -> None:
    """
    Write that no PIN of a charge is being checked any more.
    """
    uow.execute("DELETE FROM pin_checks WHERE charge_id = ?", charge_id)


def overdue_checks(uow: UnitOfWork, *, begun_before_ms: int) -> tuple[str, ...]:
    """
    Return the charges of the checks that a crash cut off and nobody came back for.
    """
    rows = uow.rows("SELECT charge_id FROM pin_checks WHERE begun_at_ms < ?", begun_before_ms)
    return tuple(charge_id for (charge_id,) in rows)
