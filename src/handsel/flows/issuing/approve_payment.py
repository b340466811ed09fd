"""
Approve a payment with a passkey: exactly the amount that was declined for want of a second factor, once, soon.

What is signed is a hash of the approval's id, the wallet, amount and currency: the passkey's yes is to that sum and to
nothing else. The issuer shows an amount and a time. It knows no shop that it could show.
"""

from __future__ import annotations

from dataclasses import dataclass

from handsel.errors import BodyInvalid, IdReused, NotFound
from handsel.field_digest import digest_of_fields
from handsel.flows.issuing.issuer import Issuer
from handsel.flows.issuing.keep_passkey import held_passkeys, party_of
from handsel.flows.issuing.second_factor import APPROVAL_VALID_MS
from handsel.ids import require_id
from handsel.pay.decline import DeclineReason
from handsel.pay.money import Money
from handsel.store import issuer as wallets
from handsel.store import issuer_passkey as passkeys
from handsel.store.database import UnitOfWork
from handsel.store.issuer_passkey import ApprovalRow

NONCE_BYTES = 32
ASKABLE_MS = 5 * 60 * 1000  # How long what was declined can be approved, and an approval that is asked for be given.
FORGET_MS = 24 * 60 * 60 * 1000


@dataclass(frozen=True)
class Waiting:
    """
    Show an amount that waits for a second factor, since when, and until when it is approved; None where it is not yet.
    """

    amount: Money
    declined_at_ms: int
    approved_until_ms: int | None


def waiting_payments(issuer: Issuer, wallet_id: str) -> tuple[Waiting, ...]:
    """
    Return the amounts that were declined just now for want of a second factor. Raises `NotFound`.
    """
    now_ms = issuer.clock()
    with issuer.database.unit_of_work() as uow:
        return _waiting(uow, wallet_id, now_ms=now_ms)


def ask_approval(issuer: Issuer, wallet_id: str, *, approval_id: str, amount_minor: int) -> str:
    """
    Return what a browser has a passkey sign to approve `amount_minor`, as JSON. The same id asks for the same again.

    Raises `BodyInvalid` where no such amount waits, or there is no passkey, and `IdReused`, `NotFound`.
    """
    party = party_of(issuer)
    require_id(approval_id)
    now_ms = issuer.clock()
    with issuer.database.unit_of_work() as uow:
        passkeys.forget_approvals(uow, asked_before_ms=now_ms - FORGET_MS)
        held = held_passkeys(uow, wallet_id)
        if not held:
            raise BodyInvalid("there is no passkey in this wallet: add one first")
        row = passkeys.find_approval(uow, approval_id)
        if row is None:
            waiting = [one.amount for one in _waiting(uow, wallet_id, now_ms=now_ms)]
            amount = next((one for one in waiting if one.amount_minor == amount_minor), None)
            if amount is None:
                raise BodyInvalid("no such payment waits any more: hold out your hand again, and then approve it here")
            row = ApprovalRow(approval_id, wallet_id, amount, issuer.random_bytes(NONCE_BYTES), now_ms)
            passkeys.add_approval(uow, row)
        if (row.wallet_id, row.amount.amount_minor) != (wallet_id, amount_minor):
            raise IdReused("that id stands for another approval: make a new one")
        uow.commit()
    return party.ask_for_yes(challenge=challenge_of(row), held=held)


def give_approval(issuer: Issuer, wallet_id: str, *, approval_id: str, response: str) -> None:
    """
    Approve what was asked for, once a passkey of this wallet has signed it. Doing it again changes nothing.

    1. It was asked for in this wallet, not long ago, and is not given yet: then nothing is verified again, or replayed.
    2. A passkey of this wallet signed this very approval, at these pages, with its user verified, and counts on.
    3. What it counts is kept, and the approval is given: from now on it is good for one charge, for a few minutes.

    Raises `NotFound`, `BodyInvalid` and `PasskeyInvalid`.
    """
    party = party_of(issuer)
    now_ms = issuer.clock()
    with issuer.database.unit_of_work() as uow:
        row = passkeys.find_approval(uow, require_id(approval_id))  # 1
        if row is None or row.wallet_id != wallet_id:
            raise NotFound("this wallet is not asked for such an approval")
        if row.given_at_ms is not None:
            return
        if now_ms - row.asked_at_ms >= ASKABLE_MS:
            raise BodyInvalid("this took too long: hold out your hand again, and then approve it here")
        signer = party.check_yes(response, challenge=challenge_of(row), held=held_passkeys(uow, wallet_id))  # 2
        passkeys.save_sign_count(uow, signer.id, signer.sign_count)  # 3
        passkeys.mark_given(uow, row.id, now_ms=now_ms)
        uow.commit()


def challenge_of(row: ApprovalRow) -> bytes:
    """
    Return what a passkey signs: SHA-256 over id, wallet, amount, currency and a nonce, each length-prefixed.
    """
    amount = (str(row.amount.amount_minor).encode(), row.amount.currency.encode())
    return digest_of_fields(b"approval", row.id.encode(), row.wallet_id.encode(), *amount, row.nonce)


def _waiting(uow: UnitOfWork, wallet_id: str, *, now_ms: int) -> tuple[Waiting, ...]:
    wallet = wallets.find_wallet(uow, wallet_id)
    if wallet is None:
        raise NotFound("there is no such wallet")
    reason = DeclineReason.NEEDS_SECOND_FACTOR.value
    rows = passkeys.waiting_amounts(uow, wallet_id, reason=reason, since_ms=now_ms - ASKABLE_MS)
    found = []
    for row in rows:
        amount = Money(row.amount_minor, wallet.currency)
        after_ms = now_ms - APPROVAL_VALID_MS
        given = passkeys.approval_for(uow, wallet_id, amount, given_after_ms=after_ms, now_ms=now_ms)
        approval = passkeys.find_approval(uow, given) if given else None
        given_ms = approval.given_at_ms if approval else None
        found.append(Waiting(amount, row.at_ms, None if given_ms is None else given_ms + APPROVAL_VALID_MS))
    return tuple(found)
