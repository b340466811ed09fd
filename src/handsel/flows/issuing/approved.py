"""
Hold what a charge, a purchase or a refund is answered with when it is not declined.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, repr=False)
class Approved:
    """
    Answer that the sum was debited, and with the signatures of the notes that were asked for, in the same order.

    `reply` is for the till of a charge alone, sealed to it.
    """

    signatures: tuple[bytes, ...]
    reply: bytes | None = None


@dataclass(frozen=True, repr=False)
class Reserved:
    """
    Answer that the sum was reserved and nothing debited: it is captured until then, or given back.

    `reply` is for the till of the charge alone, sealed to it.
    """

    amount_minor: int
    until_ms: int
    reply: bytes | None = None


@dataclass(frozen=True)
class Credited:
    """
    Answer that the sum is in the customer's wallet.
    """


@dataclass(frozen=True)
class Voided:
    """
    Answer that nothing was debited, and nothing ever will be under this id.
    """
