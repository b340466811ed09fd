"""
Keep the public halves of passkeys, the challenges for new ones, and what passkeys have approved.

Every function works within the unit of work that it is given. Nothing here decides: the flows do. An approval has an
amount and a time; there is no shop in it.
"""

from __future__ import annotations

from dataclasses import dataclass

from handsel.pay.money import Money
from handsel.store.database import UnitOfWork

PASSKEYS_MAX = 10  # In a wallet.


@dataclass(frozen=True, repr=False)
class PasskeyRow:
    """
    Carry a passkey as it is stored: `credential` is its public key with its id, `sign_count` what it counted last.
    """

    id: bytes
    wallet_id: str
    credential: bytes
    sign_count: int
    added_at_ms: int


@dataclass(frozen=True, repr=False)
class ApprovalRow:
    """
    Carry an approval as it is stored: asked for, then given, then used for the charge of that id.
    """

    id: str
    wallet_id: str
    amount: Money
    nonce: bytes
    asked_at_ms: int
    given_at_ms: int | None = None
    charge_id: str | None = None


@dataclass(frozen=True)
class WaitingRow:
    """
    Say what was declined for want of a second factor, and when last.
    """

    amount_minor: int
    at_ms: int


def add_passkey(uow: UnitOfWork, row: PasskeyRow) -> bool:
    """
    Write a new passkey. Return False where there is one of that id already, in whatever wallet.
    """
    added = uow.execute(
        "INSERT INTO passkeys (id, wallet_id, credential, sign_count, added_at_ms) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO NOTHING",
        *(row.id, row.wallet_id, row.credential, row.sign_count, row.added_at_ms),
    )
    return added == 1


def passkeys_of(uow: UnitOfWork, wallet_id: str) -> tuple[PasskeyRow, ...]:
    """
    Return the passkeys of a wallet, oldest first.
    """
    rows = uow.rows(
        "SELECT id, wallet_id, credential, sign_count, added_at_ms FROM passkeys WHERE wallet_id = ?"
        " ORDER BY added_at_ms, id LIMIT ?",
        *(wallet_id, PASSKEYS_MAX),
    )
    return tuple(PasskeyRow(*row) for row in rows)


def save_sign_count(uow: UnitOfWork, passkey_id: bytes, sign_count: int) -> None:
    """
    Keep what a passkey counted last.
    """
    uow.execute("UPDATE passkeys SET sign_count = ? WHERE id = ?", sign_count, passkey_id)


def remove_passkey(uow: UnitOfWork, wallet_id: str, passkey_id: bytes) -> None:
    """
    Remove a passkey of a wallet, if it has that one.
    """
    uow.execute("DELETE FROM passkeys WHERE id = ? AND wallet_id = ?", passkey_id, wallet_id)


def forget_passkeys(uow: UnitOfWork, wallet_id: str) -> None:
    """
    Remove all passkeys of a wallet, and what they have approved or are asked for.
    """
    uow.execute("DELETE FROM passkeys WHERE wallet_id = ?", wallet_id)
    uow.execute("DELETE FROM passkey_offers WHERE wallet_id = ?", wallet_id)
    uow.execute("DELETE FROM approvals WHERE wallet_id = ?", wallet_id)


def put_offer(uow: UnitOfWork, wallet_id: str, challenge: bytes, *, expires_at_ms: int) -> None:
    """
    Write the challenge for a wallet's next passkey, in place of an earlier one.
    """
    uow.execute("DELETE FROM passkey_offers WHERE wallet_id = ?", wallet_id)
    uow.execute("INSERT INTO passkey_offers VALUES (?, ?, ?)", wallet_id, challenge, expires_at_ms)


def take_offer(uow: UnitOfWork, wallet_id: str, *, now_ms: int) -> bytes | None:
    """
    Return the challenge for a wallet's next passkey and forget it, or None where there is none in time.
    """
    row = uow.row("SELECT challenge, expires_at_ms FROM passkey_offers WHERE wallet_id = ?", wallet_id)
    uow.execute("DELETE FROM passkey_offers WHERE wallet_id = ?", wallet_id)
    return bytes(row[0]) if row and now_ms < row[1] else None


def add_approval(uow: UnitOfWork, row: ApprovalRow) -> None:
    """
    Write that an approval is asked for.
    """
    uow.execute(
        "INSERT INTO approvals (id, wallet_id, amount_minor, currency, nonce, asked_at_ms) VALUES (?, ?, ?, ?, ?, ?)",
        *(row.id, row.wallet_id, row.amount.amount_minor, row.amount.currency, row.nonce, row.asked_at_ms),
    )


def find_approval(uow: UnitOfWork, approval_id: str) -> ApprovalRow | None:
    """
    Return an approval, or None.
    """
    row = uow.row(
        "SELECT id, wallet_id, amount_minor, currency, nonce, asked_at_ms, given_at_ms, charge_id FROM approvals"
        " WHERE id = ?",
        approval_id,
    )
    if row is None:
        return None
    found, wallet_id, amount_minor, currency, nonce, asked_at_ms, given_at_ms, charge_id = row
    return ApprovalRow(found, wallet_id, Money(amount_minor, currency), nonce, asked_at_ms, given_at_ms, charge_id)


def mark_given(uow: UnitOfWork, approval_id: str, *, now_ms: int) -> None:
    """
    Write that an approval was given.
    """
    uow.execute("UPDATE approvals SET given_at_ms = ? WHERE id = ? AND given_at_ms IS NULL", now_ms, approval_id)


def approval_for(uow: UnitOfWork, wallet_id: str, amount: Money, *, given_after_ms: int) -> str | None:
    """
    Return the id of an approval of exactly that amount that was given after then and not used yet, or None.
    """
    row = uow.row(
        "SELECT id FROM approvals WHERE wallet_id = ? AND amount_minor = ? AND currency = ? AND given_at_ms > ?"
        " AND charge_id IS NULL ORDER BY given_at_ms LIMIT 1",
        *(wallet_id, amount.amount_minor, amount.currency, given_after_ms),
    )
    return str(row[0]) if row else None


def use_approval(uow: UnitOfWork, approval_id: str, *, charge_id: str) -> bool:
    """
    Write that a charge has used an approval. Return False where it was used before.
    """
    changed = uow.execute(
        "UPDATE approvals SET charge_id = ? WHERE id = ? AND charge_id IS NULL AND given_at_ms IS NOT NULL",
        *(charge_id, approval_id),
    )
    return changed == 1


def forget_approvals(uow: UnitOfWork, *, asked_before_ms: int) -> None:
    """
    Remove approvals that have been of no use for long.
    """
    uow.execute("DELETE FROM approvals WHERE asked_at_ms < ?", asked_before_ms)


def waiting_amounts(uow: UnitOfWork, wallet_id: str, *, reason: str, since_ms: int) -> tuple[WaitingRow, ...]:
    """
    Return the amounts that were declined for `reason` since then and not paid afterwards, the newest first.
    """
    rows = uow.rows(
        "SELECT amount_minor, MAX(at_ms) FROM charges AS asked WHERE wallet_id = ? AND at_ms > ? AND reason = ?"
        " AND NOT EXISTS (SELECT 1 FROM charges AS paid WHERE paid.wallet_id = asked.wallet_id"
        " AND paid.amount_minor = asked.amount_minor AND paid.at_ms >= asked.at_ms"
        " AND paid.state IN ('reserved', 'approved')) GROUP BY amount_minor ORDER BY MAX(at_ms) DESC LIMIT 5",
        *(wallet_id, since_ms, reason),
    )
    return tuple(WaitingRow(*row) for row in rows)
