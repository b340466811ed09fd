"""
Charge a wallet: debit whoever showed the palm, and sign notes of the same sum.

    reserved ──► approved       the wallet is debited, the notes are signed
       └───────► voided         the till cancelled, or nobody came back in time
    declined                    nothing was reserved
    checked  ──► one of these   a PIN came along, and is needed

An order that only reserves stays reserved until it is captured or given back, or its time is over.
The issuer learns an amount and a time. It is never told who is paid.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace

from handsel.envelope import open_envelope
from handsel.errors import BodyInvalid, EnvelopeInvalid, IdReused, InvariantBroken
from handsel.flows.issuing.approved import Approved, Reserved
from handsel.flows.issuing.check_notes import worth_of_requests
from handsel.flows.issuing.issuer import Issuer, decline_of, digest_of
from handsel.flows.issuing.limit_asking import begin_asking, end_asking
from handsel.flows.issuing.recognise import recognise_payer
from handsel.flows.issuing.reply_to_till import reply_to_till
from handsel.flows.issuing.second_factor import (
    Factor,
    PinAsked,
    end_pin_check,
    find_factor,
    is_pin_right,
    limits_of_wallet,
    pin_asked_before,
    use_factor,
)
from handsel.ids import require_id
from handsel.matching.message import PerMatcher
from handsel.notes.denomination import NOTES_MAX
from handsel.order import CHARGE, HOLDS_S, ChargeOrder, SealedProof, digest_of_notes, typed_pin
from handsel.pay.account import notes_in_circulation, wallet_account
from handsel.pay.decline import Declined, DeclineReason
from handsel.pay.ledger import Capture, Refused, Transfer, derive_id
from handsel.pay.limit import DAY_MS, needs_second_factor, over_every_limit, over_limit
from handsel.pay.money import Money, require_positive
from handsel.receipt import require_receipt_key
from handsel.store import issuer as wallets
from handsel.store import issuer_hold as holds
from handsel.store import issuer_limit as limits
from handsel.store import issuer_note as charges
from handsel.store import ledger
from handsel.store.database import UnitOfWork
from handsel.store.issuer import WalletRow
from handsel.store.issuer_hold import HoldRow
from handsel.store.issuer_note import ChargeRow

HOLD_MS = 20_000  # How long a sum stays reserved when a charge is interrupted between its two commits.


@dataclass(frozen=True)
class _Reserved:
    """
    Say that the sum is reserved, with which second factor, and that the notes are still to be signed; with a `hold`,
    that this is all that was ordered.
    """

    factor: Factor | None = None
    hold: Reserved | None = None


def charge(
    issuer: Issuer,
    charge_id: str,
    *,
    acquirer: str,
    order: bytes,
    answers: PerMatcher | SealedProof,
    notes_digest: bytes,
) -> Approved | Declined | Reserved:
    """
    Carry out the order that a till sealed, if the palm that the matchers saw was shown for it. `acquirer` is who asks.

    1. The order opens, is for this charge and is well formed, and `notes_digest`, which says what the acquirer can make
       notes of, is of those that it asks for. Raises `EnvelopeInvalid` and `BodyInvalid`.
    2. An id that came before has the same outcome, with the same signatures; with another order it raises `IdReused`.
       To another acquirer than the one that carried it, it is void: what it was paid with is there once.
    3. The acquirer has not asked too often, or too often in vain.
    4. The order can be carried out for somebody: the notes that are to be signed have keys that are current, and add up
       to the sum that was bound, which is within the limit of one payment. This comes before anything about the palm,
       so that an order that fails anyway tells nobody whether a palm is enrolled.
    5. The three answers open, belong together and are bound to this very order; with a held key, what its card signed
       does, and is checked in their place. They hold an alias that was given out,
       of a palm that is enrolled and not paused, in a wallet that is open.
    6. The sum is within the limits of the wallet, with a second factor where one is needed, and in it: it is reserved,
       and the charge is kept; one that only reserves with what its till is told. First commit. A PIN is checked before,
       outside of any unit of work: that takes time and memory, and is done for nobody whose palm was not recognised.
       The try is counted, and committed, before it.
    7. The notes are signed, outside of any unit of work: it is slow, and changes nothing.
    8. The reservation is captured: wallet → notes in circulation. The signatures are kept. Second commit.

    An order that only reserves ends with 6: there are no notes in it, and `capture_charge` does what is left.
    A crash before 6 leaves nothing, or a try of a PIN, which the same request resumes uncounted; one between 6 and 8
    leaves a reservation, which the same request resumes, or which is given back after `HOLD_MS`. Where 3 to 6 do not
    hold, the charge is declined for good. The caller must have made sure that it is an acquirer that asks, and answer
    nobody else.
    """
    wanted = _open_order(issuer, charge_id, order)  # 1
    if not hmac.compare_digest(digest_of_notes(wanted.notes), notes_digest):
        raise BodyInvalid("the order asks for other notes than the acquirer was given the secrets of")
    begun = _begin(issuer, wanted, answers, acquirer=acquirer)
    if isinstance(begun, PinAsked):
        is_right = is_pin_right(issuer, wanted, begun)
        begun = _go_on(issuer, wanted, acquirer=acquirer, is_right=is_right)
    if not isinstance(begun, _Reserved):
        return begun
    if begun.hold is not None:
        return begun.hold
    signatures = tuple(issuer.note_keys.sign(request) for request in wanted.notes)  # 7
    return _settle(issuer, wanted, signatures)


def _open_order(issuer: Issuer, charge_id: str, order: bytes) -> ChargeOrder:
    wanted = open_envelope(order, ChargeOrder, keys=issuer.keys, purpose=CHARGE)
    if wanted.order_id != require_id(charge_id):
        raise EnvelopeInvalid("the order is for another charge")
    require_positive(Money(wanted.amount_minor, wanted.currency))
    typed_pin(wanted)
    if wanted.hold_s:
        if wanted.notes or wanted.hold_s not in HOLDS_S:
            raise BodyInvalid(f"what only reserves asks for no notes, and is for one of {HOLDS_S} seconds")
    elif not 0 < len(wanted.notes) <= NOTES_MAX:
        raise BodyInvalid(f"a charge asks for 1 to {NOTES_MAX} notes")
    if wanted.reply_key is not None:
        require_receipt_key(wanted.reply_key)
    return wanted


def _begin(
    issuer: Issuer, wanted: ChargeOrder, answers: PerMatcher | SealedProof, *, acquirer: str
) -> Approved | Declined | Reserved | _Reserved | PinAsked:
    now_ms = issuer.clock()
    with issuer.database.unit_of_work() as uow:
        earlier = charges.find_charge(uow, wanted.order_id)  # 2
        if earlier is not None:
            return _repeat(uow, earlier, wanted, acquirer=acquirer)
        asked = pin_asked_before(uow, wanted)
        if asked is not None:
            return asked
        refused = begin_asking(issuer, uow, acquirer, now_ms=now_ms)  # 3
        wallet = (
            refused or _refuse_order(issuer, wanted, now_ms=now_ms) or recognise_payer(issuer, uow, wanted, answers)
        )  # 4, 5
        if refused is None:
            end_asking(issuer, uow, acquirer, wallet, asked_ms=now_ms)
        outcome = wallet if isinstance(wallet, Declined) else _decide(issuer, uow, wanted, wallet, now_ms=now_ms)
        if not isinstance(outcome, PinAsked):
            wallet_id = None if isinstance(wallet, Declined) else wallet.id
            outcome = _keep(issuer, uow, wanted, outcome, wallet_id=wallet_id, acquirer=acquirer, now_ms=now_ms)
        uow.commit()
    return outcome


def _go_on(
    issuer: Issuer, wanted: ChargeOrder, *, acquirer: str, is_right: bool
) -> Approved | Declined | Reserved | _Reserved:
    """
    Go on with a charge whose PIN was checked. What happened meanwhile counts: what else was paid, a closing, a void.
    """
    now_ms = issuer.clock()
    with issuer.database.unit_of_work() as uow:
        earlier = charges.find_charge(uow, wanted.order_id)
        if earlier is not None:
            return _repeat(uow, earlier, wanted, acquirer=acquirer)
        factor = end_pin_check(issuer, uow, wanted, is_right=is_right)
        wallet = wallets.find_wallet(uow, factor.wallet_id) if factor else None
        if factor is None or wallet is None:
            return Declined(DeclineReason.VOIDED)  # Its time is over, as that of a reservation is.
        outcome: Declined | _Reserved
        if wallet.is_closed:
            outcome = Declined(DeclineReason.WALLET_CLOSED)
        elif not is_right:
            outcome = Declined(DeclineReason.WRONG_PIN)
        elif _refuse_sum(issuer, uow, wanted, wallet, now_ms=now_ms) is DeclineReason.OVER_LIMIT:
            outcome = Declined(DeclineReason.OVER_LIMIT)
        else:
            outcome = _reserve(issuer, uow, wanted, wallet, factor, now_ms=now_ms)
        outcome = _keep(issuer, uow, wanted, outcome, wallet_id=wallet.id, acquirer=acquirer, now_ms=now_ms)
        uow.commit()
    return outcome


def _keep(
    issuer: Issuer,
    uow: UnitOfWork,
    wanted: ChargeOrder,
    outcome: Declined | _Reserved,
    *,
    wallet_id: str | None,
    acquirer: str,
    now_ms: int,
) -> Declined | _Reserved:
    """
    Write a charge, and return its outcome; where it only reserves, with what its till is told.
    """
    factor = outcome.factor if isinstance(outcome, _Reserved) else None
    row = ChargeRow(
        id=wanted.order_id,
        digest=digest_of(wanted),
        reservation_id=derive_id("charge", wanted.order_id),
        wallet_id=wallet_id,
        amount_minor=wanted.amount_minor,
        state="reserved" if isinstance(outcome, _Reserved) else "declined",
        reason=outcome.reason.value if isinstance(outcome, Declined) else None,
        factor=factor.kind if factor else None,
        acquirer=acquirer,
    )
    charges.add_charge(uow, row, now_ms=now_ms)
    if not isinstance(outcome, _Reserved) or outcome.hold is None:
        return outcome
    holds.add_hold(uow, HoldRow(row.id, acquirer, outcome.hold.amount_minor, outcome.hold.until_ms))
    reply = reply_to_till(issuer, uow, wanted, row)
    charges.put_reply(uow, row.id, reply)
    return replace(outcome, hold=replace(outcome.hold, reply=reply))


def _repeat(
    uow: UnitOfWork, earlier: ChargeRow, wanted: ChargeOrder, *, acquirer: str
) -> Approved | Declined | Reserved | _Reserved:
    if earlier.state == "voided" or not earlier.is_of(acquirer):
        # It may have been voided before its order ever came, so there is no digest that could differ.
        return Declined(DeclineReason.VOIDED)
    if earlier.digest != digest_of(wanted):
        raise IdReused("that id was used for another charge: make a new one")
    hold = holds.find_hold(uow, earlier.id)
    return _Reserved() if earlier.state == "reserved" and hold is None else outcome_of(earlier, hold)


def outcome_of(row: ChargeRow, hold: HoldRow | None) -> Approved | Declined | Reserved:
    """
    Return the outcome of a charge that was approved or declined, or that reserves or has reserved.
    """
    if hold is not None:
        return Reserved(hold.amount_minor, hold.until_ms, row.reply)
    if row.signatures is not None:
        return Approved(row.signatures, row.reply)
    if row.reason is None:
        raise InvariantBroken("a charge that is neither approved nor declined has no outcome yet")
    return Declined(DeclineReason(row.reason))


def _decide(
    issuer: Issuer, uow: UnitOfWork, wanted: ChargeOrder, wallet: WalletRow, *, now_ms: int
) -> Declined | _Reserved | PinAsked:
    reason = _refuse_sum(issuer, uow, wanted, wallet, now_ms=now_ms)
    if reason is None:
        return _reserve(issuer, uow, wanted, wallet, None, now_ms=now_ms)
    if reason is not DeclineReason.NEEDS_SECOND_FACTOR:
        return Declined(reason)
    factor = find_factor(issuer, uow, wanted, wallet, now_ms=now_ms)
    return _reserve(issuer, uow, wanted, wallet, factor, now_ms=now_ms) if isinstance(factor, Factor) else factor


def _refuse_sum(
    issuer: Issuer, uow: UnitOfWork, wanted: ChargeOrder, wallet: WalletRow, *, now_ms: int
) -> DeclineReason | None:
    amount = Money(wanted.amount_minor, wanted.currency)
    spent = limits.spent_of(uow, wallet.id, currency=wallet.currency, day_from_ms=now_ms - DAY_MS)
    may_pay = limits_of_wallet(issuer, uow, wallet.id)
    if over_limit(amount, spent=spent, limits=may_pay):
        return DeclineReason.OVER_LIMIT
    needs_factor = needs_second_factor(amount, spent=spent, limits=may_pay)
    return DeclineReason.NEEDS_SECOND_FACTOR if needs_factor else None


def _reserve(
    issuer: Issuer, uow: UnitOfWork, wanted: ChargeOrder, wallet: WalletRow, factor: Factor | None, *, now_ms: int
) -> Declined | _Reserved:
    transfer = Transfer(
        derive_id("charge", wanted.order_id),
        wallet_account(wallet.id, currency=wallet.currency).id,
        notes_in_circulation(issuer.currency).id,
        Money(wanted.amount_minor, wanted.currency),
        "payment",
    )
    held_ms = min(wanted.hold_s * 1000, issuer.hold_ms_max)
    until_ms = now_ms + (held_ms or HOLD_MS)
    outcome = ledger.reserve(uow, transfer, expires_at_ms=until_ms, now_ms=now_ms)
    if isinstance(outcome, Refused):
        return decline_of(outcome)
    if factor is not None:
        use_factor(uow, factor, charge_id=wanted.order_id)
    return _Reserved(factor, Reserved(wanted.amount_minor, until_ms) if held_ms else None)


def _refuse_order(issuer: Issuer, wanted: ChargeOrder, *, now_ms: int) -> Declined | None:
    if not wanted.hold_s:
        total = worth_of_requests(issuer, wanted.notes, currency=wanted.currency, now_ms=now_ms)
        if isinstance(total, DeclineReason):
            return Declined(total)
        if total != wanted.amount_minor:
            return Declined(DeclineReason.NOTES_DO_NOT_ADD_UP)
    if wanted.currency != issuer.currency:
        return Declined(DeclineReason.CURRENCY_DIFFERS)
    if over_every_limit(Money(wanted.amount_minor, wanted.currency), limits=issuer.limits):
        return Declined(DeclineReason.OVER_LIMIT)
    return None


def _settle(issuer: Issuer, wanted: ChargeOrder, signatures: tuple[bytes, ...]) -> Approved | Declined | Reserved:
    now_ms = issuer.clock()
    with issuer.database.unit_of_work() as uow:
        row = charges.find_charge(uow, wanted.order_id)
        if row is None or row.state == "voided":
            return Declined(DeclineReason.VOIDED)
        if row.state != "reserved":
            # The same request came twice at once, and the other was first. Its signatures are the ones that count.
            return outcome_of(row, None)
        amount = Money(wanted.amount_minor, wanted.currency)
        step = Capture(derive_id("capture", wanted.order_id), row.reservation_id, amount)
        captured = ledger.capture(uow, step, now_ms=now_ms)  # 8
        if isinstance(captured, Refused):
            # Its time is over. Nothing is kept here: the sweep gives the sum back and voids the charge.
            return Declined(DeclineReason.VOIDED)
        keys = issuer.note_keys.public()
        for request in wanted.notes:
            charges.count_signed(uow, keys.require(request.key_id))
        reply = reply_to_till(issuer, uow, wanted, row)
        charges.approve_charge(uow, wanted.order_id, signatures, reply=reply)
        uow.commit()
    return Approved(signatures, reply)
