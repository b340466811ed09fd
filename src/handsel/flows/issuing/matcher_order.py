"""
Write signed orders to the three matchers. They are delivered by `deliver_orders`, and kept until they are confirmed.
"""

from __future__ import annotations

import msgspec

from handsel.flows.issuing.issuer import Issuer
from handsel.matching.message import MATCHERS, Order, OrderKind
from handsel.store import issuer_palm as palms
from handsel.store.database import UnitOfWork
from handsel.store.issuer_palm import OrderRow


def write_orders(
    issuer: Issuer, uow: UnitOfWork, kind: OrderKind, enrolment_id: str, *, position: int, now_ms: int
) -> None:
    """
    Write the same order to each of the three matchers, signed by the issuer.
    """
    body = msgspec.msgpack.encode(Order(kind, enrolment_id, position))
    signature = issuer.keys.signature(body)
    for matcher in MATCHERS:
        row = OrderRow(0, enrolment_id, kind, matcher, body, signature)
        palms.add_order(uow, row, now_ms=now_ms)
