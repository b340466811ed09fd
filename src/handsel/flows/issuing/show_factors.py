"""
Show a wallet's second factors and limits to whoever has its key: whether there is a PIN, and since when; never which.
"""

from __future__ import annotations

import msgspec

from handsel.flows.issuing.issuer import Issuer
from handsel.store import issuer_limit as limits
from handsel.store import issuer_passkey as passkeys
from handsel.store import issuer_pin as pins
from handsel.store.database import UnitOfWork


class PasskeyLine(msgspec.Struct, frozen=True):
    """
    Show one passkey: its id, in hexadecimal digits, is what it is removed by.
    """

    passkey_id: str
    added_at_ms: int


class FactorsView(msgspec.Struct, frozen=True):
    """
    Show second factors and the limits that the owner has set, in minor units.

    `pin_set_at_ms` is None without a PIN, `pin_locked_until_ms` None where it is not locked.
    """

    pin_set_at_ms: int | None
    pin_locked_until_ms: int | None
    passkeys: tuple[PasskeyLine, ...]
    own_alone_per_payment_minor: int | None
    own_per_payment_minor: int | None
    own_per_day_minor: int | None


def show_factors(issuer: Issuer, wallet_id: str) -> FactorsView:
    """
    Return a wallet's second factors and own limits as they are now.
    """
    with issuer.database.unit_of_work() as uow:
        return factors_of(uow, wallet_id, now_ms=issuer.clock())


def factors_of(uow: UnitOfWork, wallet_id: str, *, now_ms: int) -> FactorsView:
    """
    Return the same within the unit of work of another flow.
    """
    pin = pins.find_pin(uow, wallet_id)
    until_ms = pins.find_tries(uow, wallet_id).locked_until_ms
    own = limits.find_own_limits(uow, wallet_id)
    held = passkeys.passkeys_of(uow, wallet_id)
    return FactorsView(
        pin_set_at_ms=None if pin is None else pin.set_at_ms,
        pin_locked_until_ms=until_ms if until_ms > now_ms else None,
        passkeys=tuple(PasskeyLine(row.id.hex(), row.added_at_ms) for row in held),
        own_alone_per_payment_minor=own.alone_per_payment_minor,
        own_per_payment_minor=own.per_payment_minor,
        own_per_day_minor=own.per_day_minor,
    )
