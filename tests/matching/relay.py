"""
Stand between two matchers, as somebody on their network could: record what goes over, and change it.
"""

from __future__ import annotations

import contextlib
import socket
import threading

from handsel.matching.peers import PeerAddress

CHUNK_BYTES = 1 << 16


class Relay:
    """
    Pass on what is sent to `to`, and what comes back. `recorded` is what was sent to it.
    """

    def __init__(self, to: PeerAddress) -> None:
        self._to = to
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = PeerAddress("127.0.0.1", self._listener.getsockname()[1])
        self.recorded = bytearray()
        self._tampers = threading.Event()
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def tamper(self) -> None:
        """
        Change the last byte of the next thing that is sent.
        """
        self._tampers.set()

    def close(self) -> None:
        """
        Hang up on both sides.
        """
        for each in [self._listener, *self._sockets]:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for each in [self._listener, *self._sockets]:
            each.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection((self._to.host, self._to.port))
                self._sockets += [near, far]
                for pump, ends in ((self._forth, (near, far)), (_back, (far, near))):
                    thread = threading.Thread(target=pump, args=ends)
                    self._threads.append(thread)
                    thread.start()

    def _forth(self, near: socket.socket, far: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while chunk := near.recv(CHUNK_BYTES):
                self.recorded += chunk
                if self._tampers.is_set():
                    self._tampers.clear()
                    chunk = chunk[:-1] + bytes([chunk[-1] ^ 1])
                far.sendall(chunk)
        _end(far)


def _back(far: socket.socket, near: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := far.recv(CHUNK_BYTES):
            near.sendall(chunk)
    _end(near)


def _end(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
