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
    SHOW_CARD = "show_card"  # A palm came first, where palms are taken with a card only.
    CARD_READ = "card_read"
    NOT_A_CARD = "not_a_card"  # There is a code, and it is no card, or not a whole one.
    ONCE_MORE = "once_more"  # It looked like a copy of a hand: the till looks once more.


Hint = Reason | TillHint
