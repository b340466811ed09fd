"""
Keep what the issuer has charged, signed, redeemed and refunded. Requests are kept by their id, for ever.

Every function works within the unit of work that it is given. Nothing here decides: the flows do. What is checked here,
at every commit that touches a note or the ledger, is that what is in circulation equals what was signed less what was
redeemed.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from handsel.errors import ensure
from handsel.notes.note import Note, PublicNoteKey
from handsel.pay.account import notes_in_circulation
from handsel.pay.money import MINOR_DIGITS
from handsel.store.database import UnitOfWork
from handsel.store.ledger import account_state


@dataclass(frozen=True, repr=False)
class ChargeRow:
    """
    Carry a charge as it is stored: `state` is reserved, approved, declined or voided; `factor` is the second factor
    that it was paid with, pin or passkey; `acquirer` is who carried it, unknown where it never came.

    `reply` is sealed to its till, `refunded_minor` what was paid back by receipt.
    """

    id: str
    digest: bytes | None
    reservation_id: str
    wallet_id: str | None
    amount_minor: int
    state: str
    reason: str | None = None
    signatures: tuple[bytes, ...] | None = None
    reply: bytes | None = None
    refunded_minor: int = 0
    factor: str | None = None
    acquirer: str | None = None

    def is_of(self, acquirer: str) -> bool:
        """
        Return whether an acquirer may be told of the charge: who carried it, or whoever asks where that is not known.
        """
        return self.acquirer in (None, acquirer)


@dataclass(frozen=True, repr=False)
class RefundRow:
    """
    Carry a refund as it is stored: declined where it has a reason.
    """

    digest: bytes
    reason: str | None


@dataclass(frozen=True, repr=False)
class RedemptionRow:
    """
    Carry a redemption as it is stored: `outcome` is what was answered.
    """

    digest: bytes
    outcome: bytes


@dataclass(frozen=True, repr=False)
class PurchaseRow:
    """
    Carry a purchase of notes as it is stored: declined where it has a reason, signed where it has none.
    """

    digest: bytes
    reason: str | None
    signatures: tuple[bytes, ...] | None


@dataclass(frozen=True, repr=False)
class RedeemedRow:
    """
    Carry a redeemed note as it is stored. `request_id` is that of the redemption or refund.
    """

    key_id: str
    request_id: str
    at_ms: int


def add_charge(uow: UnitOfWork, row: ChargeRow, *, now_ms: int) -> None:
    """
    Write a new charge, as the next one of its wallet.
    """
    uow.execute(
        "INSERT INTO charges (id, digest, reservation_id, wallet_id, amount_minor, state, reason, signatures, at_ms,"
        " factor, acquirer, number) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
        " (SELECT COALESCE(MAX(number), 0) + 1 FROM charges WHERE wallet_id = ?))",
        *(row.id, row.digest, row.reservation_id, row.wallet_id, row.amount_minor, row.state, row.reason),
        *(_encode(row.signatures), now_ms, row.factor, row.acquirer, row.wallet_id),
    )


def find_charge(uow: UnitOfWork, charge_id: str) -> ChargeRow | None:
    """
    Return a charge, or None.
    """
    row = uow.row(
        "SELECT id, digest, reservation_id, wallet_id, amount_minor, state, reason, signatures, reply, refunded_minor,"
        " factor, acquirer FROM charges WHERE id = ?",
        charge_id,
    )
    if row is None:
        return None
    found_id, digest, reservation_id, wallet_id, amount_minor, state, reason, signatures = row[:8]
    reply, refunded_minor, factor, acquirer = row[8:]
    return ChargeRow(
        *(found_id, digest, reservation_id, wallet_id, amount_minor, state, reason),
        *(_decode(signatures), reply, refunded_minor, factor, acquirer),
    )


def approve_charge(
    uow: UnitOfWork, charge_id: str, signatures: tuple[bytes, ...], *, reply: bytes | None = None
) -> None:
    """
    Write that a reserved charge was captured, what was signed for it, and what its till is told.
    """
    changed = uow.execute(
        "UPDATE charges SET state = 'approved', signatures = ?, reply = ? WHERE id = ? AND state = 'reserved'",
        *(_encode(signatures), reply, charge_id),
    )
    ensure(changed == 1, "a charge is approved once")


def put_reply(uow: UnitOfWork, charge_id: str, reply: bytes | None) -> None:
    """
    Write what the till of a charge that only reserves is told.
    """
    uow.execute("UPDATE charges SET reply = ? WHERE id = ? AND state = 'reserved'", reply, charge_id)


def count_refunded(uow: UnitOfWork, charge_id: str, amount_minor: int) -> bool:
    """
    Count what is paid back of a charge by its receipt; False where that would be more than was charged.
    """
    changed = uow.execute(
        "UPDATE charges SET refunded_minor = refunded_minor + ?"
        " WHERE id = ? AND state = 'approved' AND refunded_minor + ? <= amount_minor",
        *(amount_minor, charge_id, amount_minor),
    )
    return changed == 1


def void_reserved_charge(uow: UnitOfWork, reservation_id: str) -> None:
    """
    Write that a charge was voided whose reservation was given back, and forget what its till was told. A charge that is
    not reserved stays as it is.
    """
    uow.execute(
        "UPDATE charges SET state = 'voided', reply = NULL WHERE reservation_id = ? AND state = 'reserved'",
        reservation_id,
    )


def reserved_charges(uow: UnitOfWork, wallet_id: str) -> tuple[str, ...]:
    """
    Return the ids of a wallet's charges that are under way.
    """
    rows = uow.rows("SELECT id FROM charges WHERE wallet_id = ? AND state = 'reserved' LIMIT 1000", wallet_id)
    return tuple(charge_id for (charge_id,) in rows)


def add_refund(uow: UnitOfWork, refund_id: str, row: RefundRow, *, now_ms: int) -> None:
    """
    Write what came of a refund.
    """
    uow.execute("INSERT INTO refunds VALUES (?, ?, ?, ?)", refund_id, row.digest, row.reason, now_ms)


def find_refund(uow: UnitOfWork, refund_id: str) -> RefundRow | None:
    """
    Return a refund, or None.
    """
    row = uow.row("SELECT digest, reason FROM refunds WHERE id = ?", refund_id)
    return RefundRow(*row) if row else None


def add_redemption(uow: UnitOfWork, redemption_id: str, row: RedemptionRow, *, now_ms: int) -> None:
    """
    Write what came of a redemption.
    """
    uow.execute("INSERT INTO redemptions VALUES (?, ?, ?, ?)", redemption_id, row.digest, row.outcome, now_ms)


def find_redemption(uow: UnitOfWork, redemption_id: str) -> RedemptionRow | None:
    """
    Return a redemption, or None.
    """
    row = uow.row("SELECT digest, outcome FROM redemptions WHERE id = ?", redemption_id)
    return RedemptionRow(*row) if row else None


def add_purchase(uow: UnitOfWork, purchase_id: str, row: PurchaseRow, *, now_ms: int) -> None:
    """
    Write what came of a purchase of notes.
    """
    uow.execute(
        "INSERT INTO note_purchases VALUES (?, ?, ?, ?, ?)",
        *(purchase_id, row.digest, row.reason, _encode(row.signatures), now_ms),
    )


def find_purchase(uow: UnitOfWork, purchase_id: str) -> PurchaseRow | None:
    """
    Return a purchase of notes, or None.
    """
    row = uow.row("SELECT digest, reason, signatures FROM note_purchases WHERE id = ?", purchase_id)
    return PurchaseRow(row[0], row[1], _decode(row[2])) if row else None


def find_redeemed(uow: UnitOfWork, serial: bytes) -> RedeemedRow | None:
    """
    Return when and in which request the note of that serial was redeemed, or None.
    """
    row = uow.row("SELECT key_id, request_id, at_ms FROM redeemed_notes WHERE serial = ?", serial)
    return RedeemedRow(*row) if row else None


def is_redeemed(uow: UnitOfWork, serial: bytes) -> bool:
    """
    Return whether a note of that serial was redeemed, ever.
    """
    return uow.row("SELECT 1 FROM redeemed_notes WHERE serial = ?", serial) is not None


def mark_redeemed(uow: UnitOfWork, note: Note, *, key: PublicNoteKey, request_id: str, now_ms: int) -> None:
    """
    Write that a note is redeemed, and count it. A serial can be written once, ever: a second time is `InvariantBroken`.
    """
    uow.execute("INSERT INTO redeemed_notes VALUES (?, ?, ?, ?)", note.serial, note.key_id, request_id, now_ms)
    _count(uow, key, signed=0, redeemed=1)


def count_signed(uow: UnitOfWork, key: PublicNoteKey) -> None:
    """
    Count a note that was signed.
    """
    _count(uow, key, signed=1, redeemed=0)


def _count(uow: UnitOfWork, key: PublicNoteKey, *, signed: int, redeemed: int) -> None:
    uow.execute(
        "INSERT INTO note_totals (key_id, currency, denomination_minor) VALUES (?, ?, ?) ON CONFLICT (key_id)"
        " DO NOTHING",
        *(key.key_id, key.currency, key.denomination_minor),
    )
    uow.execute(
        "UPDATE note_totals SET signed = signed + ?, redeemed = redeemed + ? WHERE key_id = ?",
        *(signed, redeemed, key.key_id),
    )
    _watch(uow, key.currency)


def watch_circulation(uow: UnitOfWork) -> None:
    """
    Have the notes in circulation checked at the commit, in every currency that has some, also where none was touched.
    """
    names = [notes_in_circulation(currency).id for currency in MINOR_DIGITS]
    for (currency,) in uow.rows_in("SELECT currency FROM accounts WHERE id IN (?)", names):
        _watch(uow, currency)


def _watch(uow: UnitOfWork, currency: str) -> None:
    uow.check_at_commit(f"notes:{currency}", lambda: ensure_circulation(uow, currency))


def ensure_circulation(uow: UnitOfWork, currency: str) -> None:
    """
    Check that what is in circulation is what was signed less what was redeemed. Raises `InvariantBroken`.
    """
    row = uow.row(
        "SELECT COALESCE(SUM((signed - redeemed) * denomination_minor), 0) FROM note_totals WHERE currency = ?",
        currency,
    )
    state = account_state(uow, notes_in_circulation(currency).id)
    outstanding = row[0] if row else 0
    balance_minor = state.balance_minor if state else 0
    ensure(outstanding == balance_minor, "notes in circulation are those signed less those redeemed")


def _encode(signatures: tuple[bytes, ...] | None) -> bytes | None:
    return None if signatures is None else msgspec.msgpack.encode(signatures)


def _decode(stored: bytes | None) -> tuple[bytes, ...] | None:
    return None if stored is None else msgspec.msgpack.decode(stored, type=tuple[bytes, ...])
