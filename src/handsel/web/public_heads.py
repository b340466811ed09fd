"""
Ask a party for the heads that it shows to everybody. No token goes with it.
"""

from __future__ import annotations

from msgspec.json import Decoder

from handsel.proof.head import GrowthProof, SignedHead
from handsel.web.party_link import PartyLink

TIMEOUT_S = 8.0
_HEAD = Decoder(SignedHead)
_GROWTH = Decoder(GrowthProof)


class HttpHeads:
    """
    Reach the party at `url`, called `party` in messages.
    """

    def __init__(self, url: str, *, party: str) -> None:
        self._link = PartyLink(url, party=party, timeout_s=TIMEOUT_S)

    def newest(self) -> SignedHead:
        """
        Return the newest head. Raises `PartyUnavailable`, and `NotFound` where nothing was booked yet.
        """
        return self._link.get("/v1/tree_head", _HEAD)

    def growth(self, *, first: int, second: int) -> GrowthProof:
        """
        Return the proof that the list of `first` leaves became that of `second`.

        Raises `PartyUnavailable`, and `BodyInvalid` where the party does not prove it.
        """
        return self._link.get(f"/v1/tree_consistency?first={first}&second={second}", _GROWTH)

    def close(self) -> None:
        """
        Close the connections.
        """
        self._link.close()
