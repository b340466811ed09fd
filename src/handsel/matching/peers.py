"""
Carry messages between the three matchers: TLS, one connection for each direction, dialled when it is first needed.

1. Both ends prove who they are by the certificates that the settings name (`tls.py`), before a frame is read.
2. Every message is a frame: its length, the query it belongs to, its number within the query, its kind.
3. Messages wait in the query's mailbox until its thread asks for them. An opening that arrives before this matcher was
   asked the same thing waits for a while.
4. A query that fails here is abandoned at the peers too, so that they need not wait. A peer that hangs up fails the
   queries that wait for it. The next query dials again: nothing needs to be restarted.

LIMITATIONS
Lengths and times of messages are seen by whoever sees the network, and whoever holds it can stop them.
Frames name the query and not the attempt. An enrolment that is sent again at once, under the same query id, can meet
the word of the attempt before that it was abandoned; it then fails with `PeerUnavailable` again, and is sent again.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from time import monotonic, sleep

from handsel.errors import AccessDenied, HandselError, PeerUnavailable, PortTaken, Untrusted
from handsel.log import Log
from handsel.matching.dialogue import Dialogue, Send, T
from handsel.matching.frame import Frame, Kind, read_frame, write_frame
from handsel.matching.mailbox import Mailbox, Mailboxes
from handsel.matching.message import MATCHERS
from handsel.matching.tls import HANDSHAKE_TIMEOUT_S, Tls, cut, has_hung_up

QUERY_TIMEOUT_S = 5.0  # From its beginning to its answer.
CONNECTIONS_MAX = 8  # Accepted at a time; two are needed. Of more, the oldest that has proved nothing goes.
BACKLOG = 64  # Taken at once: a connection that finds no room here is tried again only after a second.
CLOSE_TIMEOUT_S = 2.0
ACCEPT_PAUSE_S = 0.1  # After a connection that could not be taken.


@dataclass(frozen=True)
class PeerAddress:
    """
    Say where a matcher listens for its peers.
    """

    host: str
    port: int


class Link:
    """
    Hold the connection on which this matcher sends to one peer.
    """

    def __init__(self, peer: str, address: PeerAddress, *, tls: Tls, log: Log) -> None:
        self._peer, self._address, self._tls, self._log = peer, address, tls, log
        self._lock = threading.Lock()
        self._socket: ssl.SSLSocket | None = None
        self._is_closed = False

    def send(self, frame: Frame, *, deadline_s: float) -> None:
        """
        Send one frame, dialling first if need be. Raises `PeerUnavailable`.
        """
        with self._held(deadline_s):
            connection = self._connected(deadline_s)
            try:
                write_frame(connection, frame, deadline_s=deadline_s)
            except OSError as exc:
                self._hang_up()
                raise PeerUnavailable("a matcher's peer does not take messages: ask again") from exc

    def is_alive(self, *, deadline_s: float) -> bool:
        """
        Return whether the peer is there, dialling first if need be.
        """
        try:
            with self._held(deadline_s):
                self._connected(deadline_s)
        except PeerUnavailable:
            return False
        return True

    def close(self) -> None:
        """
        Hang up, and dial no more: a query that still runs could else leave a connection behind.
        """
        with self._lock:
            self._is_closed = True
            self._hang_up()

    @contextlib.contextmanager
    def _held(self, deadline_s: float) -> Iterator[None]:
        if not self._lock.acquire(timeout=_left_s(deadline_s)):
            raise PeerUnavailable("a matcher's peer does not take messages: ask again")
        try:
            yield
        finally:
            self._lock.release()

    def _connected(self, deadline_s: float) -> ssl.SSLSocket:
        if self._is_closed:
            raise PeerUnavailable("this matcher is stopping: ask again")
        if self._socket is not None and has_hung_up(self._socket):
            self._hang_up()
        if self._socket is None:
            self._socket = self._dial(min(HANDSHAKE_TIMEOUT_S, _left_s(deadline_s)))
        return self._socket

    def _dial(self, timeout_s: float) -> ssl.SSLSocket:
        deadline_s = monotonic() + timeout_s
        try:
            connection = socket.create_connection((self._address.host, self._address.port), timeout=timeout_s)
        except OSError as exc:
            raise PeerUnavailable("a matcher's peer cannot be reached: ask again") from exc
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return self._tls.dial(connection, self._peer, deadline_s=deadline_s)
        except (OSError, AccessDenied) as exc:
            connection.close()
            self._log.event("peer_refused", code=AccessDenied.code)
            raise PeerUnavailable("who answers at a peer's address is not that peer: check certificates") from exc

    def _hang_up(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class Peers:
    """
    Talk to the two other matchers, for many queries at a time.
    """

    def __init__(
        self,
        me: str,
        *,
        addresses: Mapping[str, PeerAddress],
        tls: Tls,
        log: Log,
        timeout_s: float = QUERY_TIMEOUT_S,
    ) -> None:
        self.me, self.timeout_s = me, timeout_s
        self._address, self._tls, self._log = addresses[me], tls, log
        self._links = {name: Link(name, addresses[name], tls=tls, log=log) for name in MATCHERS if name != me}
        self._mailboxes = Mailboxes()
        self._listener: socket.socket | None = None
        self._accepted: dict[ssl.SSLSocket, str | None] = {}  # And who they have proved to be, the oldest first.
        self._current: dict[str, ssl.SSLSocket] = {}
        self._threads: set[threading.Thread] = set()
        self._lock = threading.Lock()

    def start(self) -> None:
        """
        Listen for the peers. Raises `PortTaken`.
        """
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self._address.host, self._address.port))
            listener.listen(BACKLOG)
        except OSError as exc:
            listener.close()
            raise PortTaken(f"matcher {self.me} cannot listen on port {self._address.port}: {exc.strerror}") from exc
        self._listener = listener
        self._start_thread(threading.Thread(target=self._accept, args=(listener,), daemon=True))

    def close(self) -> None:
        """
        Hang up on both peers and stop listening.
        """
        listener, self._listener = self._listener, None
        if listener is not None:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for link in self._links.values():
            link.close()
        with self._lock:
            accepted, threads = list(self._accepted), list(self._threads)
        for connection in accepted:
            with contextlib.suppress(OSError):
                cut(connection)
        for thread in threads:
            thread.join(CLOSE_TIMEOUT_S)

    def are_alive(self) -> bool:
        """
        Return whether both peers are there, dialling first if need be.
        """
        deadline_s = monotonic() + HANDSHAKE_TIMEOUT_S
        return all(link.is_alive(deadline_s=deadline_s) for link in self._links.values())

    def carry_out(self, dialogue: Dialogue[T], *, query_id: bytes) -> T:
        """
        Run a dialogue with both peers, in this thread, and return its result.

        Raises `PeerUnavailable` where a peer is not there, gives up or stays silent for too long; whatever the dialogue
        raises; `IdReused` where that query is in hand already.
        """
        deadline_s = monotonic() + self.timeout_s
        return self._carry_out(dialogue, query_id, lambda: deadline_s)

    def carry_out_at_length(self, dialogue: Dialogue[T], *, query_id: bytes, silence_s: float) -> T:
        """
        Run a dialogue that may take as long as it takes, but in which nobody may be silent for longer than `silence_s`.

        Raises what `carry_out` raises.
        """
        return self._carry_out(dialogue, query_id, lambda: monotonic() + silence_s)

    def _carry_out(self, dialogue: Dialogue[T], query_id: bytes, deadline: Callable[[], float]) -> T:
        with self._mailboxes.open(query_id) as mailbox:
            try:
                return self._drive(dialogue, query_id, mailbox, deadline)
            except BaseException:  # Whatever went wrong here, the peers need not wait for it.
                self._abandon(query_id)
                raise
            finally:
                dialogue.close()

    def _drive(self, dialogue: Dialogue[T], query_id: bytes, mailbox: Mailbox, deadline: Callable[[], float]) -> T:
        numbers = dict.fromkeys(self._links, 0)
        try:
            asked = next(dialogue)
            while True:
                if isinstance(asked, Send):
                    frame = Frame(query_id, numbers[asked.to], Kind.MESSAGE, asked.payload)
                    self._links[asked.to].send(frame, deadline_s=deadline())
                    numbers[asked.to] += 1
                    asked = dialogue.send(b"")
                else:
                    asked = dialogue.send(mailbox.take(asked.sender, deadline_s=deadline()))
        except StopIteration as stop:
            result: T = stop.value
            return result

    def _abandon(self, query_id: bytes) -> None:
        deadline_s = monotonic() + HANDSHAKE_TIMEOUT_S
        for link in self._links.values():
            with contextlib.suppress(PeerUnavailable):
                link.send(Frame(query_id, 0, Kind.ABANDONED, b""), deadline_s=deadline_s)

    def _accept(self, listener: socket.socket) -> None:
        while self._listener is not None:
            try:
                accepted, _ = listener.accept()
            except OSError:
                if self._listener is not None:  # No descriptor is left, say; later there is, and a peer dials again.
                    sleep(ACCEPT_PAUSE_S)
                continue
            try:
                connection = self._tls.wrap(accepted)
            except OSError:  # It has hung up already.
                accepted.close()
                continue
            self._make_room()
            with self._lock:
                self._accepted[connection] = None
            self._start_thread(threading.Thread(target=self._listen, args=(connection,), daemon=True))

    def _make_room(self) -> None:
        """
        Where there are too many connections, end the oldest of nobody: there are never many of peers.
        """
        with self._lock:
            strangers = [connection for connection, name in self._accepted.items() if name is None]
            too_many = strangers[: max(0, len(self._accepted) - CONNECTIONS_MAX + 1)]
            for connection in too_many:
                del self._accepted[connection]
        for connection in too_many:
            with contextlib.suppress(OSError):
                cut(connection)

    def _listen(self, connection: ssl.SSLSocket) -> None:
        """
        Learn who dialled, then put its frames into mailboxes until it hangs up.
        """
        sender: str | None = None
        try:
            sender = self._tls.accept(connection)
            self._take_over(sender, connection)
            while (frame := read_frame(connection)) is not None:
                self._mailboxes.put(sender, frame)
        except ssl.SSLError:  # What came is not what the peer had sent.
            self._log.event("peer_refused", code=Untrusted.code)
        except OSError:
            pass  # It hung up.
        except HandselError as exc:
            self._log.event("peer_refused", code=exc.code)
        finally:
            self._let_go(sender, connection)

    def _take_over(self, sender: str, connection: ssl.SSLSocket) -> None:
        """
        Make this the one connection on which `sender` is heard: it dialled again because an earlier one was lost.
        """
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        with self._lock:
            self._accepted[connection] = sender
            earlier = self._current.get(sender)
            self._current[sender] = connection
            if earlier is not None:
                self._mailboxes.hang_up(sender)
        if earlier is not None:
            with contextlib.suppress(OSError):
                cut(earlier)
        self._log.event("peer_connected")

    def _let_go(self, sender: str | None, connection: ssl.SSLSocket) -> None:
        with self._lock:
            self._accepted.pop(connection, None)
            self._threads.discard(threading.current_thread())
            if sender is not None and self._current.get(sender) is connection:
                del self._current[sender]
                self._mailboxes.hang_up(sender)
        connection.close()

    def _start_thread(self, thread: threading.Thread) -> None:
        with self._lock:
            self._threads.add(thread)
        thread.start()


def _left_s(deadline_s: float) -> float:
    left_s = deadline_s - monotonic()
    if left_s <= 0:
        raise PeerUnavailable("a matcher's peer did not answer in time: ask again")
    return left_s
