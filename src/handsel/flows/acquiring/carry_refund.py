"""
Carry a refund: the palm from the till to the matchers, their answers with bought notes to the issuer, the outcome back.

What is carried is sealed; it passes through and is stored nowhere. Nor is the id by which the issuer knows the refund:
it comes with the till's request, is passed on with it, and an end is found without it.
"""

from __future__ import annotations

from dataclasses import dataclass

from handsel.errors import HandselError, IdReused, NotFound, PalmInvalid
from handsel.flows.acquiring.acquirer import Acquirer
from handsel.flows.acquiring.ask_matchers import answers_to
from handsel.flows.acquiring.buy_notes import buy_notes
from handsel.flows.acquiring.limit_asking import NoPalm, begin_asking
from handsel.flows.acquiring.ports import Voided
from handsel.flows.acquiring.send_notes import send_notes
from handsel.flows.acquiring.settle_refund import conclude_refund, state_in
from handsel.ids import require_order_id
from handsel.matching.message import PerMatcher
from handsel.order import SealedProof
from handsel.pay.decline import Declined, DeclineReason
from handsel.pay.merchant import Till
from handsel.pay.refund import Refund, RefundAttempt, RefundState, RefundStatus
from handsel.store.acquirer import AcquirerBooks


@dataclass(frozen=True, repr=False)
class ShownForRefund:
    """
    Carry what a till sends of a palm that was shown for a refund: an order for the issuer, and a query for each matcher
    or, with a held key, a proof for the issuer.

    `attempt_id` is the till's and stays here, `refund_id` is the merchant's; `order_id` is the id in the order, which
    the issuer keeps and nobody here does.
    """

    attempt_id: str
    refund_id: str
    order_id: str
    order: bytes
    queries: PerMatcher | SealedProof

    def __post_init__(self) -> None:
        """
        Refuse an order's id that is ill-formed, or the attempt's once more. Raises `BodyInvalid`.
        """
        require_order_id(self.order_id, other_than=self.attempt_id)


def submit_refund(acquirer: Acquirer, till: Till, shown: ShownForRefund, *, now_ms: int) -> RefundState:
    """
    Try to credit whoever showed the palm: once, however often the same attempt comes.

    1. Write that there is such an attempt. From now on no other can begin on the same refund. If the till has asked too
       often, the attempt is declined here, and the matchers hear nothing of it.
    2. Ask the three matchers, unless a held key was shown.
    3. Buy notes of the same sum from the issuer.
    4. Write that the notes are on their way, send them, and write and book the outcome. Notes that were not credited
       are redeemed with the others.

    Whatever is interrupted between two of these is ended by `resolve_refunds` and `resolve_purchases`. Raises
    `NotFound` and `IdReused` before anything has happened, and `PartyUnavailable` or what a party refused the envelopes
    with after nothing was credited.
    """
    # 1.
    with acquirer.store.unit_of_work() as books:
        known = _known_state(books, till, shown)
        if known is not None:
            return known
        refund = _open_refund(books, till, shown.refund_id)
        if isinstance(refund, Declined):
            return refund
        attempt = RefundAttempt(shown.attempt_id, shown.refund_id, till.id, now_ms)
        refused = begin_asking(acquirer, books, till.id, now_ms=now_ms)
        books.refunds.add_attempt(attempt)
        if refused is not None:
            books.refunds.save_attempt(attempt.declined(refused.reason))
            books.commit()
            return refused
        books.refunds.save(refund.processing())
        books.commit()
    try:
        # 2.
        answers = answers_to(acquirer.matchers, shown.queries)
        # 3.
        not_bought = buy_notes(acquirer, shown.attempt_id, refund.amount, now_ms=now_ms)
    except HandselError as exc:
        nothing = NoPalm() if isinstance(exc, PalmInvalid) else Voided()
        conclude_refund(acquirer, shown.attempt_id, nothing, now_ms=now_ms)
        raise
    if not_bought is not None:
        return conclude_refund(acquirer, shown.attempt_id, Voided(), now_ms=now_ms)
    # 4.
    return send_notes(
        acquirer,
        shown.attempt_id,
        lambda notes: acquirer.issuer.refund(shown.order_id, order=shown.order, answers=answers, notes=notes),
        now_ms=now_ms,
    )


def _known_state(books: AcquirerBooks, till: Till, shown: ShownForRefund) -> RefundState | None:
    attempt = books.refunds.find_attempt(shown.attempt_id)
    if attempt is None:
        return None
    if (attempt.refund_id, attempt.till_id) != (shown.refund_id, till.id):
        raise IdReused("that id stands for another refund attempt: make a new one")
    return state_in(books, attempt)


def _open_refund(books: AcquirerBooks, till: Till, refund_id: str) -> Refund | Declined:
    refund = books.refunds.find(refund_id)
    if refund is None or refund.till_id != till.id:
        raise NotFound("this till is not asked for such a refund")
    if refund.status is RefundStatus.CANCELED:
        return Declined(DeclineReason.VOIDED)
    if refund.status is not RefundStatus.REQUIRES_PALM:
        raise IdReused("this refund has an attempt already: send that one again")
    return refund
