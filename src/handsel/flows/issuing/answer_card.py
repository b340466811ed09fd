"""
Answer a till that was shown a card: with the sealed template, or with as many zeros.

To the acquirer that carries it, one answer looks like another. The till learns whether the issuer knows the card; it
has the card, so that it could know that already.
"""

from __future__ import annotations

from handsel.envelope import open_envelope, seal_reply
from handsel.flows.issuing.issuer import Issuer
from handsel.flows.issuing.limit_asking import count_unmatched
from handsel.order import CARD_ANSWER, CARD_REQUEST, SEALED_TEMPLATE_BYTES, CardAnswer, CardRequest, CardState
from handsel.pay.decline import Declined
from handsel.store import issuer_card as cards
from handsel.store.database import UnitOfWork

_NO_TEMPLATE = bytes(SEALED_TEMPLATE_BYTES)


def answer_card(issuer: Issuer, *, acquirer: str, request: bytes) -> bytes | Declined:
    """
    Return the answer to a card that is shown, sealed to the key in the request. `acquirer` is who asks.

    1. The request opens. Raises `EnvelopeInvalid`.
    2. The acquirer has not asked too often.
    3. The card is known. It counts as shown in vain until a charge or refund has come of it; who shows it too often in
       vain finds it locked for a while.

    A paused card is answered for: refunds still reach it, and a charge is refused by itself.
    """
    wanted = open_envelope(request, CardRequest, keys=issuer.keys, purpose=CARD_REQUEST)  # 1
    now_ms = issuer.clock()
    with issuer.database.unit_of_work() as uow:
        refused = count_unmatched(issuer, uow, acquirer, now_ms=now_ms)  # 2
        answer = CardAnswer(CardState.UNKNOWN, _NO_TEMPLATE)
        if refused is None:
            answer = _answer(issuer, uow, wanted.card_id, now_ms=now_ms)  # 3
        sealed = seal_reply(answer, reply_key=wanted.reply_key, purpose=CARD_ANSWER)
        uow.commit()
    return refused or sealed


def _answer(issuer: Issuer, uow: UnitOfWork, card_id: bytes, *, now_ms: int) -> CardAnswer:
    card = cards.find_card(uow, card_id)
    if card is None:
        return CardAnswer(CardState.UNKNOWN, _NO_TEMPLATE)
    shown = card.asking.begin(issuer.showing, now_ms=now_ms)
    if shown is None:
        return CardAnswer(CardState.LOCKED, _NO_TEMPLATE)
    cards.save_asking(uow, card.id, shown)
    return CardAnswer(CardState.KNOWN, card.sealed_template)
