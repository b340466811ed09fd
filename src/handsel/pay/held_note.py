"""
Hold the notes that the acquirer has, and how they come and go: redemptions and purchases.

    note       held → redeeming → redeemed | refused
               held ← reserved → redeeming | forgotten
    purchase   ordered → signed | declined

A note that was paid with is never deleted: its serial is what proves, in a dispute, which payment it came from. A note
that a refund has credited is forgotten: by its serial the issuer knows the wallet. The module knows no key and cannot
tell whether a note is genuine.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from handsel.errors import ensure
from handsel.ids import require_id
from handsel.pay.account import Account, Floor
from handsel.pay.decline import DeclineReason
from handsel.pay.money import Money


class NoteState(StrEnum):
    """
    Say where a note stands. The last two are final.
    """

    HELD = "held"
    RESERVED = "reserved"  # Bought for a refund that is under way.
    REDEEMING = "redeeming"  # In a redemption that is stored, and may have been sent.
    REDEEMED = "redeemed"
    REFUSED = "refused"  # The issuer did not redeem it; it stands on the account of differences.


def notes_held(currency: str) -> Account:
    """
    Return the account of the notes in hand: what they are worth stands there as a negative balance.
    """
    return Account(f"notes_held:{currency}", currency, Floor.NONE)


@dataclass(frozen=True, repr=False)
class HeldNote:
    """
    Keep a note, what it is worth, and the charge or purchase that it came with.
    """

    key_id: str
    serial: bytes
    signature: bytes
    worth: Money
    source_id: str


@dataclass(frozen=True, repr=False)
class Redemption:
    """
    Present notes to the issuer, in an order that is stored before they are sent.

    With `attempt_id`, they are those of a refund whose outcome is not known: whether they can be redeemed tells it.
    """

    id: str
    attempt_id: str | None = None
    is_done: bool = False

    def __post_init__(self) -> None:
        """
        Refuse an ill-formed id. Raises `BodyInvalid`.
        """
        require_id(self.id)


@dataclass(frozen=True, repr=False)
class RefusedSerial:
    """
    Name a note that was not redeemed, and why. `proof` is the issuer's signed statement that it was redeemed before.
    """

    serial: bytes
    reason: DeclineReason
    proof: bytes | None = None


class PurchaseStatus(StrEnum):
    """
    Say where a purchase of notes stands. The last two are final.
    """

    ORDERED = "ordered"
    SIGNED = "signed"
    DECLINED = "declined"


@dataclass(frozen=True, repr=False)
class Purchase:
    """
    Buy notes from the issuer for a refund attempt.

    `secrets` are what makes notes of the issuer's signatures. They are stored before anything is sent, so that nothing
    is paid for in vain, and dropped when the notes are made.
    """

    id: str
    attempt_id: str
    amount: Money
    secrets: bytes
    ordered_ms: int
    status: PurchaseStatus = PurchaseStatus.ORDERED

    def __post_init__(self) -> None:
        """
        Refuse an ill-formed id. Raises `BodyInvalid`.
        """
        require_id(self.id)

    def signed(self) -> Purchase:
        """
        Return the purchase when its notes are here.
        """
        return self._ended(PurchaseStatus.SIGNED)

    def declined(self) -> Purchase:
        """
        Return the purchase as the issuer declined it.
        """
        return self._ended(PurchaseStatus.DECLINED)

    def _ended(self, status: PurchaseStatus) -> Purchase:
        ensure(self.status is PurchaseStatus.ORDERED, "a purchase ends once")
        return replace(self, status=status, secrets=b"")
