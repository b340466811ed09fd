"""
Hold what matchers tell each other of an enrolment: its id, state and place, and the issuer's order that led there.

A matcher is never believed by its word: who changes a row because of a peer's entry verifies the order first.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec

from handsel.errors import BodyInvalid, GalleriesDiffer, PeerCheated, SignatureInvalid
from handsel.ids import ID_BYTES, id_to_bytes
from handsel.keys import PublicKeys
from handsel.matching.message import POSITION_MAX, Order
from handsel.matching.signed_order import SignedOrder

State = Literal[1, 2, 3]
Position = Annotated[int, msgspec.Meta(ge=0, le=POSITION_MAX)]

PENDING: Literal[1] = 1  # A row goes through its states in this order and never back.
ACTIVE: Literal[2] = 2
ERASED: Literal[3] = 3

_KINDS = {ACTIVE: ("commit",), ERASED: ("erase", "abort")}


class Entry(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """
    Say what became of one enrolment, and by which order. `position` is set while the row is active.
    """

    enrolment_id: Annotated[bytes, msgspec.Meta(min_length=ID_BYTES, max_length=ID_BYTES)]
    state: State
    position: Position | None
    order: SignedOrder | None = None

    def __repr__(self) -> str:
        """
        Return nothing that tells of whom it is.
        """
        return f"Entry(state={self.state})"

    def verified(self, issuer: PublicKeys) -> Order:
        """
        Return the issuer's order for just what this entry says.

        Raises `GalleriesDiffer` where none is shown, and `PeerCheated` where it is not the issuer's, or for something
        else.
        """
        if self.order is None:
            raise GalleriesDiffer(
                "a peer says that a row was committed or erased, and has no order of the issuer to show for it: have "
                "the issuer send that order again"
            )
        try:
            order = self.order.verified(issuer)
            enrolment_id = id_to_bytes(order.enrolment_id)
        except (SignatureInvalid, BodyInvalid) as exc:
            raise PeerCheated("a matcher's peer showed an order that the issuer did not give") from exc
        said = (self.enrolment_id, self.position if self.state == ACTIVE else 0)
        if order.kind not in _KINDS.get(self.state, ()) or (enrolment_id, order.position) != said:
            raise PeerCheated("a matcher's peer showed an order of the issuer for something else")
        return order


def later_than(mine: Iterable[Entry], theirs: Iterable[Entry]) -> tuple[Entry, ...]:
    """
    Return what peers say of enrolments that they have seen in a later state; of two that say the same, one that shows
    an order.

    Raises `GalleriesDiffer` where two have a row at different positions.
    """
    latest = {entry.enrolment_id: entry for entry in mine}
    later: dict[bytes, Entry] = {}
    for entry in theirs:
        known = latest.get(entry.enrolment_id)
        if known is not None and known.state == entry.state == ACTIVE and known.position != entry.position:
            raise GalleriesDiffer("two matchers hold a row at different positions")
        is_shown = entry.enrolment_id in later and later[entry.enrolment_id].order is None is not entry.order
        if known is None or entry.state > known.state or (is_shown and entry.state == known.state):
            latest[entry.enrolment_id] = later[entry.enrolment_id] = entry
    return tuple(entry for entry in later.values() if entry.state != PENDING)
