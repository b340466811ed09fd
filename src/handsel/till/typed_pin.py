"""
Hold a PIN from the moment that it is typed until the hand is shown once more: seconds, in memory, for one action.

After that it is in an envelope to the issuer alone. It is in no journal, no log and no message.
"""

from __future__ import annotations

from dataclasses import dataclass

from handsel.order import pad_pin
from handsel.till.session import Session

PIN_MS_MAX = 30_000  # As long as a reading. Who has left by then types it again, and nobody else can use it.


@dataclass(frozen=True, repr=False)
class TypedPin:
    """
    Hold what was typed for the action of that id. Raises `BodyInvalid` for what is no PIN.
    """

    action_id: str
    padded: bytes
    until_ms: int

    @classmethod
    def of(cls, typed: str, *, action_id: str, now_ms: int) -> TypedPin:
        """
        Return a PIN that was typed just now. Raises `BodyInvalid`.
        """
        return cls(action_id, pad_pin(typed), now_ms + PIN_MS_MAX)

    def is_needed(self, session: Session, *, now_ms: int) -> bool:
        """
        Return whether the hand that it was typed for may still be shown.
        """
        return now_ms < self.until_ms and session.may_hold(self.action_id)
