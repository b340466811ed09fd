"""
Keep what was prepared ahead, between two queries, so that a customer does not wait for it.

A piece serves one query, and is thrown away with it. Which one, matcher a says: it offers the oldest that is large
enough, and the others take the one of that name, if they have it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

from handsel.matching.message import MATCHERS
from handsel.matching.prepared import WORDS_AT_ONCE, Prepared, Shape

WORDS_MAX = 1 << 23  # Of ANDs for one query: 400 MB are kept then. One that needs more prepares its own.
PIECES_AT_ONCE_MAX = 8
PIECES_LEAST = 2


@dataclass(frozen=True)
class Piece:
    """
    Hold what is prepared for one query, and the name under which all three matchers hold theirs.
    """

    name: bytes
    prepared: Prepared = field(repr=False)


class Reserve:
    """
    Hold pieces, the oldest first. Safe for several threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pieces: list[Piece] = []

    def offer(self, shape: Shape) -> Piece | None:
        """
        Return the oldest piece for a query of a shape, which nobody else gets then.
        """
        with self._lock:
            found = next((piece for piece in self._pieces if piece.prepared.shape.holds(shape)), None)
            if found is not None:
                self._pieces.remove(found)
            return found

    def take(self, name: bytes) -> Piece | None:
        """
        Return the piece of that name, which nobody else gets then.
        """
        with self._lock:
            found = next((piece for piece in self._pieces if piece.name == name), None)
            if found is not None:
                self._pieces.remove(found)
            return found

    def put(self, pieces: Iterable[Piece]) -> None:
        """
        Keep pieces; where there are too many, the oldest go.
        """
        with self._lock:
            self._pieces.extend(pieces)
            del self._pieces[: -2 * PIECES_AT_ONCE_MAX]

    def clear(self) -> None:
        """
        Throw all pieces away.
        """
        with self._lock:
            self._pieces.clear()

    def wanted(self, shape: Shape) -> int:
        """
        Return how many pieces of a shape are to be prepared now, at once: those that are too small do not count.
        """
        count = pieces_of(shape)
        with self._lock:
            held = sum(piece.prepared.shape.holds(shape) for piece in self._pieces)
        return count if held < max(PIECES_LEAST, count) else 0


class Supply:
    """
    Hold what one matcher gives to one query of its reserve.
    """

    def __init__(self, me: str, reserve: Reserve, shape: Shape) -> None:
        self._is_first, self._reserve, self._shape = me == MATCHERS[0], reserve, shape
        self._piece: Piece | None = None

    def offer(self) -> bytes:
        """
        Return the name of the piece that this matcher proposes: a does, where it has one.
        """
        if self._is_first and self._piece is None:
            self._piece = self._reserve.offer(self._shape)
        return self._piece.name if self._is_first and self._piece else b""

    def accept(self, name: bytes) -> bool:
        """
        Take the piece that a proposes, and return whether it is here.
        """
        if not self._is_first and name:
            self._piece = self._reserve.take(name)
        return self._piece is not None

    def prepared(self) -> Prepared | None:
        """
        Return what is prepared, if all three have it.
        """
        return None if self._piece is None else self._piece.prepared

    def refuse(self) -> None:
        """
        Use none, since not all have it; and throw all others away, as the others do, to fall into step again.
        """
        self._piece = None
        self._reserve.clear()


def pieces_of(shape: Shape) -> int:
    """
    Return for how many queries of a shape is prepared at once; 0 where one needs too much.
    """
    if shape.ands > WORDS_MAX:
        return 0
    return min(PIECES_AT_ONCE_MAX, max(1, -(-WORDS_AT_ONCE // max(1, shape.ands))))
