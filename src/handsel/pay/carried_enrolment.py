"""
Hold what the acquirer remembers of an enrolment that it carried: that there was one, and how it ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from handsel.ids import require_id
from handsel.pay.decline import DeclineReason


class EnrolmentStatus(StrEnum):
    """
    Say where an enrolment stands. The last two are final.
    """

    UNDER_WAY = "under_way"
    INTERRUPTED = "interrupted"  # Somebody did not answer. The till may send the same enrolment again.
    ENROLLED = "enrolled"
    DECLINED = "declined"


@dataclass(frozen=True, repr=False)
class CarriedEnrolment:
    """
    Remember an enrolment by the id that the till made.
    """

    id: str
    till_id: str
    started_ms: int
    status: EnrolmentStatus = EnrolmentStatus.UNDER_WAY
    reason: DeclineReason | None = None

    def __post_init__(self) -> None:
        """
        Refuse an ill-formed id. Raises `BodyInvalid`.
        """
        require_id(self.id)
