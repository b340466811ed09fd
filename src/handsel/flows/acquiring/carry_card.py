"""
Carry what a till asks about a card: sealed to the issuer, and the answer sealed to the till. Nothing of it is kept.
"""

from __future__ import annotations

from handsel.flows.acquiring.acquirer import Acquirer
from handsel.flows.acquiring.limit_asking import begin_asking
from handsel.pay.decline import Declined
from handsel.pay.merchant import Till


def carry_card(acquirer: Acquirer, till: Till, request: bytes, *, now_ms: int) -> bytes | Declined:
    """
    Return the issuer's answer to a card that is shown, or why it was not asked. Raises `PartyUnavailable`.

    It counts as an ask of the till, and as no wrong one: what the answer is cannot be seen here. How often one card is
    shown is bounded by the issuer.
    """
    with acquirer.store.unit_of_work() as books:
        refused = begin_asking(acquirer, books, till.id, now_ms=now_ms)
        if refused is not None:
            return refused
        asking = books.asking_of(till.id).taken_back(acquirer.asking, asked_ms=now_ms)
        books.save_asking(till.id, asking)
        books.commit()
    return acquirer.issuer.answer_card(request)
