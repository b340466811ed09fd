"""
Deliver the orders that the matchers have not confirmed, and keep their confirmations.

An order that is not confirmed stays and is delivered again, in the caller's next round, until it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from handsel.errors import HandselError, InvariantBroken, SignatureInvalid, Unavailable
from handsel.flows.issuing.issuer import Issuer
from handsel.flows.issuing.ports import Matchers, SignedConfirmation
from handsel.keys import verify_signature
from handsel.matching.message import MATCHERS, Confirmation
from handsel.store import issuer_palm as palms
from handsel.store.issuer_palm import OrderRow


@dataclass(frozen=True)
class Delivered:
    """
    Answer how many orders were confirmed in this round, and with which error codes others failed.
    """

    confirmed: int
    failures: tuple[str, ...]


def deliver_orders(issuer: Issuer, matchers: Matchers) -> Delivered:
    """
    Send each matcher its unconfirmed orders, oldest first. A matcher that does not answer is left until the next round.
    """
    confirmed, failures = 0, list[str]()
    for matcher in MATCHERS:
        with issuer.database.unit_of_work() as uow:
            orders = palms.orders_to_deliver(uow, matcher)
        for order in orders:
            try:
                answer = matchers.carry_out(matcher, order=order.body, signature=order.signature)
                _verify(issuer, order, answer)
            except InvariantBroken:
                raise
            except HandselError as exc:
                failures.append(exc.code)
                if isinstance(exc, Unavailable):
                    break
                continue
            _keep(issuer, order, answer)
            confirmed += 1
    return Delivered(confirmed, tuple(failures))


def _verify(issuer: Issuer, order: OrderRow, answer: SignedConfirmation) -> None:
    verify_signature(answer.confirmation, answer.signature, signer=issuer.matchers.of(order.matcher))
    try:
        confirmation = msgspec.msgpack.decode(answer.confirmation, type=Confirmation)
    except msgspec.MsgspecError as exc:
        raise SignatureInvalid("what the matcher signed is not a confirmation") from exc
    said = (confirmation.kind, confirmation.enrolment_id, confirmation.matcher)
    if said != (order.kind, order.enrolment_id, order.matcher):
        raise SignatureInvalid("the matcher confirmed another order")


def _keep(issuer: Issuer, order: OrderRow, answer: SignedConfirmation) -> None:
    now_ms = issuer.clock()
    with issuer.database.unit_of_work() as uow:
        palms.mark_confirmed(
            uow, order.number, confirmation=answer.confirmation, signature=answer.signature, now_ms=now_ms
        )
        if order.kind == "erase" and palms.confirmations(uow, order.enrolment_id, "erase") == len(MATCHERS):
            palms.forget_alias(uow, order.enrolment_id)
        uow.commit()
