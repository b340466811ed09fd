"""
Set the PIN of a wallet, remove it, unlock it, and lower the wallet's limits: what its owner does with the wallet's key.
"""

from __future__ import annotations

from handsel.errors import BodyInvalid
from handsel.flows.issuing.issuer import Issuer
from handsel.flows.issuing.open_wallet import require_open
from handsel.pay.limit import OwnLimits
from handsel.pay.pin import require_pin
from handsel.store import issuer_limit as limits
from handsel.store import issuer_pin as pins
from handsel.store.issuer_pin import PinRow


def set_pin(issuer: Issuer, wallet_id: str, *, typed: str) -> None:
    """
    Make `typed` the PIN of this wallet, in place of an earlier one; a lock ends.

    Raises `BodyInvalid` for what may be no PIN, `Unavailable` where too many are hashed, and `NotFound`.
    """
    hashed = issuer.factors.pins.hash_pin(require_pin(typed, digits_min=issuer.factors.digits_min))
    now_ms = issuer.clock()
    with issuer.database.unit_of_work() as uow:
        require_open(uow, wallet_id)
        pins.put_pin(uow, wallet_id, PinRow(hashed, now_ms))
        pins.forget_tries(uow, wallet_id)
        uow.commit()


def remove_pin(issuer: Issuer, wallet_id: str) -> None:
    """
    Remove the PIN of this wallet. Doing it again changes nothing.
    """
    with issuer.database.unit_of_work() as uow:
        pins.remove_pin(uow, wallet_id)
        uow.commit()


def unlock_pin(issuer: Issuer, wallet_id: str) -> None:
    """
    End a lock that wrong PINs have led to. Doing it again changes nothing.
    """
    with issuer.database.unit_of_work() as uow:
        pins.forget_tries(uow, wallet_id)
        uow.commit()


def set_own_limits(issuer: Issuer, wallet_id: str, own: OwnLimits) -> None:
    """
    Set the limits that the owner of this wallet wants, in place of earlier ones.

    Raises `BodyInvalid` for one above the issuer's, and `NotFound`.
    """
    allowed = issuer.limits
    pairs = (
        (own.alone_per_payment_minor, allowed.alone_per_payment),
        (own.per_payment_minor, allowed.per_payment),
        (own.per_day_minor, allowed.per_day),
    )
    for minor, most in pairs:
        if minor is not None and minor > most.amount_minor:
            raise BodyInvalid(f"a limit of your own is not above your bank's: at most {most}")
    with issuer.database.unit_of_work() as uow:
        require_open(uow, wallet_id)
        limits.save_own_limits(uow, wallet_id, own)
        uow.commit()
