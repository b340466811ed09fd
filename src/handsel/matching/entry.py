"""
Hold what matchers tell each other of an enrolment: its id, state and place; and which of two stories is the later one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from handsel.errors import GalleriesDiffer
from handsel.ids import ID_BYTES

POSITION_MAX = 1 << 62

State = Literal[1, 2, 3]
Position = Annotated[int, msgspec.Meta(ge=0, le=POSITION_MAX)]

PENDING: Literal[1] = 1  # A row goes through its states in this order and never back.
ACTIVE: Literal[2] = 2
ERASED: Literal[3] = 3


class Entry(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """
    Say what became of one enrolment. `position` is set while the row is active.
    """

    enrolment_id: Annotated[bytes, msgspec.Meta(min_length=ID_BYTES, max_length=ID_BYTES)]
    state: State
    position: Position | None


def join_entries(galleries: Mapping[str, tuple[Entry, ...]]) -> tuple[Entry, ...]:
    """
    Return the latest state of each enrolment that any of the matchers has heard was committed or erased.

    Raises `GalleriesDiffer` where a matcher has never had a row that is active at another, or two have it at different
    positions.
    """
    latest: dict[bytes, Entry] = {}
    for entry in (entry for entries in galleries.values() for entry in entries):
        known = latest.get(entry.enrolment_id)
        if known is None or entry.state > known.state:
            latest[entry.enrolment_id] = entry
        elif known.state == entry.state == ACTIVE and known.position != entry.position:
            raise GalleriesDiffer("two matchers hold a row at different positions")
    active = {entry.enrolment_id for entry in latest.values() if entry.state == ACTIVE}
    for entries in galleries.values():
        if not active <= {entry.enrolment_id for entry in entries}:
            raise GalleriesDiffer("a matcher has never had a row that another one holds")
    return tuple(entry for entry in latest.values() if entry.state != PENDING)
