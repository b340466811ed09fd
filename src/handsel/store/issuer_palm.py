"""
Keep what the issuer knows of palms: enrolments, aliases and the orders to the matchers. There is no palm in it.

Every function works within the unit of work that it is given. Nothing here decides: the flows do.
"""

from __future__ import annotations

from dataclasses import dataclass

from handsel.store.database import UnitOfWork

ORDERS_READ_MAX = 100
PALMS_READ_MAX = 100
EXPIRE_BATCH_MAX = 100


@dataclass(frozen=True, repr=False)
class EnrolmentRow:
    """
    Carry an enrolment as it is stored: `state` is pending, enrolled or declined.
    """

    id: str
    digest: bytes
    binding: bytes
    wallet_id: str | None
    state: str
    reason: str | None
    alias_shares: bytes | None
    expires_at_ms: int


@dataclass(frozen=True, repr=False)
class PalmRow:
    """
    Carry a palm as it is stored: `state` is pending, active, paused or erased.
    """

    id: str
    wallet_id: str
    state: str
    changed_at_ms: int


@dataclass(frozen=True, repr=False)
class OrderRow:
    """
    Carry an order to a matcher that has not been confirmed.
    """

    number: int
    enrolment_id: str
    kind: str
    matcher: str
    body: bytes
    signature: bytes


def add_enrolment(uow: UnitOfWork, row: EnrolmentRow, *, now_ms: int) -> None:
    """
    Write a new enrolment.
    """
    uow.execute(
        "INSERT INTO enrolments (id, digest, binding, wallet_id, state, reason, alias_shares, expires_at_ms,"
        " begun_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        *(row.id, row.digest, row.binding, row.wallet_id, row.state, row.reason, row.alias_shares),
        *(row.expires_at_ms, now_ms),
    )


def find_enrolment(uow: UnitOfWork, enrolment_id: str) -> EnrolmentRow | None:
    """
    Return an enrolment, or None.
    """
    row = uow.row(
        "SELECT id, digest, binding, wallet_id, state, reason, alias_shares, expires_at_ms FROM enrolments"
        " WHERE id = ?",
        enrolment_id,
    )
    return EnrolmentRow(*row) if row else None


def end_enrolment(uow: UnitOfWork, enrolment_id: str, *, reason: str | None) -> None:
    """
    Write that an enrolment succeeded or, with a reason, was declined, and forget the shares of its alias.
    """
    state = "enrolled" if reason is None else "declined"
    uow.execute(
        "UPDATE enrolments SET state = ?, reason = ?, alias_shares = NULL WHERE id = ?", state, reason, enrolment_id
    )


def enrolments_due(uow: UnitOfWork, *, now_ms: int) -> tuple[str, ...]:
    """
    Return the ids of pending enrolments whose time is over, at most `EXPIRE_BATCH_MAX`.
    """
    rows = uow.rows(
        "SELECT id FROM enrolments WHERE state = 'pending' AND expires_at_ms <= ? LIMIT ?", now_ms, EXPIRE_BATCH_MAX
    )
    return tuple(enrolment_id for (enrolment_id,) in rows)


def add_palm(uow: UnitOfWork, palm_id: str, *, wallet_id: str, alias: bytes, now_ms: int) -> None:
    """
    Write a palm that is being enrolled.
    """
    uow.execute(
        "INSERT INTO palms (id, wallet_id, alias, state, changed_at_ms) VALUES (?, ?, ?, 'pending', ?)",
        *(palm_id, wallet_id, alias, now_ms),
    )


def activate_palm(uow: UnitOfWork, palm_id: str, *, now_ms: int) -> int:
    """
    Write that a palm is enrolled, and return its position in the galleries: one after the last that was ever given.
    """
    row = uow.row("SELECT COALESCE(MAX(position), 0) + 1 FROM palms")
    position = int(row[0]) if row else 1
    uow.execute(
        "UPDATE palms SET state = 'active', position = ?, changed_at_ms = ? WHERE id = ?", position, now_ms, palm_id
    )
    return position


def remove_palm(uow: UnitOfWork, palm_id: str) -> None:
    """
    Remove a palm that was not enrolled in the end.
    """
    uow.execute("DELETE FROM palms WHERE id = ? AND state = 'pending'", palm_id)


def set_palm_state(uow: UnitOfWork, palm_id: str, state: str, *, now_ms: int) -> None:
    """
    Write where a palm stands now.
    """
    uow.execute("UPDATE palms SET state = ?, changed_at_ms = ? WHERE id = ?", state, now_ms, palm_id)


def forget_alias(uow: UnitOfWork, palm_id: str) -> None:
    """
    Remove the alias of an erased palm, once no matcher can answer with it any more.
    """
    uow.execute("UPDATE palms SET alias = NULL WHERE id = ? AND state = 'erased'", palm_id)


def count_palms(uow: UnitOfWork) -> int:
    """
    Return how many palms are in the galleries, or may come to be: all but the erased ones.
    """
    row = uow.row("SELECT COUNT(*) FROM palms WHERE state <> 'erased'")
    return int(row[0]) if row else 0


def palm_of_alias(uow: UnitOfWork, alias: bytes) -> PalmRow | None:
    """
    Return the palm that has this alias, or None.
    """
    row = uow.row("SELECT id, wallet_id, state, changed_at_ms FROM palms WHERE alias = ?", alias)
    return PalmRow(*row) if row else None


def find_palm(uow: UnitOfWork, palm_id: str) -> PalmRow | None:
    """
    Return a palm, or None.
    """
    row = uow.row("SELECT id, wallet_id, state, changed_at_ms FROM palms WHERE id = ?", palm_id)
    return PalmRow(*row) if row else None


def palms_of_wallet(uow: UnitOfWork, wallet_id: str) -> tuple[PalmRow, ...]:
    """
    Return the palms of a wallet, the erased ones last.
    """
    rows = uow.rows(
        "SELECT id, wallet_id, state, changed_at_ms FROM palms WHERE wallet_id = ?"
        " ORDER BY CASE state WHEN 'erased' THEN 1 ELSE 0 END, position LIMIT ?",
        *(wallet_id, PALMS_READ_MAX),
    )
    return tuple(PalmRow(*row) for row in rows)


def add_order(uow: UnitOfWork, row: OrderRow, *, now_ms: int) -> None:
    """
    Write an order that is to be delivered; its number is given here.
    """
    uow.execute(
        "INSERT INTO matcher_orders (enrolment_id, kind, matcher, body, signature, written_at_ms)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        *(row.enrolment_id, row.kind, row.matcher, row.body, row.signature, now_ms),
    )


def orders_to_deliver(uow: UnitOfWork, matcher: str) -> tuple[OrderRow, ...]:
    """
    Return the orders that a matcher has not confirmed, oldest first, at most `ORDERS_READ_MAX`.
    """
    rows = uow.rows(
        "SELECT number, enrolment_id, kind, matcher, body, signature FROM matcher_orders"
        " WHERE matcher = ? AND confirmed_at_ms IS NULL ORDER BY number LIMIT ?",
        *(matcher, ORDERS_READ_MAX),
    )
    return tuple(OrderRow(*row) for row in rows)


def mark_confirmed(uow: UnitOfWork, number: int, *, confirmation: bytes, signature: bytes, now_ms: int) -> None:
    """
    Write that a matcher has confirmed an order, and keep its word for it.
    """
    uow.execute(
        "UPDATE matcher_orders SET confirmed_at_ms = ?, confirmation = ?, confirmation_signature = ? WHERE number = ?",
        *(now_ms, confirmation, signature, number),
    )


def confirmations(uow: UnitOfWork, enrolment_id: str, kind: str) -> int:
    """
    Return how many of the three matchers have confirmed an order.
    """
    row = uow.row(
        "SELECT COUNT(*) FROM matcher_orders WHERE enrolment_id = ? AND kind = ? AND confirmed_at_ms IS NOT NULL",
        *(enrolment_id, kind),
    )
    return int(row[0]) if row else 0
