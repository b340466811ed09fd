"""
Hold out hands that a program drew, for whoever has no camera at hand. Only a till that is told so does this.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

from handsel.drawn.camera import as_jpeg
from handsel.drawn.person import DrawnPerson
from handsel.errors import NotFound

SHOTS_MAX = 1000  # Pictures of one person; the page begins anew after the last.
JPEG_QUALITY = 90
_KEPT_MAX = 32  # Pictures are drawn in an eighth of a second, and asked for one after the other.
_NAMES = ("Ada", "Ben", "Cleo", "Dan", "Eve", "Finn", "Gus", "Hana")


class SimulatedPerson(msgspec.Struct, frozen=True):
    """
    Name a drawn person.
    """

    seed: int
    name: str


PEOPLE = tuple(SimulatedPerson(seed, name) for seed, name in enumerate(_NAMES, start=1))


class SimulatedCamera:
    """
    Take pictures of drawn people.

    It is a class in order to keep each person's hand, which is drawn once.
    """

    def __init__(self) -> None:
        """
        Know the people; nothing is drawn yet.
        """
        self._people = {person.seed: DrawnPerson(person.seed) for person in PEOPLE}
        self._taken = lru_cache(maxsize=_KEPT_MAX)(self._take)

    @property
    def people(self) -> tuple[SimulatedPerson, ...]:
        """
        Return who can hold out a hand.
        """
        return PEOPLE

    def picture(self, seed: int, *, shot: int) -> bytes:
        """
        Return a picture of a person's hand as JPEG. Raises `NotFound` for an unknown person or shot.
        """
        if seed not in self._people or not 0 <= shot < SHOTS_MAX:
            raise NotFound("there is no such person, or no such picture")
        return self._taken(seed, shot)

    def _take(self, seed: int, shot: int) -> bytes:
        return as_jpeg(self._people[seed].frame(shot), quality=JPEG_QUALITY)
