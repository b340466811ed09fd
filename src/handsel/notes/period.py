"""
Say from when until when a note key signs, and until when its notes are redeemed.

    valid_from ───────── signs_until ──────────────────────── redeems_until
        signs, redeems        redeems only                        neither

The next key is made ahead, and begins a day before the one before it ends, so that clocks that differ do no harm. All
denominations change together. A period is long, since a note looks like all others of its key only.
"""

from __future__ import annotations

import msgspec

from handsel.errors import BodyInvalid

DAY_MS = 24 * 3600 * 1000
SIGNS_MS = 91 * DAY_MS  # A quarter.
REDEEMS_MS = (
    365 * DAY_MS
)  # After the end of signing: what a till that was off for months kept is still worth something.
AHEAD_MS = 14 * DAY_MS  # How long before it is needed the next key is made, and announced.
OVERLAP_MS = DAY_MS
MARGIN_MS = 3600 * 1000  # Who makes notes leaves a key so long before its end, so that they are signed in time.


class Period(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Hold the three times of a key. Each begins what follows it: at `signs_until_ms` itself nothing is signed any more.
    """

    valid_from_ms: int
    signs_until_ms: int
    redeems_until_ms: int

    def __post_init__(self) -> None:
        """
        Refuse times in another order. Raises `BodyInvalid`.
        """
        if not 0 <= self.valid_from_ms < self.signs_until_ms < self.redeems_until_ms:
            raise BodyInvalid("a note key signs for a while, and its notes are redeemed for longer")

    def signs_at(self, now_ms: int) -> bool:
        """
        Return whether notes are signed at that time.
        """
        return self.valid_from_ms <= now_ms < self.signs_until_ms

    def redeems_at(self, now_ms: int) -> bool:
        """
        Return whether notes are redeemed at that time.
        """
        return self.valid_from_ms <= now_ms < self.redeems_until_ms


def first_period(now_ms: int) -> Period:
    """
    Return a period that began when the day began.
    """
    begin_ms = now_ms - now_ms % DAY_MS
    return Period(begin_ms, begin_ms + SIGNS_MS, begin_ms + SIGNS_MS + REDEEMS_MS)


def next_period(last: Period, *, now_ms: int) -> Period | None:
    """
    Return the period after `last`, or None while it is too early to make its keys.
    """
    if now_ms < last.signs_until_ms - AHEAD_MS:
        return None
    return first_period(max(now_ms, last.signs_until_ms - OVERLAP_MS))
