"""
Name what is wrong with a frame that vision itself has nothing against, or could not even open.
"""

from __future__ import annotations

from enum import StrEnum

from handsel.vision.quality import Reason


class TillHint(StrEnum):
    """
    Say why a frame did not count, beside the reasons of vision.
    """

    UNREADABLE = "unreadable"  # The bytes are not a picture that can be decoded.
    OTHER_HAND = "other_hand"  # Two hands were held out, one after the other, for one enrolment.
    ONCE_MORE = "once_more"  # It looked like a copy of a hand: the till looks once more.


Hint = Reason | TillHint
