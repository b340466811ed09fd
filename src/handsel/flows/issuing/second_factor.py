"""
Find the second factor of a charge that needs one: what a passkey approved, or a PIN that came with the order.

The palm was recognised before, always: whoever has no palm that pays learns nothing here. What an acquirer or a till
can try is bounded for each wallet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from handsel.errors import IdReused, ensure
from handsel.flows.issuing.issuer import Issuer, digest_of
from handsel.order import ChargeOrder, typed_pin
from handsel.pay.decline import Declined, DeclineReason
from handsel.pay.limit import Limits
from handsel.pay.money import Money
from handsel.store import issuer_limit as limits
from handsel.store import issuer_passkey as passkeys
from handsel.store import issuer_pin as pins
from handsel.store.database import UnitOfWork
from handsel.store.issuer import WalletRow
from handsel.store.issuer_pin import PinCheckRow

APPROVAL_VALID_MS = 5 * 60 * 1000  # Time to put the phone away and hold out the hand again.


@dataclass(frozen=True)
class Factor:
    """
    Name the second factor that a wallet showed for one charge; `approval_id` is that of a passkey's approval.
    """

    kind: Literal["pin", "passkey"]
    wallet_id: str
    approval_id: str = ""


@dataclass(frozen=True, repr=False)
class PinAsked:
    """
    Say that a PIN is to be checked before anything else: with what is stored of the right one, or None.
    """

    stored: str | None


def limits_of_wallet(issuer: Issuer, uow: UnitOfWork, wallet_id: str) -> Limits:
    """
    Return what a wallet may pay: what the issuer allows, or less where its owner has said so.
    """
    return issuer.limits.lowered(limits.find_own_limits(uow, wallet_id))


def find_factor(
    issuer: Issuer, uow: UnitOfWork, wanted: ChargeOrder, wallet: WalletRow, *, now_ms: int
) -> Factor | PinAsked | Declined:
    """
    Return the second factor of a charge whose palm was recognised, or what there is to check first, or why none.

    1. A passkey has approved exactly this amount, not long ago, and nothing was paid with that yet.
    2. A PIN came along, and may be tried: the try is counted before it is known whether it is right, and stays counted
       where it is not, or where a crash comes between. The caller commits, and only then checks.
    """
    amount = Money(wanted.amount_minor, wanted.currency)
    given_after_ms = now_ms - APPROVAL_VALID_MS
    approval_id = passkeys.approval_for(uow, wallet.id, amount, given_after_ms=given_after_ms, now_ms=now_ms)  # 1
    if approval_id is not None:
        return Factor("passkey", wallet.id, approval_id)
    if typed_pin(wanted) is None:
        return Declined(DeclineReason.NEEDS_SECOND_FACTOR)
    tries = pins.find_tries(uow, wallet.id).begin(issuer.factors.tries, now_ms=now_ms)  # 2
    if tries is None:
        return Declined(DeclineReason.PIN_LOCKED)
    pins.save_tries(uow, wallet.id, tries)
    pins.add_check(uow, wanted.order_id, PinCheckRow(digest_of(wanted), wallet.id), now_ms=now_ms)
    return _asked(uow, wallet.id)


def pin_asked_before(uow: UnitOfWork, wanted: ChargeOrder) -> PinAsked | None:
    """
    Return the check that the same order has begun already, and is not to be counted for again. Raises `IdReused` where
    it was another order, with another PIN say.
    """
    check = pins.find_check(uow, wanted.order_id)
    if check is None:
        return None
    # The digest is over blinded messages and a nonce that are stored nowhere: no PIN can be guessed from it.
    if check.digest != digest_of(wanted):
        raise IdReused("that id was used for another charge: make a new one")
    return _asked(uow, check.wallet_id)


def is_pin_right(issuer: Issuer, wanted: ChargeOrder, asked: PinAsked) -> bool:
    """
    Return whether the PIN in the order is right: slowly, and outside of any unit of work. Raises `Unavailable`.
    """
    return issuer.factors.pins.is_right(typed_pin(wanted) or "", stored=asked.stored) and asked.stored is not None


def end_pin_check(issuer: Issuer, uow: UnitOfWork, wanted: ChargeOrder, *, is_right: bool) -> Factor | None:
    """
    End a check, and return the factor that it was about, which is shown where the PIN is right; None where the check is
    no longer under way. A right PIN takes back its try, and undoes a lock.
    """
    check = pins.find_check(uow, wanted.order_id)
    if check is None:
        return None
    pins.remove_check(uow, wanted.order_id)
    if is_right:
        tries = pins.find_tries(uow, check.wallet_id)
        pins.save_tries(uow, check.wallet_id, tries.recognised(issuer.factors.tries, asked_ms=tries.asked_ms))
    return Factor("pin", check.wallet_id)


def use_factor(uow: UnitOfWork, factor: Factor, *, charge_id: str) -> None:
    """
    Write that a charge has used its factor, in the unit of work that reserves its sum: an approval is good for one.
    """
    if factor.kind == "passkey":
        ensure(passkeys.use_approval(uow, factor.approval_id, charge_id=charge_id), "an approval is used once")


def forget_factors(uow: UnitOfWork, wallet_id: str) -> None:
    """
    Erase the PIN, the passkeys and the limits of a wallet, within the unit of work of its closing.
    """
    pins.remove_pin(uow, wallet_id)
    pins.forget_tries(uow, wallet_id)
    passkeys.forget_passkeys(uow, wallet_id)
    limits.remove_own_limits(uow, wallet_id)


def _asked(uow: UnitOfWork, wallet_id: str) -> PinAsked:
    pin = pins.find_pin(uow, wallet_id)
    return PinAsked(None if pin is None else pin.hash)
