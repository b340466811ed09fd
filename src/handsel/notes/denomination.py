"""
Split an amount into denominations: powers of two minor units.

Every amount is then a handful of notes that look like everybody's. The module knows no keys and no currency.
"""

from __future__ import annotations

from handsel.errors import BodyInvalid

# 1 … 4096 minor units: EUR 50.00, the most that is paid by palm alone, takes five notes, and no amount up to it more
# than twelve.
DENOMINATIONS: tuple[int, ...] = tuple(1 << power for power in range(13))
DENOMINATION_MAX = DENOMINATIONS[-1]
NOTES_MAX = 64  # In one charge, purchase or redemption: an amount of up to 52 times the largest denomination.
AMOUNT_MINOR_MAX = 52 * DENOMINATION_MAX


def split_amount(amount_minor: int) -> tuple[int, ...]:
    """
    Return the fewest denominations that sum to `amount_minor`, largest first. Raises `BodyInvalid`.
    """
    if not 0 < amount_minor <= AMOUNT_MINOR_MAX:
        raise BodyInvalid(f"notes are made for 1 to {AMOUNT_MINOR_MAX} minor units at a time")
    count, rest = divmod(amount_minor, DENOMINATION_MAX)
    bits = tuple(denomination for denomination in reversed(DENOMINATIONS[:-1]) if rest & denomination)
    return (DENOMINATION_MAX,) * count + bits
