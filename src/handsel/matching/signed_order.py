"""
Hold an order of the issuer as it came, so that it can be shown to others and verified there.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from handsel.errors import BodyInvalid
from handsel.keys import PublicKeys, verify_signature
from handsel.matching.message import MATCHERS, POSITION_MAX, Order

ORDER_BYTES_MAX = 512  # The longest has about 130.
SIGNATURE_BYTES = 64


class SignedOrder(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """
    Carry an `Order` in MessagePack, and the issuer's Ed25519 signature of these bytes.
    """

    body: Annotated[bytes, msgspec.Meta(max_length=ORDER_BYTES_MAX)]
    signature: Annotated[bytes, msgspec.Meta(min_length=SIGNATURE_BYTES, max_length=SIGNATURE_BYTES)]

    def verified(self, issuer: PublicKeys) -> Order:
        """
        Return what is ordered. Raises `SignatureInvalid`, and `BodyInvalid` where the issuer has signed no order.
        """
        verify_signature(self.body, self.signature, signer=issuer)
        return _decode(self.body)

    def __repr__(self) -> str:
        """
        Return nothing of the order.
        """
        return "SignedOrder()"


def _decode(body: bytes) -> Order:
    if len(body) > ORDER_BYTES_MAX:
        raise BodyInvalid(f"an order has at most {ORDER_BYTES_MAX} bytes")
    try:
        order = msgspec.msgpack.decode(body, type=Order)
    except msgspec.MsgspecError as exc:
        raise BodyInvalid("an order that its issuer signed does not parse") from exc
    if not 0 <= order.position <= POSITION_MAX:
        raise BodyInvalid(f"the position of a row must lie between 0 and {POSITION_MAX}")
    if order.position and order.kind != "commit":
        raise BodyInvalid("only an order to commit has a position")
    if order.matcher not in (MATCHERS if order.kind == "restore" else ("",)):
        raise BodyInvalid("an order to restore, and no other, names a matcher: a, b or c")
    return order
