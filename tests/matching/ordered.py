"""
Play the issuer to galleries: sign orders, and have them carried out.
"""

from __future__ import annotations

import io
from pathlib import Path

import msgspec

from handsel.keys import PartyKeys
from handsel.log import Log
from handsel.matching.entry import ACTIVE, ERASED, Entry
from handsel.matching.gallery import Gallery
from handsel.matching.message import Order, OrderKind
from handsel.matching.signed_order import SignedOrder

ISSUER = PartyKeys.generate()
STRANGER = PartyKeys.generate()


def a_gallery(directory: Path, *, me: str, dims: int, palms_max: int = 1000, log: Log | None = None) -> Gallery:
    """
    Open a gallery whose issuer is the one that signs here.
    """
    log = log or Log(f"matcher-{me}", io.StringIO())
    return Gallery(directory, me=me, issuer=ISSUER.public(), dims=dims, palms_max=palms_max, log=log)


def signed(kind: OrderKind, enrolment_id: bytes, *, position: int = 0, by: PartyKeys = ISSUER) -> SignedOrder:
    """
    Return an order.
    """
    body = msgspec.msgpack.encode(Order(kind, enrolment_id.hex(), position))
    return SignedOrder(body, by.signature(body))


def commit(gallery: Gallery, enrolment_id: bytes, *, position: int) -> None:
    """
    Have a row committed.
    """
    order = signed("commit", enrolment_id, position=position)
    gallery.commit(enrolment_id, position=position, order=order)


def erase(gallery: Gallery, enrolment_id: bytes, *, now_ms: int) -> None:
    """
    Have a row erased.
    """
    gallery.erase(enrolment_id, order=signed("erase", enrolment_id), now_ms=now_ms)


def abort(gallery: Gallery, enrolment_id: bytes, *, now_ms: int) -> None:
    """
    Have an enrolment aborted.
    """
    gallery.abort(enrolment_id, order=signed("abort", enrolment_id), now_ms=now_ms)


def active(enrolment_id: bytes, position: int) -> Entry:
    """
    Return the entry of a row that was committed.
    """
    return Entry(enrolment_id, ACTIVE, position, signed("commit", enrolment_id, position=position))


def erased(enrolment_id: bytes) -> Entry:
    """
    Return the entry of a row that was erased.
    """
    return Entry(enrolment_id, ERASED, None, signed("erase", enrolment_id))
