"""
Enrol a palm: a ceremony of two steps, between which the three matchers look whether the palm is enrolled already.

The issuer never meets the palm. It makes an alias, 16 random bytes that mean nothing elsewhere, and gives each
matcher a share of it; a match gives the alias back, and that is all.

LIMITATIONS: Two tills that enrol the same palm in the same seconds can both find it free. It is then enrolled twice,
a match of both rows is no alias, and every charge of that palm is declined as ambiguous until one is erased. Nobody
else is debited by it.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from handsel.envelope import open_envelope, seal
from handsel.errors import BindingMismatch, EnvelopeInvalid, IdReused, InvariantBroken, NotFound
from handsel.flows.issuing.abort_enrolment import abort_enrolment
from handsel.flows.issuing.enrolment_code import refuse_enrolment, use_code
from handsel.flows.issuing.issuer import Issuer, digest_of
from handsel.flows.issuing.limit_asking import count_unmatched
from handsel.flows.issuing.matcher_order import write_orders
from handsel.flows.issuing.open_answers import open_answers
from handsel.ids import require_id
from handsel.matching.alias import split_alias
from handsel.matching.message import ALIAS_BYTES, ALIAS_SHARE, MATCHERS, AliasShare, PerMatcher
from handsel.order import ENROLMENT, EnrolmentOrder, Way, bind
from handsel.pay.decline import Declined, DeclineReason
from handsel.store import issuer_palm as palms
from handsel.store.database import UnitOfWork
from handsel.store.issuer_palm import EnrolmentRow

ENROLMENT_VALID_MS = 2 * 60 * 1000  # From the first step to the second.


@dataclass(frozen=True, repr=False)
class EnrolmentBegun:
    """
    Answer with a share of the new alias for each matcher, sealed to it.
    """

    alias_shares: PerMatcher


@dataclass(frozen=True)
class Enrolled:
    """
    Answer that the palm pays from now on, as soon as the matchers have carried out their orders.
    """


def begin_enrolment(
    issuer: Issuer, enrolment_id: str, *, acquirer: str, order: bytes
) -> EnrolmentBegun | Enrolled | Declined:
    """
    Check the code that the till sealed, and make an alias for the palm that is being shown.

    1. The order opens, and is for this enrolment. Raises `EnvelopeInvalid`.
    2. An id that came before has the same outcome, or raises `IdReused` with another order.
    3. The acquirer has not asked too often. The code is right, valid and unused; it is used up by this. The wallet may
       have one more palm, and the galleries have room for one more beside those that are enrolled or being enrolled:
       the matchers never hold too many.
    4. An alias is drawn and split; outcome and shares are kept, so that a lost answer can be asked for again.

    The caller passes each share on to its matcher, and the three answers to `complete_enrolment`.
    """
    wanted = open_envelope(order, EnrolmentOrder, keys=issuer.keys, purpose=ENROLMENT)  # 1
    if wanted.order_id != require_id(enrolment_id):
        raise EnvelopeInvalid("the order is for another enrolment")
    now_ms = issuer.clock()
    with issuer.database.unit_of_work() as uow:
        earlier = palms.find_enrolment(uow, enrolment_id)  # 2
        if earlier is not None:
            return _repeat(earlier, digest_of(wanted))
        refused = count_unmatched(issuer, uow, acquirer, now_ms=now_ms)  # 3
        wallet_id = refused or _authorise(issuer, uow, wanted.code, now_ms=now_ms)
        if isinstance(wallet_id, Declined):
            row = _row(wanted, wallet_id=None, reason=wallet_id.reason, shares=None, now_ms=now_ms)
            palms.add_enrolment(uow, row, now_ms=now_ms)
            uow.commit()
            return wallet_id
        alias = issuer.random_bytes(ALIAS_BYTES)  # 4
        shares = _seal_shares(issuer, enrolment_id, alias)
        row = _row(wanted, wallet_id=wallet_id, reason=None, shares=shares, now_ms=now_ms)
        palms.add_enrolment(uow, row, now_ms=now_ms)
        palms.add_palm(uow, enrolment_id, wallet_id=wallet_id, alias=alias, now_ms=now_ms)
        uow.commit()
    return EnrolmentBegun(shares)


def complete_enrolment(issuer: Issuer, enrolment_id: str, *, answers: PerMatcher) -> Enrolled | Declined:
    """
    Finish an enrolment with what the matchers found. Raises `NotFound` and `EnvelopeInvalid`.

    1. An enrolment that has ended has the same outcome again, whatever the answers are now.
    2. The answers open, belong together and are bound to this enrolment.
    3. No enrolled palm matched.
    4. The palm is active, at the next position; the matchers are ordered to commit their rows.

    Where 2 or 3 does not hold, the palm is dropped and the matchers are ordered to abort. The caller sends the orders,
    and repeats that until they are confirmed.
    """
    now_ms = issuer.clock()
    with issuer.database.unit_of_work() as uow:
        enrolment = palms.find_enrolment(uow, enrolment_id)
        if enrolment is None:
            raise NotFound("no enrolment has that id: begin one")
        if enrolment.state != "pending":  # 1
            return _ended(enrolment)
        reason = _refuse_answers(issuer, enrolment, answers)  # 2, 3
        if now_ms >= enrolment.expires_at_ms:
            reason = DeclineReason.VOIDED
        if reason is None:
            position = palms.activate_palm(uow, enrolment_id, now_ms=now_ms)  # 4
            palms.end_enrolment(uow, enrolment_id, reason=None)
            write_orders(issuer, uow, "commit", enrolment_id, position=position, now_ms=now_ms)
        else:
            abort_enrolment(issuer, uow, enrolment_id, reason, now_ms=now_ms)
        uow.commit()
    return Enrolled() if reason is None else Declined(reason)


def _authorise(issuer: Issuer, uow: UnitOfWork, code: str, *, now_ms: int) -> str | Declined:
    wallet_id = use_code(uow, code, now_ms=now_ms)
    if isinstance(wallet_id, Declined):
        return wallet_id
    reason = refuse_enrolment(uow, wallet_id, way=Way.OPEN_HAND)
    if reason is None and palms.count_palms(uow) >= issuer.palms_max:
        reason = DeclineReason.GALLERY_FULL
    return wallet_id if reason is None else Declined(reason)


def _refuse_answers(issuer: Issuer, enrolment: EnrolmentRow, answers: PerMatcher) -> DeclineReason | None:
    try:
        found = open_answers(issuer, answers, binding=enrolment.binding)
    except BindingMismatch:
        return DeclineReason.BOUND_TO_OTHER
    return DeclineReason.ALREADY_ENROLLED if found is not None else None


def _repeat(earlier: EnrolmentRow, digest: bytes) -> EnrolmentBegun | Enrolled | Declined:
    if earlier.digest != digest:
        raise IdReused("that id was used for another enrolment: make a new one")
    if earlier.state != "pending":
        return _ended(earlier)
    if earlier.alias_shares is None:
        raise InvariantBroken("a pending enrolment has shares of an alias")
    return EnrolmentBegun(msgspec.msgpack.decode(earlier.alias_shares, type=PerMatcher))


def _ended(enrolment: EnrolmentRow) -> Enrolled | Declined:
    return Enrolled() if enrolment.reason is None else Declined(DeclineReason(enrolment.reason))


def _row(
    wanted: EnrolmentOrder,
    *,
    wallet_id: str | None,
    reason: DeclineReason | None,
    shares: PerMatcher | None,
    now_ms: int,
) -> EnrolmentRow:
    return EnrolmentRow(
        id=wanted.order_id,
        digest=digest_of(wanted),
        binding=bind(wanted),
        wallet_id=wallet_id,
        state="pending" if reason is None else "declined",
        reason=None if reason is None else reason.value,
        alias_shares=None if shares is None else msgspec.msgpack.encode(shares),
        expires_at_ms=now_ms + ENROLMENT_VALID_MS,
    )


def _seal_shares(issuer: Issuer, enrolment_id: str, alias: bytes) -> PerMatcher:
    parts = split_alias(alias, random_bytes=issuer.random_bytes)
    sealed = (
        seal(AliasShare(enrolment_id, own, pair), to=issuer.matchers.of(matcher), purpose=ALIAS_SHARE)
        for matcher, (own, pair) in zip(MATCHERS, parts, strict=True)
    )
    return PerMatcher(*sealed)
