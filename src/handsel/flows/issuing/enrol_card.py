"""
Enrol a card: join what a till sealed of it to the wallet that the code was given to.

The issuer meets neither the palm nor the key. It keeps a template that it cannot open, and a public key with which it
checks what the card signs. There is one step: no matcher takes part.
"""

from __future__ import annotations

from handsel.envelope import open_envelope
from handsel.errors import EnvelopeInvalid, IdReused
from handsel.flows.issuing.enrol import Enrolled
from handsel.flows.issuing.enrolment_code import refuse_enrolment, use_code
from handsel.flows.issuing.issuer import Issuer, digest_of
from handsel.flows.issuing.limit_asking import count_unmatched
from handsel.ids import require_id
from handsel.order import CARD_ENROLMENT, CARD_ID_BYTES, CARD_KEY_BYTES, SEALED_TEMPLATE_BYTES, CardOrder, Way
from handsel.pay.asking import Asking
from handsel.pay.decline import Declined, DeclineReason
from handsel.store import issuer_card as cards
from handsel.store.database import UnitOfWork
from handsel.store.issuer_card import CardEnrolmentRow, CardRow


def enrol_card(issuer: Issuer, enrolment_id: str, *, acquirer: str, order: bytes) -> Enrolled | Declined:
    """
    Give the wallet of a code the card that the till sealed. An older card of that wallet is gone from then on.

    1. The order opens, is for this enrolment, and every part has its length. Raises `EnvelopeInvalid`.
    2. An id that came before has the same outcome, or raises `IdReused` with another order.
    3. The acquirer has not asked too often. The code is right, valid and unused; it is used up by this. The wallet's
       owner has agreed to this way.
    4. No other card has this id, or the order is refused as one whose code is used: ids are drawn, and never meet.

    The till shows the card only after the answer `Enrolled`.
    """
    wanted = _open_order(issuer, enrolment_id, order)  # 1
    now_ms = issuer.clock()
    with issuer.database.unit_of_work() as uow:
        earlier = cards.find_card_enrolment(uow, enrolment_id)  # 2
        if earlier is not None:
            return _repeat(earlier, digest_of(wanted))
        refused = count_unmatched(issuer, uow, acquirer, now_ms=now_ms)  # 3
        wallet_id = refused or _authorise(uow, wanted, now_ms=now_ms)
        reason = wallet_id.reason if isinstance(wallet_id, Declined) else None
        if not isinstance(wallet_id, Declined):
            kept = (wanted.card_id, wallet_id, wanted.public_key, wanted.sealed_template)
            cards.put_card(uow, CardRow(*kept, "active", now_ms, Asking()))
        ended = CardEnrolmentRow(digest_of(wanted), None if reason is None else reason.value)
        cards.add_card_enrolment(uow, enrolment_id, ended, now_ms=now_ms)
        uow.commit()
    return Enrolled() if reason is None else Declined(reason)


def _open_order(issuer: Issuer, enrolment_id: str, order: bytes) -> CardOrder:
    wanted = open_envelope(order, CardOrder, keys=issuer.keys, purpose=CARD_ENROLMENT)
    if wanted.order_id != require_id(enrolment_id):
        raise EnvelopeInvalid("the order is for another enrolment")
    lengths = (len(wanted.card_id), len(wanted.public_key), len(wanted.sealed_template))
    if lengths != (CARD_ID_BYTES, CARD_KEY_BYTES, SEALED_TEMPLATE_BYTES):
        raise EnvelopeInvalid("a card has an id, a public key and a sealed template of fixed lengths")
    return wanted


def _authorise(uow: UnitOfWork, wanted: CardOrder, *, now_ms: int) -> str | Declined:
    wallet_id = use_code(uow, wanted.code, now_ms=now_ms)
    if isinstance(wallet_id, Declined):
        return wallet_id
    reason = refuse_enrolment(uow, wallet_id, way=Way.HELD_KEY)
    if reason is None and cards.find_card(uow, wanted.card_id) is not None:  # 4
        reason = DeclineReason.CODE_USED
    return wallet_id if reason is None else Declined(reason)


def _repeat(earlier: CardEnrolmentRow, digest: bytes) -> Enrolled | Declined:
    if earlier.digest != digest:
        raise IdReused("that id was used for another enrolment: make a new one")
    return Enrolled() if earlier.reason is None else Declined(DeclineReason(earlier.reason))
