"""
Send the issuer's signed orders to the matchers over HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from handsel.config import Link
from handsel.flows.issuing.ports import SignedConfirmation
from handsel.web.matcher_bodies import ConfirmationBody, OrderBody
from handsel.web.party_link import link_matchers

TIMEOUT_S = 4.0
_CONFIRMATION = msgspec.json.Decoder(ConfirmationBody)


class HttpMatcherOrders:
    """
    Reach the three matchers with orders.
    """

    def __init__(self, links: Mapping[str, Link], *, timeout_s: float = TIMEOUT_S) -> None:
        self._links = link_matchers(links, timeout_s=timeout_s)

    def carry_out(self, matcher: str, *, order: bytes, signature: bytes) -> SignedConfirmation:
        """
        Have one matcher carry out an order. Raises `PartyUnavailable`, or what it refused with.
        """
        answer = self._links[matcher].post("/v1/orders", OrderBody(order, signature), _CONFIRMATION)
        return SignedConfirmation(answer.confirmation, answer.signature)

    def close(self) -> None:
        """
        Close the connections.
        """
        for link in self._links.values():
            link.close()
