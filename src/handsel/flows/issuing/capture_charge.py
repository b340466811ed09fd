"""
Capture what a charge has reserved, or a part of it: the wallet pays that sum, and the rest is given back.

    reserved ──► approved       captured, once; the notes are signed
       └───────► voided         given back, or its time is over
"""

from __future__ import annotations

from dataclasses import dataclass

from handsel.errors import BodyInvalid, IdReused, NotFound, ensure
from handsel.flows.issuing.approved import Approved
from handsel.flows.issuing.check_notes import worth_of_requests
from handsel.flows.issuing.issuer import Issuer, digest_of
from handsel.ids import require_id
from handsel.notes.denomination import NOTES_MAX
from handsel.order import NoteRequest
from handsel.pay.decline import Declined, DeclineReason
from handsel.pay.ledger import Capture, Refused, derive_id
from handsel.pay.money import Money, require_positive
from handsel.store import issuer_hold as holds
from handsel.store import issuer_note as charges
from handsel.store import ledger
from handsel.store.database import UnitOfWork
from handsel.store.issuer_hold import HoldRow
from handsel.store.issuer_note import ChargeRow


@dataclass(frozen=True, repr=False)
class CaptureRequest:
    """
    Say how much of what a charge has reserved is taken, and which notes are to be signed for it.
    """

    charge_id: str
    amount: Money
    notes: tuple[NoteRequest, ...]

    def __post_init__(self) -> None:
        """
        Refuse an ill-formed id, an amount of zero, no notes and too many. Raises `BodyInvalid`.
        """
        require_id(self.charge_id)
        require_positive(self.amount)
        if not 0 < len(self.notes) <= NOTES_MAX:
            raise BodyInvalid(f"a capture asks for 1 to {NOTES_MAX} notes")


def capture_charge(issuer: Issuer, wanted: CaptureRequest, *, acquirer: str) -> Approved | Declined:
    """
    Debit a part of what a charge has reserved, or all, and sign the notes that its acquirer asks for.

    1. The charge reserves, and this acquirer carried it. Raises `NotFound`: another one learns not even that it is.
    2. If it was captured before, the same request has the same signatures, and another raises `IdReused`.
    3. It was not given back, and its time is not over. Raises `BodyInvalid` for more than it has reserved.
    4. The notes have keys that are current, and add up to the amount.
    5. The notes are signed, outside of any unit of work: a signature that is not kept never leaves.
    6. If 1 to 3 still hold, the part is captured, the rest given back, and the signatures kept: one commit.

    Where 3 or 4 do not hold, nothing has changed. A crash before 6 leaves the reservation as it was.
    """
    digest = digest_of(acquirer, wanted.charge_id, str(wanted.amount), *wanted.notes)
    now_ms = issuer.clock()
    with issuer.database.unit_of_work() as uow:
        row, hold = reserved_by(uow, wanted.charge_id, acquirer)  # 1
        ended = _repeat(row, hold, digest) or _refuse(hold, wanted, now_ms=now_ms)  # 2, 3
    if ended is not None:
        return ended
    total = worth_of_requests(issuer, wanted.notes, currency=wanted.amount.currency, now_ms=now_ms)  # 4
    if isinstance(total, DeclineReason):
        return Declined(total)
    if total != wanted.amount.amount_minor:
        return Declined(DeclineReason.NOTES_DO_NOT_ADD_UP)
    signatures = tuple(issuer.note_keys.sign(request) for request in wanted.notes)  # 5
    now_ms = issuer.clock()
    with issuer.database.unit_of_work() as uow:
        row, hold = reserved_by(uow, wanted.charge_id, acquirer)  # 6
        ended = _repeat(row, hold, digest) or _refuse(hold, wanted, now_ms=now_ms)
        if ended is not None:
            return ended
        _capture(issuer, uow, row, wanted, now_ms=now_ms)
        charges.approve_charge(uow, row.id, signatures, reply=row.reply)
        holds.capture_hold(uow, row.id, capture_digest=digest, amount_minor=wanted.amount.amount_minor)
        uow.commit()
    return Approved(signatures)


def reserved_by(uow: UnitOfWork, charge_id: str, acquirer: str) -> tuple[ChargeRow, HoldRow]:
    """
    Return a charge that reserves, or has reserved, if this acquirer carried it. Raises `NotFound`.
    """
    row, hold = charges.find_charge(uow, charge_id), holds.find_hold(uow, charge_id)
    if row is None or hold is None or hold.acquirer != acquirer:
        raise NotFound("there is no reservation of that id")
    return row, hold


def _repeat(row: ChargeRow, hold: HoldRow, digest: bytes) -> Approved | Declined | None:
    if row.state == "voided":
        return Declined(DeclineReason.VOIDED)
    if row.state != "approved":
        return None
    if hold.capture_digest != digest or row.signatures is None:
        raise IdReused("this reservation was captured with another request")
    return Approved(row.signatures)


def _refuse(hold: HoldRow, wanted: CaptureRequest, *, now_ms: int) -> Declined | None:
    reserved = Money(hold.amount_minor, wanted.amount.currency)
    if wanted.amount.amount_minor > hold.amount_minor:
        raise BodyInvalid(f"capture at most what is reserved: {reserved}")
    # The sweep gives the sum back and voids the charge; until it comes, its time is over all the same.
    return Declined(DeclineReason.RESERVATION_EXPIRED) if now_ms >= hold.until_ms else None


def _capture(issuer: Issuer, uow: UnitOfWork, row: ChargeRow, wanted: CaptureRequest, *, now_ms: int) -> None:
    step = Capture(derive_id("capture", row.id), row.reservation_id, wanted.amount)
    captured = ledger.capture(uow, step, now_ms=now_ms)
    ensure(not isinstance(captured, Refused), "what is reserved, and not over, can be captured")
    keys = issuer.note_keys.public()
    for request in wanted.notes:
        charges.count_signed(uow, keys.require(request.key_id))
