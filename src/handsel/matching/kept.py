"""
Hold one row as the gallery's database has it: what became of an enrolment, and, unless they are elsewhere, its shares.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from handsel.errors import GalleryCorrupt
from handsel.ids import ID_BYTES
from handsel.matching.entry import ACTIVE, ERASED, PENDING
from handsel.matching.rows import Row
from handsel.matching.signed_order import SignedOrder

FIELDS = "enrolment_id, state, position, kept_at_ms, sealed, order_body, order_signature, template, own, pair, checksum"
_LOST = "a row of the gallery does not have its form: restore the gallery from its backup"


@dataclass(frozen=True, repr=False)
class Shares:
    """
    Hold one matcher's shares of one palm (D words of 16 bits, little-endian) and of its alias (16 bytes each).
    """

    template: bytes
    own: bytes
    pair: bytes


@dataclass(frozen=True, repr=False)
class Kept:
    """
    Hold one row. It has no shares once it is erased, or sealed: then they lie in a block.

    `order` is the issuer's that brought it into its state; none has brought a pending row there, and rows that an
    earlier version kept have lost theirs.
    """

    enrolment_id: bytes
    state: int
    position: int | None
    kept_at_ms: int
    is_sealed: bool
    shares: Shares | None
    order: SignedOrder | None = None

    def checksum(self) -> bytes:
        """
        Return the digest of everything that is kept.
        """
        shares = self.shares or Shares(b"", b"", b"")
        story = f"{self.state}/{self.position}/{self.kept_at_ms}/{self.is_sealed:d}/{len(shares.template)}/".encode()
        content = self.enrolment_id + story + shares.template + shares.own + shares.pair
        if self.order is None:
            return hashlib.sha256(b"handsel/v2/gallery-row\0" + content).digest()
        shown = len(self.order.body).to_bytes(2, "big") + self.order.body + self.order.signature
        return hashlib.sha256(b"handsel/v3/gallery-row\0" + shown + content).digest()

    def fields(self) -> tuple[object, ...]:
        """
        Return the row as it is stored.
        """
        story = (self.enrolment_id, self.state, self.position, self.kept_at_ms, int(self.is_sealed))
        order = (None, None) if self.order is None else (self.order.body, self.order.signature)
        if self.shares is None:
            return (*story, *order, None, None, None, self.checksum())
        return (*story, *order, self.shares.template, self.shares.own, self.shares.pair, self.checksum())

    def row(self) -> Row:
        """
        Return the row to be matched. Raises `GalleryCorrupt` where it is not active, or has lost its shares.
        """
        if self.shares is None or self.position is None:
            raise GalleryCorrupt("an active row of the gallery has no shares: restore the gallery from its backup")
        return Row(self.enrolment_id, self.position, self.shares.template, self.shares.own, self.shares.pair)


def kept_of(fields: tuple[object, ...]) -> Kept:
    """
    Return a row of what was stored. Raises `GalleryCorrupt` where it has not its form, or not its checksum.
    """
    match fields:
        case (bytes(enrolment_id), int(state), int() | None as position, int(kept_at_ms), 0 | 1 as sealed, *rest, _):
            order, shares = _order_of(rest[:2]), _shares_of(rest[2:])
            kept = Kept(enrolment_id, state, position, kept_at_ms, bool(sealed), shares, order)
        case _:
            raise GalleryCorrupt(_LOST)
    if len(kept.enrolment_id) != ID_BYTES or kept.state not in (PENDING, ACTIVE, ERASED):
        raise GalleryCorrupt(_LOST)
    if kept.checksum() != fields[-1]:
        raise GalleryCorrupt("a row of the gallery does not fit its checksum: restore the gallery from its backup")
    return kept


def _order_of(fields: list[object]) -> SignedOrder | None:
    match fields:
        case [bytes(body), bytes(signature)]:
            return SignedOrder(body, signature)
        case [None, None]:
            return None
    raise GalleryCorrupt(_LOST)


def _shares_of(fields: list[object]) -> Shares | None:
    match fields:
        case [bytes(template), bytes(own), bytes(pair)]:
            return Shares(template, own, pair)
        case [None, None, None]:
            return None
    raise GalleryCorrupt("a row of the gallery has lost a part of its shares: restore the gallery from its backup")
