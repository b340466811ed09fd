"""
Decide what a transfer changes, or why it is refused: double entry as pure functions.

Nothing here is stored and nothing knows where accounts live. Whoever calls passes the state of both accounts in and
books what comes back, all of it or nothing.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum

from handsel.errors import BodyInvalid, ensure
from handsel.ids import ID_BYTES, require_id
from handsel.pay.account import AccountState
from handsel.pay.money import Money, require_positive

MOMENT_MS_MAX = 2**53  # What a number in JSON holds exactly.
LINKED_MAX = 100  # More than any booking has legs.

_CODE = re.compile(r"[a-z][a-z_]{0,39}")


class Refusal(StrEnum):
    """
    Say why a transfer is refused. Ordered by precedence: where several apply, the first is the answer.

    Each is kept for ever with the id that it was given to, but for `ID_REUSED`: that id has its answer already.
    """

    ID_REUSED = "id_reused"
    LINKED_TRANSFER_REFUSED = "linked_transfer_refused"
    ACCOUNTS_ARE_THE_SAME = "accounts_are_the_same"
    ACCOUNT_UNKNOWN = "account_unknown"
    PENDING_UNKNOWN = "pending_unknown"
    PENDING_ALREADY_CAPTURED = "pending_already_captured"
    PENDING_ALREADY_RELEASED = "pending_already_released"
    PENDING_ALREADY_EXPIRED = "pending_already_expired"
    PENDING_NOT_YET_EXPIRED = "pending_not_yet_expired"
    CURRENCY_DIFFERS = "currency_differs"
    ACCOUNT_CLOSED = "account_closed"
    ACCOUNT_NOT_EMPTY = "account_not_empty"
    EXCEEDS_PENDING = "exceeds_pending"
    INSUFFICIENT_FUNDS = "insufficient_funds"


class PendingState(StrEnum):
    """
    Say where a reservation stands. All but `HELD` are final.
    """

    HELD = "held"
    CAPTURED = "captured"
    RELEASED = "released"
    EXPIRED = "expired"


@dataclass(frozen=True, repr=False)
class Transfer:
    """
    Move `money` from the account `debit` to the account `credit`. The id is made by whoever asks, and kept for ever.

    `code` says what kind of movement it is (`payment`, `top_up`): one word, never a name. `happened_at_ms` is when it
    happened, where that is not when it is booked: it is kept beside the time of booking, and decides nothing.
    """

    id: str
    debit: str
    credit: str
    money: Money
    code: str
    happened_at_ms: int | None = None

    def __post_init__(self) -> None:
        """
        Refuse an ill-formed id, code or time, and an amount of zero. Raises `BodyInvalid`.
        """
        require_id(self.id)
        require_positive(self.money)
        if self.happened_at_ms is not None and not 0 <= self.happened_at_ms <= MOMENT_MS_MAX:
            raise BodyInvalid("a time is in milliseconds since 1970")
        if not _CODE.fullmatch(self.code):
            raise BodyInvalid("a transfer's code is one word in lower case")


@dataclass(frozen=True, repr=False)
class Reservation:
    """
    Hold the sum of `transfer` until `expires_at_ms`. It has the transfer's id.
    """

    transfer: Transfer
    expires_at_ms: int

    @property
    def id(self) -> str:
        """
        Return the id of the transfer.
        """
        return self.transfer.id


@dataclass(frozen=True, repr=False)
class Capture:
    """
    Take `money`, the whole or a part, of the reservation `pending_id`; the rest is released.
    """

    id: str
    pending_id: str
    money: Money

    def __post_init__(self) -> None:
        """
        Refuse ill-formed ids and an amount of zero. Raises `BodyInvalid`.
        """
        require_id(self.id)
        require_id(self.pending_id)
        require_positive(self.money)


@dataclass(frozen=True, repr=False)
class Release:
    """
    Give back all of the reservation `pending_id`.
    """

    id: str
    pending_id: str

    def __post_init__(self) -> None:
        """
        Refuse ill-formed ids. Raises `BodyInvalid`.
        """
        require_id(self.id)
        require_id(self.pending_id)


@dataclass(frozen=True, repr=False)
class Expiry:
    """
    Give back all of the reservation `pending_id`, because its time is over.
    """

    id: str
    pending_id: str


Step = Transfer | Reservation | Capture | Release | Expiry


@dataclass(frozen=True, repr=False)
class Linked:
    """
    Join steps that all happen or none. Each sees what those before it do; the link is part of what their ids stand for.
    """

    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        """
        Refuse nothing, too much, and an id that stands there twice. Raises `BodyInvalid`.
        """
        if not 0 < len(self.steps) <= LINKED_MAX:
            raise BodyInvalid(f"1 to {LINKED_MAX} transfers are linked")
        if len({step.id for step in self.steps}) != len(self.steps):
            raise BodyInvalid("linked transfers have an id each")


@dataclass(frozen=True, repr=False)
class Pending:
    """
    Hold a reservation and where it stands.
    """

    transfer: Transfer
    state: PendingState
    expires_at_ms: int


@dataclass(frozen=True, repr=False)
class Entry:
    """
    Change one account by `amount_minor`: a credit above zero, a debit below.
    """

    account_id: str
    amount_minor: int


@dataclass(frozen=True)
class Booked:
    """
    Answer that the transfer is to be booked: these entries, and this change of what both accounts have reserved.
    """

    entries: tuple[Entry, ...]
    pending_change_minor: int

    def __post_init__(self) -> None:
        """
        Refuse entries that make or lose money. Raises `InvariantBroken`.
        """
        ensure(sum(entry.amount_minor for entry in self.entries) == 0, "the entries of a transfer sum to zero")


@dataclass(frozen=True)
class Refused:
    """
    Answer that the transfer is refused, and changes nothing.
    """

    refusal: Refusal


@dataclass(frozen=True)
class Done:
    """
    Answer that a step was carried out, now or when its id was first used.
    """


Decision = Booked | Refused
Outcome = Done | Refused


def derive_id(step: str, request_id: str) -> str:
    """
    Return the id of one `step` of a request: the same for the same request, and unlike those of its other steps.

    SHA-256, cut to the 16 bytes of an id.
    """
    content = b"handsel/v1/step\0" + step.encode() + b"\0" + require_id(request_id).encode()
    return hashlib.sha256(content).digest()[:ID_BYTES].hex()


def decide_post(transfer: Transfer, *, debit: AccountState | None, credit: AccountState | None) -> Decision:
    """
    Decide a transfer that is booked at once.
    """
    refusal = _refuse_transfer(transfer, debit, credit)
    return Refused(refusal) if refusal else Booked(_entries(transfer, transfer.money.amount_minor), 0)


def decide_reserve(transfer: Transfer, *, debit: AccountState | None, credit: AccountState | None) -> Decision:
    """
    Decide a reservation: nothing is booked yet, but the sum can no longer be spent otherwise.
    """
    refusal = _refuse_transfer(transfer, debit, credit)
    return Refused(refusal) if refusal else Booked((), transfer.money.amount_minor)


def decide_capture(
    capture: Capture, *, pending: Pending | None, debit: AccountState | None, credit: AccountState | None, now_ms: int
) -> Decision:
    """
    Decide to book a reservation, the whole or a part. Funds are not asked for again: they are reserved.
    """
    if pending is None or debit is None or credit is None:
        return Refused(Refusal.PENDING_UNKNOWN)
    refusal = _refuse_ended(pending)
    if refusal:
        return Refused(refusal)
    if now_ms >= pending.expires_at_ms:
        return Refused(Refusal.PENDING_ALREADY_EXPIRED)
    if capture.money.currency != pending.transfer.money.currency:
        return Refused(Refusal.CURRENCY_DIFFERS)
    if debit.is_closed or credit.is_closed:
        return Refused(Refusal.ACCOUNT_CLOSED)
    if capture.money.amount_minor > pending.transfer.money.amount_minor:
        return Refused(Refusal.EXCEEDS_PENDING)
    return Booked(_entries(pending.transfer, capture.money.amount_minor), -pending.transfer.money.amount_minor)


def decide_release(pending: Pending | None) -> Decision:
    """
    Decide to give a reservation back.
    """
    if pending is None:
        return Refused(Refusal.PENDING_UNKNOWN)
    refusal = _refuse_ended(pending)
    return Refused(refusal) if refusal else Booked((), -pending.transfer.money.amount_minor)


def decide_expire(pending: Pending | None, *, now_ms: int) -> Decision:
    """
    Decide to give a reservation back because its time is over.
    """
    if pending is None:
        return Refused(Refusal.PENDING_UNKNOWN)
    refusal = _refuse_ended(pending)
    if refusal:
        return Refused(refusal)
    if now_ms < pending.expires_at_ms:
        return Refused(Refusal.PENDING_NOT_YET_EXPIRED)
    return Booked((), -pending.transfer.money.amount_minor)


def _refuse_transfer(transfer: Transfer, debit: AccountState | None, credit: AccountState | None) -> Refusal | None:
    if transfer.debit == transfer.credit:
        return Refusal.ACCOUNTS_ARE_THE_SAME
    if debit is None or credit is None:
        return Refusal.ACCOUNT_UNKNOWN
    if not debit.account.currency == credit.account.currency == transfer.money.currency:
        return Refusal.CURRENCY_DIFFERS
    if debit.is_closed or credit.is_closed:
        return Refusal.ACCOUNT_CLOSED
    amount_minor = transfer.money.amount_minor
    if not (debit.can_be_debited(amount_minor) and credit.can_be_credited(amount_minor)):
        return Refusal.INSUFFICIENT_FUNDS
    return None


def _refuse_ended(pending: Pending) -> Refusal | None:
    if pending.state is PendingState.CAPTURED:
        return Refusal.PENDING_ALREADY_CAPTURED
    if pending.state is PendingState.RELEASED:
        return Refusal.PENDING_ALREADY_RELEASED
    if pending.state is PendingState.EXPIRED:
        return Refusal.PENDING_ALREADY_EXPIRED
    return None


def _entries(transfer: Transfer, amount_minor: int) -> tuple[Entry, ...]:
    return (Entry(transfer.debit, -amount_minor), Entry(transfer.credit, amount_minor))
