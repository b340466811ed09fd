"""
Make note keys for tests, good whatever a test's clock says.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from handsel.notes.denomination import DENOMINATIONS
from handsel.notes.issue import NoteKeys
from handsel.notes.period import Period

ALWAYS = Period(0, 4_000_000_000_000, 5_000_000_000_000)  # Until the years 2096 and 2128.


def fresh_note_keys(
    *, currency: str = "EUR", denominations: tuple[int, ...] = DENOMINATIONS, period: Period = ALWAYS
) -> NoteKeys:
    """
    Return fresh keys: making them takes a tenth of a second each.
    """
    return NoteKeys.generate(
        currency=currency, denominations=denominations, period=period, root=Ed25519PrivateKey.generate()
    )
