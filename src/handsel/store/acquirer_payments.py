"""
Keep payments and the charges that try to pay them, by their ids, for ever.
"""

from __future__ import annotations

import msgspec

from handsel.errors import ensure
from handsel.pay.decline import DeclineReason
from handsel.pay.money import Money
from handsel.pay.payment import CancelReason, Charge, ChargeStatus, PaymentIntent, PaymentStatus
from handsel.pay.tip import NO_TIPS, TipOffer
from handsel.store.database import UnitOfWork
from handsel.store.engine import Row

NUMBER_MAX = 2**63 - 1  # Of an SQLite row.

_PAYMENT = (
    "SELECT id, merchant_id, till_id, amount_minor, currency, description, created_ms, status, receipt_code, paid_ms,"
    " hold_s, reserved_until_ms, captured_minor, cancel_reason, tips, tip_minor FROM payments"
)
_CHARGE = (
    "SELECT id, payment_id, till_id, submitted_ms, status, signatures, reason, reply, secrets, tip_minor, order_id,"
    " return_digest FROM charges"
)


class PaymentTables:
    """
    Keep payments and charges within one unit of work.
    """

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    def add(self, payment: PaymentIntent) -> None:
        """
        Keep a new payment.
        """
        self._uow.execute(
            "INSERT INTO payments (id, merchant_id, till_id, amount_minor, currency, description, created_ms, status,"
            " hold_s, tips) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *(payment.id, payment.merchant_id, payment.till_id, payment.amount.amount_minor, payment.amount.currency),
            *(payment.description, payment.created_ms, payment.status.value, payment.hold_s),
            None if payment.tips == NO_TIPS else msgspec.msgpack.encode(payment.tips),
        )

    def save(self, payment: PaymentIntent) -> None:
        """
        Keep what became of a payment.
        """
        changed = self._uow.execute(
            "UPDATE payments SET status = ?, receipt_code = ?, paid_ms = ?, reserved_until_ms = ?, captured_minor = ?,"
            " cancel_reason = ?, tip_minor = ? WHERE id = ? AND status NOT IN ('succeeded', 'canceled')",
            *(_stored(payment.status).value, payment.receipt_code, payment.paid_ms, payment.reserved_until_ms),
            *(payment.captured_minor, payment.cancel_reason.value if payment.cancel_reason else None),
            *(payment.tip_minor, payment.id),
        )
        ensure(changed == 1, "a payment ends once")

    def find(self, payment_id: str) -> PaymentIntent | None:
        """
        Return the payment of that id.
        """
        return _payment_or_none(self._uow.row(f"{_PAYMENT} WHERE id = ?", payment_id))

    def by_receipt(self, receipt_code: str) -> PaymentIntent | None:
        """
        Return the payment whose receipt has that code.
        """
        return _payment_or_none(self._uow.row(f"{_PAYMENT} WHERE receipt_code = ?", receipt_code))

    def newest(self, merchant_id: str, *, limit: int, starting_after: str | None) -> tuple[PaymentIntent, ...]:
        """
        Return a merchant's payments, newest first, from the one after `starting_after`.
        """
        rows = self._uow.rows(
            f"{_PAYMENT} WHERE merchant_id = ? AND number < ? ORDER BY number DESC LIMIT ?",
            *(merchant_id, self._number(starting_after), limit),
        )
        return tuple(_payment(row) for row in rows)

    def paid_ids(self, merchant_id: str, *, limit: int) -> tuple[str, ...]:
        """
        Return the ids of a merchant's payments that were paid, newest first.
        """
        rows = self._uow.rows(
            "SELECT id FROM payments WHERE merchant_id = ? AND status = 'succeeded' ORDER BY number DESC LIMIT ?",
            *(merchant_id, limit),
        )
        return tuple(payment_id for (payment_id,) in rows)

    def _number(self, payment_id: str | None) -> int:
        row = self._uow.row("SELECT number FROM payments WHERE id = ?", payment_id)
        return int(row[0]) if row else NUMBER_MAX

    def newest_open(self, till_id: str, *, since_ms: int) -> PaymentIntent | None:
        """
        Return the newest payment that waits for a palm at a till, made at `since_ms` or later.
        """
        row = self._uow.row(
            f"{_PAYMENT} WHERE till_id = ? AND status = 'requires_palm' AND created_ms >= ?"
            " ORDER BY number DESC LIMIT 1",
            *(till_id, since_ms),
        )
        return _payment_or_none(row)

    def reserved_until(self, until_ms: int, *, limit: int) -> tuple[str, ...]:
        """
        Return the ids of payments that wait for their capture, and whose time was over at `until_ms`. The newest first:
        what has no end, whatever the reason, does not hold up what has.
        """
        rows = self._uow.rows(
            "SELECT id FROM payments WHERE status = 'processing' AND reserved_until_ms <= ? AND captured_minor IS NULL"
            " ORDER BY reserved_until_ms DESC LIMIT ?",
            *(until_ms, limit),
        )
        return tuple(payment_id for (payment_id,) in rows)

    def add_charge(self, charge: Charge) -> None:
        """
        Keep a new charge.
        """
        self._uow.execute(
            "INSERT INTO charges (id, payment_id, till_id, submitted_ms, status, secrets, tip_minor, order_id,"
            " return_digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *(charge.id, charge.payment_id, charge.till_id, charge.submitted_ms, charge.status.value),
            *(charge.secrets or None, charge.tip_minor, charge.order_id, charge.return_digest),
        )

    def save_charge(self, charge: Charge) -> None:
        """
        Keep what became of a charge, and forget what is not kept of one that has ended.
        """
        is_kept = charge.status is ChargeStatus.APPROVED  # Of what only reserves: that there are none.
        signatures = msgspec.msgpack.encode(charge.signatures) if is_kept else None
        changed = self._uow.execute(
            "UPDATE charges SET status = ?, signatures = ?, reason = ?, reply = ?, secrets = ?, order_id = ?"
            " WHERE id = ? AND status IN ('submitted', 'approved')",
            *(charge.status.value, signatures, charge.reason.value if charge.reason else None),
            *(charge.reply, charge.secrets or None, charge.order_id, charge.id),
        )
        ensure(changed == 1, "a charge ends once")

    def drop_reply(self, charge_id: str) -> None:
        """
        Drop the issuer's reply to the till of a charge.
        """
        self._uow.execute("UPDATE charges SET reply = NULL WHERE id = ?", charge_id)

    def drop_old_replies(self, *, until_ms: int) -> int:
        """
        Drop the issuer's replies to the tills of all charges submitted at `until_ms` or before; return how many.
        """
        return self._uow.execute(
            "UPDATE charges SET reply = NULL WHERE reply IS NOT NULL AND submitted_ms <= ?", until_ms
        )

    def find_charge(self, charge_id: str) -> Charge | None:
        """
        Return the charge of that id.
        """
        return _charge_or_none(self._uow.row(f"{_CHARGE} WHERE id = ?", charge_id))

    def live_charge(self, payment_id: str) -> Charge | None:
        """
        Return the one charge of a payment that is submitted, approved or paid.
        """
        row = self._uow.row(
            f"{_CHARGE} WHERE payment_id = ? AND status IN ('submitted', 'approved', 'paid')", payment_id
        )
        return _charge_or_none(row)

    def count_declined(self, payment_id: str) -> int:
        """
        Return how many charges of a payment were declined after a palm was asked with.
        """
        row = self._uow.row(
            "SELECT COUNT(*) FROM charges WHERE payment_id = ? AND status = 'declined' AND reason <> ?",
            *(payment_id, DeclineReason.ASKED_TOO_OFTEN.value),
        )
        return int(row[0]) if row else 0

    def unresolved_charges(self, *, until_ms: int, now_ms: int, limit: int) -> tuple[str, ...]:
        """
        Return the ids of charges submitted at `until_ms` or before, of which nothing has been heard since.

        One that was submitted after `now_ms` is among them: the clock was set back, and nobody waits for it. The newest
        first: what the issuer refuses for ever does not hold up what it answers.
        """
        rows = self._uow.rows(
            "SELECT id FROM charges WHERE status = 'submitted' AND (submitted_ms <= ? OR submitted_ms > ?)"
            " ORDER BY submitted_ms DESC LIMIT ?",
            *(until_ms, now_ms, limit),
        )
        return tuple(charge_id for (charge_id,) in rows)

    def unfinished_charges(self, *, until_ms: int, now_ms: int, limit: int) -> tuple[str, ...]:
        """
        Return the ids of charges submitted at `until_ms` or before, or after `now_ms`, that are approved and can be
        finished here. The newest first: what cannot be finished does not hold up what can.
        """
        rows = self._uow.rows(
            "SELECT id FROM charges WHERE status = 'approved' AND secrets IS NOT NULL"
            " AND (submitted_ms <= ? OR submitted_ms > ?) ORDER BY submitted_ms DESC LIMIT ?",
            *(until_ms, now_ms, limit),
        )
        return tuple(charge_id for (charge_id,) in rows)


def _payment_or_none(row: Row | None) -> PaymentIntent | None:
    return _payment(row) if row else None


def _payment(row: Row) -> PaymentIntent:
    payment_id, merchant_id, till_id, amount_minor, currency, description, created_ms, status, code, paid_ms, *later = (
        row
    )
    hold_s, reserved_until_ms, captured_minor, cancel_reason, tips, tip_minor = later
    return PaymentIntent(
        payment_id,
        merchant_id,
        till_id,
        Money(amount_minor, currency),
        description,
        created_ms,
        _meant(PaymentStatus(status), reserved_until_ms, captured_minor),
        code,
        paid_ms,
        hold_s,
        reserved_until_ms,
        captured_minor,
        CancelReason(cancel_reason) if cancel_reason else None,
        msgspec.msgpack.decode(tips, type=TipOffer) if tips else NO_TIPS,
        tip_minor,
    )


def _stored(status: PaymentStatus) -> PaymentStatus:
    return PaymentStatus.PROCESSING if status is PaymentStatus.REQUIRES_CAPTURE else status


def _meant(stored: PaymentStatus, reserved_until_ms: int | None, captured_minor: int | None) -> PaymentStatus:
    is_reserved = reserved_until_ms is not None and captured_minor is None
    waits = stored is PaymentStatus.PROCESSING and is_reserved
    return PaymentStatus.REQUIRES_CAPTURE if waits else stored


def _charge_or_none(row: Row | None) -> Charge | None:
    if row is None:
        return None
    charge_id, payment_id, till_id, submitted_ms, status, signatures, reason, reply, secrets, *later = row
    signed = msgspec.msgpack.decode(signatures, type=tuple[bytes, ...]) if signatures else ()
    why = DeclineReason(reason) if reason else None
    state = ChargeStatus(status)
    return Charge(charge_id, payment_id, till_id, submitted_ms, state, signed, why, reply, secrets or b"", *later)
