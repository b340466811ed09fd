"""
Keep notes, and the redemptions and purchases in which they go and come: for ever, but for those of a credited refund.

What is checked here, at every commit that touches a note or the ledger, is that the notes in hand are worth what the
ledger says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from handsel.errors import IdReused, ensure
from handsel.pay.held_note import (
    HeldNote,
    NoteState,
    Purchase,
    PurchaseStatus,
    Redemption,
    RefusedSerial,
    notes_held,
)
from handsel.pay.money import MINOR_DIGITS, Money
from handsel.store.database import UnitOfWork
from handsel.store.engine import Row
from handsel.store.ledger import account_state

NOTES_READ_MAX = 1000  # Of one charge, purchase or redemption; they have at most 64.

_NOTE = "SELECT key_id, serial, signature, worth_minor, currency, source_id FROM notes"


@dataclass(frozen=True, repr=False)
class NoteMark:
    """
    Name a note without its signature, and say where it stands.
    """

    key_id: str
    serial: bytes
    worth_minor: int
    state: NoteState


class NoteTables:
    """
    Keep notes, redemptions and purchases within one unit of work.
    """

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    def add(self, notes: Sequence[HeldNote], *, attempt_id: str | None) -> None:
        """
        Keep new notes: held or, with an `attempt_id`, reserved for it. Raises `IdReused` for a serial that is known.
        """
        self._watch()
        state = NoteState.HELD if attempt_id is None else NoteState.RESERVED
        for note in notes:
            added = self._uow.execute(
                "INSERT INTO notes (serial, key_id, signature, worth_minor, currency, source_id, state, attempt_id)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (serial) DO NOTHING",
                *(note.serial, note.key_id, note.signature, note.worth.amount_minor, note.worth.currency),
                *(note.source_id, state.value, attempt_id),
            )
            if added != 1:
                raise IdReused("one of these notes was handed over before")

    def serials_of(self, source_id: str) -> frozenset[bytes]:
        """
        Return the serials that came with a charge or a purchase.
        """
        rows = self._uow.rows("SELECT serial FROM notes WHERE source_id = ? LIMIT ?", source_id, NOTES_READ_MAX)
        return frozenset(serial for (serial,) in rows)

    def marks_of(self, source_id: str) -> tuple[NoteMark, ...]:
        """
        Return the notes that came with a charge, by serial: what names each, what it is worth, and where it stands.
        """
        rows = self._uow.rows(
            "SELECT key_id, serial, worth_minor, state FROM notes WHERE source_id = ? ORDER BY serial LIMIT ?",
            *(source_id, NOTES_READ_MAX),
        )
        return tuple(NoteMark(key_id, serial, worth, NoteState(state)) for key_id, serial, worth, state in rows)

    def held_serials(self, *, limit: int) -> tuple[bytes, ...]:
        """
        Return the serials of notes that nothing is planned with.
        """
        rows = self._uow.rows("SELECT serial FROM notes WHERE state = 'held' LIMIT ?", limit)
        return tuple(serial for (serial,) in rows)

    def reserved_for(self, attempt_id: str) -> tuple[HeldNote, ...]:
        """
        Return the notes that are reserved for a refund attempt.
        """
        rows = self._uow.rows(
            f"{_NOTE} WHERE attempt_id = ? AND state = 'reserved' ORDER BY serial LIMIT ?", attempt_id, NOTES_READ_MAX
        )
        return tuple(_note(row) for row in rows)

    def release(self, attempt_id: str) -> None:
        """
        Turn the notes that are reserved for an attempt into held ones.
        """
        self._uow.execute(
            "UPDATE notes SET state = 'held', attempt_id = NULL WHERE attempt_id = ? AND state = 'reserved'", attempt_id
        )

    def forget(self, attempt_id: str) -> None:
        """
        Delete the notes of an attempt that is credited, and the redemptions by which that was found out.

        The issuer knows by their serials, and by the id of such a redemption, which wallet was credited. Raises
        `InvariantBroken` where the attempt is not saved as credited, or one of its notes has been redeemed.
        """
        self._watch()
        self._uow.execute("DELETE FROM notes WHERE attempt_id = ?", attempt_id)
        self._uow.execute("DELETE FROM redemptions WHERE attempt_id = ?", attempt_id)

    def add_redemption(self, redemption: Redemption, *, serials: Sequence[bytes]) -> None:
        """
        Keep a redemption and its notes, in this order.
        """
        self._uow.execute(
            "INSERT INTO redemptions (id, attempt_id, is_done) VALUES (?, ?, 0)", redemption.id, redemption.attempt_id
        )
        for place, serial in enumerate(serials):
            changed = self._uow.execute(
                "UPDATE notes SET state = 'redeeming', redemption_id = ?, place = ?"
                " WHERE serial = ? AND state IN ('held', 'reserved')",
                *(redemption.id, place, serial),
            )
            ensure(changed == 1, "a note is redeemed in one redemption only")

    def find_redemption(self, redemption_id: str) -> Redemption | None:
        """
        Return the redemption of that id.
        """
        row = self._uow.row("SELECT id, attempt_id, is_done FROM redemptions WHERE id = ?", redemption_id)
        return _redemption(row) if row else None

    def open_redemption(self, *, attempt_id: str | None) -> Redemption | None:
        """
        Return a redemption whose answer is not known: that of an attempt or, without one, of no attempt under way.
        """
        open_ones = "SELECT r.id, r.attempt_id, r.is_done FROM redemptions r"
        if attempt_id is None:
            row = self._uow.row(
                f"{open_ones} LEFT JOIN refund_attempts a ON a.id = r.attempt_id WHERE r.is_done = 0"
                " AND (a.status IS NULL OR a.status NOT IN ('submitted', 'asked')) LIMIT 1"
            )
        else:
            row = self._uow.row(f"{open_ones} WHERE r.is_done = 0 AND r.attempt_id = ?", attempt_id)
        return _redemption(row) if row else None

    def notes_of(self, redemption_id: str) -> tuple[HeldNote, ...]:
        """
        Return the notes of a redemption in the order in which they are sent.
        """
        rows = self._uow.rows(f"{_NOTE} WHERE redemption_id = ? ORDER BY place LIMIT ?", redemption_id, NOTES_READ_MAX)
        return tuple(_note(row) for row in rows)

    def end_redemption(
        self, redemption_id: str, *, redeemed: frozenset[bytes], refused: Sequence[RefusedSerial]
    ) -> tuple[HeldNote, ...]:
        """
        End a redemption, and return those of its notes that this has made redeemed or refused.
        """
        self._watch()
        rows = self._uow.rows(
            f"{_NOTE} WHERE redemption_id = ? AND state = 'redeeming' LIMIT ?", redemption_id, NOTES_READ_MAX
        )
        reasons = {each.serial: (each.reason.value, each.proof) for each in refused}
        ended = tuple(_note(row) for row in rows)
        for note in ended:
            state = NoteState.REDEEMED if note.serial in redeemed else NoteState.REFUSED
            reason, proof = (None, None) if note.serial in redeemed else reasons.get(note.serial, (None, None))
            self._uow.execute(
                "UPDATE notes SET state = ?, reason = ?, proof = ? WHERE serial = ?",
                *(state.value, reason, proof, note.serial),
            )
        changed = self._uow.execute("UPDATE redemptions SET is_done = 1 WHERE id = ? AND is_done = 0", redemption_id)
        ensure(changed == 1, "a redemption ends once")
        return ended

    def count(self, state: NoteState) -> int:
        """
        Return how many notes are in a state.
        """
        row = self._uow.row("SELECT COUNT(*) FROM notes WHERE state = ?", state.value)
        return int(row[0]) if row else 0

    def add_purchase(self, purchase: Purchase) -> None:
        """
        Keep a new purchase.
        """
        self._uow.execute(
            "INSERT INTO purchases (id, attempt_id, amount_minor, currency, secrets, ordered_ms, status)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            *(purchase.id, purchase.attempt_id, purchase.amount.amount_minor, purchase.amount.currency),
            *(purchase.secrets, purchase.ordered_ms, purchase.status.value),
        )

    def save_purchase(self, purchase: Purchase) -> None:
        """
        Keep what became of a purchase.
        """
        changed = self._uow.execute(
            "UPDATE purchases SET status = ?, secrets = ? WHERE id = ? AND status = 'ordered'",
            *(purchase.status.value, purchase.secrets, purchase.id),
        )
        ensure(changed == 1, "a purchase ends once")

    def find_purchase(self, purchase_id: str) -> Purchase | None:
        """
        Return the purchase of that id.
        """
        row = self._uow.row(
            "SELECT id, attempt_id, amount_minor, currency, secrets, ordered_ms, status FROM purchases WHERE id = ?",
            purchase_id,
        )
        if row is None:
            return None
        found_id, attempt_id, amount_minor, currency, secrets, ordered_ms, status = row
        amount = Money(amount_minor, currency)
        return Purchase(found_id, attempt_id, amount, secrets, ordered_ms, PurchaseStatus(status))

    def unresolved_purchases(self, *, until_ms: int, now_ms: int, limit: int) -> tuple[str, ...]:
        """
        Return the ids of purchases ordered at `until_ms` or before, or after `now_ms`, of which nothing has been heard.
        """
        rows = self._uow.rows(
            "SELECT id FROM purchases WHERE status = 'ordered' AND (ordered_ms <= ? OR ordered_ms > ?)"
            " ORDER BY ordered_ms LIMIT ?",
            *(until_ms, now_ms, limit),
        )
        return tuple(purchase_id for (purchase_id,) in rows)

    def _watch(self) -> None:
        watch_held(self._uow)


def watch_held(uow: UnitOfWork) -> None:
    """
    Have the notes in hand checked at the commit, also where no note was touched.
    """
    uow.check_at_commit("notes", lambda: _ensure_held(uow))


def _ensure_held(uow: UnitOfWork) -> None:
    rows = uow.rows(
        "SELECT currency, SUM(worth_minor) FROM notes WHERE state IN ('held', 'reserved', 'redeeming')"
        " GROUP BY currency"
    )
    worth: dict[str, int] = dict(rows)
    for currency in MINOR_DIGITS:
        state = account_state(uow, notes_held(currency).id)
        booked_minor = -state.balance_minor if state else 0
        ensure(worth.get(currency, 0) == booked_minor, "the notes in hand are worth what the ledger says")


def _note(row: Row) -> HeldNote:
    key_id, serial, signature, worth_minor, currency, source_id = row
    return HeldNote(key_id, serial, signature, Money(worth_minor, currency), source_id)


def _redemption(row: Row) -> Redemption:
    redemption_id, attempt_id, is_done = row
    return Redemption(redemption_id, attempt_id, bool(is_done))
