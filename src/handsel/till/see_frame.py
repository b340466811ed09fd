"""
See what is in one frame: a palm, or why there is none, or a card.
"""

from __future__ import annotations

from typing import Protocol

from handsel.errors import BadInput
from handsel.order import Way
from handsel.till.action import Action
from handsel.till.card import Card
from handsel.till.held_key import look_for_card
from handsel.till.hint import Hint, TillHint
from handsel.vision.frame import Frame, decode_frame
from handsel.vision.read_palm import PalmReading, Rejected


class Reader(Protocol):
    """
    Read a palm from a frame; `PalmReader` is one.
    """

    def read(self, frame: Frame) -> PalmReading | Rejected:
        """
        Return the palm, or why there is none.
        """


def see_frame(reader: Reader, content: bytes, action: Action, *, ways: tuple[Way, ...]) -> PalmReading | Hint | Card:
    """
    Return what a picture shows; a card counts only among `ways`, and where there is no palm.
    """
    try:
        frame = decode_frame(content)
    except BadInput:
        return TillHint.UNREADABLE
    seen = reader.read(frame)
    if not isinstance(seen, Rejected):
        return seen
    # To look for a card takes as long as to look for a hand does, and is done only where there is no palm.
    card = look_for_card(frame, action, ways=ways)
    return card or seen.reason
