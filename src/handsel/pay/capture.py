"""
Hold a capture: what the acquirer asks the issuer for when a merchant takes what was reserved, or a part of it.

    ordered → signed
       └───→ declined        given back, or its time was over

There is one for each charge that reserves, at most. The module knows no database and no key.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from handsel.errors import ensure
from handsel.ids import require_id


class CaptureStatus(StrEnum):
    """
    Say where a capture stands. The last two are final.
    """

    ORDERED = "ordered"
    SIGNED = "signed"
    DECLINED = "declined"


@dataclass(frozen=True, repr=False)
class CaptureOrder:
    """
    Capture what the charge has reserved, in notes whose `secrets` are stored before anything is sent.

    The secrets are dropped when the notes are made.
    """

    charge_id: str
    secrets: bytes
    asked_ms: int
    status: CaptureStatus = CaptureStatus.ORDERED

    def __post_init__(self) -> None:
        """
        Refuse an ill-formed id. Raises `BodyInvalid`.
        """
        require_id(self.charge_id)

    def renewed(self, secrets: bytes) -> CaptureOrder:
        """
        Return the order with other notes, because the keys of the first have ended and never sign again.
        """
        ensure(self.status is CaptureStatus.ORDERED, "a capture ends once")
        return replace(self, secrets=secrets)

    def signed(self) -> CaptureOrder:
        """
        Return the order when its notes are here.
        """
        return self._ended(CaptureStatus.SIGNED)

    def declined(self) -> CaptureOrder:
        """
        Return the order as one that will never be carried out.
        """
        return self._ended(CaptureStatus.DECLINED)

    def _ended(self, status: CaptureStatus) -> CaptureOrder:
        ensure(self.status is CaptureStatus.ORDERED, "a capture ends once")
        return replace(self, status=status, secrets=b"")
