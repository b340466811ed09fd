"""
Keep the messages of each query until the thread that carries it out asks for them.

Everything is bounded: who floods a mailbox fails its own query, and openings of queries that nobody here was asked are
forgotten after a while.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from handsel.errors import EnvelopeInvalid, IdReused, PeerUnavailable
from handsel.matching.frame import Frame, Kind
from handsel.matching.message import Octets

FRAMES_WAITING_MAX = 64  # Of one sender in one query; the protocol has fewer.
BYTES_WAITING_MAX = 1 << 28  # Of one sender in all queries together, before it is taken to flood.
EARLY_MAX = 256  # Openings that wait for this matcher to be asked the same thing.
EARLY_S_MAX = 10.0
EARLY_BYTES_MAX = 1024


class Room:
    """
    Count the bytes that wait, by sender. Safe for several threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, int] = {}

    def take(self, sender: str, count: int) -> bool:
        """
        Return whether there is room for so many bytes more of a sender, and take it.
        """
        with self._lock:
            waiting = self._waiting.get(sender, 0) + count
            if waiting > BYTES_WAITING_MAX:
                return False
            self._waiting[sender] = waiting
            return True

    def give_back(self, sender: str, count: int) -> None:
        """
        Give room back.
        """
        with self._lock:
            self._waiting[sender] = self._waiting.get(sender, 0) - count


class Mailbox:
    """
    Hold the messages of one query, by sender.
    """

    def __init__(self, room: Room) -> None:
        self._room = room
        self._changed = threading.Condition()
        self._frames: dict[str, deque[Octets]] = {}
        self._numbers: dict[str, int] = {}
        self._gone: set[str] = set()

    def put(self, sender: str, frame: Frame) -> None:
        """
        Add a message. One out of its order, or one too many, ends the query.
        """
        with self._changed:
            waiting = self._frames.setdefault(sender, deque())
            expected = self._numbers.get(sender, 0)
            if frame.kind is Kind.ABANDONED or frame.number != expected or len(waiting) >= FRAMES_WAITING_MAX:
                self._gone.add(sender)
            elif sender not in self._gone:
                if self._room.take(sender, len(frame.payload)):
                    waiting.append(frame.payload)
                    self._numbers[sender] = expected + 1
                else:
                    self._gone.add(sender)
            self._changed.notify_all()

    def empty(self) -> None:
        """
        Throw away what waits, and take no more.
        """
        with self._changed:
            for sender, waiting in self._frames.items():
                self._room.give_back(sender, sum(len(payload) for payload in waiting))
                waiting.clear()
                self._gone.add(sender)

    def hang_up(self, sender: str) -> None:
        """
        Note that nothing more will come from `sender`.
        """
        with self._changed:
            self._gone.add(sender)
            self._changed.notify_all()

    def take(self, sender: str, *, deadline_s: float) -> Octets:
        """
        Return the next message of `sender`, waiting for it until `deadline_s`. Raises `PeerUnavailable`.
        """
        with self._changed:
            while not self._frames.get(sender):
                if self._gone:
                    raise PeerUnavailable("a matcher's peer gave the query up: ask again")
                if not self._changed.wait(max(0.0, deadline_s - monotonic())):
                    raise PeerUnavailable("a matcher's peer did not answer in time: ask again")
            payload = self._frames[sender].popleft()
        self._room.give_back(sender, len(payload))
        return payload


class Mailboxes:
    """
    Hold the mailboxes of the queries in hand, and the openings of those that may still come.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._room = Room()
        self._open: dict[bytes, Mailbox] = {}
        self._early: OrderedDict[tuple[bytes, str], tuple[float, Frame]] = OrderedDict()

    @contextmanager
    def open(self, query_id: bytes) -> Iterator[Mailbox]:
        """
        Give out the mailbox of a query while it is in hand. Raises `IdReused` where it is already.
        """
        mailbox = Mailbox(self._room)
        with self._lock:
            if query_id in self._open:
                raise IdReused("that query is in hand already")
            self._open[query_id] = mailbox
            self._forget_old()
            for key in [key for key in self._early if key[0] == query_id]:
                mailbox.put(key[1], self._early.pop(key)[1])
        try:
            yield mailbox
        finally:
            with self._lock:
                del self._open[query_id]
            mailbox.empty()

    def put(self, sender: str, frame: Frame) -> None:
        """
        Deliver a frame, or keep it for a while where it is the opening of a query not yet in hand.

        Raises `EnvelopeInvalid` for an early frame that is no opening.
        """
        with self._lock:
            mailbox = self._open.get(frame.query_id)
            if mailbox is None:
                self._keep_early(sender, frame)
            else:
                mailbox.put(sender, frame)

    def hang_up(self, sender: str) -> None:
        """
        Note that a peer has gone: what it said early is void, and queries that wait for it fail.
        """
        with self._lock:
            for key in [key for key in self._early if key[1] == sender]:
                del self._early[key]
            for mailbox in self._open.values():
                mailbox.hang_up(sender)

    def _keep_early(self, sender: str, frame: Frame) -> None:
        key = (frame.query_id, sender)
        self._early.pop(key, None)
        self._forget_old()
        if frame.kind is Kind.ABANDONED or frame.number != 0:
            return  # It belongs to a query that has ended here.
        if len(frame.payload) > EARLY_BYTES_MAX:
            raise EnvelopeInvalid("a matcher's peer sent an opening that is too long")
        self._early[key] = (monotonic(), frame)
        if len(self._early) > EARLY_MAX:
            self._early.popitem(last=False)

    def _forget_old(self) -> None:
        oldest_s = monotonic() - EARLY_S_MAX
        while self._early and next(iter(self._early.values()))[0] < oldest_s:
            self._early.popitem(last=False)
